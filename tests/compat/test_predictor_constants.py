"""The keys of an exported predictor."""

from __future__ import annotations

from c2lab.compat.predictor_constants import predictor_constants


def test_keys():
    assert predictor_constants.META_NET_DEF == "!!META_NET_DEF"
    assert predictor_constants.PREDICTOR_DBREADER == "!!PREDICTOR_DBREADER"
