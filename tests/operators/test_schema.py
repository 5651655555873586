"""Signatures as schemas."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from c2lab.errors import BadArgument, SchemaError
from c2lab.operators.schema import (
    ArgumentSpec,
    bind,
    describe_counts,
    parse_slots,
    signature_arguments,
    signature_inputs,
)
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument


def example(
    X,
    *more,
    rng,
    size: int,
    ratio: float = 0.5,
    flag: bool = False,
    order: Literal["NCHW", "NHWC"] = "NCHW",
    axes: tuple[int, ...] = (),
    names: tuple[str, ...] | None = None,
    net: caffe2_pb2.NetDef | None = None,
    value: Any = None,
):
    """For the tests below."""


SPECS = signature_arguments(example, leave_out={"rng"})


def test_kinds_defaults_and_choices():
    kinds = {name: spec.kind for name, spec in SPECS.items()}
    assert kinds == {
        "size": "int", "ratio": "float", "flag": "bool", "order": "str", "axes": "ints", "names": "strs",
        "net": "net", "value": "any",
    }  # fmt: skip
    assert SPECS["size"].required
    assert SPECS["order"].choices == ("NCHW", "NHWC")


def test_inputs():
    assert [(slot.name, slot.variadic) for slot in signature_inputs(example)] == [("X", False), ("more", True)]


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [("size", 3, 3), ("ratio", 0.25, 0.25), ("flag", True, True), ("order", "NHWC", "NHWC"), ("axes", [1, 2], (1, 2)),
     ("axes", [], ()), ("names", ["a"], ("a",)), ("value", 2.5, 2.5)],
)  # fmt: skip
def test_reading(name, value, read):
    assert SPECS[name].read(make_argument(name, value)) == read


@pytest.mark.parametrize(
    ("name", "value"), [("ratio", 1), ("size", 2.0), ("size", "2"), ("axes", [1.0]), ("order", "X")]
)
def test_wrong_types_and_choices(name, value):
    with pytest.raises(BadArgument, match=name):
        SPECS[name].read(make_argument(name, value))


def test_optional_slots_fill_from_the_left():
    slots = parse_slots("a, b?, c?, d")
    assert bind(slots, [1, 2]) == {"a": 1, "b": None, "c": None, "d": 2}
    assert bind(slots, [1, 2, 3]) == {"a": 1, "b": 2, "c": None, "d": 3}
    with pytest.raises(SchemaError, match="expected 2 to 4"):
        bind(slots, [1])


def test_variadic_slots_take_what_is_left():
    slots = parse_slots("first, *rest, last")
    assert bind(slots, [1, 2, 3, 4]) == {"first": 1, "rest": (2, 3), "last": 4}
    assert describe_counts(slots) == "at least 2 (first, *rest, last)"


def test_spec_of_its_own():
    assert ArgumentSpec("x", "float").required
