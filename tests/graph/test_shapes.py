"""Shapes without running."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core
from c2lab.errors import ShapeMismatch
from c2lab.graph.shapes import ShapeAndType, infer, symbolic_dims
from tests.operators.calls import call


def test_a_symbolic_batch_goes_through_a_convnet():
    net = core.Net("shapes")
    net.Conv(["data", "w", "b"], "c", kernel=5)
    net.MaxPool("c", "p", kernel=2, stride=2)
    net.FC(["p", "fw", "fb"], "y")
    net.Softmax("y", "s")
    (n,) = symbolic_dims("N")
    known = {
        "data": ShapeAndType((n, 1, 28, 28), "float32"),
        "w": ShapeAndType((20, 1, 5, 5), "float32"),
        "b": ShapeAndType((20,), "float32"),
        "fw": ShapeAndType((10, 20 * 12 * 12), "float32"),
        "fb": ShapeAndType((10,), "float32"),
    }
    found = infer(net.Proto(), known)
    assert not found.errors
    assert str(found.shapes["p"]) == "(N, 20, 12, 12) float32"
    assert str(found.shapes["s"]) == "(N, 10) float32"


def test_the_error_stands_at_its_cause_and_what_follows_is_unknown():
    net = core.Net("wrong_shapes")
    net.FC(["x", "w", "b"], "y")
    net.Relu("y", "z")
    net.Relu("x", "fine")
    known = {
        "x": ShapeAndType((2, 3), "float32"),
        "w": ShapeAndType((4, 5), "float32"),
        "b": ShapeAndType((4,), "float32"),
    }
    found = infer(net.Proto(), known)
    assert list(found.errors) == [0]
    assert isinstance(found.errors[0], ShapeMismatch)
    assert "y" not in found.shapes
    assert "z" not in found.shapes
    assert found.shapes["fine"].shape == (2, 3)


def test_sizes_that_the_net_makes_itself_are_known():
    net = core.Net("joined")
    net.Concat(["a", "b"], ["c", "sizes"], axis=1)
    net.Split(["c", "sizes"], ["d", "e"], axis=1)
    known = {"a": ShapeAndType((2, 3), "float32"), "b": ShapeAndType((2, 4), "float32")}
    found = infer(net.Proto(), known)
    assert found.shapes["e"] == ShapeAndType((2, 4), "float32")


def test_what_a_host_operator_makes_is_known_after_running():
    net = core.Net("unique")
    net.CreateMutex([], "m")
    net.Relu("x", "y")
    found = infer(net.Proto(), {"x": ShapeAndType((1,), "float32"), "m": ShapeAndType((9,), "float32")})
    assert "m" not in found.shapes
    assert "y" in found.shapes


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_how_a_shape_reads(shape):
    assert str(ShapeAndType(shape, "int32")) == f"{shape} int32"


F, I = np.float32, np.int32
BOXES = np.tile(np.float32([0, 0, 9, 9]), (4, 2))


@pytest.mark.parametrize(
    ("type", "inputs", "outputs", "told"),
    [
        ("GatherRanges", [np.arange(8), np.ones((3, 2, 2), I)], 2, [1]),
        ("BatchBucketOneHot", [np.ones((4, 2), F), I([2, 3]), np.arange(5, dtype=F)], 1, [0]),
        ("Percentile", [np.ones((3, 2), F), np.arange(8, dtype=F).reshape(4, 2), I([2, 2])], 1, [0]),
        ("BBoxTransform", [BOXES[:, :4], BOXES, F([[20, 20, 1]])], 2, [0, 1]),
        ("BoxWithNMSLimit", [np.ones((4, 2), F), BOXES, F([3, 1])], 6, [3, 5]),
        ("BoxWithNMSLimit", [np.ones((4, 2), F), BOXES], 6, [3, 5]),
        ("HeatmapMaxKeypoint", [np.ones((4, 3, 5, 5), F), BOXES[:, :4]], 1, [0]),
    ],
)
def test_shapes_that_are_foreseen_are_those_that_come(type, inputs, outputs, told):
    names, made = [f"in{i}" for i in range(len(inputs))], [f"out{i}" for i in range(outputs)]
    net = core.Net("foreseen")
    getattr(net, type)(names, made)
    found = infer(net.Proto(), {name: ShapeAndType.of(value) for name, value in zip(names, inputs, strict=True)})
    assert not found.errors
    values = call(type, *inputs, outputs=outputs)
    values = [values] if outputs == 1 else values
    assert [i for i, name in enumerate(made) if name in found.shapes] == told
    for i in told:
        assert found.shapes[made[i]] == ShapeAndType.of(values[i])


def test_shapes_of_inputs_that_do_not_fit_are_not_foreseen():
    net = core.Net("misfit")
    net.BatchBucketOneHot(["data", "lengths", "edges"], "out")
    known = {name: ShapeAndType((3,), "float32") for name in ("data", "lengths", "edges")}
    assert "out" not in infer(net.Proto(), known).shapes
