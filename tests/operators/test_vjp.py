"""Automatic gradient kernels: which slots they have, and what they compute."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from c2lab.errors import SchemaError
from c2lab.operators import registry
from c2lab.operators.definition import operator
from c2lab.operators.vjp import gradient_slots, vjp_kernel


@operator("TestJoined", outputs="Y, size?")
def joined(first, *rest, last=None):
    """Sum of all inputs, and how many there are."""
    return first + sum(rest), jnp.int32(1 + len(rest))


def test_slots_are_optional_or_variadic_as_in_the_forward_operator():
    left, right = gradient_slots(registry.find("TestJoined"), "first, rest, size, dY -> dfirst, drest")
    assert [(s.name, s.optional, s.variadic) for s in left] == [
        ("first", False, False), ("rest", False, True), ("size", True, False), ("dY", False, False)
    ]  # fmt: skip
    assert [s.variadic for s in right] == [False, True]


def test_each_of_several_inputs_has_its_gradient():
    left, right = gradient_slots(registry.find("TestJoined"), "first, rest, dY -> dfirst, drest")
    kernel = vjp_kernel(registry.find("TestJoined"), left, right)
    x = np.ones(3, np.float32)
    gradients = kernel(x, x, x, 2 * x, num_outputs=3)
    assert len(gradients) == 3
    for gradient in gradients:
        np.testing.assert_array_equal(gradient, 2 * x)


def test_a_required_input_that_is_not_wired():
    with pytest.raises(SchemaError, match="is not given first"):
        vjp_kernel(registry.find("TestJoined"), *gradient_slots(registry.find("TestJoined"), "rest, dY -> drest"))
