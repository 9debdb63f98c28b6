"""The appendix of a proposal, cut into posts: a forum refuses a post that is too long, so no part may be.

A topic stays whole where one post can hold it; else it is cut between paragraphs, and a table between rows, its head repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

POST_LIMIT = 32_000
"""Characters a post may have where nobody changed Discourse's `max_post_length`."""
HEADING_ROOM = 1_000
"""Characters kept free in each part for its heading."""
CUT = "<!-- ===== cut here: what follows is the next reply ===== -->"


@dataclass(frozen=True)
class Topic:
    """One table or list with what belongs to it: ``text`` is Markdown, empty where there is nothing to show."""

    key: str
    title: str
    section: str
    text: str


@dataclass(frozen=True)
class Appendix:
    """The file, its parts as they are posted, and topic -> where it stands (``appendix 2``)."""

    parts: tuple[str, ...]
    where: dict[str, str]

    @property
    def text(self) -> str:
        """The whole file."""
        return f"\n{CUT}\n\n".join(self.parts)


def appendix_of(topics: Sequence[Topic], *, limit: int = POST_LIMIT - HEADING_ROOM) -> Appendix:
    """The topics in order, in as many parts as ``limit`` characters a part ask for. Topics without text are left out."""
    parts: list[list[tuple[Topic, str]]] = []
    room = 0
    for topic in (each for each in topics if each.text.strip()):
        whole = _with_title(topic, topic.text)
        pieces = [whole] if len(whole) <= limit else list(_cut(topic, limit))
        for piece in pieces:
            if len(piece) > room:
                parts.append([])
                room = limit
            parts[-1].append((topic, piece))
            room -= len(piece)
    where: dict[str, str] = {}
    for number, part in enumerate(parts, start=1):
        for topic, _ in part:
            where[topic.key] = f"{where[topic.key]} and {number}" if topic.key in where else f"appendix {number}"
    return Appendix(tuple(_part(number, part, of=len(parts)) for number, part in enumerate(parts, start=1)), where)


def _part(number: int, part: list[tuple[Topic, str]], *, of: int) -> str:
    titles = [topic.title for topic, _ in part]
    heading = "; ".join([titles[0], *(title[:1].lower() + title[1:] for title in titles[1:])])
    return f"# Appendix {number} of {of}: {heading}\n\n" + "".join(piece for _, piece in part).rstrip("\n") + "\n"


def _with_title(topic: Topic, text: str, *, again: bool = False) -> str:
    return f"## {topic.title} ({topic.section}{', continued' if again else ''})\n\n{text.strip()}\n\n"


def _cut(topic: Topic, limit: int) -> Iterator[str]:
    """The topic in pieces of at most ``limit`` characters, title included."""
    room = limit - len(_with_title(topic, "", again=True))
    text, first = "", True
    for block in _blocks(topic.text, room):
        if text and len(text) + len(block) + 2 > room:
            yield _with_title(topic, text, again=not first)
            text, first = "", False
        text += f"{block}\n\n"
    yield _with_title(topic, text, again=not first)


def _blocks(text: str, room: int) -> Iterator[str]:
    """Paragraphs and tables; a table that is too long for a post comes in several, each with its head."""
    for block in text.strip().split("\n\n"):
        lines = block.split("\n")
        if len(block) + 2 <= room or not block.startswith("|"):
            yield block
            continue
        head, rows = lines[:2], lines[2:]
        table = head[:]
        for row in rows:
            if len(table) > len(head) and sum(len(line) + 1 for line in (*table, row)) + 2 > room:
                yield "\n".join(table)
                table = head[:]
            table.append(row)
        yield "\n".join(table)
