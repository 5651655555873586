"""What people read when something is wrong: each message names the operator, the blob, the shapes, the place."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

import c2lab as c2
from c2lab import brew, core, errors, model_helper, workspace
from c2lab.predictor import files
from c2lab.proto import caffe2_pb2

HERE = Path(__file__).name


def net_of(type, inputs, outputs, **arguments):
    """A net of one operator over zeros and ones, created and run; its place is this file."""
    net = core.Net("wrong")
    getattr(net, type)(inputs, outputs, **arguments)
    workspace.RunNetOnce(net)


def op(type, inputs, outputs, **arguments):
    return lambda: net_of(type, inputs, outputs, **arguments)


BLOBS = {
    "x": np.ones((2, 3), np.float32),
    "image": np.ones((1, 3, 8, 8), np.float32),
    "filter": np.ones((4, 3, 3, 3), np.float32),
    "w": np.ones((4, 5), np.float32),
    "three": np.ones(3, np.float32),
    "four": np.ones(4, np.float32),
    "wide": np.ones((2, 3), np.float64),
    "whole": np.ones((2, 3), np.int32),
    "long": np.array([0, 1]),
    "label": np.int32([0, 7]),
    "minus": np.int32([0, -1]),
    "indices": np.int32([5]),
    "count": np.array([5]),
    "text": "words",
}

PLACE = rf"\(operator 0 of net \"wrong\w*\", added at {HERE} line \d+\): "

# What is done, the error, and what its message says beside the operator and the user's line.
IN_NETS = [
    (op("Relu", "nowhere", "y"), errors.MissingBlob, "Relu", "non-existing input blob: nowhere; feed it"),
    (op("Relu", "empty", "y"), errors.MissingBlob, "Relu", "blob empty is empty: nothing has written it"),
    (op("Relu", "text", "y"), errors.MissingBlob, "Relu", "blob text is no tensor"),
    (op("FC", ["x", "w", "four"], "y"),
     errors.ShapeMismatch, "FC", r"X is \(2, 3\) but W is \(4, 5\); W must be \(4, 3\)"),
    (op("FC", ["x", "w", "four"], "x"), errors.UnsafeInplace, "FC", r"may not write output 0 over its input 0 \(x\)"),
    (op("FC", ["x", "w"], "y"), errors.SchemaError, "FC", r"takes 3 \(X, W, b\) inputs, got 2"),
    (op("MatMul", ["x", "w"], "y"), errors.ShapeMismatch, "MatMul", r"A is \(2, 3\) and B is \(4, 5\)"),
    (op("BatchMatMul", ["image", "x"], "y"), errors.ShapeMismatch, "BatchMatMul", r"\(1, 3, 8, 8\).*\(2, 3\)"),
    (op("Conv", ["x", "filter", "four"], "y", kernel=3), errors.ShapeMismatch, "Conv", r"X is \(2, 3\)"),
    (op("Conv", ["image", "filter", "four"], "y"), errors.BadArgument, "Conv", r"kernel_\[dim\] > 0"),
    (op("Conv", ["image", "filter", "four"], "y", kernel=5), errors.ShapeMismatch, "Conv", r"must be \(4, 3, 5, 5\)"),
    (op("Conv", ["image", "filter", "three"], "y", kernel=3), errors.ShapeMismatch, "Conv", r"bias is \(3,\).*\(4,\)"),
    (op("Conv", ["image", "filter"], "y", kernel=3, order="NWHC"), errors.BadArgument, "Conv", "one of 'NCHW', 'NHWC'"),
    (op("Conv", ["image", "filter"], "y", kernel=3, group=2), errors.ShapeMismatch, "Conv", "group 2 must divide"),
    (op("MaxPool", "image", "y", kernel=2.0),
     errors.BadArgument, "MaxPool", r"kernel .*expected field i \(int\), got f = 2.0"),
    (op("MaxPool", "image", "y", kernel="2"), errors.BadArgument, "MaxPool", "kernel .*expected field i"),
    (op("MaxPool", "image", "y", kernel=9), errors.ShapeMismatch, "MaxPool", "smaller than the kernel"),
    (op("Scale", "x", "y", scale=3),
     errors.BadArgument, "Scale", "scale does not have the right field: expected field f"),
    (op("Add", ["x", "whole"], "y"), errors.TypeMismatch, "Add", "elements to be float, while tensor contains int"),
    (op("Add", ["x", "four"], "y"), errors.ShapeMismatch, "Add", r"A is \(2, 3\) but B is \(4,\)"),
    (op("Add", ["x", "four"], "y", broadcast=1), errors.ShapeMismatch, "Add", "with broadcast=1"),
    (op("Add", ["x", "three"], "y", axis=1), errors.BadArgument, "Add", "add broadcast=1"),
    (op("Sum", ["x", "three"], "y"), errors.ShapeMismatch, "Sum", r"input 1 is \(3,\) but input 0 is \(2, 3\)"),
    (op("Relu", "whole", "y"), errors.TypeMismatch, "Relu", "Unsupported type of tensor: int .X is int32"),
    (op("Relu", "wide", "y"), errors.TypeMismatch, "Relu", "Unsupported type of tensor: double"),
    (op("Dropout", "x", ["y", "mask"]), errors.SchemaError, "Dropout", r"argument is_test \(bool\) is required"),
    (op("Reshape", "x", "y", shape=[6]), errors.SchemaError, "Reshape", r"takes 2 .* outputs, got 1"),
    (op("Reshape", "x", ["y", "old"], shape=[4, -1]), errors.ShapeMismatch, "Reshape", r"X is \(2, 3\), 6 values"),
    (op("Concat", ["x", "w"], ["y", "split"], axis=1),
     errors.ShapeMismatch, "Concat", r"\(2, 3\) but input 1 is \(4, 5\)"),
    (op("Split", "x", ["a", "b"], axis=1), errors.ShapeMismatch, "Split", "size 3, which 2 outputs cannot share"),
    (op("Slice", "x", "y", starts=[1, 1], ends=[2, 2]), errors.ShapeMismatch, "Slice", "slice in 1 dimension"),
    (op("Transpose", "x", "y", axes=[0, 0]), errors.BadArgument, "Transpose", r"axes is \[0, 0\] but X is \(2, 3\)"),
    (op("Gather", ["x", "indices"], "y"), errors.BadValue, "Gather", "INDICES element is out of DATA bounds"),
    (op("LabelCrossEntropy", ["x", "label"], "y"), errors.BadValue, "LabelCrossEntropy", "label outside 0 to 3 - 1"),
    (op("LabelCrossEntropy", ["x", "minus"], "y"), errors.BadValue, "LabelCrossEntropy", "label outside 0 to 3 - 1"),
    (op("LabelCrossEntropy", ["x", "long"], "y"),
     errors.TypeMismatch, "LabelCrossEntropy", "label is int64; it may be int32"),
    (op("SoftmaxWithLoss", ["x", "label"], ["p", "y"]), errors.BadValue, "SoftmaxWithLoss", "label outside 0 to 3 - 1"),
    (op("SoftmaxWithLoss", ["x", "long"], ["p", "y"]),
     errors.TypeMismatch, "SoftmaxWithLoss", "labels is int64; it must be int32"),
    (op("Accuracy", ["x", "label"], "y"), errors.BadValue, "Accuracy", "label outside 0 to 3 - 1"),
    (op("GivenTensorFill", [], "y", shape=[4], values=[1, 2, 3, 4]), errors.ShapeMismatch, "GivenTensorFill", "4 vs 0"),
    (op("LearningRate", "count", "y", base_lr=0.1, policy="stepp"),
     errors.BadArgument, "LearningRate", "Did you mean: step"),
    (op("Iter", "indices", "indices"), errors.TypeMismatch, "Iter", "iter is int32; it may be int64"),
    (op("SpatialBN", ["image", "three", "three", "three", "three"], ["y", "m", "v", "sm", "sv"], is_test=0),
     errors.UnsafeInplace, "SpatialBN", r"must write output 1 \(m\) in place of input 3"),
    (op("SpatialBN", ["image", "three", "three", "three", "four"], "y", is_test=1),
     errors.ShapeMismatch, "SpatialBN", r"\(1, 3, 8, 8\).*must be \(3,\)"),
    (op("Load", [], "y", db="/nowhere/at.all", db_type="minidb"),
     errors.HostOperatorFailed, "Load", "Cannot open file: /nowhere/at.all"),
    (op("Load", [], "y", db="/nowhere/at.all", db_type="minidbb"),
     errors.BadArgument, "Load", "Cannot find db implementation of type minidbb"),
]  # fmt: skip


@pytest.fixture
def blobs():
    """Blobs to be wrong with; and after it they are as they were."""
    for name, value in BLOBS.items():
        workspace.FeedBlob(name, value)
    workspace.CreateBlob("empty")
    yield
    for name, value in BLOBS.items():
        held = workspace.FetchBlob(name)
        if isinstance(value, str):
            assert held == value.encode()
        else:
            assert held.dtype == value.dtype
            np.testing.assert_array_equal(held, value)


@pytest.mark.parametrize(
    ("wrong", "error", "type", "said"), IN_NETS, ids=[f"{row[2]}-{row[3][:30]}" for row in IN_NETS]
)
def test_what_an_operator_says(blobs, wrong, error, type, said):
    with pytest.raises(error, match=f"^{type} {PLACE}.*{said}") as caught:
        wrong()
    assert isinstance(caught.value, RuntimeError)  # as the original's, for old except clauses


def not_created():
    workspace.RunNet("lenet")


def created_twice():
    net = core.Net("twice")
    workspace.CreateNet(net)
    workspace.CreateNet(net)


def unknown_executor():
    net = core.Net("bogus")
    net.Proto().type = "bogus"
    workspace.CreateNet(net)


def no_gradient(type, *inputs):
    def build():
        net = core.Net("wrong")
        net.AddGradientOperators([getattr(net, type)(list(inputs), "y")])

    return build


def overwritten():
    net = core.Net("wrong")
    net.FC(["x", "w", "b"], "h")
    net.Mul(["h", "k"], "y")
    net.Relu("z", "h")
    net.AddGradientOperators(["y"])


def predict(value):
    net = core.Net("reader")
    net.AddExternalInput("data")
    net.AddExternalOutput(net.Relu("data", "y"))
    return lambda: workspace.Predictor(caffe2_pb2.NetDef(), net.Proto()).run(value)


def no_helper():
    brew.conv3(model_helper.ModelHelper("m"), "data", "conv")


ELSEWHERE = [
    (lambda: core.Net("n").Rellu("x"), errors.UnknownOperator, r"Method Rellu is not a registered .*mean: \[Relu"),
    (lambda: c2.run("Convv", X=1.0), errors.UnknownOperator, "type 'Convv'.*Did you mean: Conv"),
    (lambda: c2.run("Relu", [1.0]), errors.BadArgument, r'by name: run\("Relu", X='),
    (lambda: c2.run("Relu", Z=[1.0]), errors.BadArgument, "Relu has no input or argument Z"),
    (lambda: core.CreateOperator("Relu", "x", "y", v=[1, 2.0]), ValueError, "Unknown iterable argument type: key=v"),
    (lambda: workspace.FetchBlob("fc1_v"), errors.MissingBlob, "Can't find blob: fc1_v"),
    (lambda: workspace.FeedBlob("x", [1, 2]), errors.TypeMismatch, r"got list for x\); wrap it"),
    (lambda: workspace.FeedBlob("x", np.zeros(1, np.uint32)), errors.TypeMismatch, "not supported.*uint32, fed to x"),
    (lambda: workspace.SwitchWorkspace("other"), errors.BadArgument, 'no workspace "other"'),
    (not_created, errors.MissingNet, "Can't find net lenet; create it first"),
    (created_twice, errors.BadArgument, "refuse to overwrite an existing net of the same name"),
    (unknown_executor, errors.BadArgument, "Could not create net: bogus of type bogus"),
    (no_gradient("Accuracy", "x", "label"), errors.NoGradient, f"{HERE} line .*One should not call gradient for"),
    (no_gradient("Ceil", "x"), errors.NoGradient, "Ceil .*should have a gradient but is not implemented yet"),
    (overwritten, errors.UnsafeInplace, '"h" at version 0, but currently we have version 1.*MulGradient'),
    (predict({"date": np.zeros(1, np.float32)}), errors.BadArgument, '"date" is no input of net .*data'),
    (predict([np.zeros(1, np.float32)] * 2), errors.BadArgument, "2 inputs given to net .*takes 1"),
    (no_helper, AttributeError, "Helper function conv3 not registered"),
    (lambda: workspace.RunNetOnce(b"\xff\xfe no net"), errors.DamagedFile, "9 bytes .* are no NetDef"),
]


@pytest.mark.parametrize(("wrong", "error", "said"), ELSEWHERE, ids=[row[2][:30] for row in ELSEWHERE])
def test_what_is_said_elsewhere(wrong, error, said):
    workspace.FeedBlob("x", np.ones(2, np.float32))
    with pytest.raises(error, match=f"(?s){said}"):
        wrong()
    np.testing.assert_array_equal(workspace.FetchBlob("x"), np.ones(2, np.float32))


def test_an_exception_of_the_users_own_function_says_which_operator_called_it():
    def broken(inputs, outputs):
        raise KeyError("inside")

    net = core.Net("wrong")
    net.Python(broken)(["x"], ["y"])
    workspace.FeedBlob("x", np.ones(2, np.float32))
    with pytest.raises(KeyError, match="inside") as caught:
        workspace.RunNetOnce(net)
    assert f"{HERE} line" in caught.value.__notes__[0]


DAMAGED = {
    "cut.pb": (
        caffe2_pb2.NetDef(name="a net", external_input=["data"]).SerializeToString()[:-2],
        "Wire format|parsing",
    ),
    "pointer.pb": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer.*git lfs pull"),
    "noise.pb": (bytes(range(256)), "Wire format|parsing"),
    "typo.pbtxt": (b'op { type: "Relu" inputs: "x" }', 'no field named "inputs"'),
}


@pytest.mark.parametrize("name", DAMAGED)
@pytest.mark.parametrize("read", [c2.summary, c2.show, files.read_net], ids=["summary", "show", "read_net"])
def test_a_damaged_file_is_named(tmp_path, name, read):
    content, said = DAMAGED[name]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(errors.DamagedFile, match=f"(?s){name}.*({said})"):
        read(path)


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "predict_net.pb"
    files.write_net(path, caffe2_pb2.NetDef(name="old"))

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        files.write_net(path, caffe2_pb2.NetDef(name="new"))
    assert files.read_net(path).name == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["predict_net.pb"]


def test_a_full_disk_leaves_the_old_database(tmp_path, monkeypatch):
    workspace.FeedBlob("x", np.ones(2, np.float32))
    save = core.CreateOperator("Save", ["x"], [], db=str(tmp_path / "x.db"), db_type="minidb", absolute_path=1)
    workspace.RunOperatorOnce(save)
    before = (tmp_path / "x.db").read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    workspace.FeedBlob("x", np.zeros(2, np.float32))
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RuntimeError, match=r"Save: .*No space left"):
        workspace.RunOperatorOnce(save)
    assert (tmp_path / "x.db").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["x.db"]
