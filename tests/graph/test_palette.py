from __future__ import annotations

from c2lab.graph.palette import COLOURS, STYLE, hue_of
from c2lab.operators import registry


def test_coloured_families_exist():
    from c2lab.graph.palette import _HUES

    assert set(_HUES) <= set(registry.families())


def test_unknown_families_are_grey():
    assert hue_of("convolution") == "blue"
    assert hue_of("no such family") == "grey"


def test_every_colour_has_a_rule_in_light_and_dark():
    for hue, colours in COLOURS.items():
        assert STYLE.count(f".c2lab-box-{hue}{{") == 4
        assert all(colour in STYLE for colour in colours)
