"""Config: the only door for outside data. TOML files in, frozen values out, every problem at once.

load        `load_study`, `load_state`, `load_parameters`, `validate_file`, `replace_figure`
study       what a study is once loaded: `Study` and its parts
identity    `study_hash`, `MODEL_VERSION`: what makes two studies the same
schema      what each file may hold (pydantic models)
json_schema the same for editors: `schema_of`
checks      what must hold between keys
balance     what the figures of a state must satisfy together
overrides   figures a study sets over its state file
assumptions what a study assumes, and joint draws of it
evidence    recorded histories with their episodes, and fits of them: `load_evidence`, `load_spells`
migrate     files of an earlier schema in today's form
problems    pydantic's findings in the words of a person who edits the file
toml_file   one file as read: values, lines of its keys
wording     how messages show values, limits and nearest names
"""

from amo_opt.config.identity import MODEL_VERSION, study_hash
from amo_opt.config.json_schema import schema_of
from amo_opt.config.load import load_parameters, load_state, load_study, replace_figure, validate_file
from amo_opt.config.study import Certification, Constraints, Range, Search, Simulation, Study

__all__ = [
    "MODEL_VERSION",
    "Certification",
    "Constraints",
    "Range",
    "Search",
    "Simulation",
    "Study",
    "load_parameters",
    "load_state",
    "load_study",
    "replace_figure",
    "schema_of",
    "study_hash",
    "validate_file",
]
