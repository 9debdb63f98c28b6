"""Words and gates from figures of every path: nothing against itself, mirrored when swapped, safe when in doubt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from amo_opt.comparison.gates import DEFAULT_GATES, Gate
from amo_opt.comparison.judging import TAIL_LEAST, thin_tail
from amo_opt.comparison.wording import because
from amo_opt.scoring.metrics import MEASURES
from amo_opt.scoring.types import Estimate

COUNT = 400


def drawn(seed, scale=1.0):
    """Every metric's figures at random; events are 0 or 1."""
    rng = np.random.default_rng(seed)
    return {
        name: (rng.random(COUNT) < 0.1).astype(float) if measure.kind == "event" else scale * rng.exponential(30.0, COUNT)
        for name, measure in MEASURES.items()
    }


def gate_of(comparison, name):
    return next(gate for gate in comparison.gates if gate.gate.metric == name)


def test_a_set_against_itself(judge):
    """Every difference and both ends of every interval are exactly 0, every word is EQUIVALENT, every gate passes."""
    figures = drawn(1)
    found = judge(figures, figures)
    assert len(found.metrics) == sum(1 for measure in MEASURES.values() if measure.metric.better)
    for metric in found.metrics:
        assert (metric.difference, metric.low, metric.high, metric.verdict) == (0.0, 0.0, 0.0, "EQUIVALENT")
    assert {gate.status for gate in found.gates} == {"pass"}
    assert (found.verdict, found.exit_status) == ("pass", 0)


@pytest.mark.parametrize("seed", range(3))
def test_swapping_negates_to_the_last_bit(judge, seed):
    """Baseline and candidate change places: differences change sign, intervals are mirrored, no bit is lost."""
    one, other = drawn(seed), drawn(seed + 100, scale=1.3)
    for there, back in zip(judge(one, other).metrics, judge(other, one).metrics, strict=True):
        assert (there.baseline, there.candidate) == (back.candidate, back.baseline)
        assert there.difference == -back.difference
        assert (there.low, there.high) == (-back.high, -back.low)


def test_a_gain_and_a_loss(judge):
    """10 bp less on every path is BETTER and passes; 10 more is WORSE and fails; 1 more is within the tolerance of 2 and passes."""
    base = {"peg_cvar95_bps": np.random.default_rng(1).exponential(30.0, 2000)}
    told = {}
    for shift in (-10.0, 1.0, 10.0):
        gate = gate_of(judge(base, {"peg_cvar95_bps": base["peg_cvar95_bps"] + shift}, paths=1000), "peg_cvar95_bps")
        told[shift] = (gate.verdict, gate.status)
    assert told == {-10.0: ("BETTER", "pass"), 1.0: ("EQUIVALENT", "pass"), 10.0: ("WORSE", "fail")}


def test_in_doubt_safety_fails_and_the_economy_warns(judge):
    """The same inconclusive figures fail as a safety gate, warn as an economic one, and say how many paths would settle them."""
    rng = np.random.default_rng(2)
    noise = rng.normal(0.5, 12.0, COUNT)
    for cls, status, exit_status in (("safety", "fail", 1), ("economic", "warn", 0)):
        gates = (Gate(metric="min_price", cls=cls, tolerance=0.6),)
        found = judge({}, {"min_price": -noise}, gates=gates)
        assert (found.gates[0].verdict, found.gates[0].status, found.exit_status) == ("INCONCLUSIVE", status, exit_status)
        assert "more paths per scenario would settle it" in because(found.gates[0].reason)


def test_as_many_paths_as_told_settle_it(judge):
    """With the paths it asks for, a half more for luck, an inconclusive difference is settled."""
    rng = np.random.default_rng(5)
    gates = (Gate(metric="min_price", cls="safety", tolerance=1.0),)
    first = judge({}, {"min_price": rng.normal(0.0, 12.0, COUNT)}, gates=gates).metric("min_price")
    assert first.verdict == "INCONCLUSIVE"
    paths = int(1.5 * (200 + first.more_paths))
    again = judge({}, {"min_price": rng.normal(first.difference, 12.0, 2 * paths)}, gates=gates, paths=paths).metric("min_price")
    assert again.verdict != "INCONCLUSIVE"


def test_a_thin_tail_is_not_gated(judge):
    """Under 40 effective paths in the tail the gate says so and neither passes nor fails; the difference is still a number."""
    rng = np.random.default_rng(3)
    base = rng.exponential(30.0, COUNT)
    found = judge({"peg_cvar95_bps": base}, {"peg_cvar95_bps": base + rng.normal(50.0, 9.0, COUNT)})
    gate, metric = gate_of(found, "peg_cvar95_bps"), found.metric("peg_cvar95_bps")
    assert metric.tail_points < TAIL_LEAST
    assert (gate.status, metric.verdict, found.exit_status) == ("not gated", "INCONCLUSIVE", 0)
    assert metric.difference > 20.0
    assert "effective paths in the tail, under 40" in because(gate.reason)
    thick = judge(
        {"peg_cvar95_bps": rng.exponential(30.0, 2 * (200 + metric.more_paths))},
        {"peg_cvar95_bps": rng.exponential(30.0, 2 * (200 + metric.more_paths))},
        paths=200 + metric.more_paths,
    )
    assert thick.metric("peg_cvar95_bps").tail_points > 0.8 * TAIL_LEAST


def test_among_twins_one_path_makes_a_tail_thin():
    """Kish's count says little where paths weigh differently: a tail is thin where one path holds over a fifth of the variance and the interval ends within that path of the edge."""
    told = Estimate(value=1.0, low=0.2, high=1.8, n=800, tail_points=12.0, twins=400, largest_share=0.1)
    assert thin_tail(told, (0.0, 2.0), alike=True)
    assert not thin_tail(told, (0.0, 2.0), alike=False)
    heavy = replace(told, largest_share=0.36)  # that path alone moves an end by 0.6 standard errors, 0.24
    assert thin_tail(heavy, (0.0, 2.0), alike=False)
    assert not thin_tail(replace(heavy, low=0.5, high=1.5), (0.0, 2.0), alike=False)
    assert not thin_tail(heavy, (10.0,), alike=False), "a limit far from a figure that nearly reaches 0"
    assert not thin_tail(replace(heavy, tail_points=None), (0.0, 2.0), alike=False)


def test_events_go_by_exact_tests(judge):
    """Six breaches gone of 400 paths are BETTER by McNemar (1/64), five are not; six new are WORSE; one new is within a tolerance of 5%."""
    gates = (Gate(metric="breach_probability", cls="safety", tolerance=0.0),)
    loose = (Gate(metric="breach_probability", cls="safety", tolerance=0.05),)
    none = np.zeros(COUNT)

    def some(count):
        return (np.arange(COUNT) < count).astype(float)

    words = [judge({"breach_probability": some(k)}, {"breach_probability": none}, gates=gates).gates[0].verdict for k in (5, 6)]
    assert words == ["INCONCLUSIVE", "BETTER"]
    assert judge({"breach_probability": none}, {"breach_probability": some(6)}, gates=gates).gates[0].verdict == "WORSE"
    assert judge({"breach_probability": none}, {"breach_probability": some(1)}, gates=gates).gates[0].status == "fail"
    found = judge({"breach_probability": none}, {"breach_probability": some(1)}, gates=loose).gates[0]
    assert (found.verdict, found.status) == ("NO WORSE", "pass")


def test_holm_makes_many_gates_harder_to_pass(judge):
    """A difference that passes as the only safety gate does not among twelve: the p-value is multiplied."""
    rng = np.random.default_rng(11)
    names = [name for name, measure in MEASURES.items() if measure.kind == "mean" and measure.metric.better > 0][:8]
    names += [name for name, measure in MEASURES.items() if measure.kind == "mean" and measure.metric.better < 0][:4]
    noise = rng.normal(0.0, 1.0, COUNT)
    base = {name: np.zeros(COUNT) for name in names}
    moved = {name: (1 if MEASURES[name].metric.better > 0 else -1) * noise for name in names}
    alone = judge(base, moved, gates=(Gate(metric=names[0], cls="safety", tolerance=1.0),), bootstrap=1000)
    scale = -alone.metric(names[0]).low * 1.02  # an interval that only just clears the tolerance
    just = tuple(Gate(metric=name, cls="safety", tolerance=scale) for name in names)
    assert judge(base, moved, gates=just[:1], bootstrap=1000).gates[0].status == "pass"
    many = judge(base, moved, gates=just, bootstrap=1000)
    assert {gate.status for gate in many.gates} == {"fail"}
    assert "Holm" in because(many.gates[0].reason)
    assert many.gates[0].p_adjusted == pytest.approx(12 * many.metric(names[0]).p_inferior)


def test_a_maximum_holds_whatever_the_baseline(judge, small):
    """A limit on the candidate's own figure: kept, broken, or in doubt at its interval's end; caps are read off the set."""
    rng = np.random.default_rng(4)
    peaks = rng.normal(100.0, 20.0, COUNT)
    for limit, status in ((110.0, "pass"), (100.0, "fail"), (90.0, "fail")):
        gates = (Gate(metric="hours_below_099", cls="safety", maximum=limit),)
        found = judge({"hours_below_099": peaks}, {"hours_below_099": peaks}, gates=gates).gates[0]
        assert (found.status, found.tolerance) == (status, None)
    greedy = small.current.replace(name="greedy", idle_buffer=0.5)
    found = gate_of(judge({}, {}, parameters=greedy), "caps_plus_buffer")
    assert (found.verdict, found.status, found.found) == ("BROKEN", "fail", pytest.approx(1.429))


def test_a_direction_given_by_the_gate(judge):
    """A metric without a direction gets one: more is better here, so less fails."""
    rng = np.random.default_rng(6)
    less = -rng.uniform(0.5, 1.0, COUNT)
    found = judge({}, {"supply_change": less}, gates=(Gate(metric="supply_change", cls="safety", better=+1),))
    assert (found.gates[0].verdict, found.exit_status) == ("WORSE", 1)
    assert judge({}, {"supply_change": less}, gates=(Gate(metric="supply_change", cls="safety", better=-1),)).exit_status == 0


def test_default_gates_are_those_of_the_design():
    """Safety: breach, unserved, peg, caps. Economic: yield."""
    assert [(gate.metric, gate.cls) for gate in DEFAULT_GATES] == [
        ("breach_probability", "safety"),
        ("unserved_usd_hours", "safety"),
        ("peg_cvar95_bps", "safety"),
        ("caps_plus_buffer", "safety"),
        ("yield", "economic"),
    ]


@pytest.mark.parametrize("paths", [1, 29])
@pytest.mark.parametrize("metric", ["hours_over_caps", "breach_probability", "peg_cvar95_bps", "yield"])
@pytest.mark.parametrize("shift", [-1.0, 0.0, 1.0])
def test_too_few_paths_pass_no_gate(judge, paths, metric, shift):
    """Better, worse or alike on each of up to 29 paths a scenario: INCONCLUSIVE, so safety fails and the economy warns, and told is how many are missing."""
    gates = (Gate(metric=metric, cls="safety"), Gate(metric="min_price", cls="economic"))
    found = judge({metric: np.ones(2 * paths)}, {metric: np.ones(2 * paths) + shift}, gates=gates, paths=paths, apart=True)
    assert [(gate.verdict, gate.status) for gate in found.gates] == [("INCONCLUSIVE", "fail"), ("INCONCLUSIVE", "warn")]
    assert found.exit_status == 1
    assert all(f"at least 30 are needed, {30 - paths} more" in because(gate.reason) for gate in found.gates)
    judged = found.metric(metric)
    assert (judged.difference, judged.interval, judged.verdict, judged.more_paths) == (shift, None, "INCONCLUSIVE", 30 - paths)


def test_too_few_paths_keep_no_maximum(judge):
    """A candidate's own figure far below its most is not known to be: INCONCLUSIVE, without an end to show; thirty paths know it."""
    gates = (Gate(metric="hours_over_caps", cls="safety", maximum=1e9),)
    told = [judge({}, {}, gates=gates, paths=paths).gates[0] for paths in (29, 30)]
    assert [(gate.verdict, gate.status, gate.confidence_bound) for gate in told] == [("INCONCLUSIVE", "fail", None), ("KEPT", "pass", 0.0)]


def test_a_set_is_itself_on_any_number_of_paths(judge):
    """One path: the same values differ by exactly 0 and pass without an interval; other values that do the same on that path do not."""
    figures = {name: values[:2] for name, values in drawn(1).items()}
    same, apart = judge(figures, figures, paths=1), judge(figures, figures, paths=1, apart=True)
    assert {(each.difference, each.interval, each.verdict) for each in same.metrics} == {(0.0, None, "EQUIVALENT")}
    assert {gate.status for gate in same.gates} == {"pass"}
    assert {(each.difference, each.interval, each.verdict) for each in apart.metrics} == {(0.0, None, "INCONCLUSIVE")}
    assert apart.exit_status == 1
