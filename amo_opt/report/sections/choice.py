"""Section 6: the rule and what it found, every certified set, what stands around the shown one, what mattered, and the profile over one parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amo_opt.amos.naming import title_of
from amo_opt.amos.parameters import PARAMETERS
from amo_opt.report.blocks import (
    Block,
    Code,
    Column,
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
    n,
    num,
    told,
    wide,
)
from amo_opt.report.ruling import explanation_of, limits_kept, reason_of
from amo_opt.report.sections import neighbours
from amo_opt.report.sets import role_title
from amo_opt.report.stories.finding import HIDDEN_BY_A, optimum_words
from amo_opt.report.stories.profiles import ProfileFacts, bands, upwards
from amo_opt.report.wording import (
    CR_SCALE,
    PEG_SCALE,
    YIELD_SCALE,
    Chip,
    Scale,
    lower_first,
    metric_of,
    paths_counted,
    paths_of,
    plain_number,
)
from amo_opt.search.rule import AXES, LEVEL, by_metric
from amo_opt.wording import USD, clean, count, in_account

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amo_opt.config.study import Certification
    from amo_opt.report.account import Account
    from amo_opt.search.result import Candidate

HALF_STEP = "Half the step"
SHARE = Scale(100.0, 0, "%")


def finding(of: Account) -> str:
    """How many neighbours hold."""
    return f"Why this set: {neighbours.held_words(of)}" if neighbours.known(of) else "Why: the rule and the alternatives"


def blocks(of: Account) -> list[Block]:
    """From the rule to the profile."""
    return [
        Text(Strong("The rule."), f" {rule_words(of.study.certification, of.unit)}"),
        Text(Strong("What it found."), f" {explanation_of(of.result)}"),
        Heading("Alternatives"),
        *_alternatives(of),
        Heading("Plateau or peak"),
        *neighbours.blocks(of),
        Heading("Do nothing, half the step, the whole"),
        *_steps(of),
        Heading("What mattered in the search"),
        *_importances(of),
        *_profile(of),
    ]


def _alternatives(of: Account) -> list[Block]:
    """Every certified set, those with a role first."""
    ordered = sorted(of.result.candidates, key=lambda each: (each.role != "current", each.selection_score.peg_risk_bps.value, each.id))
    rest = [each for each in ordered if each.role == "candidate"]
    found: list[Block] = [_sets((each for each in ordered if each.role != "candidate"), of)]
    if rest:
        found.append(
            InText(Text(f"{len(rest)} more were certified and not taken; each with its figures and the reason: ", See("rejected"), "."))
        )
        found.append(Long("rejected", "Sets certified and not taken", _sets(rest, of)))
    return found


def _sets(sets: Iterable[Candidate], of: Account) -> Table:
    heads = ("Set", num("Yield, % a year (95%)"), num("Peg risk, bp (95%)"), "Limits", "Paths", n(), wide("Why"))
    scores = [(each, of.subject.score(each)) for each in sets]
    rows = [
        (
            role_title(each),
            told(score.yield_annual, YIELD_SCALE),
            told(score.peg_risk_bps, PEG_SCALE),
            limits_kept(score),
            "holdout" if score is each.holdout_score else "selection",
            paths_of(score.yield_annual),
            reason_of(each, of.unit),
        )
        for each, score in scores
    ]
    return Table(heads, rows, label="Certified sets")


def steps_of(of: Account) -> dict[str, Candidate]:
    """The two or three sets by what they are, from doing nothing to the whole step; empty where only the current set was certified."""
    half, other = of.result.half_step, of.subject.other
    if half is None and other is None:
        return {}
    sets = {"Do nothing (current)": of.subject.current}
    if half is not None and of.subject.stream == "holdout":  # it has no figures on selection paths
        sets[HALF_STEP] = half
    return sets if other is None else {**sets, f"The whole step ({of.subject.short_label})": other}


def _steps(of: Account) -> list[Block]:
    sets = steps_of(of)
    if not sets:
        return [Text("Only the current set was certified, so there is no step to halve.")]
    heads = ("Step", num("Yield, % a year (95%)"), num("Peg risk, bp (95%)"), "Limits", n())
    return [
        Text(f"On {of.subject.stream} paths."),
        Table(heads, (_step(title, each, of) for title, each in sets.items()), label="Half step"),
        Text("" if HALF_STEP in sets else "The half step was not run."),
    ]


def _step(title: str, candidate: Candidate, of: Account) -> tuple[Line, ...]:
    score = of.subject.score(candidate)
    paired = candidate.holdout_paired if score is candidate.holdout_score else candidate.selection_paired
    verdicts = {name: Chip(each.verdict) for name, each in by_metric(paired).items()}
    earned, peg = (verdicts.get(name) for name in AXES)
    return (
        title,
        told(score.yield_annual, YIELD_SCALE, verdict=earned),
        told(score.peg_risk_bps, PEG_SCALE, verdict=peg),
        limits_kept(score),
        paths_of(score.yield_annual),
    )


def importances_of(of: Account) -> dict[str, tuple[float, ...]]:
    """Every parameter with its share of the spread of each metric in the search's own trials, the largest share first."""
    found = of.result.importances.values()
    names = {name for shares in found for name in shares}
    weights = {name: tuple(shares.get(name, 0.0) for shares in found) for name in names}
    return {name: weights[name] for name in sorted(names, key=lambda name: (-max(weights[name]), name))}


def explained(of: Account) -> tuple[str, ...]:
    """What the shares are of."""
    return tuple(metric_of(name, of.unit).title for name in of.result.importances)


def importance_caption(of: Account) -> str:
    """Who leads for each metric, and of how many trials this is told."""
    shares = importances_of(of)
    leaders = [
        f"{lower_first(title)} by {lower_first(_title(max(shares, key=lambda name, at=place: shares[name][at]), of).split(',')[0])}"  # type: ignore[misc]
        for place, title in enumerate(explained(of))
    ]
    scored = sum(each.score is not None for each in of.result.trials)
    return (
        f"In the search's own trials {' and '.join(leaders)} is explained most. Shares of the spread by PED-ANOVA, a description of these trials "
        f"without an interval (n = {count(scored, 'trial')}, seed {of.study.search.seed})."
    )


def _importances(of: Account) -> list[Block]:
    shares = importances_of(of)
    if not shares:
        return [Text("Importances were not computed in this run.")]
    caption = importance_caption(of)
    rows: list[tuple[Line, ...]] = [(Named(_title(name, of), (name,)), *map(SHARE.text, each)) for name, each in shares.items()]
    return [
        OnPage(Picture("importances")),
        InText(
            Text(f"{caption} Parameter by parameter: ", See("importances"), "."),
            Long("importances", "What mattered in the search", Text(caption), Table(("Parameter", *map(num, explained(of))), rows)),
        ),
    ]


def _title(name: str, of: Account) -> str:
    return title_of(name, of.study.state) if name in PARAMETERS else clean(name)


def profile_of(of: Account) -> ProfileFacts | None:
    """The profile over one parameter around the shown set, as it is drawn; None where none was run."""
    profile = of.result.profile
    if profile is None:
        return None
    marks = [("current", float(of.subject.current.parameters.values()[profile.parameter]))]
    if of.subject.other is not None and of.recommended:
        marks.append(("proposed", float(of.subject.other.parameters.values()[profile.parameter])))
    paths = paths_counted(profile.points[0].score.yield_annual, "selection path") if profile.points else count(0, "selection path")
    found = f"{optimum_words(profile.optimum)}."
    hidden = f" {HIDDEN_BY_A}" if profile.optimum.searched else ""
    return ProfileFacts(
        parameter=profile.parameter,
        title=title_of(profile.parameter, of.study.state),
        log=PARAMETERS[profile.parameter].log,
        finding=found,
        points=upwards(profile.points),
        marks=tuple(marks),
        caption=(
            f"{found}{hidden} All else held at {clean(profile.base)} (n = {paths}, seed {of.study.search.seed}; {bands(profile.points)})."
        ),
    )


def _profile(of: Account) -> list[Block]:
    profile = profile_of(of)
    if profile is None:
        return []
    metric = profile.cr_metric
    heads: list[Column] = [num(profile.parameter), num("Yield, % a year (95%)"), num("Peg risk, bp (95%)")]
    heads += [] if metric is None else [num(f"{profile.cr_title} (95%)")]
    rows = [
        (
            plain_number(each.value),
            told(each.score.yield_annual, YIELD_SCALE),
            told(each.score.peg_risk_bps, PEG_SCALE),
            *(() if metric is None else (told(each.score.metrics[metric], CR_SCALE),)),
        )
        for each in profile.points
    ]
    whole = f"{profile.title}. {profile.caption}"
    return [
        Heading(f"Profile: {profile.title}"),
        OnPage(
            Picture("profile", kind="") if len(rows) > 1 else Text(profile.caption),
            Text("Point by point: ", Code("appendix.md"), ".", kind="small"),
        ),
        InText(
            Text(f"{profile.caption} Point by point: ", See("profile"), "; drawn: report.html, section 6."),
            Long("profile", "The profile, point by point", Text(whole), Table(heads, rows)),
        ),
    ]


def rule_words(certification: Certification, account: str = USD) -> str:
    """The rule as printed, in the unit of ``account``."""
    return (
        "A set is recommended only if, on fresh selection paths that the search never saw: (1) every constraint holds at its confidence bound (the worse end of its 95% interval), in every "
        "scenario; (2) against the current set on the same paths it is better on yield or on peg risk (paired bootstrap, "
        f"Holm-corrected over all candidates and both metrics at {LEVEL:g}) and on the other it is not worse by more than the study's tolerance "
        f"(yield {100 * certification.tolerance_yield:g} percentage points a year, peg risk {certification.tolerance_peg_bps:g} bp); (3) its peg risk against {in_account('the dollar', account)} is "
        f"not worse by more than the same tolerance, and its lowest external collateral ratio (mean of the lowest 5%) not lower by more than {certification.tolerance_cr:g}; "
        f"(4) in all it gains at least {certification.least_gain:g} of a tolerance, so that it is worth a vote. Of those the knee of the front is taken, the set that gains most when both axes are measured in these tolerances, "
        "or, of sets that earn at most a tolerance less, the one that most of a few joint draws of the assumptions would have; where none passes, a set that only the width of its intervals keeps from a tolerance, or only the correction for so many candidates from (2), goes on. "
        "What goes on must pass all four again on untouched holdout paths, and (5) lie on a plateau: no set one governance-sized step away in one parameter "
        "breaks, at its point value on the first holdout paths (as many drawn ones as in the search, or a tenth of those that were selected on), a limit that the set itself keeps there. "
        "Otherwise: no change."
    )
