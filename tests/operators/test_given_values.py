"""Blobs filled with given values."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.eager import run
from c2lab.errors import BadArgument, SchemaError, ShapeMismatch
from tests.operators.calls import call


@pytest.mark.parametrize(
    ("type", "values", "dtype"),
    [
        ("GivenTensorFill", [0.5, 2.0], np.float32),
        ("GivenTensorDoubleFill", [0.5, 2.0], np.float64),
        ("GivenTensorIntFill", [1, -2], np.int32),
        ("GivenTensorInt64Fill", [1, 2**40], np.int64),
        ("GivenTensorInt16Fill", [1, -2], np.int16),
        ("GivenTensorBoolFill", [True, False], np.bool_),
    ],
)
def test_given_values(type, values, dtype):
    filled = call(type, shape=[2, 1], values=values)
    np.testing.assert_array_equal(filled, np.array(values, dtype).reshape(2, 1))
    assert filled.dtype == dtype


def test_given_values_of_the_wrong_number_or_type():
    with pytest.raises(ShapeMismatch, match="holds 4 values, but 3"):
        call("GivenTensorFill", shape=[2, 2], values=[1.0, 2.0, 3.0])
    with pytest.raises(ShapeMismatch, match="but 0 of the right type"):
        call("GivenTensorFill", shape=[2], values=[1, 2])
    with pytest.raises(BadArgument, match="right field"):
        call("GivenTensorIntFill", shape=[2], values=[1.0, 2.0])
    with pytest.raises(SchemaError, match="values"):
        call("GivenTensorFill", shape=[2])


def test_feed_blob_makes_text():
    assert run("FeedBlob", value="dog")["output"] == b"dog"
