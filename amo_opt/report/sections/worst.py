"""Section 8: where peg risk comes from, the deepest paths with the commands that replay them, and how large a run each set survives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amo_opt.report.blocks import Block, Code, Heading, InText, Long, OnPage, Pre, See, Table, Text, n, num, told
from amo_opt.report.sections.evidence import told_apart
from amo_opt.report.sections.risk import designs_of, risk_blocks, told_risk, unseen_sentence
from amo_opt.report.sections.search import replay_command
from amo_opt.report.sets import role_title
from amo_opt.report.wording import Scale, paths_counted, paths_of, scale_for
from amo_opt.stress.tilts import path_name
from amo_opt.wording import clean, in_account

if TYPE_CHECKING:
    from amo_opt.report.account import Account

LEAST_MILLIONS = 1e6
"""Where the deepest paths of a small protocol stay below it, they are not counted in millions."""
SHARE = Scale(100.0, 1, "%")


def finding(of: Account) -> str:
    """How large a run is survived."""
    return capacity_sentence(of).split(". ")[0].rstrip(".") or "The deepest paths, and how large a run is survived"


def blocks(of: Account) -> list[Block]:
    """Parts of the risk, deepest paths, runs."""
    return [*_risk(of), *_deepest(of), Heading("How large a run is survived"), *_runs(of)]


def _risk(of: Account) -> list[Block]:
    parts = risk_blocks(of)
    if not parts:
        return [InText(Long("risk", "Where the peg risk comes from", Text("The parts were not told apart in this run.")))]
    unseen = unseen_sentence(designs_of(of.result, "holdout"))
    told_of = " ".join((*told_risk(of.result, of.subject), unseen)).strip()
    return [
        InText(Text(told_of, " Part by part: ", See("risk"), ".")),
        Long("risk", "Where the peg risk comes from", *parts),
        OnPage(Text(unseen)),
    ]


def _deepest(of: Account) -> list[Block]:
    deepest = of.result.worst_paths
    if not deepest:
        return [Text("No path was singled out.")]
    unit, values = in_account("USD·h", of.unit), [each.unserved_usd_hours for each in deepest]
    waits = scale_for(unit, values) if 0.0 < max(values, default=0.0) < LEAST_MILLIONS else Scale(1e-6, 1, f"m {unit}")
    basis, price = Scale(1.0, 1, "bp"), Scale(1.0, 4, in_account("USD", of.unit))
    rows = [
        (
            each.scenario,
            path_name(each.path, each.component),
            basis.text(each.peg_loss_bps),
            price.text(each.min_price),
            waits.text(each.unserved_usd_hours),
        )
        for each in deepest
    ]
    commands = [clean(replay_command(each, of.study)) for each in deepest]
    return [
        Heading("The deepest paths"),
        Text(f"The deepest holdout paths of {_whose(of)}."),
        Table(("Scenario", num("Path"), num("Peg loss"), num("Deepest price"), num("Unserved")), rows),
        OnPage(Text("Each is replayed by its command:"), *map(Pre, commands)),
        InText(Text("This replays the first, and every other of results.json has its own command there: ", Code(commands[0]))),
    ]


def _whose(of: Account) -> str:
    ids = {each.candidate for each in of.result.worst_paths}
    if of.recommended and ids == {of.shown.id}:
        return "the proposed set"
    return "the current set" if ids <= {of.subject.current.id} else ", ".join(sorted(clean(each) for each in ids))


def _runs(of: Account) -> list[Block]:
    if not of.result.run_capacities:
        return [Text("It was not measured in this run.")]
    titles = {each.id: role_title(each) for each in of.result.candidates}
    heads = ("Set", num("Largest run survived, % (95%)"), num("Paid out of it, % (95%)"), n())
    rows = [
        (titles.get(each.candidate, clean(each.candidate)), told(each.value, SHARE), told(each.paid, SHARE), paths_of(each.value))
        for each in of.result.run_capacities
    ]
    return [
        Text(f"{capacity_sentence(of)} The share of the outside supply that sets out to redeem within 24 hours."),
        Table(heads, rows, label="Run capacity", narrow=True),
    ]


def capacity_sentence(of: Account) -> str:
    """The runs that both sets survive, in a sentence; empty where that was not measured."""
    by_set = {each.candidate: each.value for each in of.result.run_capacities}
    now = by_set.get(of.subject.current.id)
    then = None if of.subject.other is None else by_set.get(of.subject.other.id)
    if now is None:
        return ""
    found = f"The current set survives a run of {SHARE.text(now.value)} of the outside supply"
    if then is not None:
        words = {"BETTER": "more", "WORSE": "less", "INCONCLUSIVE": "not told apart", "EQUIVALENT": "the same"}
        label = of.subject.short_label
        found += f", {label[:1].lower()}{label[1:]} {SHARE.text(then.value)}: {words[told_apart(1, now, then)]}"
    intervals = "95% intervals in the table" if now.interval else "intervals not known: too few paths"
    return f"{found} ({intervals}, n = {paths_counted(now, 'path')}, seed {of.study.search.seed})."
