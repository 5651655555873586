"""Outputs come back in the form in which they were named."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.control.outputs import TaskOutput, TaskOutputList
from c2lab.data import schema
from c2lab.nets.blobs import BlobReference


def test_forms():
    one = TaskOutput(BlobReference("a"))
    two = TaskOutput(["b", "c"])
    record = TaskOutput(schema.Struct(("x", schema.Scalar(np.int64, BlobReference("d")))))
    outputs = TaskOutputList([one, two, record])
    assert [str(name) for name in outputs.names()] == ["a", "b", "c", "d"]
    outputs.set_values([1, 2, 3, np.int64([4])], _fetch_func=lambda value: value * 10)
    assert one.get() == 1
    assert two.get() == [2, 3]
    assert record.get().x().tolist() == [4]
    assert one.fetch() == 10
    assert two.fetch() == [20, 30]
    assert record.fetch().x().tolist() == [40]


def test_there_is_nothing_before_a_run():
    output = TaskOutput("a")
    with pytest.raises(AssertionError, match="not set yet"):
        output.get()
    with pytest.raises(AssertionError, match="Cannot fetch"):
        output.fetch()
    output.set([5])
    assert output.get() == 5
    with pytest.raises(AssertionError, match="Cannot fetch"):
        output.fetch()


def test_numbers_of_values_must_fit():
    with pytest.raises(AssertionError, match="1 values for the 2 blobs"):
        TaskOutput(["a", "b"]).set([1])
    with pytest.raises(AssertionError, match="Wrong number of output values"):
        TaskOutputList([TaskOutput("a")]).set_values([1, 2])
