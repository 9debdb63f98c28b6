"""pydantic's findings in the words of a person who edits the file."""

from pathlib import Path

from amo_opt.amos.parameters import PARAMETERS
from amo_opt.config.checks import parameter_problems
from amo_opt.config.problems import form_problems
from amo_opt.config.schema import BEHAVIOUR_FILE, PARAMETER_FILE, SCHEMAS, STATE_FILE, STUDY_FILE
from amo_opt.config.toml_file import Document
from amo_opt.protocol.parameters import ISSUER_PARAMETERS


def found(form, data):
    document = Document("a.toml", Path("a.toml"), {"schema": SCHEMAS[form.__name__], **data}, {})
    return {problem.where: problem for problem in form_problems(document, form)[1]}


def test_no_message_is_pydantics_own():
    """Whatever is wrong, the message is ours: no 'Input should be', and every wrong type says what is allowed."""
    junk = (True, 1, 1.5, "x", [], [1], {}, {"a": 1}, None, float("nan"), 10**400)
    for form in (PARAMETER_FILE, STATE_FILE, BEHAVIOUR_FILE, STUDY_FILE):
        for value in junk:
            problems = found(form, dict.fromkeys(form.model_fields, value))
            assert not any("Input" in str(problem) for problem in problems.values())
            wrong = [problem for problem in problems.values() if problem.message in {"wrong type", "missing", "out of range"}]
            assert all(problem.allowed for problem in wrong), wrong


def test_missing_keys_say_what_belongs_there():
    """An empty parameter file lists every name that has no default, with its range."""
    assert set(found(PARAMETER_FILE, {})) == {"name"}
    nothing = Document("a.toml", Path("a.toml"), {"schema": 1}, {})
    problems = {problem.where: problem for problem in parameter_problems(nothing, (), has=lambda _: True)}
    assert set(problems) == {each.name for each in PARAMETERS.values() if each.default is None}
    assert set(problems) >= {*ISSUER_PARAMETERS, "aave_cap", "curve_mint_cap"}
    assert problems["amplification"].allowed == "a whole number from 1 to 999999"


def test_unknown_keys_are_compared_with_those_of_their_own_table():
    """The nearest key is looked for where the unknown one stands, within lists and named tables too."""
    problems = found(STUDY_FILE, {"scenario": [{"name": "calm", "wieght": 1}], "simulation": {"pth": 1}})
    assert problems["scenario[calm].wieght"].hint == "did you mean 'weight'?"
    assert problems["simulation.pth"].hint == "did you mean 'paths'?"
    problems = found(STATE_FILE, {"contracts": {"metapool": {"adress": "0x"}}, "amos": {"curve": {"lp_shar": 1}}})
    assert problems["contracts.metapool.adress"].hint == "did you mean 'address'?"
    assert problems["amos.curve.lp_shar"].hint == "did you mean 'lp_share'?"
