"""Iteration counters, accuracy and weight decay."""

from __future__ import annotations

import numpy as np

from c2lab import brew, core, workspace
from c2lab.model_helper import ModelHelper
from tests.written_nets import written

REST = "cudnn_exhaustive_search=0 order=NCHW use_cudnn=1"


def test_iter_counts_runs():
    model = ModelHelper("counting")
    brew.iter(model, "steps")
    (fill,) = model.InitProto().op
    assert fill.type == "ConstantFill"
    assert fill.HasField("device_option")
    assert written(model.net) == [f"Iter(steps) -> steps {REST}"]
    workspace.RunNetOnce(model.param_init_net)
    before = workspace.FetchBlob("steps")
    assert (before.dtype, before.tolist()) == (np.int64, [0])
    workspace.CreateNet(model.net)
    workspace.RunNet(model.net.Name(), 3)
    assert workspace.FetchBlob("steps").tolist() == [3]


def test_accuracy():
    model = ModelHelper("accurate")
    assert brew.accuracy(model, ["scores", "label"], "accuracy") == "accuracy"
    brew.accuracy(model, ["scores", "label"], "accuracy2", top_k=2)
    assert written(model.net) == [
        "Accuracy(scores, label) -> accuracy",
        "Accuracy(scores, label) -> accuracy2 top_k=2",
    ]


def test_accuracy_of_many_on_a_gpu_is_computed_on_the_cpu():
    model = ModelHelper("accurate")
    scores, label = (model.param_init_net.ConstantFill([], name, shape=[1]) for name in ("scores", "label"))
    with core.DeviceScope(core.DeviceOption(core.caffe2_pb2.CUDA)):
        brew.accuracy(model, [scores, label], "accuracy", top_k=5)
    assert [line.split(" ")[0] for line in written(model.net)] == [
        "CopyGPUToCPU(scores)",
        "CopyGPUToCPU(label)",
        "Accuracy(scores_host,",
    ]
    assert model.Proto().op[-1].device_option.device_type == core.caffe2_pb2.CPU


def test_weight_decay_leaves_biases_alone():
    model = ModelHelper("decaying")
    y = brew.fc(model, "x", "y", 3, 1)
    model.AddGradientOperators([model.AveragedLoss(y, "loss")])
    before, before_init = len(model.Proto().op), len(model.InitProto().op)
    brew.add_weight_decay(model, 0.5)
    assert written(model.net)[before:] == ["WeightedSum(y_w_grad, ONE, y_w, wd) -> y_w_grad"]
    assert written(model.param_init_net)[before_init:] == [
        "ConstantFill() -> wd shape=[1] value=0.5",
        "ConstantFill() -> ONE shape=[1] value=1",
    ]
    brew.add_weight_decay(model, 0.0)
    assert len(model.Proto().op) == before + 1
