"""Alarm scores as tables and as JSON, beside what others published of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amo_opt.errors import AmoOptError
from amo_opt.one_line import one_line
from amo_opt.scoring.alarms import AlarmScore, Depeg, Share, score_alarms, scoreable
from amo_opt.stress.hourly import SERIES
from amo_opt.wording import MISSING, NOT_KNOWN, count

if TYPE_CHECKING:
    from amo_opt.scoring.alarms import Tally, Trigger
    from amo_opt.stress.hourly import Record

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]
FEW = 10
"""Fewer depegs than these are called few: one more or fewer moves recall by a tenth or more."""


@dataclass(frozen=True)
class Published:
    """A score of others, and where it stands."""

    what: str
    precision: float
    recall: float
    f1: float
    source: str


PUBLISHED = (
    Published("Bayesian change points, 3pool, Shannon's entropy", 0.143, 0.417, 0.213, "results/pool_results.csv @f29b724b, @31fff46f"),
    Published("Bayesian change points, FRAX/USDC, markouts", 0.167, 0.646, 0.265, "results/pool_results.csv @f29b724b"),
    Published("the same, with one setting for all metrics", 0.4, 0.146, 0.214, "results/pool_results.csv @31fff46f"),
)
"""From xenophonlabs/curve-lp-metrics (paper: arXiv 2306.10612)."""
RECORDED = {
    ("price", 0.9991, 1): (Share(1, 94), Share(1, 3)),
    ("shortfall_bps", 14.0, 1): (Share(0, 93), Share(0, 3)),
    ("price_over_exit", 0.985, 1): (Share(1, 1), Share(0, 3)),
}
"""Our own scores of docs/alarms.md that a report can tell: of a trigger by series, threshold and hours, true alarms of those judged and depegs warned of by an hour or more.

FRAX's price of record out of sample (`frax-after` there, within 12 hours). The pool's share has no history in these days.
"""
RECORDED_OF = (
    "On record: FRAX/USD of Chainlink from June 2022 on, 692 days with 3 depegs below 0.99, where a trigger of this very value was scored; an alarm is true where a "
    "depeg follows within 12 hours, and in brackets stand 95% intervals. The price trigger is made for the pool's own price, from which the feed differs by tens of bp "
    "(docs/alarms.md)."
)
PUBLISHED_NOTES: tuple[str, ...] = (
    (
        "published: xenophonlabs/curve-lp-metrics; a change point must follow within 12 hours of an alarm there, further alarms before the same one count as "
        "false, and recall is the mean over the sets of marked points (curvemetrics/src/detection/scorer.py @03c8ed85); without counts or intervals"
    ),
    (
        "published lead: the first alarm came at 21:00 UTC on 10 March 2023, about 5 hours before USDC fell below 0.99, of a model trained on UST in "
        "2022 (arXiv 2306.10612): one event"
    ),
    "the two stand beside each other and are not ranked: other series, other events, other alarms a year",
)


@dataclass(frozen=True, kw_only=True)
class AlarmFacts:
    """Scores of one call: ``scores`` a trigger, ``unread`` the triggers that none of the records can be read for."""

    depeg: Depeg
    within: int
    quiet: int
    records: tuple[Record, ...]
    scores: tuple[AlarmScore, ...]
    unread: tuple[Trigger, ...]


def alarm_facts(triggers: Sequence[Trigger], depeg: Depeg, records: Sequence[Record], *, within: int, quiet: int) -> AlarmFacts:
    """Every trigger over every record. Raises `AmoOptError` for two records of one name: the same days would count twice."""
    names = [each.name for each in records]
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise AmoOptError(f"--history: found two called {twice!r}; allowed: each once, under a name of its own")
    scores = tuple(score_alarms(each, depeg, records, within=within, quiet=quiet) for each in triggers)
    return AlarmFacts(
        depeg=depeg,
        within=within,
        quiet=quiet,
        records=tuple(records),
        scores=tuple(each for each in scores if each.hours),
        unread=tuple(each.trigger for each in scores if not each.hours),
    )


def trigger_text(trigger: Trigger) -> str:
    """``pool-share: stablecoin's share of the pool above 0.57 for 39 h``."""
    side = "below" if trigger.below else "above"
    held = f" for {trigger.hours} h" if trigger.hours > 1 else ""
    return f"{one_line(trigger.name)}: {SERIES.get(trigger.series, one_line(trigger.series))} {side} {trigger.threshold:g}{held}"


def count_table(score: AlarmScore) -> Table:
    """A row a record, and their sum where there are several: what was counted."""
    heads = (
        "record",
        "days watched",
        "depegs",
        "warned",
        "lead, h",
        "alarms",
        "true",
        "false",
        "of these late",
        "not judged",
        "missed, alarm standing",
    )
    rows = [_counts(each) for each in score.tallies]
    if len(rows) > 1:
        alarms = sum(len(each.alarms) for each in score.tallies)
        names = ("true", "false", "late", "unjudged", "standing")
        sums = (score.hours // 24, score.events, len(score.leads), lead_text(score.leads), alarms, *(score.total(name) for name in names))
        rows.append(("all", *(each if isinstance(each, str) else f"{each:,}" for each in sums)))
    return heads, rows


def _counts(tally: Tally) -> tuple[str, ...]:
    figures = (tally.true, tally.false, tally.late, tally.unjudged, tally.standing)
    return (
        one_line(tally.record),
        f"{tally.hours // 24:,}",
        f"{len(tally.events):,}" + (f" (and {tally.left_out} under way)" if tally.left_out else ""),
        f"{len(tally.leads):,}",
        lead_text(sorted(tally.leads)),
        f"{len(tally.alarms):,}",
        *(f"{each:,}" for each in figures),
    )


def lead_text(leads: Sequence[int]) -> str:
    """Up to four leads one by one, of more the least, the median and the most."""
    if not leads:
        return MISSING
    if len(leads) <= 4:
        return ", ".join(map(str, leads))
    middle = len(leads) // 2
    median = leads[middle] if len(leads) % 2 else (leads[middle - 1] + leads[middle]) / 2.0
    return f"{leads[0]} … {median:g} … {leads[-1]}"


def score_table(facts: AlarmFacts) -> Table:
    """A row a trigger over all its records, then what others published."""
    heads = ("trigger", "precision", "by lot", "recall", "F1", "warned by 1 h or more", "median lead, h", "false alarms a year")
    rows: list[tuple[str, ...]] = []
    for score in facts.scores:
        rate = _ends(score.false_a_year, score.false_a_year_interval, "{:.1f}")
        if score.scored:
            f1 = _ends(score.f1, score.f1_interval, "{:.2f}")
            ends = None if score.lead_interval is None else (float(score.lead_interval[0]), float(score.lead_interval[1]))
            lead = MISSING if score.lead is None else _ends(score.lead, ends, "{:g}")
            rows.append(
                (
                    one_line(score.trigger.name),
                    _share(score.precision),
                    lot_text(score.chance),
                    _share(score.recall),
                    f1,
                    _share(score.early),
                    lead,
                    rate,
                )
            )
        else:
            rows.append((one_line(score.trigger.name), "nothing to score", "no depeg", MISSING, MISSING, MISSING, MISSING, rate))
    return heads, rows


def published_table() -> Table:
    """What others say of theirs."""
    heads = ("published", "precision", "recall", "F1", "where")
    return heads, [(each.what, f"{each.precision:.3f}", f"{each.recall:.3f}", f"{each.f1:.3f}", each.source) for each in PUBLISHED]


def record_text(series: str, threshold: float, hours: int) -> str:
    """What is on record of a trigger with this very value; empty where nothing is."""
    found = RECORDED.get((series, threshold, hours))
    if found is None:
        return ""
    true, early = map(_share, found)
    return f"alarms true: {true}; depegs warned of by 1 h or more: {early}"


def lot_text(chance: float | None) -> str:
    """What alarms at hours drawn by lot would have of precision."""
    return MISSING if chance is None else f"{chance:.3f}"


def _share(share: Share) -> str:
    if share.value is None:
        return f"{MISSING} (no alarm judged)"
    return f"{share.hits} of {share.n}, {_ends(share.value, share.interval, '{:.2f}')}"


def _ends(value: float | None, ends: tuple[float, float] | None, form: str) -> str:
    if value is None:
        return MISSING
    return f"{form.format(value)} ({NOT_KNOWN if ends is None else ' to '.join(form.format(end) for end in ends)})"


def notes_of(facts: AlarmFacts) -> tuple[str, ...]:
    """How it was counted, what is small, and what the records say of themselves."""
    notes = [
        f"depeg: {facts.depeg.text}; another begins after {count(facts.quiet, 'hour')} without one, and so does another alarm",
        f"an alarm is false where no depeg begins within {count(facts.within, 'hour')} of it, one in the middle of a depeg too; not judged where the record ends or has a gap before that",
        "by lot: the precision that alarms at hours drawn by lot would have; a trigger no better than that knows nothing",
        "intervals are 95%, exact, and take depegs and alarms as independent: coins and days of one crisis are not, and the truth is wider",
    ]
    few = [each for each in facts.scores if each.scored and each.events < FEW]
    if few:
        said = ", ".join(f"{one_line(each.trigger.name)} {each.events}" for each in few)
        notes.append(f"few depegs ({said}): recall is hardly known, one more or fewer moves it by a tenth or more")
    for each in facts.unread:
        why = "none of these records holds it" if scoreable(each) else "no history of prices or balances holds it"
        notes.append(f"{trigger_text(each)}: not scored, {why}")
    for record in facts.records:
        notes += [f"{one_line(record.name)}: {one_line(note)}" for note in record.notes]
    return tuple(notes)


def document(facts: AlarmFacts) -> dict[str, Any]:
    """The scores as one JSON document."""
    return {
        "schema": 1,
        "depeg": {
            "below": None if facts.depeg.fall_bp is not None else facts.depeg.level,
            "fall_bp": facts.depeg.fall_bp,
            "over_hours": facts.depeg.over if facts.depeg.fall_bp is not None else None,
            "hours": facts.depeg.hours,
        },
        "within_hours": facts.within,
        "quiet_hours": facts.quiet,
        "triggers": [_trigger_document(each, facts.records) for each in facts.scores],
        "not_scored": [_named(each) for each in facts.unread],
        "published": [
            {"what": each.what, "precision": each.precision, "recall": each.recall, "f1": each.f1, "source": each.source}
            for each in PUBLISHED
        ],
        "notes": [*notes_of(facts), *PUBLISHED_NOTES],
    }


def _named(trigger: Trigger) -> dict[str, Any]:
    return {
        "name": trigger.name,
        "series": trigger.series,
        "comparison": "below" if trigger.below else "above",
        "threshold": trigger.threshold,
        "hours": trigger.hours,
    }


def _trigger_document(score: AlarmScore, records: Sequence[Record]) -> dict[str, Any]:
    def share(found: Share) -> dict[str, Any]:
        return {"value": found.value, "interval": found.interval and [*found.interval], "hits": found.hits, "n": found.n}

    def ends(value: float | None, interval: Sequence[float] | None) -> dict[str, Any]:
        return {"value": value, "interval": None if interval is None else [*interval]}

    by_name = {each.name: each for each in records}
    return {
        **_named(score.trigger),
        "scored": score.scored,
        "hours_watched": score.hours,
        "precision": share(score.precision),
        "precision_by_lot": score.chance,
        "recall": share(score.recall),
        "f1": ends(score.f1, score.f1_interval),
        "warned_an_hour_before": share(score.early),
        "median_lead_hours": {**ends(score.lead, score.lead_interval), "n": len(score.leads)},
        "false_alarms_a_year": {**ends(score.false_a_year, score.false_a_year_interval), "n": score.total("false")},
        "records": [
            {
                "record": each.record,
                "hours_watched": each.hours,
                "depegs": [f"{by_name[each.record].time(hour):%Y-%m-%dT%H:%M:%SZ}" for hour in each.events],
                "alarms": [f"{by_name[each.record].time(hour):%Y-%m-%dT%H:%M:%SZ}" for hour in each.alarms],
                "lead_hours": [*each.leads],
                "true": each.true,
                "false": each.false,
                "late": each.late,
                "not_judged": each.unjudged,
                "missed_while_standing": each.standing,
                "under_way": each.left_out,
            }
            for each in score.tallies
        ],
    }
