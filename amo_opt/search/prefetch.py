"""What is made one by one, taken in groups while the rest is being made."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event
from typing import TypeVar

T = TypeVar("T")


def prefetched(made: Iterable[T]) -> Generator[list[T], None, None]:
    """Everything in its order, in lists of what has come since the last one was taken, at least one; made on a thread of its own.

    An error of the making is raised after what was made before it. Whoever stops taking stops the making too.
    """
    ready: SimpleQueue[tuple[T] | None] = SimpleQueue()
    left = Event()

    def make() -> None:
        try:
            for each in made:
                ready.put((each,))
                if left.is_set():
                    return
        finally:
            ready.put(None)

    with ThreadPoolExecutor(max_workers=1) as pool:
        making = pool.submit(make)
        try:
            more = True
            while more:
                came = [ready.get()]
                while not ready.empty():
                    came.append(ready.get())
                more = came[-1] is not None
                group = [each[0] for each in came if each is not None]
                if group:
                    yield group
        finally:
            left.set()
        making.result()
