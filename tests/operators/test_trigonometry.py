"""Trigonometry against numpy in double precision."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import TypeMismatch, UnsafeInplace
from tests.operators.calls import call, check_formula, wiring

# type, arguments, where the values are drawn, formula, derivative (None: no gradient).
FORMULAS = [
    ("Sin", {}, (-4, 4), np.sin, np.cos),
    ("Cos", {}, (-4, 4), np.cos, lambda x: -np.sin(x)),
    ("Tan", {}, (-1.3, 1.3), np.tan, lambda x: 1 / np.cos(x) ** 2),
    ("Asin", {}, (-0.9, 0.9), np.arcsin, lambda x: 1 / np.sqrt(1 - x * x)),
    ("Acos", {}, (-0.9, 0.9), np.arccos, lambda x: -1 / np.sqrt(1 - x * x)),
    ("Atan", {}, (-4, 4), np.arctan, lambda x: 1 / (1 + x * x)),
    ("Sinh", {}, (-2, 2), np.sinh, np.cosh),
    ("Cosh", {}, (-2, 2), np.cosh, np.sinh),
]
NAMES = [f"{type}-{arguments}-{span}" for type, arguments, span, _, _ in FORMULAS]


@pytest.mark.parametrize(("type", "arguments", "span", "formula", "slope"), FORMULAS, ids=NAMES)
def test_formula_and_gradient(type, arguments, span, formula, slope):
    x = np.random.default_rng(len(type)).uniform(*span, (4, 9)).astype(np.float32)
    check_formula(type, x, formula, slope, **arguments)


@pytest.mark.parametrize("type", ["Asin", "Acos"])
def test_outside_the_domain_is_no_number(type):
    np.testing.assert_array_equal(call(type, np.float32([-2, 2])), [np.nan, np.nan])


@pytest.mark.parametrize("type", ["Sin", "Cosh"])
def test_only_floats_and_never_in_place(type):
    with pytest.raises(TypeMismatch, match="Unsupported type of tensor: double"):
        call(type, np.ones(2))
    with pytest.raises(UnsafeInplace):
        call(type, np.ones(2, np.float32), inplace=True)


@pytest.mark.parametrize("type", ["Acos", "Asin", "Atan", "Cos", "Cosh", "Sin", "Sinh", "Tan"])
def test_gradient_wiring(type):
    """What the original's gradient makers emit."""
    wires = ["GO0", "I0"] if type in ("Cosh", "Sinh") else ["I0", "GO0"]
    assert wiring(type, 1) == ([(f"{type}Gradient", wires, ["I0_grad"])], ["I0_grad"])
