"""Operators as functions of arrays."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import workspace
from c2lab.compat.functional import Functional, namedtupledict
from c2lab.errors import UnknownOperator

X = np.float32([[-1, 2], [3, -4]])


def test_one_output():
    output = Functional.Relu(X)
    assert output.output_0.tolist() == output[0].tolist() == output["output_0"].tolist() == [[0, 2], [3, 0]]
    (only,) = output
    assert only.shape == (2, 2)


def test_arguments_and_several_outputs():
    joined, sizes = Functional.Concat(X, X, axis=0)
    assert joined.shape == (4, 2)
    assert sizes.tolist() == [2, 2]
    left, right = Functional.Split(X, num_output=2, axis=1)
    assert (left.tolist(), right.tolist()) == ([[-1], [3]], [[2], [-4]])
    indices = Functional.TopK(np.float32([[1, 3, 2]]), k=2, num_output=3)
    assert indices["output_1"].tolist() == [[1, 2]]


def test_outputs_that_overwrite_inputs():
    rows, weight = np.int64([1]), np.float32([1])
    output = Functional.ScatterWeightedSum(X, weight, rows, X[:1], weight)
    assert output._fields == ("input_0",)
    assert output["input_0"].tolist() == [[-1, 2], [2, -2]]
    assert X[1].tolist() == [3, -4]


def test_nothing_is_left_behind():
    Functional.Relu(X)
    assert workspace.Blobs() == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Functional.Relu(X, X), "Number of inputs not in range: 1 - 1"),
        (lambda: Functional.Relu(X, num_output=2), "Number of output not in range: 1 - 1"),
        (lambda: Functional.Split(X), "user should pass num_output"),
    ],
)
def test_numbers_are_checked(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_unknown_operators():
    with pytest.raises(UnknownOperator, match=r"Reluu is not a registered operator.*Relu"):
        Functional.Reluu(X)
    assert Functional.Relu.__name__ == "Relu"


def test_names_that_are_no_python_names():
    Output = namedtupledict("Output", ["a", "0", "class"])
    output = Output(1, 2, 3)
    assert (output["a"], output["0"], output["class"], output[2]) == (1, 2, 3, 3)
    assert output._fields == ("a", "_1", "_2")
    assert repr(output) == "Output(a=1, _1=2, _2=3)"
    with pytest.raises(ValueError, match="keyword"):
        namedtupledict("Output", ["class"], rename=False)
