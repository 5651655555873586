"""One operator at once."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.eager import as_blob, run
from c2lab.errors import BadArgument


def test_inputs_and_arguments_by_name():
    result = run("LeakyRelu", X=[-1.0, 2.0], alpha=0.5)
    np.testing.assert_array_equal(result["Y"], np.float32([-0.5, 2]))
    assert repr(result) == "Y = [-0.5  2. ]"


def test_variadic_inputs_and_outputs():
    np.testing.assert_array_equal(run("Sum", **{_variadic("Sum"): [[1.0], [2.0], [3.0]]}).popitem()[1], [6])
    halves = run("Split", outputs=2, input=[1.0, 2.0], axis=0)
    assert len(halves) == 2


def _variadic(type):
    from c2lab.operators import registry

    return next(slot.name for slot in registry.find(type).inputs if slot.variadic)


def test_an_unknown_name_is_an_error_with_a_guess():
    with pytest.raises(BadArgument, match=r"has no input or argument alfa.*alpha"):
        run("LeakyRelu", X=[1.0], alfa=0.5)


def test_random_operators_are_repeatable():
    first, second, other = (run("GaussianFill", shape=[4], seed=seed)["output"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("value", "types", "dtype"),
    [
        (1.0, (), "float32"),
        (1, (), "int32"),
        (1, ("int64",), "int64"),
        (True, (), "bool"),
        (1.0, ("float64",), "float64"),
    ],
)
def test_plain_values(value, types, dtype):
    assert as_blob(value, types).dtype == dtype
