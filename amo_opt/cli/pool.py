"""``amo-opt pool``: the stableswap desk calculator."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from amo_opt.cli.options import print_json
from amo_opt.cli.pool_input import NUMBER, Asked, PoolCommand, given, pool_options
from amo_opt.cli.pool_tables import amount, document, plot, tell, tell_floor

NEAR = (0.999, 0.995, 0.99)
"""Prices whose depth `state` shows."""


@click.group("pool")
def command() -> None:
    """Calculate with a stableswap pool: its state, a swap, its depth, the worst case at a floor.

    \b
    Example:
      amo-opt pool depth --stable 165m --base 165m -A 50 -A 1500
      amo-opt pool floor --study studies/frax-2022.toml
    """


@command.command("state", cls=PoolCommand, short_help="Balances, price and depth.")
@pool_options
def state(asked: Asked) -> None:
    """Balances, invariant, price, and how much the pool takes before the price is near 1 no more.

    \b
    Example:
      amo-opt pool state --study studies/frax-2022.toml
      amo-opt pool state --stable 165m --base 161.6m --virtual-price 1.021 -A 50 -A 1500 --json
    """
    from amo_opt.stableswap.depth import depth_to_price

    pool = given(asked)
    rows: list[dict[str, Any]] = [
        {
            "amplification": each.amplification,
            "stablecoin": each.stablecoin,
            "base_usd": each.base,
            "stablecoin_share": each.share,
            "D": each.D,
            "price": each.price,
            "price_sold": each.price * (1.0 - each.fee),
            "price_bought": each.price / (1.0 - each.fee),
            **{f"depth_to_{near}": depth_to_price(each, near) for near in NEAR},
        }
        for each in pool.pools
    ]
    titles = {
        "stablecoin": "stablecoin",
        "base_usd": "base (USD)",
        "stablecoin_share": "stablecoin share",
        "D": "invariant D",
        "price": "price (USD of base, before the fee)",
        "price_sold": "a seller's first token",
        "price_bought": "a buyer's first token",
        **{f"depth_to_{near}": f"sale down to a price of {near}" for near in NEAR},
    }
    plot(asked, pool)
    tell(asked, pool, rows, titles, title="pool")


@command.command("swap", cls=PoolCommand, short_help="One swap with its fees.")
@click.option("--sell", type=NUMBER, default=None, metavar="N", help="Stablecoin to sell.")
@click.option("--sell-base", type=NUMBER, default=None, metavar="N", help="Base to sell, dollars.")
@pool_options
def swap(asked: Asked, *, sell: float | None, sell_base: float | None) -> None:
    """One swap with its fees, and what the contract's own integers pay for it.

    \b
    Example:
      amo-opt pool swap --stable 165m --base 165m -A 50 --sell 1m
      amo-opt pool swap --study studies/frax-2022.toml --sell-base 100m
    """
    from amo_opt.stableswap import depth, units

    if (sell is None) == (sell_base is None):
        raise click.UsageError("give --sell (stablecoin) or --sell-base (dollars), one of them")
    pool = given(asked)
    sold = sell if sell is not None else sell_base
    assert sold is not None  # noqa: S101 - one of the two, see above
    rows: list[dict[str, Any]] = []
    for each in pool.pools:
        if sell is not None:
            swapped, contract = depth.sell_stablecoin(each, sold), units.quote_stablecoin(each, sold, pool.virtual_price)
        else:
            swapped, contract = depth.sell_base(each, sold), units.quote_base(each, sold, pool.virtual_price)
        rows.append(
            {
                "amplification": each.amplification,
                "sold": swapped.sold,
                "received": swapped.received,
                "received_by_contract": contract,
                "fee": swapped.fee,
                "admin_fee": swapped.admin_fee,
                "average_price": swapped.average_price,
                "price_before": each.price,
                "price_after": swapped.pool.price,
                "stablecoin_after": swapped.pool.stablecoin,
                "base_usd_after": swapped.pool.base,
            }
        )
    selling, buying = ("stablecoin", "base, USD") if sell is not None else ("base, USD", "stablecoin")
    titles = {
        "sold": f"sold ({selling})",
        "received": f"received ({buying})",
        "received_by_contract": "… by the contract's integers",
        "fee": "fee in it",
        "admin_fee": "… of which leaves the pool",
        "average_price": "average price, fee taken",
        "price_before": "price before",
        "price_after": "price after",
        "stablecoin_after": "stablecoin after",
        "base_usd_after": "base after (USD)",
    }
    plot(asked, pool, (("sold", sold),) if sell is not None else ())
    tell(asked, pool, rows, titles, title="swap")


@command.command("depth", cls=PoolCommand, short_help="What can be sold before the price moves; which A bears a sale.")
@click.option("--price", type=NUMBER, default=None, metavar="P", help="Sell down to this price.")
@click.option("--move", type=NUMBER, default=None, metavar="X", help="Sell until the price has moved by X (default: 0.01).")
@click.option("--sale", type=NUMBER, default=None, metavar="N", help="Which A bears this sale?")
@pool_options
def depth(asked: Asked, *, price: float | None, move: float | None, sale: float | None) -> None:
    """How much can be sold before the marginal, or the seller's average, price moves so far; or which A bears a sale.

    \b
    Example:
      amo-opt pool depth --stable 165m --base 165m -A 50 -A 1500 --move 0.01
      amo-opt pool depth --study studies/frax-2022.toml --price 0.99 --sale 300m
    """
    from amo_opt.stableswap.depth import depth_to_average, depth_to_price, least_amplification

    if price is not None and move is not None:
        raise click.UsageError("give --price (a price) or --move (a distance), not both")
    pool = given(asked)
    rows: list[dict[str, Any]] = []
    for each in pool.pools:
        target = price if price is not None else each.price - (0.01 if move is None else move)
        marginal, average = depth_to_price(each, target), depth_to_average(each, target)
        rows.append(
            {
                "amplification": each.amplification,
                "price": each.price,
                "target_price": target,
                "sale_to_marginal_price": marginal,
                "sale_to_average_price": average,
                "marginal_base_share": marginal / each.base,
            }
        )
    titles = {
        "price": "price now",
        "target_price": "down to",
        "sale_to_marginal_price": "sale to that marginal price",
        "sale_to_average_price": "sale to that average price, fee taken",
        "marginal_base_share": "the former over the base",
    }
    plot(asked, pool, (("marginal", rows[0]["sale_to_marginal_price"]),))
    if sale is None:
        tell(asked, pool, rows, titles, title="depth")
        return
    own, target = pool.pools[0], rows[0]["target_price"]
    least = {"marginal": least_amplification(own, sale, target), "average": least_amplification(own, sale, target, depth_to_average)}
    found = "; ".join(f"{name} price: {'no A does' if a is None else f'A {a:,} or more'}" for name, a in least.items())
    notes = (f"which A bears {amount(sale)} sold down to {target:.6g}: {found}",)
    tell(asked, pool, rows, titles, title="depth", notes=notes, sale={"sale": sale, "target_price": target, "least_amplification": least})


@command.command("floor", cls=PoolCommand, short_help="Worst-case collateral at a price floor.")
@click.option("--floor", "floor_price", type=NUMBER, default=None, metavar="P", help="Price floor (default: the study's collateral ratio).")
@click.option("--lp-share", type=NUMBER, default=None, metavar="S", help="Share of the LP owned (default: the study's, or 1).")
@click.option(
    "--collateral-ratio", type=NUMBER, default=None, metavar="R", help="What withdrawn stablecoin counts at (default: the floor)."
)
@click.option(
    "--outside", type=NUMBER, default=None, metavar="N", help="Stablecoin outside the pool (default: the study's, or without limit)."
)
@click.option("--window", type=NUMBER, default=None, metavar="X", help="The loops' convergence window (default: each contract's own).")
@pool_options
def floor(
    asked: Asked,
    *,
    floor_price: float | None,
    lp_share: float | None,
    collateral_ratio: float | None,
    outside: float | None,
    window: float | None,
) -> None:
    """Worst-case collateral at a price floor: closed form beside what the AMO contracts' loops return, reverts included; the loops are Frax's, and of another protocol's study the closed form stands alone.

    \b
    Example:
      amo-opt pool floor --study studies/frax-2022.toml
      amo-opt pool floor --stable 165m --base 165m -A 100 -A 1500 --floor 0.9 --lp-share 0.8
    """
    from amo_opt.stableswap.floor import BOTH_LOOPS, compare_floor

    pool = given(asked)
    if floor_price is None:
        if pool.collateral_ratio is None:
            raise click.UsageError(
                "--floor missing: give a price, or --study STUDY.toml of a protocol with a collateral ratio, which it is then"
            )
        floor_price = pool.collateral_ratio
    if pool.lp_share == 0.0 and lp_share is None:
        raise click.UsageError("--lp-share missing: the study's protocol owns none of the pool, so none of it is its collateral")
    compared = [
        compare_floor(
            each,
            floor_price,
            virtual_price=pool.virtual_price,
            lp_share=pool.lp_share if lp_share is None else lp_share,
            collateral_ratio=collateral_ratio,
            outside=pool.outside if outside is None else outside,
            convergence_window=window,
            contracts=BOTH_LOOPS if pool.loops else (),
            as_read=pool.loops,
        )
        for each in pool.pools
    ]
    plot(asked, pool, (("floor", compared[0][0].sold or 0.0),))
    if asked.as_json:
        named = zip(pool.pools, compared, strict=True)
        documents = [
            {"amplification": each.amplification, "floor": floor_price, "methods": [asdict(row) for row in rows]} for each, rows in named
        ]
        print_json(document(pool, documents))
        return
    for each, rows in zip(pool.pools, compared, strict=True):
        tell_floor(each, rows, floor_price, pool.account)
