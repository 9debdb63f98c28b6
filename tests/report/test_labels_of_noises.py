"""Noises and tilts in words."""

from __future__ import annotations

from amo_opt.report.labels import WORDS, component_words, tilt_words
from amo_opt.stress.tilts import NOISES, Tilt


def test_every_noise_has_a_name():
    """Whatever a pilot may find can be told, and no two noises sound alike."""
    assert set(WORDS) == set(NOISES)
    assert len(set(WORDS.values())) == len(WORDS)


def test_a_tilt_in_words():
    """A walk goes to where its push ends, a stationary noise stays beside its level, a figure drawn once lies near an end."""
    assert tilt_words(Tilt("share", -0.08, -2.6)) == "the share token falling to about 7% of its start"
    assert tilt_words(Tilt("share", -0.08, -2.1)) == "the share token falling to about 12% of its start"
    assert tilt_words(Tilt("reward", 0.05, 0.7)) == "the reward token rising to about 201% of its start"
    assert tilt_words(Tilt("reward", 0.05)) == "the reward token rising"
    assert tilt_words(Tilt("gas", 0.1, 2.0)) == "the gas price above its usual level"
    assert tilt_words(Tilt("coin-loss", -3.0)) == "the time to a loss of coin near the lower end of its range"
    pair = (Tilt("share", -0.08, -2.6), Tilt("size", 2.0))
    assert component_words(pair) == f"{tilt_words(pair[0])} together with the size of the stress near the upper end of its range"
