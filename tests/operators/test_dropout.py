import numpy as np
import pytest

from c2lab.errors import BadArgument, SchemaError
from c2lab.graph.shapes import ShapeAndType, infer
from c2lab.proto import caffe2_pb2
from c2lab.workspace import Workspace
from tests.operators.calls import call, gradients, operator_def, wiring


@pytest.mark.parametrize("ratio", [0.0, 0.25, 0.5, 0.9])
def test_training_drops_the_ratio_and_keeps_the_mean(ratio):
    X = np.full((100_000,), 2.0, np.float32)
    Y, mask = call("Dropout", X, outputs=2, ratio=ratio, is_test=0)
    assert mask.dtype == bool
    np.testing.assert_allclose(mask.mean(), 1 - ratio, atol=0.005)
    np.testing.assert_allclose(Y, np.where(mask, X / (1 - ratio), 0), rtol=1e-6)
    np.testing.assert_allclose(Y.mean(), 2, rtol=0.03)


def test_the_gradient_goes_where_the_value_went():
    X, dY = np.ones(1000, np.float32), np.arange(1000, dtype=np.float32)
    workspace = Workspace("dropout", seed=1)
    op = operator_def("Dropout", 1, 2, ratio=0.5, is_test=0)
    workspace.feed("I0", X)
    workspace.run_operator(op)
    workspace.feed("GO0", dY)
    gradient = operator_def("DropoutGrad", 2, 1, ratio=0.5)
    gradient.input[:] = ["GO0", "O1"]
    workspace.run_operator(gradient)
    np.testing.assert_array_equal(workspace.fetch("O0"), np.where(workspace.fetch("O1"), dY * 2, 0))


def test_a_test_run_is_the_identity_and_does_not_touch_the_mask():
    workspace = Workspace("dropout")
    workspace.feed("I0", np.float32([1, 2]))
    workspace.feed("O1", np.array([True, False]))
    workspace.run_operator(operator_def("Dropout", 1, 2, ratio=0.5, is_test=1))
    np.testing.assert_array_equal(workspace.fetch("O0"), [1, 2])
    np.testing.assert_array_equal(workspace.fetch("O1"), [True, False])


def test_a_test_run_passes_the_gradient_on():
    np.testing.assert_array_equal(
        gradients("Dropout", [np.float32([1, 2])], [np.float32([3, 4])], is_test=1)[0], [3, 4]
    )


def test_is_test_is_required_and_the_ratio_below_one():
    with pytest.raises(SchemaError, match="argument is_test"):
        call("Dropout", np.ones(2, np.float32))
    with pytest.raises(BadArgument, match=r"ratio is 1\.0; it must be at least 0 and below 1"):
        call("Dropout", np.ones(2, np.float32), outputs=2, ratio=1.0, is_test=0)


def test_gradient_wiring():
    assert wiring("Dropout", 1, 2, is_test=1)[0] == [("DropoutGrad", ["GO0"], ["I0_grad"])]
    assert wiring("Dropout", 1, 2, is_test=0)[0] == [("DropoutGrad", ["GO0", "O1"], ["I0_grad"])]


def test_a_test_run_infers_the_shape_of_its_values_only():
    net = caffe2_pb2.NetDef(op=[operator_def("Dropout", 1, 2, is_test=1)])
    found = infer(net, {"I0": ShapeAndType((2, 3), "float32")})
    assert found.shapes["O0"] == ShapeAndType((2, 3), "float32")
    assert "O1" not in found.shapes
    assert not found.errors
