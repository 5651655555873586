"""What is compiled once, and what must not be shared."""

from __future__ import annotations

import numpy as np

from c2lab import brew, model_helper, optimizer, workspace
from c2lab.backend.compile import statistics
from c2lab.operators.definition import operator
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument


def scale_net(name, blobs, scale=2.0):
    net = caffe2_pb2.NetDef(name=name)
    op = net.op.add(type="TestTimes", input=[blobs[0]], output=[blobs[1]], name=f"{name}-op")
    op.arg.append(make_argument("by", scale))
    net.op.add(type="Relu", input=[blobs[1]], output=[blobs[1]])
    return net


@operator("TestTimes")
def times(X, *, by: float):
    """X times a number."""
    return X * np.float32(by)


def compiled_by(action):
    before = statistics.count
    action()
    return statistics.count - before


def test_the_same_net_under_other_names_compiles_nothing():
    workspace.FeedBlob("x", np.float32([3, 1, 4]))
    workspace.FeedBlob("a/x", np.float32([3, 1, 5]))
    assert compiled_by(lambda: workspace.RunNetOnce(scale_net("one", ("x", "y"), 5.5))) == 1
    assert compiled_by(lambda: workspace.RunNetOnce(scale_net("two", ("a/x", "a/y"), 5.5))) == 0
    np.testing.assert_array_equal(workspace.FetchBlob("a/y"), np.float32([3, 1, 5]) * 5.5)


def test_other_arguments_and_shapes_compile_anew():
    workspace.FeedBlob("x", np.float32([3, 1, 4, 1]))
    workspace.RunNetOnce(scale_net("one", ("x", "y"), 2.0))
    assert compiled_by(lambda: workspace.RunNetOnce(scale_net("one", ("x", "y"), -2.0))) == 1
    np.testing.assert_array_equal(workspace.FetchBlob("y"), [0, 0, 0, 0])
    workspace.FeedBlob("x", np.float32([[3, 1, 4, 1]]))
    assert compiled_by(lambda: workspace.RunNetOnce(scale_net("one", ("x", "y"), 2.0))) == 1


def test_an_operator_defined_again_is_the_new_one():
    workspace.FeedBlob("x", np.float32([1]))

    @operator("TestDefinedTwice")
    def first(X):
        """One."""
        return X + np.float32(1)

    op = caffe2_pb2.OperatorDef(type="TestDefinedTwice", input=["x"], output=["y"])
    workspace.RunOperatorOnce(op)
    assert workspace.FetchBlob("y") == 2

    @operator("TestDefinedTwice")
    def second(X):
        """Two."""
        return X + np.float32(2)

    workspace.RunOperatorOnce(op)
    assert workspace.FetchBlob("y") == 3


def test_copies_do_not_share_what_is_updated_in_place():
    workspace.FeedBlob("p", np.float32([1, 2]))
    net = caffe2_pb2.NetDef(name="n")
    net.op.add(type="TestKeep", input=["p"], output=["kept"])
    workspace.RunNetOnce(net)
    update = caffe2_pb2.NetDef(name="u")
    op = update.op.add(type="TestTimesInPlace", input=["p"], output=["p"])
    op.arg.append(make_argument("by", 3.0))
    workspace.CreateNet(update)
    workspace.RunNet("u", 4)
    np.testing.assert_array_equal(workspace.FetchBlob("kept"), [1, 2])
    np.testing.assert_array_equal(workspace.FetchBlob("p"), np.float32([1, 2]) * 81)


@operator("TestKeep")
def keep(X):
    """X itself."""
    return X


@operator("TestTimesInPlace", inplace="X -> Y")
def times_in_place(X, *, by: float):
    """X times a number."""
    return X * np.float32(by)


def test_a_cell_that_builds_its_model_again_compiles_nothing():
    def cell():
        workspace.ResetWorkspace()
        model = model_helper.ModelHelper("again")
        brew.fc(model, "data", "fc", 3, 2)
        _, loss = model.net.SoftmaxWithLoss(["fc", "label"], ["softmax", "loss"])
        model.AddGradientOperators([loss])
        optimizer.build_sgd(model, 0.1, policy="step", stepsize=1, gamma=0.9, momentum=0.9)
        workspace.FeedBlob("data", np.ones((4, 3), np.float32))
        workspace.FeedBlob("label", np.int32([0, 1, 1, 0]))
        workspace.RunNetOnce(model.param_init_net)
        workspace.CreateNet(model.net)
        workspace.RunNet(model.net)
        workspace.RunNet(model.net, 3)

    assert compiled_by(cell) > 0
    assert compiled_by(cell) == 0
