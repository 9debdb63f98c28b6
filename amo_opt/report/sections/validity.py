"""Section 10, what the figures rest on: replayed episodes, scenarios and their weights, assumed figures, known limits of the model."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from amo_opt.amos.layout import mechanisms_of
from amo_opt.amos.naming import is_plain
from amo_opt.amos.peg_keeper import PegKeeper
from amo_opt.protocol.state import FRAX
from amo_opt.report.blocks import (
    Block,
    Bullets,
    Code,
    Heading,
    InText,
    Line,
    Long,
    Named,
    OnPage,
    Picture,
    See,
    Strong,
    Table,
    Text,
    Told,
    n,
    num,
    wide,
)
from amo_opt.report.sections.doubt import blocks as doubt_blocks
from amo_opt.report.sections.doubt import share_words
from amo_opt.report.sections.risk import paths_per_scenario, unseen_chance
from amo_opt.report.stories.backtest import allowed, band_holds, shown, summary_table
from amo_opt.report.stories.finding import HIDDEN_BY_A
from amo_opt.report.wording import Chip, Scale, listed, sentence_case
from amo_opt.scoring.replayed import QUOTES
from amo_opt.stress.history import episode_names, load_episode
from amo_opt.wording import MISSING, USD, clean, count, in_account, true_minus

if TYPE_CHECKING:
    from amo_opt.config.study import Study
    from amo_opt.protocol.state import ProtocolState
    from amo_opt.report.account import Account
    from amo_opt.scoring.replay import ColumnFit, Demand, EpisodeFit
    from amo_opt.search.result import AssumptionDoubt


EPISODE_HEADS = ("What must come out right", num("Allowed"), num("Model"), num("Observed"), n("n paths"), "Verdict")
FIGURE_HEADS = ("Figure", num("Model (5–95% of paths)"), n("n paths"), num("Observed"), num("Miss"))


def finding(of: Account) -> str:
    """How many demands the replays meet."""
    fits = own_episodes(of.study, of.result.episodes)
    return met_words(fits) if fits else replayed_words(of.study, fits).split(",")[0]


def blocks(of: Account) -> list[Block]:
    """Replays, limits in words, scenarios with their weights, doubt, assumed figures."""
    return [
        Heading("Episodes replayed"),
        *_replays(of),
        Heading("Known limits"),
        Bullets(limits_of(of.study, own_episodes(of.study, of.result.episodes), of.result.doubt)),
        Heading("Scenarios and their weights"),
        *_scenarios(of),
        *doubt_blocks(of),
        *_assumed(of),
    ]


def _replays(of: Account) -> list[Block]:
    fits = own_episodes(of.study, of.result.episodes)
    found: list[Block] = [Text(replayed_words(of.study, fits)), Picture("episodes")]
    for each in fits:
        found += [Text(Strong(clean(each.title)), " (", Code(each.name), "). ", _replay(each)), Table(EPISODE_HEADS, _demands(each))]
    if not fits:
        return found
    figures: list[Block] = []
    for each in fits:
        notes = "; ".join(clean(note) for note in each.notes)
        figures += [
            Text(Strong(clean(each.title)), " (", Code(each.name), ")."),
            Table(FIGURE_HEADS, _figures(each, of.unit)),
            Text(f"Rests on: {notes}." if notes else "", kind="small"),
        ]
    return [
        *found,
        InText(Text("Every figure of the replays: ", See("replays"), ".")),
        Long("replays", "Replayed episodes, figure by figure", *figures),
    ]


def _demands(fit: EpisodeFit) -> list[tuple[Line, ...]]:
    return [
        (
            clean(each.text),
            true_minus(
                allowed(each) if each.band is None else f"recorded within {shown(each.band[0])} to {shown(each.band[1])}, 5–95% of paths"
            ),
            true_minus(shown(each.model)),
            true_minus(shown(each.real)),
            f"{fit.paths:,}",
            Chip("MET") if each.met else (Chip("MISSED"), f" by {_missed(each)}"),
        )
        for each in fit.demands
    ]


def _figures(fit: EpisodeFit, account: str) -> list[tuple[Line, ...]]:
    """Each over the whole replay: the model's mean with the band of its paths, what was recorded, how far it misses."""
    return [
        (
            clean(title),
            Told(true_minus(model), "" if model == MISSING else true_minus(band)),
            MISSING if model == MISSING else f"{fit.paths:,}",
            true_minus(real),
            true_minus(miss),
        )
        for title, model, band, real, miss in summary_table(fit, account)[1]
    ]


def _scenarios(of: Account) -> list[Block]:
    """Weights as they were used: normalised."""
    scenarios, limit = of.study.scenarios, of.study.constraints.max_breach_probability
    total, percent = sum(each.weight for each in scenarios), Scale(100.0, 2, "%")
    rows = [
        (
            Named(clean(each.title), below=clean(each.summary)),
            percent.text(each.weight / total),
            clean(each.weight_reason) or MISSING,
            percent.text(limit if each.max_breach_probability is None else each.max_breach_probability),
        )
        for each in scenarios
    ]
    sources = [(clean(each.title), "; ".join(clean(source) for source in each.sources) or "none") for each in scenarios]
    return [
        Table(("Scenario", num("Weight"), wide("Why this weight"), num("Breach limit")), rows, label="Scenarios"),
        InText(Text("Sources of each: ", See("sources"), ".")),
        Long("sources", "Sources of the scenarios", Table(("Scenario", wide("Sources")), sources)),
    ]


def _assumed(of: Account) -> list[Block]:
    told = f"{len(of.assumed)} figures of the state have no source; each has a reason and a range in which it may lie"
    rows = [(Named(each.doc, (each.key,)), each.value, each.range, each.unit, each.origin) for each in of.assumed]
    heads = ("Figure", num("Value"), num("Range"), "Unit", wide("Reason"))
    return [
        InText(Heading("Assumed figures"), Text(told, *((": ", See("assumed")) if rows else ()), ".")),
        Long("assumed", "Assumed figures", OnPage(Text(f"{told}.")), Table(heads, rows, label="Assumed figures")),
    ]


def is_validated(episodes: tuple[EpisodeFit, ...]) -> bool:
    """Whether the model counts as validated: at least one real episode was replayed, and every demand of every episode is met.

    An episode that demands nothing shows nothing, so it does not count as one.
    """
    return any(each.demands for each in episodes) and not any(each.missed for each in episodes)


def own_episodes(study: Study, episodes: tuple[EpisodeFit, ...]) -> tuple[EpisodeFit, ...]:
    """The replays that speak of the state's protocol; another's days, kept from when the state said otherwise, count for nothing."""
    shipped = episode_names()
    return tuple(each for each in episodes if each.name not in shipped or study.state.is_of(load_episode(each.name).protocol))


def replayed_words(study: Study, episodes: tuple[EpisodeFit, ...]) -> str:
    """What was replayed and what came of it."""
    if not episodes:
        others = "" if study.state.is_of(FRAX) else " The episodes that come with this program are another protocol's."
        return f"No real episode was replayed for this report, so nothing here shows that the model would have got one right.{others}"
    return (
        f"The current set was replayed through {count(len(episodes), 'real episode')}: what is recorded of prices and outflows drives the model, "
        f"everything else is drawn as in calm. {met_words(episodes)} (it does where every demand is met)."
    )


def met_words(episodes: tuple[EpisodeFit, ...]) -> str:
    """``9 of 10 demands met: the model does not count as validated``."""
    total, missed = sum(len(each.demands) for each in episodes), sum(len(each.missed) for each in episodes)
    verdict = "the model counts as validated" if is_validated(episodes) else "the model does not count as validated"
    return f"{total - missed} of {count(total, 'demand')} met: {verdict}"


def _against(demand: Demand) -> str:
    """What a missed demand's figure is, and what it was to be."""
    if demand.band is None:
        return f"model {true_minus(shown(demand.model))}, allowed {true_minus(allowed(demand))}"
    ends = f"{true_minus(shown(demand.band[0]))} to {true_minus(shown(demand.band[1]))}"
    return f"recorded {true_minus(shown(demand.real))}, 5–95% of paths {ends}"


def _missed(demand: Demand) -> str:
    """How far a demand is missed; a figure that cannot be had misses it too."""
    return "no figure" if math.isnan(demand.model) else true_minus(shown(float(f"{demand.missed_by:.3g}")))


def _replay(fit: EpisodeFit) -> str:
    """When, how long, and how many demands it meets."""
    start, met = datetime.fromisoformat(fit.start), len(fit.demands) - len(fit.missed)
    asked = "what is demanded of the model's mean, each with its allowed range, stands in the table"
    if fit.drawn_behaviour != "no":
        asked = "what was recorded is to lie within 5–95% of paths, which draw all that is not known; the table has each"
    return f"From {start.day} {start:%B %Y %H:%M} UTC, {fit.hours - 1} hours, {count(fit.paths, 'path')}: {met} of {count(len(fit.demands), 'demand')} met: {asked}."


def prices_of(fit: EpisodeFit) -> ColumnFit | None:
    """The price row by row, which is drawn; None where none was recorded."""
    return next((each for each in fit.columns if each.name in QUOTES), None)


def price_caption(fit: EpisodeFit, seed: int) -> str:
    """What is drawn, and how many recorded prices lie outside the band."""
    prices = prices_of(fit)
    known = prices is None or prices.outside is not None
    drawn = (
        ""
        if prices is None or not known
        else f"; of {count(prices.n, 'recorded price')} {prices.outside} lie outside the band: {band_holds(fit)}"
    )
    return f"{clean(fit.title)}. Blue: the model's mean {'and 5–95% of paths' if known else '(too few paths for a band)'}; orange: recorded{drawn} (n = {fit.paths:,} paths, seed {seed})."


def _episode_limits(study: Study, episodes: tuple[EpisodeFit, ...]) -> tuple[str, ...]:
    """What the replays leave open, or that there are none."""
    if not episodes and not study.state.is_of(FRAX):
        return (
            "No backtest is part of this report: the episodes that come with this program are another protocol's and validate nothing here; the command amo-opt backtest --history FILE.csv replays a record of this protocol. The box above says not validated.",
        )
    if not episodes:
        return (
            "No backtest is part of this report: the command amo-opt backtest replays real episodes, and docs/validity.md prints what the model misses there. The box above says not validated.",
        )
    missed = tuple(
        f"The replay of {clean(each.name)} misses: {'; '.join(f'{clean(demand.text)}, by {_missed(demand)} ({_against(demand)})' for demand in each.missed)}."
        for each in episodes
        if each.missed
    )
    return (
        *missed,
        f"{count(len(episodes), 'real episode').capitalize()} cannot show how the model does in any other; nor do they test the yield, which was recorded in none.",
    )


def _spells(study: Study) -> tuple[str, ...]:
    """What holders' and providers' spells were fitted to, hence what of the replays is in sample; nothing where a study has no fit."""
    spells = study.spells
    if spells is None:
        return ()
    n = f"daily balances of {count(len(spells.evidence), 'pool')}"
    draws = (
        f"{count(spells.count, 'joint draw')} stand for what is not known of them, and docs/validity.md tells how they predict unseen days"
    )
    if not study.state.is_of(FRAX):
        return (f"Holders' and providers' spells are fitted to {n}, none of this protocol's; {draws}.",)
    told = ", ".join(clean(each.partition(":")[0]) for each in spells.evidence)
    return (
        f"Holders' and providers' spells are fitted to {n} ({told}), whose days are in sample here ({clean(spells.name)} lists them); {draws}.",
    )


def _movement(doubt: AssumptionDoubt | None) -> str:
    """In what share of joint draws within those ranges the verdict holds."""
    if doubt is None:
        return "How far the verdict moves within those ranges was not computed in this run."
    return f"Drawn within them all together, it holds in {share_words(doubt.share)} of {count(doubt.share.n, 'draw')}; what lies beyond the ranges is not known."


def _simulated(state: ProtocolState) -> str:
    """Which AMOs are simulated: those of the state by what they are called, those that share the word AMO together."""
    held = [
        each
        for each in sorted(mechanisms_of(state), key=lambda each: each.section_rank)
        if state.has(each.table) and each.table.startswith("amos.")
    ]
    if not held:
        return "No AMO is simulated, as the state has none."
    keepers = [each for each in held if each.section is PegKeeper]
    if len(keepers) > 1:
        together = replace(keepers[0], title=f"{listed([each.title.removesuffix(' PegKeeper') for each in keepers])} PegKeepers")
        held = [together, *(each for each in held if each not in keepers)]
    venues = [each.venue for each in held if each.venue != each.title]
    others = [f"the {each.title}" for each in held if each.venue == each.title]
    named = [f"the {listed(venues)} AMO{'s' if len(venues) > 1 else ''}"] if venues else []
    told = sentence_case(listed([*named, *others]))
    several = len(held) > 1 or len(keepers) > 1
    return f"{told} {'are' if several else 'is'} simulated, other AMOs of the protocol are not."


def _traded(state: ProtocolState) -> tuple[str, ...]:
    """Which pools are simulated, and what is told of one of them alone; nothing where there is one."""
    if not state.pools.named:
        return ()
    names = [state.pool_name.upper(), *(name.upper() for name, _ in state.pools.named)]
    return (
        f"Trade meets in the {listed(names)} pools at one price; other venues are not simulated. Price and oracle are those of the {names[0]} pool, floor supply is that of all of them together, each down to the same price of its own.",
    )


def limits_of(study: Study, episodes: tuple[EpisodeFit, ...] = (), doubt: AssumptionDoubt | None = None) -> tuple[str, ...]:
    """What the model does not know, in words."""
    simulation = study.simulation
    reference = (
        f"min(1, {'the collateral coin' if is_plain(study.state) else 'the collateral coin, base-pool value'}), the same for every set"
        if simulation.peg_reference == "collateral"
        else in_account("one dollar", study.state.unit)
    )
    against = (
        "the dollar-referenced figure" if study.state.unit == USD else f"the figure against {in_account('the dollar', study.state.unit)}"
    )
    beside = f"; {against} stands beside it" if simulation.peg_reference == "collateral" else ""
    sides = " A price above it counts as one below does, in shortfalls and in what is back too." if simulation.peg_sides == "both" else ""
    valued = "par" if simulation.collateral_valuation == "par" else "the oracle price"
    n = paths_per_scenario(study)
    own = study.state.is_of(FRAX)
    caps = (
        "Caps of a single AMO are the executing team's policy; on chain only their sums are limited."
        if own
        else ""
        if not (study.state.has("mint") or study.state.has("redeem"))
        else "Minting and redeeming follow the rules of one protocol of 2022: one with others is not what is simulated."
    )
    counted = "" if own else " Where reasons and sources are another protocol's history they say nothing of this one's."
    days = f"{simulation.window_hours / 24:g}"
    return (
        *_episode_limits(study, episodes),
        (
            "How holders, liquidity providers and lending venues behave is assumed, not known; the table of assumed figures gives each range. "
            f"{_movement(doubt)}"
        ),
        *_spells(study),
        f"Time goes in steps of an hour: what happens within one is not seen. Each path scores {days} days; what has not recovered by then is counted as it stands.",
        (
            f"Governance does nothing during a path, and whoever executes acts {simulation.response_delay_hours} hours after a trigger. "
            "An attack on governance itself, a vote or a key that mints, moves or hands over what the protocol owns, is in no scenario."
        ),
        (
            f"Peg risk is measured against {reference}{beside}.{sides}"
            + (f" Redemptions value collateral at {valued}." if study.state.has("redeem") else "")
        ),
        f"{_simulated(study.state)} {caps}".rstrip(),
        *_traded(study.state),
        *((HIDDEN_BY_A,) if any(name.endswith("amplification") for name in study.search.space) else ()),
        f"Scenario weights are judgements: the chance that a window of this length is that scenario.{counted}",
        "Intervals cover the sampling of paths only, not errors of the model, of the state or of the weights.",
        (
            f"A path none of the n paths of a scenario showed may still have a chance of up to 1 − 0.05^(1/n) (for n = {n:,}: "
            f"{Scale(100.0, 2, '%').text(unseen_chance(n))}) of being drawn: intervals cannot tell of what was not seen."
        ),
    )
