"""A study whose holders and providers have no fitted spells: calm's Gaussian flow alone, for what is told of something else."""

from dataclasses import replace

from amo_opt.config.study import Study

STILL = {"spell_flow_scale": 0.0, "spell_lp_scale": 0.0}


def without_spells(study: Study) -> Study:
    """The study without its fit of spells and without a venue's spread."""
    scenarios = tuple(replace(each, settings={**each.settings, **STILL}) for each in study.scenarios)
    return replace(study, spells=None, venue=None, scenarios=scenarios, scenario_settings={**study.scenario_settings, **STILL})
