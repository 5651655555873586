"""What ``@operator`` makes of a function."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.errors import BadArgument, SchemaError, TypeMismatch, UnsafeInplace
from c2lab.operators import registry
from c2lab.operators.definition import host_operator, operator
from c2lab.operators.schema import argument_fold
from c2lab.proto import caffe2_pb2


@argument_fold(gives="sides")
def sides(*, side: int = 1, side_h: int = 0, side_w: int = 0):
    return {"sides": (side_h or side, side_w or side)}


@operator(
    "TestAffine",
    gradient="X, W, b, dY -> dW, db, dX",
    inplace="X -> Y",
    types={"X": "float32"},
)
def affine(X, W, b=None, *, scale: float = 1.0):
    """``scale * X * W + b``."""
    Y = X * W * jnp.asarray(scale, X.dtype)
    return Y if b is None else Y + b


@operator("TestSides", outputs="Y", fold=sides)
def repeat(X, *, sides):
    """X, tiled."""
    return jnp.tile(X, sides)


def feed(**values):
    for name, value in values.items():
        workspace.FeedBlob(name, np.float32(value))


def test_the_automatic_gradient_is_wired_and_right():
    feed(x=[1, 2], w=[3, 4], b=[5, 6])
    net = core.Net("affine")
    net.TestAffine(["x", "w", "b"], "y", scale=2.0)
    net.SumElements("y", "loss")
    grads = net.AddGradientOperators(["loss"])
    gradient = next(op for op in net.Proto().op if op.type == "TestAffineGradient")
    assert list(gradient.input) == ["x", "w", "b", "y_grad"]
    assert list(gradient.output) == ["w_grad", "b_grad", "x_grad"]
    workspace.RunNetOnce(net)
    np.testing.assert_allclose(workspace.FetchBlob(str(grads["w"])), [2, 4])
    np.testing.assert_allclose(workspace.FetchBlob(str(grads["b"])), [1, 1])
    np.testing.assert_allclose(workspace.FetchBlob(str(grads["x"])), [6, 8])


def test_an_absent_optional_input_has_no_gradient():
    feed(x=[1, 2], w=[3, 4])
    net = core.Net("affine_without")
    net.TestAffine(["x", "w"], "y")
    net.SumElements("y", "loss")
    net.AddGradientOperators(["loss"])
    gradient = next(op for op in net.Proto().op if op.type == "TestAffineGradient")
    assert list(gradient.output) == ["w_grad", "x_grad"]
    workspace.RunNetOnce(net)
    np.testing.assert_allclose(workspace.FetchBlob("x_grad"), [3, 4])


def test_spellings_are_folded():
    feed(x=[[1]])
    for arguments, shape in [({"side": 2}, (2, 2)), ({"side_h": 3}, (3, 1)), ({"side": 2, "side_w": 4}, (2, 4))]:
        workspace.RunOperatorOnce(core.CreateOperator("TestSides", "x", "y", **arguments))
        assert workspace.FetchBlob("y").shape == shape


@pytest.mark.parametrize(
    ("inputs", "output", "error"),
    [(["x"], "y", SchemaError), (["x", "w", "b", "q"], "y", SchemaError), (["x", "w"], "w", UnsafeInplace)],
)
def test_schema(inputs, output, error):
    feed(x=[1], w=[1], b=[1], q=[1])
    with pytest.raises(error, match="Operator def did not pass schema checking"):
        workspace.RunOperatorOnce(core.CreateOperator("TestAffine", inputs, output))


def test_types():
    workspace.FeedBlob("x", np.int32([1]))
    feed(w=[1])
    with pytest.raises(TypeMismatch, match="X is int32; it may be float32"):
        workspace.RunOperatorOnce(core.CreateOperator("TestAffine", ["x", "w"], "y"))


def test_an_inplace_pair_must_name_slots():
    with pytest.raises(BadArgument, match="names no input and output"):
        operator("TestWrongPair", inplace="Q -> Y")(lambda X: X)


def test_a_gradient_that_lacks_inputs_must_be_written():
    with pytest.raises(SchemaError, match="so the kernel must be written"):
        operator("TestLacks", gradient="Y, dY -> dX")(lambda X: X)


def test_host_operators_see_the_workspace():
    @host_operator("TestLooksAround", outputs="Y")
    def looks(X, *, workspace, op, num_outputs):
        """How many blobs there are."""
        assert op.type == "TestLooksAround"
        assert num_outputs == 1
        return np.int64(len(workspace.names()))

    feed(x=[1], other=[2])
    workspace.RunOperatorOnce(core.CreateOperator("TestLooksAround", "x", "y"))
    assert workspace.FetchBlob("y") == 3
    assert registry.find("TestLooksAround").host


def test_a_required_argument():
    @operator("TestNeeds")
    def needs(X, *, size: int):
        """X."""
        return X

    with pytest.raises(SchemaError, match=r"argument size .int. is required"):
        registry.find("TestNeeds").read_arguments(caffe2_pb2.OperatorDef(type="TestNeeds"))
