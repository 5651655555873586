"""Gradients and devices are checked as test helpers of the original do it."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.compat.gradient_checker import GradientChecker, NetGradientChecker, getGradientForOp
from c2lab.proto import caffe2_pb2

CPU = core.DeviceOption(caffe2_pb2.CPU)


def values(*shape):
    return np.random.default_rng(0).uniform(0.5, 1.5, shape).astype(np.float32)


def test_a_right_gradient_passes():
    op = core.CreateOperator("Mul", ["a", "b"], ["c"])
    checker = GradientChecker(0.05, 0.005, CPU, workspace_name=str(CPU))
    for position in (0, 1):
        fine, gradient, estimate = checker.CheckSimple(op, [values(2, 3), values(2, 3)], position, [0])
        assert fine
        assert gradient.shape == estimate.shape == (2, 3)


def test_a_wrong_gradient_fails():
    op = core.CreateOperator("Sqr", ["x"], ["y"])
    wrong = [core.CreateOperator("Copy", ["y_grad"], ["x_grad"])]
    fine, _, _ = GradientChecker(0.05, 0.005).CheckSimple(op, [values(2)], 0, [0], grad_ops=wrong)
    assert not fine


def test_sparse_gradients_are_made_dense():
    op = core.CreateOperator("Gather", ["data", "indices"], ["y"])
    inputs = [values(4, 2), np.int32([1, 3, 1])]
    fine, gradient, _ = GradientChecker(0.05, 0.005).CheckSimple(op, inputs, 0, [0])
    assert fine
    assert not gradient[0].any()


def test_nets():
    net = core.Net("checked")
    net.SumElements(net.Sqr(net.Exp("x", "e"), "s"), "loss")
    NetGradientChecker.Check(net, ["loss"], {"x": values(3)}, "x", step_size=1e-2)
    twin = core.Net("twin")
    twin.SumElements(twin.Mul([twin.Exp("x", "e"), "e"], "s"), "loss")
    NetGradientChecker.CompareNets([net, twin], [["loss"], ["loss"]], [0], ["x"], {"x": values(3)}, threshold=1e-5)


@pytest.mark.parametrize("name", [b"temp_ws", "temp_ws"])
def test_the_way_of_the_old_helpers(name):
    """Reference values, shapes and gradients in a workspace for the while, on an explicit CPU."""
    before = workspace.CurrentWorkspace()
    workspace.SwitchWorkspace(name, True)
    op = copy.deepcopy(core.CreateOperator("FC", ["X", "W", "b"], ["Y"], engine=""))
    op.device_option.CopyFrom(CPU)
    inputs = [values(4, 3), values(2, 3), values(2)]
    places = core.InferOpBlobDevicesAsDict(op)[0]
    for blob, value in zip(op.input, inputs, strict=True):
        workspace.FeedBlob(blob, value, device_option=places.get(blob, CPU))
    net = core.Net("opnet")
    net.Proto().op.extend([op])
    shapes, types = workspace.InferShapesAndTypes([net])
    assert (shapes["Y"], types["Y"]) == ([4, 2], caffe2_pb2.TensorProto.FLOAT)
    workspace.RunNetOnce(net)
    y = workspace.FetchBlob("Y")
    np.testing.assert_allclose(y, inputs[0] @ inputs[1].T + inputs[2], rtol=1e-4)
    ops, gradients = core.GradientRegistry.GetBackwardPass([op], {"Y": "Y_grad"})
    workspace.FeedBlob("Y_grad", y)
    with core.DeviceScope(CPU):
        workspace.RunOperatorsOnce(ops)
    assert isinstance(gradients.get("W"), core.BlobReference)
    np.testing.assert_allclose(workspace.FetchBlob(str(gradients["W"])), y.T @ inputs[0], rtol=1e-4)
    assert len(getGradientForOp(op)[0]) == len(ops)
    workspace.ResetWorkspace()
    workspace.SwitchWorkspace(before)


def test_the_way_of_the_old_base_class():
    assert workspace.GlobalInit(["caffe2", "--caffe2_log_level=0"])
    core.SetEnginePref({}, {})
    assert workspace.GpuDeviceType == caffe2_pb2.CUDA
    assert not workspace.has_hip_support
    assert core.IsOperatorWithEngine("Relu", "DEFAULT") or not core.IsOperatorWithEngine("Relu", "MKLDNN")
    ws = workspace.C.Workspace()
    op = core.CreateOperator("ConstantFill", [], ["x"], shape=[1], value=2.0, control_input="y")
    assert list(op.control_input) == ["y"]
    ws.run(op)
    assert ws.blobs["x"].fetch() == 2
    assert workspace.C.Workspace.current.blobs == {}
