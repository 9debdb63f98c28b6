"""Files into values: the shipped example, every kind of mistake with its one message, overrides."""

from pathlib import Path

import pytest

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.config.load import load_parameters, load_state, load_study, replace_figure, validate_file
from amo_opt.errors import InputError
from amo_opt.protocol.addresses import checksummed
from amo_opt.scoring.constraints import caps_plus_buffer
from amo_opt.stress.catalogue import load_scenario

STUDIES = Path(__file__).parents[2] / "studies"
STUDY = "frax-2022.toml"
STATE = "states/frax-2022-05-11.toml"
BEHAVIOUR = "behaviour/frax-2022.toml"
CURRENT = "parameters/frax-current.toml"


def problems(path, **overrides):
    with pytest.raises(InputError) as caught:
        load_study(path, overrides=overrides.get("overrides"))
    return caught.value.problems


def test_shipped_study_loads():
    """The worked example is the state of 11 May 2022 with the five scenarios, and its search covers thirteen parameters."""
    study = load_study(STUDIES / STUDY)
    assert study.name == "frax-2022"
    assert [scenario.name for scenario in study.scenarios] == [
        "calm",
        "svb-2023",
        "ust-contagion-2022",
        "lending-freeze-svb",
        "collateral-impairment",
    ]
    assert sum(scenario.weight for scenario in study.scenarios) == pytest.approx(1.0)
    assert study.state.stablecoin.supply.value == pytest.approx(2.600e9, rel=1e-3)
    assert study.state.controller.collateral_ratio.value == 0.8725
    assert study.constraints.external_cr_floor == 0.8725
    assert study.current.amplification == 1500
    assert list(study.search.space) == [name for name in PARAMETERS if name in study.search.space]
    assert len(study.search.space) == 13
    assert study.simulation.paths == 64
    assert study.search.trials == 200
    assert len(study.hash) == 64


def test_shipped_current_set_is_feasible_and_stands_where_the_snapshot_does():
    """Caps and buffer of the set in force fit together, and no cap lies below what the snapshot holds."""
    study = load_study(STUDIES / STUDY)
    current, state = study.current, study.state
    assert caps_plus_buffer(current) <= 1.0
    curve = state.amos.curve.lp_share.value * state.base_value / state.collateral_usd
    assert curve <= current.curve_collateral_cap
    assert state.amos.aave.lent.value / state.collateral_usd <= current.aave_cap
    assert state.collateral.idle.value / state.collateral_usd >= current.idle_buffer
    assert state.amos.curve.minted.value / state.stablecoin.supply.value <= current.curve_mint_cap
    assert state.amos.investor.lent.value / state.collateral_usd <= current.investor_cap
    assert state.amos.uniswap.liquidity.value / state.collateral_usd <= current.uniswap_cap
    assert state.amos.fraxlend.lent.value / state.stablecoin.supply.value <= current.fraxlend_cap


def test_every_searched_range_holds_the_current_value():
    """The set in force lies inside the space, so that the search can start from it."""
    study = load_study(STUDIES / STUDY)
    values = study.current.values()
    assert all(each.low <= values[name] <= each.high for name, each in study.search.space.items())


MINTER = "0xcf37B62109b537fa0Cb9A90Af4CA72f6fb85E241"
BAD = [
    # file, what is replaced, by what, the key named, what the message must say
    (STUDY, "schema = 2\n", "", "schema", ["missing", "schema = 2"]),
    (STUDY, "schema = 2\n", "schema = 3\n", "schema", ["found 3", "another version"]),
    (STUDY, "schema = 2\n", "schema = true\n", "schema", ["found true"]),
    (STUDY, "schema = 2\n", "schema = 1\n", "schema", ["found 1", "amo-opt migrate", STUDY]),
    (STATE, "schema = 2\n", "schema = 1\n", "schema", ["found 1", "amo-opt migrate", STATE]),
    (BEHAVIOUR, "schema = 2\n", "schema = 3\n", "schema", ["found 3", "another version"]),
    (BEHAVIOUR, "low = 0.0, high = 0.10 }", "low = 0.0, high = 9.0 }", "markets.hazard_news.high", ["out of range", "0 to 5 1/day"]),
    (BEHAVIOUR, "hour_limit = {", "hour_limits = {", "markets.hour_limits", ["unknown key", "did you mean 'hour_limit'?"]),
    (STUDY, '"behaviour/frax-2022.toml"', '"behaviour/frax-2023.toml"', "behaviour.file", ["no such file", "frax-2022.toml"]),
    (STUDY, '"behaviour/frax-2022.toml"', f'"{STATE}"', "behaviour.file", ["is a protocol state, not a behaviour file"]),
    (STUDY, 'name = "frax-2022"', 'name = "../frax"', "name", ["small letters", '"../frax"']),
    (STUDY, 'name = "frax-2022"', 'name = ""', "name", ["small letters"]),
    (STUDY, "date = 2022-05-11", 'date = "2022-05-11"', "date", ["wrong type", "without quotes"]),
    (STUDY, "date = 2022-05-11", "date = 2022-05-11T00:00:00Z", "date", ["wrong type"]),
    (STUDY, "paths = 64", "path = 64", "simulation.path", ["unknown key", "did you mean 'paths'?"]),
    (STUDY, "paths = 64", "paths = 0", "simulation.paths", ["out of range", "found 0", "from 1"]),
    (STUDY, "paths = 64", "paths = 64.5", "simulation.paths", ["wrong type", "found 64.5", "whole number"]),
    (STUDY, "paths = 64", 'paths = "64"', "simulation.paths", ["wrong type", 'found "64"']),
    (STUDY, "paths = 64", "paths = true", "simulation.paths", ["wrong type", "found true"]),
    (STUDY, "tolerance_yield =", "margin_yield =", "certification.margin_yield", ["is called tolerance_yield now", "found 0.001"]),
    (STUDY, "tolerance_peg_bps =", "margin_peg_bps =", "certification.margin_peg_bps", ["is called tolerance_peg_bps now"]),
    (STUDY, "tolerance_cr =", "margin_cr =", "certification.margin_cr", ["is called tolerance_cr now"]),
    (STUDY, "[simulation]", "[simulation]\nmargin = 1", "simulation.margin", ["unknown key"]),
    (STUDY, "[simulation]", "[simulations]", "simulations", ["unknown key", "did you mean 'simulation'?"]),
    (STUDY, '"collateral"    #', '"colateral" #', "simulation.peg_reference", ["not one of", "did you mean 'collateral'?"]),
    (STUDY, "paths = 64", 'paths = 64\npeg_sides = "bot"', "simulation.peg_sides", ["not one of", "did you mean 'both'?"]),
    (STUDY, "seed = 6", "seed = -1", "search.seed", ["out of range"]),
    (STUDY, "aave_cap = {", "ave_cap = {", "search.space.ave_cap", ["unknown key", "did you mean 'aave_cap'?"]),
    (STUDY, "aave_cap = { low = 0.0, high = 0.6 }", "aave_cap = 0.6", "search.space.aave_cap", ["wrong type", "low = …, high = …"]),
    (
        STUDY,
        "aave_cap = { low = 0.0, high = 0.6 }",
        "aave_cap = { low = -0.1, high = 0.6 }",
        "search.space.aave_cap.low",
        ["-0.1", "0 to 1"],
    ),
    (STUDY, "aave_cap = { low = 0.0, high = 0.6 }", "aave_cap = { low = 0.6, high = 0.6 }", "search.space.aave_cap", ["low < high"]),
    (STUDY, "aave_cap = { low = 0.0, high = 0.6 }", "aave_cap = { low = 0.0, high = nan }", "search.space.aave_cap.high", ["finite"]),
    (
        STUDY,
        "aave_cap = { low = 0.0, high = 0.6 }",
        "aave_cap = { low = 0.0, high = 0.6, log = true }",
        "search.space.aave_cap.low",
        ["logarithm"],
    ),
    (STUDY, "low = 150, high", "low = 150.5, high", "search.space.amplification.low", ["whole number"]),
    (STUDY, "low = 150, high", "low = 0, high", "search.space.amplification.low", ["1 to 999999"]),
    (
        STUDY,
        "pool_share_low = { low = 0.40, high = 0.54 }",
        "pool_share_low = { low = 0.80, high = 0.9 }",
        "search.space.pool_share_low",
        ["0.75"],
    ),
    (STUDY, "max_breach_probability = 0.02", "max_breach_probability = 2", "constraints.max_breach_probability", ["out of range"]),
    (STUDY, "# min_floor_supply = 1.0", "min_floor_supply = -1.0", "constraints.min_floor_supply", ["out of range", "0 to 1000"]),
    (STUDY, "# min_floor_supply = 1.0", "min_floor_supply = true", "constraints.min_floor_supply", ["wrong type", "left out: no limit"]),
    (STUDY, "crv_locked_share = 0.0", "crv_locked_share = 1.1", "simulation.crv_locked_share", ["out of range", "found 1.1", "0 to 1"]),
    (STUDY, "multiple = 10", "multiple = inf", "certification.multiple", ["finite"]),
    (STUDY, "most_paths = 10240", "most_paths = 0", "certification.most_paths", ["found 0", "a whole number from 1 to 1e7"]),
    (STUDY, "most_paths = 10240", "most_paths = 10240.5", "certification.most_paths", ["found 10240.5", "a whole number"]),
    (STUDY, "most_paths = 10240", "most_path = 10240", "certification.most_path", ["most_paths"]),
    (STUDY, 'name = "svb-2023"', 'name = "svb-2024"', "scenario[svb-2024].name", ["unknown scenario", "'svb-2023'"]),
    (STUDY, 'name = "svb-2023"', 'name = "calm"', "scenario[calm].name", ["named twice"]),
    (STUDY, "weight = 0.95", "weight = -0.95", "scenario[calm].weight", ["out of range", "-0.95"]),
    (STUDY, "{ size = 1.0 }", "{ sise = 1.0 }", "scenario[svb-2023].set", ["unknown setting 'sise'", "'size'"]),
    (STUDY, "{ size = 1.0 }", "{ size = -1.0 }", "scenario[svb-2023].set", ["size is -1.0"]),
    (STUDY, "{ size = 1.0 }", "3", "scenario[svb-2023].set", ["wrong type"]),
    (STUDY, '"states/frax-2022-05-11.toml"', '"states/frax-2022-05-12.toml"', "state.file", ["no such file", "frax-2022-05-11.toml"]),
    (STUDY, '"states/frax-2022-05-11.toml"', '"states"', "state.file", ["is a folder"]),
    (STUDY, '"states/frax-2022-05-11.toml"', '"parameters/frax-current.toml"', "state.file", ["is a parameter set, not a protocol state"]),
    (STUDY, '"states/frax-2022-05-11.toml"', "1", "state.file", ["wrong type"]),
    (
        STUDY,
        '"parameters/frax-current.toml"',
        '"parameters/frax-current.toml"\namplification = 0',
        "current.amplification",
        ["found 0", "1 to"],
    ),
    (
        STUDY,
        '"parameters/frax-current.toml"',
        '"parameters/frax-current.toml"\npool_share_low = 0.58',
        "current.pool_share_low",
        ["below pool_share_high"],
    ),
    (CURRENT, "amplification = 1500 ", "amplification = 0 ", "amplification", ["out of range", "found 0", "1 to 999999"]),
    (CURRENT, "amplification = 1500 ", "amplification = 1500.5 ", "amplification", ["whole number"]),
    (CURRENT, "amplification = 1500 ", "", "amplification", ["missing", "1 to 999999"]),
    (CURRENT, "aave_cap = 0.201", "aave_cap = -0.201", "aave_cap", ["out of range", "found -0.201", "0 to 1"]),
    (CURRENT, "aave_cap = 0.201", "aave_cap = nan", "aave_cap", ["not a finite number"]),
    (CURRENT, "aave_cap = 0.201", "aave_cap = -inf", "aave_cap", ["not a finite number"]),
    (CURRENT, "aave_cap = 0.201", "aave_cap = true", "aave_cap", ["wrong type", "found true"]),
    (CURRENT, "aave_cap = 0.201", 'aave_cap = "0.2"', "aave_cap", ["wrong type", 'found "0.2"']),
    (CURRENT, "aave_cap = 0.201", "aave_cap = [0.2]", "aave_cap", ["wrong type", "found [0.2]"]),
    (CURRENT, "aave_cap = 0.201", "aavecap = 0.201\naave_cap = 0.2", "aavecap", ["unknown key", "'aave_cap'"]),
    (CURRENT, "pool_share_low = 0.50", "pool_share_low = 0.57", "pool_share_low", ["must lie below pool_share_high"]),
    (CURRENT, "reentry_price = 0.995", "reentry_price = 0.98", "unwind_price", ["must lie below reentry_price"]),
    (STATE, "fee = { value = 0.0004, source", "fee = { value = -0.0004, source", "pool.fee.value", ["out of range", "0 to 0.05"]),
    (STATE, "fee = { value = 0.0004, source", "fee = { value = nan, source", "pool.fee.value", ["finite"]),
    (STATE, "fee = { value = 0.0004, source", "fee = { value = 0.0004, souce", "pool.fee.souce", ["unknown key", "'source'"]),
    (STATE, "low = 0.65, high = 0.90", "low = 0.85, high = 0.90", "amos.curve.lp_share.value", ["low <= value <= high"]),
    (STATE, "low = 0.65, high = 0.90", "low = 0.65", "amos.curve.lp_share.high", ["missing"]),
    (STATE, "low = 0.65, high = 0.90", "low = 0.95, high = 0.90", "amos.curve.lp_share.low", ["above high"]),
    (STATE, "low = 0.65, high = 0.90", "low = 0.65, high = 1.90", "amos.curve.lp_share.high", ["0 to 1"]),
    (STATE, "[collateral]", "[colateral]", "colateral", ["unknown key", "'collateral'"]),
    (STATE, "value = 2_600_092_892", "value = 1.5e9", "pool.stablecoin", ["whole supply"]),
    (STATE, "\ndate = 2022-05-11", "\ndate = 2022-05-12", "date", ["after the study's date", "found 2022-05-12", "at most 2022-05-11"]),
    (STATE, 'price 0.9999245", date = 2022-05-11', 'price 0.9999245", date = 2999-05-11', "stablecoin.supply.date", ["found 2999-05-11"]),
    (STATE, MINTER, f"0x{'0' * 40}", "contracts.amo_minter.address", ["nobody's address", f'found "0x{"0" * 40}"']),
    (STATE, MINTER, f"0x{'0' * 36}dEaD", "contracts.amo_minter.address", ["nobody's address"]),
    (STATE, MINTER, f"0x{'Ee' * 20}", "contracts.amo_minter.address", ["nobody's address"]),
    (
        STATE,
        "0x2fE065e6FFEf9ac95ab39E5042744d695F560729",
        MINTER.lower(),
        "contracts.frax_pool.address",
        ["the address of [contracts.amo_minter] too", 'caller = "amo_minter"'],
    ),
    (
        STATE,
        "CONTRACT_ADDRESSES.ethereum, pools, V3",
        "CONTRACT_ADDRESSES.arbitrum, pools, V3",
        "contracts.frax_pool.source",
        ["another chain's registry", 'found "arbitrum"', "the address on chain 1, or [contracts] chain_id = 42161"],
    ),
    (STATE, "in_gauge = { value = 0.0", "in_gauge = { value = 0.1", "amos.curve.in_convex", ["found 1.1 in all", "at most 1"]),
]


@pytest.mark.parametrize(("name", "old", "new", "where", "words"), BAD, ids=[f"{Path(row[0]).stem}: {row[2][:40]!r}" for row in BAD])
def test_each_mistake_is_named_with_file_key_value_and_remedy(folder, edit, name, old, new, where, words):
    """One mistake in one file gives a message that names its file and key, what was found and what is allowed."""
    edit(name, old, new)
    found = [problem for problem in problems(folder / STUDY) if problem.where == where]
    assert len(found) == 1
    message = str(found[0])
    assert found[0].file == str(folder / name)
    assert all(word in message for word in words), message
    lines = (folder / name).read_text(encoding="utf-8").split("\n")
    if found[0].line is not None and "missing" not in message:
        assert where.split(".")[-1].split("[")[0] in lines[found[0].line - 1] or where.split(".")[-2] in lines[found[0].line - 1]


@pytest.mark.parametrize(
    ("figure", "words"),
    [
        ("2.6e9", ["a bare value has no source", "found 2600000000.0", "source = "]),
        ("{ value = 2.6e9 }", ["does not say where it comes from"]),
        ('{ value = 2.6e9, source = "a", assumed = "b", low = 1e9, high = 3e9 }', ["both"]),
        ('{ value = 2.6e9, source = "" }', ["empty"]),
        ('{ value = 2.6e9, source = "a", low = 1e9 }', ["a range belongs to an assumed figure"]),
        ('{ value = "2.6e9", source = "a" }', ["wrong type", "finite number"]),
        ('{ source = "a" }', ["value: missing"]),
        ('{ value = true, source = "a" }', ["wrong type", "found true"]),
        ("[2.6e9]", ["a bare value has no source"]),
    ],
)
def test_figures_say_where_they_come_from(folder, edit, figure, words):
    """A figure is a value with a source, or with an assumption and its range; anything else is refused, bare numbers first of all."""
    text = (folder / STATE).read_text(encoding="utf-8")
    line = next(line for line in text.split("\n") if line.startswith("supply = { value = 2_600"))
    edit(STATE, line, f"supply = {figure}")
    (found,) = problems(folder / STUDY)
    assert found.where.startswith("stablecoin.supply")
    assert all(word in str(found) for word in words), str(found)


def test_every_problem_of_every_file_is_listed_at_once(folder, edit):
    """Mistakes in the study, the state and the set come in one error, each file's in the order of its lines."""
    edit(STUDY, "paths = 64", "paths = -1")
    edit(STUDY, "trials = 200", "trails = 200")
    edit(STUDY, 'name = "svb-2023"', 'name = "svb"')
    edit(STATE, "fee = { value = 0.0004, source", "fee = { value = 7, source")
    edit(CURRENT, "aave_cap = 0.201", "aave_cap = -0.201")
    edit(CURRENT, "min_cr = 0.81", 'min_cr = "0.81"')
    found = problems(folder / STUDY)
    assert [(Path(problem.file).name, problem.where) for problem in found] == [
        ("frax-2022.toml", "simulation.paths"),
        ("frax-2022.toml", "search.trails"),
        ("frax-2022.toml", "scenario[svb].name"),
        ("frax-2022-05-11.toml", "pool.fee.value"),
        ("frax-current.toml", "aave_cap"),
        ("frax-current.toml", "min_cr"),
    ]
    assert all(problem.line is not None for problem in found)


def test_files_are_named_from_where_the_user_stands(folder, edit, monkeypatch):
    """A study given by a relative path names its files by relative paths, so that an editor can open them."""
    monkeypatch.chdir(folder.parent)
    edit(CURRENT, "aave_cap = 0.201", "aave_cap = 2")
    (found,) = problems(Path(folder.name) / STUDY)
    assert found.file == f"{folder.name}/{CURRENT}"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"schema = 1\nname = \n", [":2:", "not valid TOML at column 8"]),
        (b"schema = 1\nschema = 1\n", ["not valid TOML", "Cannot overwrite"]),
        (b"schema = 1\nnotes = 'open", ["not valid TOML"]),
        (b"schema = 1\nnotes = '''open\n", ["not valid TOML", "left open"]),
        (b"schema = 1\nnotes = '\xff\xfe'\n", [":2:", "not UTF-8", "0xff"]),
        (b"\xef\xbb\xbfschema = 1\n", ["byte order mark"]),
        ("schema = 1\n".encode("utf-16"), ["not UTF-8"]),
        (b"schema = " + b"1" * 5000, ["not valid TOML"]),
        (b"a = " + b"[" * 5000 + b"]" * 5000, ["nested too deeply"]),
        (b"", ["schema: missing"]),
    ],
)
def test_files_that_are_no_toml(tmp_path, content, words):
    """A file that cannot be parsed says so in one message with its line, whatever it holds."""
    path = tmp_path / "study.toml"
    path.write_bytes(content)
    message = str(problems(path)[0])
    assert all(word in message for word in words), message


@pytest.mark.parametrize(
    ("name", "words"), [("studdy.toml", ["no such file", "did you mean 'study.toml'?"]), ("", ["folder"]), ("a\0b", ["not a path"])]
)
def test_paths_that_are_no_file(tmp_path, name, words):
    """A missing file, a folder and a name no file can have give one message each."""
    (tmp_path / "study.toml").write_text("schema = 1\n")
    (found,) = problems(tmp_path / name if name else tmp_path)
    assert all(word in str(found) for word in words), str(found)


def test_a_parameter_file_is_no_study(folder):
    """Giving one kind of file for another says which it is, rather than listing every key that is missing."""
    (found,) = problems(folder / CURRENT)
    assert "is a parameter set, not a study" in found.message
    (found,) = problems(folder / CURRENT, overrides={"simulation.paths": 8})  # what the command line says is no word of the file's
    assert "is a parameter set, not a study" in found.message
    with pytest.raises(InputError, match="is a study, not a parameter set"):
        load_parameters(folder / STUDY)
    with pytest.raises(InputError, match="is a study, not a protocol state"):
        load_state(folder / STUDY)


def test_overrides_replace_keys_and_change_nothing_else(folder):
    """Dotted keys from the command line act as if they were written in the file; None means not given."""
    study = load_study(
        folder / STUDY, overrides={"search.seed": 7, "simulation.paths": 8, "current.amplification": 300, "search.trials": None}
    )
    assert (study.search.seed, study.simulation.paths, study.current.amplification) == (7, 8, 300)
    assert study.search.trials == 200


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("simulation.paths", 0, ["simulation.paths: out of range", "found 0"]),
        ("simulation.pahts", 8, ["unknown key", "'paths'"]),
        ("serch.seed", 8, ["unknown key", "'search'"]),
        ("search.seed", True, ["wrong type"]),
        ("search.seed.low", 1, ["seed is not a table"]),
        ("search", 1, ["wrong type"]),
    ],
)
def test_wrong_overrides_are_laid_at_the_command_line(folder, key, value, words):
    """A value that came from the command line is refused like one from a file, and the message does not blame the file."""
    (found,) = problems(folder / STUDY, overrides={key: value})
    assert found.file == "command line"
    assert all(word in str(found) for word in words), str(found)


def test_current_overrides_may_mend_what_the_file_alone_could_not(folder, edit):
    """Ordered pairs are checked on the set as it will be used, after the keys beside ``file``."""
    edit(CURRENT, "pool_share_low = 0.50", "pool_share_low = 0.60")
    edit(STUDY, '"parameters/frax-current.toml"', '"parameters/frax-current.toml"\npool_share_high = 0.7\nname = "mended"')
    current = load_study(folder / STUDY).current
    assert (current.name, current.pool_share_low, current.pool_share_high) == ("mended", 0.60, 0.7)


def test_caps_beyond_one_load(folder, edit):
    """Caps and buffer adding up to more than 1 are a scored constraint, not an error of the file."""
    edit(CURRENT, "aave_cap = 0.201", "aave_cap = 0.9")
    assert load_study(folder / STUDY).current.aave_cap == 0.9


def test_left_out_sections_take_their_defaults(folder):
    """A study needs a state, a behaviour, a set, a space and a scenario; everything else has a default."""
    (folder / "small.toml").write_text(
        f"""schema = 2
name = "small"
date = 2022-05-11
[behaviour]
file = "{BEHAVIOUR}"
[state]
file = "{STATE}"
[current]
file = "{CURRENT}"
[search.space]
aave_cap = {{ low = 0, high = 0.6 }}
[[scenario]]
name = "calm"
"""
    )
    study = load_study(folder / "small.toml")
    assert (study.simulation.paths, study.search.trials, study.certification.multiple) == (64, 200, 10)
    assert study.search.space["aave_cap"].low == 0.0
    assert study.scenarios[0].weight == load_scenario("calm").weight
    assert study.scenarios[0].max_breach_probability is None


def test_all_weights_zero_and_no_scenario_are_refused(folder, edit):
    """A study in which nothing can happen is refused."""
    text = (folder / STUDY).read_text(encoding="utf-8").split("[[scenario]]")[0]
    (folder / "zero.toml").write_text(text + '[[scenario]]\nname = "calm"\nweight = 0\n', encoding="utf-8")
    assert "every weight is 0" in str(problems(folder / "zero.toml")[0])
    (folder / "none.toml").write_text("scenario = []\n" + text, encoding="utf-8")
    assert "no scenario" in str(problems(folder / "none.toml")[0])


def test_contracts_are_addresses(folder):
    """``[contracts.NAME]`` takes 0x and 40 hexadecimal digits, and says so otherwise."""
    path = folder / STATE
    text = path.read_text(encoding="utf-8")
    address = "0x" + "ab" * 20
    text = text.split("# -- who is called on chain")[0]
    path.write_text(f'{text}\n[contracts.metapool]\naddress = "{address}"\ncommit = "{"0" * 40}"\n', encoding="utf-8")
    assert load_state(path).contracts["metapool"].address == address
    path.write_text(f'{text}\n[contracts.metapool]\naddress = "0x12"\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"contracts.metapool.address: not of the right form; found \"0x12\"; allowed: 0x and 40"):
        load_state(path)


def test_a_mistyped_address_is_refused(folder, edit):
    """Capitals that are not EIP-55's give a digit away; the same digits in small letters, or with the right capitals, are an address."""
    pytest.importorskip("eth_hash", reason="pip install 'amo-opt[onchain]'")
    right = "0x853d955aCEf822Db058eb8505911ED77F175b99e"
    edit(STATE, right, "0x853d955aCEf822Db058eb8505911ED77F175b99E")
    with pytest.raises(InputError, match=rf"contracts.stablecoin.address: wrong checksum \(EIP-55\); found .*; allowed: {right} if"):
        load_state(folder / STATE)
    edit(STATE, "0x853d955aCEf822Db058eb8505911ED77F175b99E", right.lower())
    assert load_state(folder / STATE).contracts["stablecoin"].address == right.lower()


def test_addresses_are_of_the_states_chain(folder, edit):
    """Another chain id beside addresses of Ethereum's part of the registry: each that says so is named."""
    edit(STATE, "chain_id = 1\n", "chain_id = 42161\n")
    with pytest.raises(InputError) as told:
        load_state(folder / STATE)
    found = {each.where for each in told.value.problems if "another chain's registry" in each.message}
    assert {"contracts.metapool.source", "contracts.amo_minter.source", "contracts.safe.source"} <= found
    assert "contracts.curve_owner_proxy.source" not in found  # its source names no chain


def test_the_shipped_addresses_carry_their_checksum_and_their_source(folder):
    """Every address says repository, path and commit, and is written as EIP-55 writes it."""
    pytest.importorskip("eth_hash", reason="pip install 'amo-opt[onchain]'")
    contracts = load_state(folder / STATE).contracts
    assert {"metapool", "stablecoin", "amo_minter", "frax_pool", "safe"} <= contracts.keys()
    for contract in contracts.values():
        assert contract.address == checksummed(contract.address)
        assert contract.repository
        assert contract.path
        assert len(contract.commit) == 40


def test_the_contracts_table_has_two_keys_of_its_own(folder, edit):
    """Chain and price controller stand beside the tables; a caller must be one of them."""
    state = load_state(folder / STATE)
    assert (state.chain_id, state.price_controller, state.contracts["metapool"].caller) == (1, "frax", "curve_owner_proxy")
    edit(STATE, 'price_controller = "frax"', 'price_controller = "pdi"')
    edit(STATE, 'caller = "curve_owner_proxy"', 'caller = "curve_owner"')
    found = {problem.where: problem for problem in validate_file(folder / STATE)}
    assert set(found) == {"contracts.price_controller", "contracts.metapool.caller"}
    assert found["contracts.price_controller"].hint == "did you mean 'pid'?"
    assert found["contracts.metapool.caller"].hint == "did you mean 'curve_owner_proxy'?"


def test_a_proposal_does_not_expire_before_it_is_executed(folder, edit):
    """The dates of [report] are in order; they change no result and so no identity."""
    before = load_study(folder / STUDY).hash
    edit(STUDY, "expiry_days = 14 ", "expiry_days = 20.5 ")
    study = load_study(folder / STUDY)
    assert (study.hash, study.report.expiry_days, study.report.max_state_age_days) == (before, 20.5, 30)
    edit(STUDY, "execution_delay_days = 3 ", "execution_delay_days = 30 ")
    with pytest.raises(InputError, match=r"report.expiry_days: expires before it is executed; found expiry_days = 20.5; allowed: .* = 32"):
        load_study(folder / STUDY)


def test_validate_file_knows_what_it_is_given(folder, edit):
    """`validate_file` tells study, state, behaviour and set apart by their content, returns every problem and raises nothing."""
    assert [validate_file(folder / name) for name in (STUDY, STATE, BEHAVIOUR, CURRENT)] == [[], [], [], []]
    edit(CURRENT, "aave_cap = 0.201", "aave_cap = -1")
    edit(STATE, "[collateral]", "[colateral]")
    assert [problem.where for problem in validate_file(folder / CURRENT)] == ["aave_cap"]
    assert [problem.where for problem in validate_file(folder / STATE)] == ["collateral", "colateral"]
    assert len(validate_file(folder / STUDY)) == 3
    assert validate_file(folder / "nothing.toml")[0].message == "no such file"


def test_replace_figure_changes_one_value():
    """One figure's value changes, its range stays; unknown keys and impossible values are refused."""
    state = load_state(STUDIES / STATE)
    changed = replace_figure(state, "amos.curve.lp_share", 0.7)
    assert changed.amos.curve.lp_share.value == 0.7
    assert changed.amos.curve.lp_share.low == 0.65
    assert replace_figure(changed, "amos.curve.lp_share", 0.8) == state
    with pytest.raises(InputError, match=r"did you mean 'pool.fee'"):
        replace_figure(state, "pool.fees", 0.1)
    with pytest.raises(InputError, match="out of range"):
        replace_figure(state, "pool.fee", float("nan"))


def test_a_study_s_waypoints_are_checked_and_part_of_the_study(folder, edit):
    """A series in [[scenario]] replaces the entry's and changes the hash; a wrong one is named with its scenario."""
    before = load_study(folder / STUDY)
    edit(STUDY, "set = { size = 1.0 }", 'waypoints.usdc = { source = "mine", points = [[0, 1.0], [2, 0.9]] }')
    study = load_study(folder / STUDY)
    assert study.scenarios[1].waypoints["usdc"] == ((0.0, 1.0), (2.0, 0.9))
    assert study.hash != before.hash
    edit(STUDY, "[2, 0.9]", "[2, -0.9]")
    [problem] = problems(folder / STUDY)
    assert problem.where == "scenario[svb-2023].waypoints"
    assert "values lie in [0.01, 10]" in str(problem)


def test_no_weight_is_negative(folder, edit):
    """Every other weight being right does not help."""
    edit(STUDY, "weight = 0.95", "weight = -1e-9")
    [problem] = problems(folder / STUDY)
    assert (problem.where, "from 0" in str(problem)) == ("scenario[calm].weight", True)


@pytest.mark.parametrize("draws", [1, 15])
def test_too_few_draws_are_refused(folder, edit, draws):
    """None at all is a choice, fifteen tell no share."""
    edit(STUDY, "draws = 64 ", f"draws = {draws} ")
    with pytest.raises(
        InputError,
        match=rf"certification.draws: too few draws to tell a share; found {draws}; allowed: 0 \(nothing is drawn\) or 16 to 4096",
    ):
        load_study(folder / STUDY)


def test_draws_are_no_other_study_until_they_are_set(folder, edit):
    """A study from before there were any is the same study; one that asks for others is not."""
    written = load_study(folder / STUDY)
    assert (written.certification.draws, written.certification.robust_share) == (64, 0.8)
    for key, value in (("draws", 32), ("robust_share", 0.9)):
        assert load_study(folder / STUDY, overrides={f"certification.{key}": value}).hash != written.hash
    edit(STUDY, "draws = 64 ", "# ")
    edit(STUDY, "robust_share = 0.8 ", "# ")
    assert load_study(folder / STUDY).hash == written.hash
