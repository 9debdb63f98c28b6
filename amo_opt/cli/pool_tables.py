"""What `amo-opt pool` prints: a table with a column an amplification, one JSON document, and the plot on request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from amo_opt.cli.options import print_json
from amo_opt.cli.pool_input import Asked, Given
from amo_opt.cli.streams import say
from amo_opt.cli.tables import print_table
from amo_opt.wording import fixed, in_account, significant

if TYPE_CHECKING:
    from amo_opt.stableswap.depth import Pool
    from amo_opt.stableswap.floor import FloorRow

ROOM = 1.25
"""How much further than what is asked about a plot is drawn."""
USUAL_PRICE = 0.95
"""Where a plot ends, the deepest pool sold down to it, when nothing is asked about."""

PRICES = ("price", "target_price", "average_price")
"""How the names of prices begin."""

Documents = Sequence[Mapping[str, Any]]


def amount(value: float) -> str:
    """Tokens or dollars."""
    return significant(value, 6) if 0.0 < abs(value) < 1.0 else fixed(value, 2)


def _cell(name: str, value: float) -> str:
    """Prices and shares with six decimals, amounts with two."""
    return fixed(value, 6) if name.startswith(PRICES) or name.endswith("share") else amount(value)


def document(given: Given, rows: Documents, **extra: Any) -> dict[str, Any]:
    """One JSON document: the pool as understood, a row an amplification."""
    own = given.pools[0]
    pool = {
        "stablecoin": own.stablecoin,
        "base_usd": own.base,
        "virtual_price": given.virtual_price,
        "fee": own.fee,
        "admin_fee": own.admin_fee,
    }
    return {"schema": 1, "pool": pool, "rows": [dict(row) for row in rows], **extra}


def tell(
    asked: Asked, given: Given, rows: Documents, titles: Mapping[str, str], *, title: str, notes: Sequence[str] = (), **extra: Any
) -> None:
    """Prints the rows, as JSON or as a table with a column for each; ``notes`` follow the table, ``extra`` joins the document."""
    if asked.as_json:
        print_json(document(given, rows, **extra))
        return
    heads = ("", *(f"A {row['amplification']:,.0f}" for row in rows))
    cells = [(in_account(label, given.account), *(_cell(name, row[name]) for row in rows)) for name, label in titles.items()]
    print_table(title, (heads, cells))
    for note in notes:
        say(note)


def tell_floor(pool: Pool, rows: Sequence[FloorRow], floor: float, account: str) -> None:
    """One table of `amo-opt pool floor`: a row a method, then the reasons of reverts and what a cap did."""
    scale, unit = (1e6, "millions") if pool.stablecoin + pool.base >= 1e6 else (1.0, "units")
    title = f"worst case at a floor of {floor:g}, A {pool.amplification:,.0f} ({unit} of tokens and {in_account('dollars', account)})"
    cells = []
    for row in rows:
        amounts = (row.sold, row.share_stablecoin, row.share_base, row.collateral)
        cells.append(
            (
                row.method,
                "reverts" if row.revert is not None else "" if row.rounds is None else str(row.rounds),
                "" if row.price is None else fixed(row.price, 4),
                *("" if each is None else fixed(each / scale, 1) for each in amounts),
                *("" if each is None else f"{fixed(100.0 * each, 1, signed=True)}%" for each in (row.base_off, row.collateral_off)),
            )
        )
    print_table(title, (("method", "rounds", "price", "sold", "own stable", "own base", "collateral", "base off", "coll. off"), cells))
    for row in rows:
        if row.revert is not None:
            say(f"{row.method} reverts: {row.revert}")
    if rows[0].more_than_exists:
        say(f"only {amount(rows[0].sold or 0.0)} stablecoin exist outside the pool: the closed form stops there, the loops sell on")


def plot(asked: Asked, given: Given, marks: Sequence[tuple[str, float]] = ()) -> None:
    """Draws price and composition against the amount sold, if a file is asked for; ``marks`` are amounts worth a line."""
    if asked.plot is None:
        return
    from amo_opt.report.figures.pool import save_pool
    from amo_opt.stableswap.depth import depth_to_price, selling_curve

    shown = [(name, value) for name, value in marks if value > 0.0]
    furthest = (
        max((value for _, value in shown), default=0.0)
        or max(depth_to_price(each, USUAL_PRICE) for each in given.pools)
        or given.pools[0].base
    )
    own = given.pools[0]
    caption = (
        f"{own.stablecoin:,.0f} stablecoin and {own.base:,.0f} {given.account} of base, fee {own.fee:.4%}; marginal price before the fee."
    )
    curves = [selling_curve(each, ROOM * furthest) for each in given.pools]
    save_pool(asked.plot, curves, title="A pool while its stablecoin is sold", caption=caption, account=given.account, marks=shown)
    say(f"drawn in {asked.plot}", err=True)
