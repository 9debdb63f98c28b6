"""Blocks read back: the tables of a section by their heads, as a reader of the appendix sees the cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amo_opt.report.blocks import InText, Long, OnPage, Pairs, Table, line_markdown, to_markdown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amo_opt.report.blocks import Block


def each(blocks: Sequence[Block]) -> Iterator[Block]:
    """Every block, what is moved or shown in one place alone included."""
    for block in blocks:
        if isinstance(block, (OnPage, InText, Long)):
            yield from each(block.blocks)
        else:
            yield block


def tables(blocks: Sequence[Block]) -> list[Table]:
    """Every table that has rows, in order."""
    return [block for block in each(blocks) if isinstance(block, Table) and block.rows]


def rows(table: Table) -> list[dict[str, str]]:
    """Its rows, head -> cell."""
    heads = [column.head for column in table.columns]
    return [dict(zip(heads, (line_markdown(cell, {}) for cell in row), strict=True)) for row in table.rows]


def pairs(blocks: Sequence[Block]) -> dict[str, str]:
    """What stands beside each name, without heads."""
    return {name: line_markdown(line, {}) for block in each(blocks) if isinstance(block, Pairs) for name, line in block.rows}


def text(blocks: Sequence[Block]) -> str:
    """All of it as one text, what is moved included."""
    return to_markdown(list(each(blocks)))
