"""What `validate` passes, `simulate` runs: studies drawn over the schema's own fields and bounds, ends included.

Nothing here names a figure, a parameter or a setting, so that a new one is drawn as soon as it is defined. A campaign of 2,000 draws
(`pytest -m campaign`), and a short one of the same in the default suite. The campaign keeps what is done in the folder named by
AMO_OPT_CAMPAIGN_DIR, where that is set, and goes on from there.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import numpy as np
import pytest
from annotated_types import Ge, Le

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.config.load import load_study
from amo_opt.config.schema import STUDY_FILE, figures_by_name, table_of
from amo_opt.errors import AmoOptError, InputError
from amo_opt.protocol.parameters import ORDERED_PAIRS
from amo_opt.scoring.score import point_score
from amo_opt.simulation.engine import simulate
from amo_opt.stress.catalogue import load_scenario, scenario_names
from amo_opt.stress.series import SERIES
from amo_opt.stress.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable

    from amo_opt.config.study import Study
    from amo_opt.protocol.state import ProtocolState

CAMPAIGN, QUICK = 2_000, 240
ENDS = 5
"""Ends of fields in one draw: every end there is comes within the short version."""
TRIES = 10
"""Draws at most for one that `validate` passes: an end may be what it refuses."""
STUDY = Path(__file__).resolve().parents[2] / "studies" / "frax-2022.toml"
COST = {"simulation.paths": 2, "simulation.transition_hours": 24, "simulation.window_hours": 144}
"""What a draw costs, held small; everything else that a simulation reads is drawn."""


@dataclass(frozen=True)
class Span:
    """One field of a file: its least and most, or its words, whether it is a whole number, and what the worked study holds."""

    low: float = 0.0
    high: float = 0.0
    whole: bool = False
    words: tuple[Any, ...] = ()
    worked: Any = None

    def ends(self) -> tuple[Any, ...]:
        """The words, or both ends, and the last number before each where there is one."""
        inner = () if self.whole else (np.nextafter(self.low, self.high), np.nextafter(self.high, self.low))
        return self.words or tuple(self._typed(end) for end in (self.low, self.high, *inner))

    def drawn(self, rng: np.random.Generator, *, near: bool) -> Any:
        """An end, a value of any size or one anywhere between them; or the worked study's, moved by a factor of a hundred at most."""
        if near and isinstance(self.worked, int | float):
            return self._typed(min(self.high, max(self.low, self.worked * 10.0 ** rng.uniform(-2.0, 2.0))))
        if self.words or rng.random() < 0.3:
            return self.ends()[int(rng.integers(len(self.ends())))]
        if rng.random() < 0.5:
            return self._typed(rng.uniform(self.low, self.high))
        least = max(self.low, 1e-9 * self.high, 1e-6)
        return self._typed(min(self.high, max(self.low, least * (self.high / least) ** rng.random())))

    def _typed(self, value: float) -> Any:
        return round(value) if self.whole else float(value)


@cache
def spans() -> dict[str, Span]:
    """Every field that a simulation may depend on, by dotted name: ``state.…``, ``current.…``, ``simulation.…``, ``scenario.…``, ``series.…``."""
    study = load_study(STUDY)
    found = {}
    for name, entry in figures_by_name().items():
        found[f"state.{name}"] = Span(entry.metadata["low"], entry.metadata["high"], worked=attrgetter(name)(study.state).value)
    for name, each in PARAMETERS.items():
        found[f"current.{name}"] = Span(each.low, each.high, whole=each.kind == "integer", worked=study.current.values()[name])
    for section in ("simulation", "constraints"):
        table: Any = STUDY_FILE.model_fields[section].annotation
        for name, info in table.model_fields.items():
            worked = attrgetter(f"{section}.{name}")(study)
            if get_origin(info.annotation) is Literal:
                found[f"{section}.{name}"] = Span(words=get_args(info.annotation), worked=worked)
            elif f"{section}.{name}" not in COST:
                low = next(each.ge for each in info.metadata if isinstance(each, Ge))
                high = next(each.le for each in info.metadata if isinstance(each, Le))
                found[f"{section}.{name}"] = Span(low, high, whole=info.annotation is int, worked=worked)
    found |= {f"scenario.{name}": Span(each.low, each.high, words=each.only) for name, each in SETTINGS.items()}
    return found | {f"series.{name}": Span(each.low, each.high) for name, each in SERIES.items()}


@cache
def dealt(deal: int) -> tuple[dict[str, Any], ...]:
    """Every end of every field, `ENDS` of them at a time, mixed anew with every deal."""
    ends = [(name, end) for name, span in spans().items() for end in span.ends()]
    mixed = [ends[place] for place in np.random.default_rng(deal).permutation(len(ends))]
    return tuple(dict(mixed[first : first + ENDS]) for first in range(0, len(mixed), ENDS))


def draw(number: int, attempt: int) -> dict[str, Any]:
    """The values of draw ``number``: its ends, and with them nothing else, a few other fields, or half of all."""
    rng = np.random.default_rng([number, attempt])
    deal, place = divmod(number, len(dealt(0)))
    values: dict[str, Any] = {}
    if attempt or number % 2 or deal:
        share, wild = rng.choice([0.02, 0.1, 0.5]), rng.choice([0.0, 0.3, 1.0])
        chosen = [other for other in spans() if rng.random() < share]
        values = {other: spans()[other].drawn(rng, near=rng.random() >= wild) for other in chosen}
    values |= dealt(deal)[place]
    for pair in ORDERED_PAIRS:
        names = [f"current.{each}" for each in pair]
        values |= dict(zip(names, sorted(values.get(each, spans()[each].worked) for each in names), strict=True))
    return {**values, "scenario": str(rng.choice(scenario_names()))}


@cache
def worked() -> ProtocolState:
    """The worked study's state."""
    return load_study(STUDY).state


def written(values: dict[str, Any], folder: Path) -> Study:
    """The study of these values, through the door of all files; raises `InputError` where `validate` refuses it."""
    state, behaviour = folder / "state.toml", folder / "behaviour.toml"
    lines = {file: ["schema = 2", 'name = "drawn"'] for file in (state, behaviour)}
    lines[state].append("date = 2022-05-11")
    for name, entry in figures_by_name().items():
        if not worked().has(
            table_of(name)
        ):  # of two AMOs that work the pool a state has one, and nobody mints the worked coin against collateral of his own
            continue
        value = values.get(f"state.{name}", spans()[f"state.{name}"].worked)
        line = f'{name} = {{ value = {value!r}, assumed = "drawn", low = {value!r}, high = {value!r} }}'
        lines[behaviour if entry.metadata["behaviour"] else state].append(line)
    for file, rows in lines.items():
        file.write_text("\n".join(rows), encoding="utf-8")
    known = load_scenario(values["scenario"]).settings
    settings = {name: values[f"scenario.{name}"] for name in known if f"scenario.{name}" in values}
    series = {}
    if "onset_day_low" in known:  # a calm has no onset to count waypoints from
        ends = {name: values[f"series.{name}"] for name in SERIES if f"series.{name}" in values}
        start = {name: min(max(1.0, SERIES[name].low), SERIES[name].high) for name in ends}
        series = {name: {"source": "drawn", "points": [[0, start[name]], [24, end]]} for name, end in ends.items()}
        settings = {"onset_day_low": 0.0, "onset_day_high": 0.0} | settings if series else settings
    scenario = {"name": values["scenario"], "weight": 1.0, "set": settings, "waypoints": series}
    rest = {
        name: value
        for name, value in values.items()
        if name.startswith(("simulation.", "constraints."))
        or (name.startswith("current.") and worked().has(PARAMETERS[name.removeprefix("current.")].of))
    }
    return load_study(STUDY, overrides={"state.file": str(state), "behaviour.file": str(behaviour), "scenario": [scenario], **COST, **rest})


@dataclass
class Tally:
    """What the draws found."""

    draws: int = 0
    ran: int = 0
    refused: int = 0
    faults: list[str] = field(default_factory=list)


def run_draws(folder: Path, *, first: int, last: int, tally: Tally) -> None:
    """Draws number ``first`` to ``last - 1``, each drawn again until `validate` passes it; each depends on its number alone."""
    for number in range(first, last):
        tally.draws += 1
        for attempt in range(TRIES):
            try:
                study = written(draw(number, attempt), folder)
            except InputError:
                tally.refused += 1
                continue
            try:
                point_score(simulate(study.current, study), study)
                tally.ran += 1
            except (AmoOptError, ArithmeticError, RuntimeWarning) as error:
                tally.faults.append(f"{number}.{attempt}: {error}")
            break


def test_what_validate_passes_runs(tmp_path: Path) -> None:
    """Every end of every field, alone or among others: no fault, every score finite; most draws are valid."""
    tally = Tally()
    assert len(dealt(0)) <= QUICK
    run_draws(tmp_path, first=0, last=QUICK, tally=tally)
    assert not tally.faults, tally.faults[:5]
    assert tally.ran > 0.85 * QUICK, tally


@pytest.mark.parametrize("supply", [0.0, 5e-324])
def test_a_protocol_without_share_tokens_runs(refigured: Callable[..., Study], supply: float) -> None:
    """Their price is finite to the end, also where an hour issues none of a token that has no supply: at the shipped seed, on path 2."""
    study = refigured(load_study(STUDY), {"share_token.supply": supply})
    outcome = simulate(study.current, study, paths=16, scenarios=["calm", "svb-2023"])
    assert np.isfinite(outcome.paths.select_dtypes("number").to_numpy()).all()
    assert np.isfinite(point_score(outcome, study).yield_annual)


@pytest.mark.parametrize(("liquidity", "refused"), [(0.506e9, False), (0.52e9, True)])
def test_a_range_that_may_hold_what_nobody_has_is_refused_before_it_is_run(tmp_path: Path, liquidity: float, refused: bool) -> None:
    """1.586bn in the pool leave 1.014bn of 2.6bn: Uniswap's range holds almost twice its liquidity where the snapshot's price is below it."""
    values = {"state.amos.uniswap.liquidity": liquidity, "state.pool.base_lp": 1e8, "scenario": "calm"}
    if refused:
        with pytest.raises(InputError, match="pool and AMOs hold the whole supply"):
            written(values, tmp_path)
    else:
        study = written(values, tmp_path)
        assert len(simulate(study.current, study).paths) == COST["simulation.paths"]


@pytest.mark.campaign
def test_campaign_of_what_validate_passes(tmp_path: Path) -> None:
    """The same over 2,000 draws: every end in other company each time."""
    kept = os.environ.get("AMO_OPT_CAMPAIGN_DIR")
    file = Path(kept) / "validated.json" if kept else None
    tally = Tally(**json.loads(file.read_text())) if file is not None and file.exists() else Tally()
    while tally.draws < CAMPAIGN:
        run_draws(tmp_path, first=tally.draws, last=min(tally.draws + 100, CAMPAIGN), tally=tally)
        if file is not None:
            file.write_text(json.dumps(tally.__dict__))
    print(f"\n{tally.draws:,} draws, {tally.ran:,} ran, {tally.refused:,} refused on the way")  # noqa: T201 - a campaign reports
    assert not tally.faults, tally.faults
