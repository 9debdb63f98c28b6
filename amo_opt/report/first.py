"""The first screen as values: the finding, what is asked, for and against, three tiles, every certified set, the worst path, and how far to trust it.

The page, the proposal's opening and the end of a run are all made from this one object, so that they cannot disagree.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from amo_opt.amos.parameters import governed
from amo_opt.report.labels import (
    amount_of,
    amounts_of,
    change_of,
    content_of,
    count_of,
    label_of,
    option_names,
    plain_title,
    ranked,
    sentence,
    told_apart,
    value_of,
)
from amo_opt.report.payloads import created_at
from amo_opt.report.ruling import limit_title, objection_words
from amo_opt.report.schedule import unix
from amo_opt.report.sections.decision import blockers_of
from amo_opt.report.sections.front import state_rows
from amo_opt.report.sections.validity import is_validated, own_episodes
from amo_opt.report.sets import subject_of
from amo_opt.report.wording import lower_first, metric_of, scale_for
from amo_opt.scoring.types import Estimate
from amo_opt.search.rule import COVER, DOLLAR, PEG, YIELD, by_metric
from amo_opt.wording import clean, fixed, in_account, significant, sized_count, true_minus, with_unit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amo_opt.report.sets import Subject
    from amo_opt.scoring.types import Constraint, PairedDifference, Score
    from amo_opt.search.result import Candidate, Result, WorstTrace
    from amo_opt.search.ruling import Objection

MOST_LINES = 3
"""Lines for and against: what does not fit in three is in the tables."""
MATERIAL = 0.10
"""Relative change from which a worse risk is a drawback worth a line, whatever its interval."""
STILL = 0.01
"""Basis points below which a difference in peg risk is none."""
RUIN = 0.5
"""Price below which a path is a run that takes everything."""
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
HUNDRED = 100.0
SPARSE = "Rare events decide the peg figure, and the paths hold too few of them."
"""What a tail that is not settled comes to."""
BETTER, ALLOWED, WORSE, OPEN = ("▲", "better"), ("●", "within tolerance"), ("▼", "worse"), ("○", "not proven")


@dataclass(frozen=True, kw_only=True)
class Level:
    """A figure of one set as a bar: ``parts`` of the tile's longest bar, each with whether it is of rare events (hatched)."""

    who: str
    text: str
    parts: tuple[tuple[float, bool], ...]


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One difference with its interval against its tolerance. ``allowed`` is the tolerance, ``side`` +1 where more of it is better; ``digits`` are the decimals its axis is told in."""

    title: str
    of: str
    state: tuple[str, str]
    big: str
    small: str
    unit: str
    difference: Estimate | None
    allowed: float
    side: int
    digits: int
    levels: tuple[Level, ...]


@dataclass(frozen=True, kw_only=True)
class Used:
    """How much of a limit a set uses at its confidence bound, 1 = all of it; None where that is not known. ``where`` is its scenario as one says it."""

    key: str
    title: str
    scenario: str | None
    where: str
    now: float | None
    then: float | None
    exact: bool


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of the set that would be in force: how many of them it keeps, and how much of each is used."""

    of: str
    kept: int
    broken: int
    total: int
    used: tuple[Used, ...]
    nearest: Used | None


@dataclass(frozen=True, kw_only=True)
class Spot:
    """One certified set on the plane: yield and peg risk less today's, on ``holdout`` paths or on those it was chosen on."""

    id: str
    name: str
    content: str
    yields: Estimate
    peg: Estimate
    holdout: bool
    chosen: bool
    short: str


@dataclass(frozen=True, kw_only=True)
class Worst:
    """The deepest holdout path of the set that would be in force, under both sets. ``one_in`` is how many paths of the scenario there are to one such event, None where too
    few were seen to say; ``of`` is whose deepest path it is; ``seen`` the paths it is the worst of. ``day`` of the lowest price and ``run`` of the last hour before idle collateral was gone, in days.
    """

    of: str
    scenario: str
    title: str
    one_in: float | None
    seen: int
    day: float
    lowest: float
    other_lowest: float | None
    cover: tuple[float, float]
    supply: tuple[float, float]
    limit: float
    share_left: float | None
    emptied: float | None
    traces: tuple[WorstTrace, ...]


@dataclass(frozen=True, kw_only=True)
class Trust:
    """One thing that says how far to trust the rest: ``good`` True, False, or None where it is not known."""

    good: bool | None
    finding: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class Change:
    """One parameter that changes, as one says it."""

    name: str
    label: str
    now: str
    then: str
    change: str
    effect: str
    policy: bool


@dataclass(frozen=True, kw_only=True)
class First:
    """Everything the first screen says."""

    title: str
    chip: str
    ask: tuple[str, str, str]
    kicker: str
    pros: tuple[str, ...]
    cons: tuple[str, ...]
    yields: Tile
    peg: Tile
    limits: Limits
    spots: tuple[Spot, ...]
    plane: str
    caption: str
    tolerance: tuple[float, float]
    per_point: float
    account: str
    worst: Worst | None
    trust: tuple[Trust, ...]
    changes: tuple[Change, ...]
    option: str
    recommended: bool
    ready: bool
    names: Mapping[str, str]


def first_of(result: Result) -> First:
    """The first screen of a result. Raises `AmoOptError` where the result contradicts itself."""
    return _Screen(result).first()


@dataclass
class _Screen:
    """What the parts of the screen are made from."""

    result: Result

    def __post_init__(self) -> None:
        result = self.result
        self.subject: Subject = subject_of(result)
        self.state = result.study.state
        self.account = self.state.unit
        self.now: Score = self.subject.score(self.subject.current)
        self.other: Candidate | None = self.subject.other
        self.then: Score | None = None if self.other is None else self.subject.score(self.other)
        self.paired: dict[str, PairedDifference] = by_metric(self.subject.paired)
        self.names = option_names(result, self.other)
        self.option = "" if self.other is None else self.names[self.other.id]
        self.recommended = self.subject.recommended
        self.blocked = tuple(each.chip.word for each in blockers_of(result)) if self.recommended else ()
        before, after = self.subject.current.parameters, None if self.other is None else self.other.parameters
        self.ranked = () if after is None else ranked(before, after, result)
        self.collateral = self.state.collateral_usd
        self.earning = self.state.cover_usd  # what a yield is a yield of: collateral, and what borrowers owe
        self.worst = self._worst()

    def first(self) -> First:
        certification = self.result.study.certification
        return First(
            title=self._title(),
            chip=self._chip(),
            ask=self._ask(),
            kicker=(
                f"{'quick run · ' if self.result.study.quick else ''}{clean(self.result.study.name)} · state of {self.state.date.day} {self.state.date:%B %Y} · "
                f"{sized_count(self.now.yield_annual.n, self.now.yield_annual.twins, f'{self.subject.stream} path')}"
            ),
            pros=self._pros(),
            cons=self._cons(),
            yields=self._yield_tile(),
            peg=self._peg_tile(),
            limits=self._limits(),
            spots=self._spots(),
            plane=self._plane_title(),
            caption=self._plane_caption(),
            tolerance=(certification.tolerance_yield, certification.tolerance_peg_bps),
            per_point=self.earning / HUNDRED,
            account=self.account,
            worst=self.worst,
            trust=self._trust(),
            changes=self._changes(),
            option=self.option,
            recommended=self.recommended,
            ready=self.recommended and not self.blocked and not self._from_the_future(),
            names=self.names,
        )

    # -- the finding ---------------------------------------------------------------------------------------------------------------

    def _from_the_future(self) -> bool:
        return created_at(unix(self.result.study)) // 1000 < unix(self.result.study)

    def _main(self) -> str:
        """``Raise the Aave cap to 36%`` and how much more changes."""
        if self.other is None or not self.ranked:
            return "Change nothing"
        name, before, after = self.ranked[0], self.subject.current.parameters.values(), self.other.parameters.values()
        rest = len(self.ranked) - 1
        also = f" and {_number(rest)} more change{'' if rest == 1 else 's'}" if rest else ""
        label = label_of(name)
        return f"{'Raise' if after[name] > before[name] else 'Lower'} {'' if label == 'A' else 'the '}{label} to {value_of(name, after[name])}{also}"

    def _gain(self) -> str:
        """What is gained, in amounts where it is yield: ``+1.8m USD a year``."""
        earned, peg = self.paired.get(YIELD), self.paired.get(PEG)
        if earned is not None and earned.verdict == "BETTER":
            return f"{amount_of(earned.difference.value * self.earning, self.account, signed=True)} a year"
        if peg is not None and peg.verdict == "BETTER":
            return f"peg risk {_bp(peg.difference, signed=True)} bp"
        return "no proven gain"

    def _beside(self) -> str:
        """What it costs, or gains, on the other axis."""
        earned, peg = self.paired.get(YIELD), self.paired.get(PEG)
        if earned is not None and earned.verdict == "BETTER":
            return (
                ""
                if peg is None
                else f"peg risk {_bp(peg.difference, signed=True)} bp"
                if peg.verdict == "BETTER"
                else "peg risk within tolerance"
            )
        return "yield within tolerance"

    def _title(self) -> str:
        """The finding, which depends on the verdict and on what stands in its way."""
        if self.recommended:
            return self._recommended_title()
        if self.result.verdict == "infeasible":
            binding = self.result.ruling.binding
            where = "" if binding is None else clean(binding.scenario or "any scenario")
            what = "" if binding is None else f": “{plain_title(binding.name, limit_title(binding.name, None))}” in {where} is the obstacle"
            return f"No set keeps every limit{what}"
        if self.result.verdict == "undecidable":
            return f"Too few paths to decide: {self.result.ruling.needed or 0:,} a scenario are needed"
        broken = self._limits_of(self.now)[1]
        if broken:
            return f"Today’s parameters break {broken} of {len(self.now.constraints)} limits, and no set was proven to be the way out"
        return f"Keep today’s parameters: {self._why_not()}"

    def _chip(self) -> str:
        """The rule's outcome as it stands beside the title, which says what can be done with it."""
        return f"{self.result.verdict}, not ready" if self.blocked else self.result.verdict

    def _recommended_title(self) -> str:
        """What is gained, and whether it can be signed."""
        if "ASSUMPTION-SENSITIVE" in self.blocked:
            doubt = self.result.doubt
            share = ""
            if doubt is not None and doubt.share.value < doubt.demanded:
                share = f"the case holds in only {fixed(HUNDRED * doubt.share.value, 0)}% of assumption draws"
            elif doubt is not None:
                share = f"the case is not shown to hold in {fixed(HUNDRED * doubt.demanded, 0)}% of assumption draws"
            return f"Not ready to sign: {self._gain()}, but {share or 'how often the case holds is not known'}"
        if self.blocked:
            return f"Not ready to sign: {self._gain()}, but {_REASONS[self.blocked[0]]}"
        return ": ".join((self._main(), ", ".join(filter(None, (self._gain(), self._beside())))))

    def _why_not(self) -> str:
        """Why nothing is recommended, in half a sentence."""
        earned, peg = self.paired.get(YIELD), self.paired.get(PEG)
        objection = None if self.other is None else self.other.objection
        more = earned is not None and earned.verdict == "BETTER"
        safer = peg is not None and peg.verdict == "BETTER"
        if objection is None or objection.kind in ("no gain", "not known", "undecided", "failed"):
            return "nothing better was proven"
        if objection.kind == "tolerance":
            lost = {
                YIELD: "an unchanged yield",
                PEG: "an unchanged peg",
                DOLLAR: "an unchanged peg to the dollar",
                COVER: "unchanged cover",
            }[objection.metric]
            return f"{'more yield was' if more else 'a safer peg was' if safer else 'nothing else was'} proven, {lost} was not"
        if objection.kind in ("limit", "cliff"):
            return (
                "what would gain most breaks a limit"
                if objection.kind == "limit"
                else "what would gain most is one step from a broken limit"
            )
        if objection.kind == "small gain":
            return "nothing gains enough to be worth a vote"
        return "what would gain most moves A, and which A is best is not identified"

    def _ask(self) -> tuple[str, str, str]:
        """Before, what is asked (to be stressed), and after."""
        total = len(governed(self.state))
        if not self.recommended:
            return (
                "You are asked to ",
                f"leave all {total} parameters as they are",
                ". Nothing is executed. Doing nothing is the same as accepting.",
            )
        _, broken, _ = self._limits_of(self.now)
        stays = f"yield stays at {_percent(self.now.yield_annual.value)} and {'every limit stays kept' if not broken else f'{broken} of {len(self.now.constraints)} limits stay broken'}"
        what = f"{self.option}, {_number(len(self.ranked))} parameter{'' if len(self.ranked) == 1 else 's'} of {total}"
        if self.blocked:
            why = " and ".join(_REASONS[each] for each in self.blocked)
            main = self._main()
            return (
                "You are asked to ",
                f"judge, not yet to sign, {what}",
                f": {main[:1].lower()}{main[1:]}. Nothing can be signed from this report: {why}. If you decline, {stays}.",
            )
        return ("You are asked to ", f"approve {what}", f". If you decline, {stays}.")

    # -- for and against -------------------------------------------------------------------------------------------------------------

    def _pros(self) -> tuple[str, ...]:
        found: list[str] = []
        kept, broken, total = self._limits_of(self.now if not self.recommended or self.then is None else self.then)
        if not self.recommended:
            if not broken:
                found.append(
                    f"All {total} limits hold today at their cautious bounds, in {_number(len(self.result.study.scenarios))} scenarios."
                )
            found += self._objection()
            found.append("There is nothing to execute, and nothing to roll back.")
            return tuple(found[:MOST_LINES])
        found += self._gained()
        found.append(
            f"All {total} limits hold at their cautious bounds."
            if not broken
            else f"{kept} of {total} limits hold at their cautious bounds."
        )
        around = self.result.neighbours
        if around and all(each.feasible for each in around):
            found.append(f"All {_number(len(around))} sets one step away keep every limit that it keeps.")
        return tuple(found[:MOST_LINES])

    def _gained(self) -> list[str]:
        earned, peg = self.paired.get(YIELD), self.paired.get(PEG)
        found = []
        if earned is not None and earned.verdict == "BETTER":
            more, least = amounts_of((earned.difference.value * self.earning, earned.difference.low * self.earning), self.account)
            found.append(f"{more} more a year, and at least {least}, on the same {self._of_what()}.")
        if peg is not None and peg.difference.interval is not None:
            difference = peg.difference
            if peg.verdict == "BETTER":
                found.append(
                    f"Peg risk falls by {_bp(difference, of=-difference.value)} bp, at least {_bp(difference, of=-difference.high)}."
                )
            elif max(abs(difference.low), abs(difference.high)) < STILL:
                found.append(f"Peg risk stays as it is, within {STILL} bp, where {significant(peg.tolerance, 2)} are allowed.")
        return found

    def _objection(self) -> list[str]:
        """What speaks against the best alternative."""
        if self.other is None:
            return ["The search found nothing that does better than the set in force."]
        objection = self.other.objection
        if objection is None:
            return []
        found, bound = objection.interval, objection.bound
        where = "" if objection.stream in (None, self.subject.stream) else f" (on {objection.stream} paths)"
        if objection.kind == "tolerance" and found is not None and found.interval is not None and bound is not None:
            metric = metric_of(objection.metric, self.account)
            scale = scale_for(metric.unit, found.interval)
            worse, allowed = (
                with_unit(true_minus(significant(scale.factor * each, 2, signed=True)), scale.difference_unit)
                for each in ((found.high, bound) if metric.better < 0 else (found.low, -bound))
            )
            return [
                f"The best alternative, {self.option}, may move {lower_first(metric.title)} by {worse}, where {allowed} is allowed{where}."
            ]
        return [f"The best alternative, {self.option}, {true_minus(objection_words(objection, self.account))}{where}."]

    def _cons(self) -> tuple[str, ...]:
        return tuple((self._against() if self.recommended else self._against_today())[:MOST_LINES])

    def _against(self) -> list[str]:
        found: list[str] = []
        doubt = self.result.doubt
        if "ASSUMPTION-SENSITIVE" in self.blocked and doubt is not None:
            found.append(
                f"Chosen in {_share_of(doubt.share)} of {doubt.share.n} joint draws of what is assumed; {fixed(HUNDRED * doubt.demanded, 0)}% must be shown."
            )
        drawbacks = [*self._riskier(), *self._drawbacks()]
        found += drawbacks[: 1 if self._ruinous() else 2]
        if self._ruinous():
            found.append(self._not_proof("Neither set is"))
        found += drawbacks[1 if self._ruinous() else 2 :]
        idle = self._idle()
        if idle:
            found.append(idle)
        earned = self.paired.get(YIELD)
        if earned is not None and earned.verdict == "BETTER" and 0.0 < earned.difference.value < MATERIAL * earned.current:
            found.append(f"The gain is {fixed(HUNDRED * earned.difference.value / earned.current, 0)}% of what is earned today.")
        if not is_validated(own_episodes(self.result.study, self.result.episodes)):
            found.append(self._replayed())
        if not self.result.tails.settled:
            found.append(SPARSE)
        return found

    def _against_today(self) -> list[str]:
        found: list[str] = []
        _, broken, total = self._limits_of(self.now)
        if broken:
            found.append(f"Today’s set breaks {broken} of {total} limits at the cautious bound.")
        earned, peg = self.paired.get(YIELD), self.paired.get(PEG)
        if earned is not None and earned.verdict == "BETTER" and earned.difference.interval is not None:
            more, low, high = amounts_of(
                [each * self.earning for each in (earned.difference.value, *earned.difference.interval)], self.account
            )
            found.append(f"{self.option} would earn {more} more a year ({low} to {high}).")
        if peg is not None and peg.verdict == "BETTER":
            found.append(
                f"{self.option} would lower peg risk by {_bp(peg.difference, of=-peg.difference.value)} bp, at least {_bp(peg.difference, of=-peg.difference.high)}."
            )
        if self._ruinous():
            found.append(self._not_proof("Today’s set is not"))
        if not self.result.tails.settled:
            found.append(SPARSE)
        return found

    def _riskier(self) -> list[str]:
        """What peg risk rises by, where it does."""
        peg = self.paired.get(PEG)
        if peg is None or peg.difference.interval is None or peg.difference.value <= STILL:
            return []
        found = peg.difference
        return [
            f"Peg risk rises by {_bp(found)} bp, at most {_bp(found, of=found.high)}, where {significant(peg.tolerance, 2)} are allowed."
        ]

    def _drawbacks(self) -> list[str]:
        """Risks that are worse beyond their intervals and by a tenth of today's, the largest first."""
        named = ("unserved_cvar90_usd_hours", "shortfall_cvar90_bps", COVER, "yield")
        found = []
        for name in named:
            paired = self.paired.get(name)
            if paired is None or paired.verdict != "WORSE" or paired.current == 0.0:
                continue
            moved = (paired.candidate - paired.current) / abs(paired.current)
            if abs(moved) >= MATERIAL:
                metric = metric_of(name, self.account)
                scale = scale_for(metric.unit, (paired.current, paired.candidate))
                verb = "rises" if moved > 0.0 else "falls"
                title = sentence(plain_title(name, metric.title))
                found.append((abs(moved), f"{title} {verb} from {scale.number(paired.current)} to {scale.text(paired.candidate)}."))
        return [text for _, text in sorted(found, key=lambda each: -each[0])]

    def _idle(self) -> str:
        if self.other is None:
            return ""
        before, after = (each.parameters.values().get("idle_buffer") for each in (self.subject.current, self.other))
        if before is None or after is None or not after < before:
            return ""
        return f"{amount_of((before - after) * self.collateral, self.account)} less is kept free for those who redeem."

    def _ruinous(self) -> bool:
        """Whether on the deepest path the peg is gone: half of it and more."""
        return self.worst is not None and self.worst.lowest < RUIN

    def _not_proof(self, who: str) -> str:
        worst = self.worst
        if worst is None:
            return ""
        often = f"1 in {_round(worst.one_in)}" if worst.one_in is not None else f"the worst of {worst.seen:,}"
        return f"{who} run-proof: {often} paths of {_scenario(worst.title)} falls to {significant(worst.lowest, 2)} {self.account}."

    # -- tiles -------------------------------------------------------------------------------------------------------------------------

    def _of_what(self) -> str:
        """What earns the yield, in words."""
        return "collateral" if self.earning <= self.collateral else "collateral and loans"

    def _yield_tile(self) -> Tile:
        paired = self.paired.get(YIELD)
        shown = _together(self.now.yield_annual.value, None if self.then is None else self.then.yield_annual.value, HUNDRED, 2)
        longest = max(abs(each.yield_annual.value) for each in (self.now, self.then) if each is not None) or 1.0
        levels = tuple(
            Level(
                who=who,
                text=f"{fixed(HUNDRED * each.yield_annual.value, shown)}%, {amount_of(each.yield_annual.value * self.earning, self.account)} a year",
                parts=((max(0.0, each.yield_annual.value) / longest, False),),
            )
            for who, each in (("Today", self.now), (self.option, self.then))
            if each is not None
        )
        difference = None if paired is None else _times(paired.difference, HUNDRED)
        digits = 2 if difference is None else max(1, told_apart(difference.value, difference.interval))
        if paired is None or difference is None:
            own = self.now.yield_annual
            big, small = f"{amount_of(own.value * self.earning, self.account)} a year", f"{_percent(own.value)} of {self._of_what()}"
        else:
            big = f"{amount_of(paired.difference.value * self.earning, self.account, signed=True)} a year"
            small = f"{fixed(difference.value, shown, signed=True)} points of yield"
        return Tile(
            title="Yield",
            of=f"of {self.option}, against today" if paired is not None else "of today’s set",
            state=_state(paired, +1),
            big=big,
            small=small,
            unit="points",
            difference=difference,
            allowed=HUNDRED * self.result.study.certification.tolerance_yield,
            side=+1,
            digits=digits,
            levels=levels,
        )

    def _peg_tile(self) -> Tile:
        paired = self.paired.get(PEG)
        longest = max(each.peg_risk_bps.value for each in (self.now, self.then) if each is not None) or 1.0
        levels, digits = (
            [],
            min(
                told_apart(each.peg_risk_bps.value, each.peg_risk_bps.interval, most=1)
                for each in (self.now, self.then)
                if each is not None
            ),
        )
        for who, candidate, each in (("Today", self.subject.current, self.now), (self.option, self.other, self.then)):
            if each is None or candidate is None:
                continue
            value = each.peg_risk_bps.value
            rare = math.fsum(part.contribution.value for part in self.result.risk_parts.get(candidate.id, ()) if part.kind == "events")
            text = f"{fixed(value, digits)} bp"
            if rare > 0.0:
                shown = round(value, digits) - round(rare, digits)  # so that what is shown adds up
                text += f" = {fixed(shown, digits)} everyday + {fixed(rare, digits)} in rare events"
            levels.append(Level(who=who, text=text, parts=(((value - rare) / longest, False), (rare / longest, True))))
        digits = 1 if paired is None else told_apart(paired.difference.value, paired.difference.interval, most=2)
        return Tile(
            title="Peg risk",
            of=f"of {self.option}, against today" if paired is not None else "of today’s set",
            state=_state(paired, -1),
            big=f"{fixed((paired.difference.value if paired is not None else self.now.peg_risk_bps.value), digits, signed=paired is not None)} bp",
            small="mean loss of the worst 5% of paths",
            unit="bp",
            difference=None if paired is None else paired.difference,
            allowed=self.result.study.certification.tolerance_peg_bps,
            side=-1,
            digits=digits,
            levels=tuple(levels),
        )

    def _limits(self) -> Limits:
        shown = self.then if self.recommended and self.then is not None else self.now
        kept, broken, total = self._limits_of(shown)
        after = {} if self.then is None else {each.key: each for each in self.then.constraints}
        titles = {each.name: clean(each.title) for each in self.result.study.scenarios}
        used = tuple(
            Used(
                key=each.key,
                title=plain_title(each.name, lower_first(limit_title(each.name, None))),
                scenario=each.scenario,
                where=titles.get(each.scenario or "", ""),
                now=used_of(each),
                then=used_of(after[each.key]) if each.key in after else None,
                exact=each.scenario is None,
            )
            for each in self.now.constraints
        )
        own = [(each, each.then if self.recommended and each.then is not None else each.now) for each in used if not each.exact]
        known = [(each, value) for each, value in own if value is not None]
        nearest = max(known, key=lambda pair: pair[1])[0] if known else None
        return Limits(
            of=self.option if self.recommended else "today’s set", kept=kept, broken=broken, total=total, used=used, nearest=nearest
        )

    @staticmethod
    def _limits_of(score: Score) -> tuple[int, int, int]:
        """Kept at the confidence bound, broken or open, and all."""
        return score.kept, len(score.constraints) - score.kept, len(score.constraints)

    # -- the plane ---------------------------------------------------------------------------------------------------------------------

    def _spots(self) -> tuple[Spot, ...]:
        found = []
        now = self.subject.current.parameters
        for each in self.result.candidates:
            if each.role == "current":
                continue
            on_holdout = bool(each.holdout_paired)
            differences = by_metric(each.holdout_paired or each.selection_paired)
            if YIELD not in differences or PEG not in differences:
                continue
            chosen = self.other is not None and each.id == self.other.id
            found.append(
                Spot(
                    id=each.id,
                    name=self.names[each.id],
                    content=content_of(ranked(now, each.parameters, self.result), now.values(), each.parameters.values()),
                    yields=_times(differences[YIELD].difference, HUNDRED),
                    peg=differences[PEG].difference,
                    holdout=on_holdout,
                    chosen=chosen,
                    short=_of_one(each.objection) if each.objection is not None else "" if chosen else "passes too",
                )
            )
        return tuple(found)

    def _plane_title(self) -> str:
        if not self.recommended:
            return "Risk and gain of every set against today: none passes every test"
        passed = sum(each.objection is None and each.role != "current" for each in self.result.candidates)
        others = "" if passed <= 1 else f", {_number(passed - 1)} more do"
        where = " at the values assumed" if "ASSUMPTION-SENSITIVE" in self.blocked else ""
        return f"Risk and gain of every set against today: {self.option} passes every test{where}{others}"

    def _plane_caption(self) -> str:
        others = [each for each in self.result.candidates if each.role != "current" and (self.other is None or each.id != self.other.id)]
        certified = len(self.result.candidates) - 1
        if not certified:
            return "No other set was certified."
        feasible = all(each.selection_score.feasible for each in self.result.candidates)
        counted = Counter(_of_many(each.objection) for each in others if each.objection is not None)
        parts = "; ".join(f"{number} {what}" for what, number in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))
        kept = f"All {certified} certified sets keep every limit" if feasible else f"{certified} sets were certified"
        why = f"; of the {len(others)} others {parts}" if parts and others else ""
        return f"{kept}{why}. Filled: holdout paths; hollow: selection paths; bars: 95% intervals of {self.option}."

    # -- the worst path ----------------------------------------------------------------------------------------------------------------

    def _worst(self) -> Worst | None:
        if not self.result.worst_traces or not self.result.worst_paths:
            return None
        worst = self.result.worst_paths[0]
        own = next((each for each in self.result.worst_traces if each.candidate == worst.candidate), self.result.worst_traces[0])
        other = next((each for each in self.result.worst_traces if each.candidate != own.candidate), None)
        entry = next(each for each in self.result.study.scenarios if each.name == worst.scenario)
        events = [
            part for part in self.result.risk_parts.get(worst.candidate, ()) if part.scenario == worst.scenario and part.kind == "events"
        ]
        chance = events[0].chance.value if events and events[0].chance is not None and events[0].known else None
        metrics = self.now.by_scenario.get(worst.scenario, {})
        seen = next(iter(metrics.values())).drawn if metrics else 0
        low = min(range(len(own.price)), key=lambda k: own.price[k])
        before = [value for value in own.share_price[: low + 1] if value > 0.0]
        has_share = self.state.has("share_token") and bool(before)
        gone = next((k for k, value in enumerate(own.idle) if value <= 1e-6 * max(own.idle[0], 1.0)), None) if own.idle[0] > 0.0 else None
        return Worst(
            of=worst.candidate,
            scenario=worst.scenario,
            title=clean(entry.title),
            one_in=1.0 / chance if chance else None,
            seen=seen,
            day=own.hours[low] / 24.0,
            lowest=min(own.price),
            other_lowest=None if other is None else min(other.price),
            cover=(own.cover[0], min(own.cover)),
            supply=(own.supply[0], own.supply[-1]),
            limit=self.result.study.constraints.min_external_cr,
            share_left=own.share_price[low] / own.share_price[0] if has_share and own.share_price[0] > 0.0 else None,
            emptied=None if gone is None else own.hours[gone] / 24.0,
            traces=self.result.worst_traces,
        )

    # -- trust -------------------------------------------------------------------------------------------------------------------------

    def _replays(self) -> tuple[int, int]:
        """Figures of replayed episodes of its own, and how many of them the model misses."""
        fits = own_episodes(self.result.study, self.result.episodes)
        return sum(len(fit.demands) for fit in fits), sum(len(fit.missed) for fit in fits)

    def _replayed(self) -> str:
        demands, missed = self._replays()
        return (
            f"The model misses {missed} of {demands} figures of replayed episodes."
            if demands
            else "No recorded episode of this protocol was replayed."
        )

    def _trust(self) -> tuple[Trust, ...]:
        found = []
        demands, missed = self._replays()
        if demands:
            fits = own_episodes(self.result.study, self.result.episodes)
            days = [f"{date.fromisoformat(fit.start[:10]):%B %Y}" for fit in fits if fit.demands]
            named = f"{_number(len(days))} episode{'' if len(days) == 1 else 's'}: {', '.join(days)}"
            found.append(Trust(good=not missed, finding=f"{demands - missed} of {demands} replayed figures in their bands", detail=named))
        else:
            found.append(Trust(good=None, finding="No episode of its own replayed", detail="nothing recorded tests the model here"))
        found.append(self._flips())
        doubt = self.result.doubt
        if doubt is None:
            found.append(Trust(good=None, finding="Joint draws: not run", detail="how often it holds when all that is assumed moves"))
        else:
            found.append(
                Trust(
                    good=doubt.robust,
                    finding=f"Holds in {_share_of(doubt.share)} of {doubt.share.n} joint draws",
                    detail=f"all {doubt.assumptions} assumptions moved at once; at least {fixed(HUNDRED * doubt.demanded, 0)}% must be shown",
                )
            )
        settled = self.result.tails.settled
        own = self.now.peg_risk_bps
        share = own.largest_share
        detail = f"peg risk today {_bp(own)} bp" + ("" if own.interval is None else f" ({_bp(own, of=own.low)} to {_bp(own, of=own.high)})")
        if not settled and share is not None and share > 0.2:
            detail = f"one path holds {fixed(HUNDRED * share, 0)}% of the peg risk’s variance"
        found.append(Trust(good=settled, finding="Tail settled" if settled else "Tail not settled", detail=detail))
        return tuple(found)

    def _flips(self) -> Trust:
        moved = {each.figure: False for each in self.result.sensitivity}
        for each in self.result.sensitivity:
            moved[each.figure] = moved[each.figure] or not each.holds
        if not moved:
            return Trust(good=None, finding="No assumption moved by itself", detail="which of them flips the verdict is not known")
        flip = [name for name, turned in moved.items() if turned]
        if not flip:
            return Trust(good=True, finding=f"None of {len(moved)} assumptions flips it alone", detail="the most telling, one at a time")
        titles = {row.key: re.split(r"[,;(:]", row.doc)[0].strip().rstrip(".") for row in state_rows(self.state, self.state.date)}
        return Trust(
            good=False,
            finding=f"{len(flip)} of {len(moved)} assumptions flip it alone",
            detail=f"one at a time; first, {lower_first(clean(titles.get(flip[0], flip[0])))}",
        )

    # -- changes -----------------------------------------------------------------------------------------------------------------------

    def _changes(self) -> tuple[Change, ...]:
        if self.other is None:
            return ()
        before, after = self.subject.current.parameters.values(), self.other.parameters.values()
        known = governed(self.state)
        return tuple(
            Change(
                name=name,
                label=sentence(label_of(name)),
                now=value_of(name, before[name]),
                then=value_of(name, after[name]),
                change=change_of(name, before[name], after[name]),
                effect=self._effect(name, before[name], after[name]),
                policy=known[name].setter is None if name in known else True,
            )
            for name in self.ranked
        )

    def _effect(self, name: str, before: float, after: float) -> str:
        """What the change comes to, in amounts where it is a share of something that is known."""
        parameter = governed(self.state).get(name)
        if parameter is None:
            return ""
        more = "more" if after > before else "less"
        if parameter.share_of is not None:
            whole = self.collateral if parameter.share_of == "collateral" else self.state.stablecoin.supply.value
            unit = self.account if parameter.share_of == "collateral" else "tokens"
            return f"{count_of(abs(after - before) * whole)} {unit} {more}: {lower_first(parameter.title).partition(',')[0]}"
        if parameter.amount:
            return f"{count_of(abs(after - before))} {in_account(parameter.unit, self.account)} {more}: {lower_first(parameter.title)}"
        return sentence(lower_first(in_account(parameter.title, self.account)))


def used_of(limit: Constraint) -> float | None:
    """The part of a limit that is used at its confidence bound: 1 = all of it, more = broken; None where it is not known.

    Of a figure that has a least the shortfall from what would be twice as safe is told: limit over bound.
    """
    bound = limit.confidence_bound if limit.scenario is not None else limit.estimate.value
    if not math.isfinite(bound):
        return None
    if limit.at_least:
        return limit.limit / bound if bound > 0.0 else math.inf
    if limit.limit == 0.0:
        return 0.0 if bound <= 0.0 else math.inf
    return max(0.0, bound / limit.limit)


_REASONS = {
    "QUICK RUN": "this is a quick run",
    "ASSUMPTION-SENSITIVE": "it hangs on what is assumed",
    "STATE TOO OLD": "its state is too old",
    "STATE WITHOUT SOURCE": "no figure of its state has a source",
}
"""Why nothing can be signed, by the chip of the blocker."""
_OBJECTIONS = {
    "undecided": ("leave a limit undecided", "limit open"),
    "not known": ("have too few paths", "too few paths"),
    "limit": ("break a limit", "breaks a limit"),
    "no gain": ("are not proven better", "not proven better"),
    "small gain": ("gain too little", "small gain"),
    "A not identified": ("move A, which is not identified", "A not identified"),
    "failed": ("failed on a path", "failed"),
    "cliff": ("are one step from a broken limit", "on a cliff"),
    YIELD: ("may lose yield", "loses yield"),
    PEG: ("fail on peg risk", "peg risk"),
    DOLLAR: ("fail on peg risk against the dollar", "dollar peg risk"),
    COVER: ("fail on cover", "cover"),
}
"""Why sets are not chosen, by the kind of the objection, or by the metric whose tolerance they fail: said of several, and of one as a label has room for it."""


def _of_many(objection: Objection) -> str:
    return _OBJECTIONS[objection.metric if objection.kind == "tolerance" else objection.kind][0]


def _of_one(objection: Objection) -> str:
    return _OBJECTIONS[objection.metric if objection.kind == "tolerance" else objection.kind][1]


def _state(paired: PairedDifference | None, side: int) -> tuple[str, str]:
    """Shape and word of a tile."""
    if paired is None:
        return "■", "today"
    found = paired.difference
    if paired.verdict == "BETTER":
        return BETTER
    loss = max(0.0, -found.low * side, -found.high * side) if found.interval is not None else math.inf
    if loss <= paired.tolerance:
        return ("●", "as good as today") if found.low <= 0.0 <= found.high else ALLOWED
    gained = max(found.low * side, found.high * side)
    return WORSE if gained < -paired.tolerance else OPEN


def _times(estimate: Estimate, factor: float) -> Estimate:
    return Estimate(
        value=estimate.value * factor, low=estimate.low * factor, high=estimate.high * factor, n=estimate.n, twins=estimate.twins
    )


def _bp(estimate: Estimate, *, of: float | None = None, signed: bool = False) -> str:
    """A figure in basis points with the decimals its interval allows."""
    return fixed(estimate.value if of is None else of, told_apart(estimate.value, estimate.interval, most=2), signed=signed)


def _together(now: float, then: float | None, factor: float, digits: int) -> int:
    """Decimals, ``digits`` or up to two more, at which both figures and their difference as shown add up."""
    if then is None:
        return digits
    before, after = factor * now, factor * then
    fits = (
        k for k in range(digits, digits + 3) if math.isclose(round(after, k) - round(before, k), round(after - before, k), abs_tol=1e-9)
    )
    return next(fits, digits)


def _share_of(share: Estimate) -> str:
    """``9% (3 to 18)``."""
    known = "" if share.interval is None else f" ({fixed(HUNDRED * share.low, 0)} to {fixed(HUNDRED * share.high, 0)})"
    return f"{fixed(HUNDRED * share.value, 0)}%{known}"


def _percent(value: float) -> str:
    return f"{fixed(HUNDRED * value, 2)}%"


def _number(value: int) -> str:
    return NUMBERS[value] if value < len(NUMBERS) else f"{value:,}"


def _round(value: float) -> str:
    """A number of paths in two digits: ``7,500``."""
    return f"{float(f'{value:.2g}'):,.0f}"


def _scenario(title: str) -> str:
    return f"“{title}”"
