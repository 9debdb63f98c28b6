"""A study in ETH: the same figures as in dollars, and no dollar in what is shown of it; and no word of Frax in a report on another protocol."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from amo_opt.config.load import load_state, load_study
from amo_opt.errors import InputError

STUDIES = Path(__file__).parents[2] / "studies"
RATE = 2048.0
"""Dollars to one ETH: a power of two, so that every amount of one study is exactly that many times the other's."""
AMOUNTS = ("supply", "ceiling", "stablecoin", "base_lp", "idle", "lent", "borrowed", "volume_depth_usd", "volume_day")
DOLLARS = re.compile(r"\$|\bUSD\b|\bdollars?\b", re.IGNORECASE)
FRAX = re.compile(
    r"\b(frax\w*|fxs|3crv|frax3crv|3pool|convex|curve investor|collateral investor|stake ?dao|yearn|curveamo\w*|convex_amo\w*)\b",
    re.IGNORECASE,
)
SHORT = "\n[certification]\nmultiple = 2\ncandidates = 2\nbootstrap = 100\ndraws = 16\n"


def less(text, names):
    """A file with these amounts divided by the rate: value, low and high of a figure."""

    def divided(line):
        return re.sub(r"\b(value|low|high) = ([\d.e+]+)", lambda found: f"{found[1]} = {float(found[2]) / RATE!r}", line)

    return "\n".join(divided(line) if line.split(" = ")[0] in names else line for line in text.splitlines()) + "\n"


def write(folder, *, ether):
    """studies/minimal.toml with markets of its own, in dollars or in ETH."""
    spells = ("behaviour/spells-2022.toml", "behaviour/spells-2022.csv")
    for name in ("states/minimal.toml", "behaviour/frax-2022.toml", "parameters/minimal.toml", *spells):
        text = (STUDIES / name).read_text(encoding="utf-8")
        if ether and name in ("states/minimal.toml", "behaviour/frax-2022.toml"):
            text = less(text, AMOUNTS).replace("\nschema = 2", '\nschema = 2\nunit = "ETH"').replace("dollar coin", "coin")
        target = folder / name.replace("frax-2022", "holders")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    rate = RATE if ether else 1.0
    settings = f"lending_deposits = {1.64e9 / rate!r}"
    text = (STUDIES / "minimal.toml").read_text(encoding="utf-8").replace("small dollar coin", "small coin").replace("frax-2022", "holders")
    text = text.replace("4e8", repr(4e8 / rate)).replace("paths = 64", "paths = 16").replace("window_hours = 720", "window_hours = 336")
    settings = settings if ether else f"{settings}, eth_usd = 2048"
    study = folder / "minimal.toml"
    study.write_text(
        text.replace("\n[[scenario]]", f"{SHORT}\n[scenario_defaults]\nset = {{ {settings} }}\n\n[[scenario]]", 1), encoding="utf-8"
    )
    return study


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The two studies."""
    return {ether: write(tmp_path_factory.mktemp("ether" if ether else "dollars"), ether=ether) for ether in (False, True)}


@pytest.fixture(scope="module")
def runs(both, call_in_session):
    """Both run through the command line: what was said, and the folder of the report."""
    found = {}
    for ether, study in both.items():
        called = call_in_session("run", study, "--trials", "4", "--workers", "1", "--out", study.parent / "out")
        assert called.status == 0, called.err
        found[ether] = (called.out + called.err, study.parent / "out")
    return found


def shown(run):
    """Everything a reader sees of a run: terminal, proposal, appendix and page."""
    said, folder = run
    page = re.sub(r"<style>.*?</style>|<script.*?</script>", "", (folder / "report.html").read_text(encoding="utf-8"), flags=re.DOTALL)
    parts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.md"))]
    return "\n".join([said.replace(str(folder), ""), page, *parts])


def apart(one, other, place=""):
    """Where two documents differ in more than an amount's scale."""
    if isinstance(one, dict) and isinstance(other, dict):
        assert one.keys() == other.keys(), place
        return [found for key in one for found in apart(one[key], other[key], f"{place}/{key}")]
    if isinstance(one, list) and isinstance(other, list):
        assert len(one) == len(other), place
        return [found for key, pair in enumerate(zip(one, other, strict=True)) for found in apart(*pair, f"{place}/{key}")]
    scaled = isinstance(one, float) and isinstance(other, float) and one == RATE * other
    return [] if one == other or scaled else [place]


def test_every_figure_is_the_same_in_another_unit(runs):
    """Ratios, prices, chances and yields bit for bit, amounts exactly as many times as much, joint draws of the assumptions included."""
    in_dollars, in_ether = (json.loads((runs[ether][1] / "results.json").read_text(encoding="utf-8")) for ether in (False, True))
    assert in_ether["study"].pop("unit") == "ETH"
    assert {place.rpartition("/")[2] for place in apart(in_dollars, in_ether)} <= {"hash", "condition"}
    for metric, times in (("unserved_usd_hours", RATE), ("floor_supply_01_usd", RATE), ("peg_cvar95_bps", 1.0), ("min_price", 1.0)):
        one, other = (found["candidates"][0]["certified"][metric]["value"] for found in (in_dollars, in_ether))
        assert one == times * other > 0.0


def test_no_dollar_is_shown_of_a_study_in_ether(runs):
    """Terminal, proposal, appendix and page, sources of scenarios and reasons of assumptions included."""
    text = shown(runs[True])
    assert [text[found.start() - 60 : found.end() + 20] for found in DOLLARS.finditer(text)] == []
    assert "k ETH·h" in text
    assert "Peg risk against 1 ETH (CVaR 95%)" in text
    assert "pool price (ETH)" in text
    assert "USD·h" in shown(runs[False])


@pytest.mark.parametrize("ether", [False, True])
def test_no_word_of_frax_is_in_a_report_on_another_protocol(runs, ether):
    """Not in what was said, nor in proposal, appendix and page: what its history was the source of is told as another's."""
    text = shown(runs[ether])
    assert [text[found.start() - 60 : found.end() + 20] for found in FRAX.finditer(text)] == []
    assert "set from another stablecoin's history, see the catalogue" in text.replace("&#39;", "'")
    assert "Growth of the share token's supply" not in text.replace("&#39;", "'")


def test_other_commands_show_the_states_unit(both, call, tmp_path):
    """Scores, comparisons, profiles, stories, reverse stress, scenarios and the pool."""
    study, current = both[True], both[True].parent / "parameters" / "minimal.toml"
    other = tmp_path / "other.toml"
    other.write_text(current.read_text().replace("aave_cap = 0.4", "aave_cap = 0.3").replace("minimal-current", "other"), encoding="utf-8")
    story = tmp_path / "story.html"
    calls = [
        ("simulate", current, "--study", study, "--paths", "4"),
        ("simulate", current, "--study", study, "--paths", "4", "--scenario", "fast-run", "--path", "1", "--plot", story),
        ("compare", current, other, "--study", study, "--paths", "4"),
        ("profile", study, "--parameter", "aave_cap", "--points", "2", "--paths", "4"),
        ("break", study, current, "--paths", "2"),
        ("scenarios", study, "--plot", tmp_path / "scenarios.html"),
        ("pool", "state", "--study", study),
        ("pool", "swap", "--study", study, "--sell-base", "10"),
        ("pool", "floor", "--study", study, "--floor", "0.95", "--lp-share", "0.3"),
    ]
    texts = [call(*each) for each in calls]
    assert [each.err for each in texts if each.status not in (0, 1)] == []
    pages = [re.sub(r"<style>.*?</style>", "", file.read_text(encoding="utf-8"), flags=re.DOTALL) for file in tmp_path.glob("*.html")]
    for text in [each.out for each in texts] + pages:
        assert DOLLARS.findall(text) == []
        assert FRAX.findall(text) == []
    assert not {"swap fees", "uniswap fees", "dilution"} & set(re.split(r", |: |\n", texts[3].out))
    assert "Growth of the share token" not in texts[0].out


def test_no_floor_is_told_of_a_pool_that_the_protocol_owns_nothing_of(call, both):
    """One sentence says what is missing, where zeros stood."""
    found = call("pool", "floor", "--study", both[False], "--floor", "0.95")
    assert found.status == 2
    assert "the study's protocol owns none of the pool" in found.err
    assert "--floor missing" in call("pool", "floor", "--study", both[False]).err


def test_amounts_that_are_in_dollars_are_asked_for(both, tmp_path):
    """Of the catalogue's markets and of a behaviour file in another unit; each is one problem, at its key."""
    folder = tmp_path / "study"
    shutil.copytree(both[True].parent, folder, ignore=shutil.ignore_patterns("out*"))
    study, behaviour = folder / "minimal.toml", folder / "behaviour" / "holders.toml"
    text = study.read_text(encoding="utf-8")
    study.write_text(re.sub(r"lending_deposits = [\d.]+", "", text), encoding="utf-8")
    behaviour.write_text(behaviour.read_text(encoding="utf-8").replace('unit = "ETH"\n', ""), encoding="utf-8")
    with pytest.raises(InputError) as refused:
        load_study(study)
    assert [(each.where, each.message) for each in refused.value.problems] == [
        ("state.set.markets.volume_depth_usd", "missing"),
        ("scenario_defaults.set.lending_deposits", "missing"),
    ]
    study.write_text(
        text.replace('file = "states/minimal.toml"', 'file = "states/minimal.toml"\nset = { "markets.volume_depth_usd" = 9e4 }')
    )
    depth = load_study(study).state.markets.volume_depth_usd
    assert (depth.value, depth.low, depth.high) == (9e4, 9e4, 9e4)


def test_gas_is_in_the_unit_of_account(both):
    """An ether is one ETH, and 2,048 dollars where the study says so; a state's unit is a short word."""
    assert {each.settings["eth_usd"] for each in load_study(both[True]).scenarios} == {1.0}
    assert {each.settings["eth_usd"] for each in load_study(both[False]).scenarios} == {2048.0}
    assert load_state(both[False].parent / "states" / "minimal.toml").unit == "USD"
    wrong = both[True].parent / "states" / "wrong.toml"
    wrong.write_text((both[True].parent / "states" / "minimal.toml").read_text().replace('unit = "ETH"', 'unit = "a dollar"'))
    with pytest.raises(InputError, match="unit: "):
        load_state(wrong, both[True].parent / "behaviour" / "holders.toml")
