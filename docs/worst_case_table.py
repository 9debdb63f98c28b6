# ruff: noqa: INP001
"""Writes the tables of docs/worst-case.md, between their markers: ``python docs/worst_case_table.py`` (seconds; the same bytes each time)."""

from __future__ import annotations

from pathlib import Path

from amo_opt.stableswap.depth import Pool
from amo_opt.stableswap.floor import AS_READ, FloorRow, compare_floor, price_as_read

PAGE = Path(__file__).with_name("worst-case.md")
AMPLIFICATIONS = (10, 50, 100, 200, 500, 1000, 1500, 2500, 5000)
FLOORS = (0.80, 0.85, 0.90, 0.95)
SIDE = 165e6
FEE = 0.0004
VIRTUAL_PRICES = (1.0, 1.005, 1.01, 1.02, 1.03, 1.05)
MANY_FLOORS = tuple(0.8 + 0.005 * step for step in range(39))


def _row(amplification: int, floor: float, method: str, *, virtual_price: float = 1.0) -> FloorRow:
    pool = Pool(stablecoin=SIDE, base=SIDE, amplification=float(amplification), fee=FEE)
    return next(row for row in compare_floor(pool, floor, virtual_price=virtual_price) if row.method == method)


def _cell(row: FloorRow) -> str:
    if row.price is None or row.base_off is None or row.collateral_off is None:
        return "reverts"
    return f"{row.price:.3f}: {_percent(row.base_off, 0)}, {_percent(row.collateral_off, 1)}"


def _percent(value: float, decimals: int) -> str:
    written = f"{value:+.{decimals}%}"
    return written if float(written[:-1]) else written[1:]


def _table(heads: list[str], lines: list[list[str]]) -> str:
    rule = ["---", *("--:" for _ in heads[1:])]
    return "\n".join("| " + " | ".join(line) + " |" for line in (heads, rule, *lines))


def loop_table(contract: str) -> str:
    """One contract: where it stops and what it books, A down and floors across."""
    lines = [[f"{a:,}", *(_cell(_row(a, floor, contract)) for floor in FLOORS)] for a in AMPLIFICATIONS]
    return _table(["A", *(f"floor {floor:.2f}" for floor in FLOORS)], lines)


def reading_table() -> str:
    """What dividing by the virtual price alone does, at A 1,500 and a floor of 0.8725."""
    lines = []
    for price in VIRTUAL_PRICES:
        row = _row(1500, 0.8725, AS_READ, virtual_price=price)
        read = price_as_read(0.8725, virtual_price=price, fee=FEE)
        lines.append([f"{price:.3f}", f"{read:.4f}", _percent(row.base_off or 0.0, 0), _percent(row.collateral_off or 0.0, 2)])
    return _table(["virtual price", "price the loops stop at", "base", "collateral"], lines)


def revert_table() -> str:
    """At how many of the floors 0.800, 0.805, … 0.990 the halving loop finds no point."""
    lines = []
    for a in AMPLIFICATIONS:
        counts = [sum(_row(a, floor, name).revert is not None for floor in MANY_FLOORS) for name in ("CurveAMO_V4", "Convex_AMO_V2")]
        lines.append([f"{a:,}", *(f"{count} of {len(MANY_FLOORS)}" for count in counts)])
    return _table(["A", "CurveAMO_V4 (window 0.001)", "Convex_AMO_V2 (window 0.01)"], lines)


def with_tables(page: str) -> str:
    """The page with every table computed again."""
    tables = {
        "CurveAMO_V3": lambda: loop_table("CurveAMO_V3"),
        "CurveAMO_V4": lambda: loop_table("CurveAMO_V4"),
        "Convex_AMO_V2": lambda: loop_table("Convex_AMO_V2"),
        "reading": reading_table,
        "reverts": revert_table,
    }
    for name, table in tables.items():
        start, end = f"<!-- table: {name} -->", f"<!-- end: {name} -->"
        head, _, rest = page.partition(start)
        page = f"{head}{start}\n\n{table()}\n\n{end}{rest.partition(end)[2]}"
    return page


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
