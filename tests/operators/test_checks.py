"""What kernels demand of shapes, types and values."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from c2lab.errors import BadValue, ShapeMismatch, TypeMismatch
from c2lab.operators.checks import Offender, collecting, report, require, require_same_type, require_shape, require_type


def test_known_values_are_checked_at_once():
    require(np.array([True, True]), "fine")
    with pytest.raises(BadValue, match="label 7"):
        require(np.array([True, False]), "label 7 is out of range")


def test_traced_values_are_collected():
    found = []

    def function(x):
        with collecting(lambda ok, message, offender: found.append(message)):
            require(x > 0, "x must be positive")
        require(x > 1, "nobody collects this one")
        return x

    jax.jit(function)(1.0)
    assert found == ["x must be positive"]


def test_what_was_demanded_inside_is_handed_on():
    found = []
    offender = Offender(1, 7, (3,), np.dtype("int32"))
    with collecting(lambda *condition: found.append(condition)):
        report(False, "rows", offender)
    report(False, "nobody collects this one", None)
    assert found == [(False, "rows", offender)]


def test_shapes_and_types():
    require_shape(True, "fine")
    with pytest.raises(ShapeMismatch, match="wrong"):
        require_shape(False, "wrong")
    require_same_type(np.float32(1), np.float32(2))
    with pytest.raises(TypeMismatch, match="caller expects elements to be float, while tensor contains int"):
        require_same_type(np.float32(1), np.int32(2))
    require_type("X", np.float32(1), ("float32",))
    with pytest.raises(TypeMismatch, match=r"Unsupported type of tensor: long .X is int64; it may be float32"):
        require_type("X", np.int64(1), ("float32",))


def test_the_first_offender_is_named():
    rows = np.array([[1, 2], [9, 8]])
    with pytest.raises(BadValue, match=r"rows are 0 to 4 \(found 9 at position \[1, 0\]\)"):
        require(rows < 5, "rows are 0 to 4", rows)
