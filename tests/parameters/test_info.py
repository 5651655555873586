"""What is known of a parameter."""

from __future__ import annotations

import pytest

from c2lab.nets.blobs import BlobReference
from c2lab.parameters.info import ParameterInfo, ParameterTags


def test_what_is_kept():
    w, g = BlobReference("w"), BlobReference("g")
    info = ParameterInfo(3, w, key="k", shape=[2, 5], length=4, grad=g, blob_copy={1: w})
    assert (info.param_id, info.key, info.shape, info.size, info.length) == (3, "k", [2, 5], 10, 4)
    assert (info.blob, info.parameter, info.grad, info.blob_copy) == (w, w, g, {1: w})
    assert (str(info), info.name) == ("w", "w")
    assert repr(info) == "ParameterInfo('w', shape=[2, 5], grad=g)"


def test_what_is_not_known():
    info = ParameterInfo(None, BlobReference("w"))
    assert (info.size, info.length, info.optimizer, info.regularizer) == (None, 1, None, None)


def test_one_optimizer():
    info = ParameterInfo(None, BlobReference("w"))
    info.optimizer = "sgd"
    assert info.optimizer == "sgd"
    with pytest.raises(AssertionError, match="has an optimizer already"):
        info.optimizer = "adam"


def test_a_name_is_not_enough():
    with pytest.raises(AssertionError, match="BlobReference"):
        ParameterInfo(None, "w")


def test_tags():
    assert (ParameterTags.BIAS, ParameterTags.WEIGHT, ParameterTags.COMPUTED_PARAM) == (
        "BIAS",
        "WEIGHT",
        "COMPUTED_PARAM",
    )
