"""A gates file: checked like every other file, every problem at once, with the nearest known name."""

from __future__ import annotations

import pytest

from amo_opt.comparison.gates import Gate, load_gates
from amo_opt.errors import InputError

GOOD = """schema = 1
[[gate]]
metric = "peg_cvar95_bps"
class = "safety"
tolerance = 1.5
[[gate]]
metric = "supply_change"
class = "economic"
direction = "higher"
[[gate]]
metric = "caps_plus_buffer"
class = "safety"
max = 1.0
"""

BAD = """schema = 1
[[gate]]
metric = "peg_cvar95_bp"
class = "safty"
[[gate]]
metric = "yield"
class = "economic"
tolerance = -1
tolerances = 2
[[gate]]
metric = "yield"
class = "safety"
[[gate]]
metric = "caps_plus_buffer"
class = "safety"
tolerance = 0.1
[[gate]]
metric = "vote_share"
class = "economic"
[[gate]]
class = "economic"
max = nan
"""


def written(folder, text):
    file = folder / "gates.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_right_file(tmp_path):
    """Every key lands where it belongs."""
    assert load_gates(written(tmp_path, GOOD)) == (
        Gate(metric="peg_cvar95_bps", cls="safety", tolerance=1.5),
        Gate(metric="supply_change", cls="economic", better=+1),
        Gate(metric="caps_plus_buffer", cls="safety", maximum=1.0),
    )


def test_every_problem_at_once(tmp_path):
    """Wrong names, words, numbers, keys, repetitions and contradictions are told together, each with its line."""
    with pytest.raises(InputError) as error:
        load_gates(written(tmp_path, BAD))
    told = str(error.value)
    for expected in (
        "gates.toml:3: gate[1].metric: no such metric; found \"peg_cvar95_bp\"; did you mean 'peg_cvar95_bps'?",
        'gates.toml:4: gate[1].class: not one of the choices; found "safty"',
        "gates.toml:8: gate[2].tolerance: out of range; found -1",
        "gates.toml:9: gate[2].tolerances: unknown key; found 2; did you mean 'tolerance'?",
        "gates.toml:11: gate[3].metric: gated already, by gate 2",
        "gate[4].max: missing",
        "gates.toml:16: gate[4].tolerance: not for caps_plus_buffer",
        "gate[5].direction: missing",
        "gate[6].metric: missing",
        "gates.toml:22: gate[6].max: not a finite number",
    ):
        assert expected in told


def test_a_key_of_an_earlier_version_is_refused_with_its_name_now(tmp_path):
    """One sentence: line, key, what it is called now."""
    with pytest.raises(InputError) as error:
        load_gates(written(tmp_path, 'schema = 1\n[[gate]]\nmetric = "yield"\nclass = "economic"\nmargin = 0.1\n'))
    assert str(error.value).endswith("gates.toml:5: gate[1].margin: is called tolerance now; found 0.1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "schema: missing"),
        ("schema = 1", "gate: missing"),
        ("schema = 1\ngate = []", "gate: "),
        ("schema = 1\ngate = 3", "gate: wrong type"),
        ("schema = 2\n[[gate]]\nmetric = 'yield'\nclass = 'economic'", "not a known version"),
        ("schema = 1\n[[gate]\n", "not valid TOML"),
        ("schema = 1\ngate = [3]", "wrong type"),
    ],
)
def test_what_is_no_gates_file(tmp_path, text, message):
    """Empty, broken or of another kind: one message that says so."""
    with pytest.raises(InputError, match=message):
        load_gates(written(tmp_path, text))
