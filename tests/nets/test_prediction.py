"""Taking out of a net the part that predicts."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import brew, core, workspace
from c2lab.model_helper import ExtractPredictorNet, ModelHelper


def trained_model() -> ModelHelper:
    model = ModelHelper("whole")
    brew.fc(model, "data", "hidden", 4, 3)
    brew.relu(model, "hidden", "hidden")
    brew.fc(model, "hidden", "pred", 3, 2)
    brew.softmax(model, "pred", "softmax")
    model.LabelCrossEntropy(["softmax", "label"], "xent")
    return model


def test_the_part_that_predicts():
    model = trained_model()
    net, parameters = ExtractPredictorNet(model.Proto(), ["data"], ["softmax"])
    assert net.Name() == f"{model.Proto().name}_predict"
    assert [op.type for op in net.Proto().op] == ["FC", "Relu", "FC", "Softmax"]
    assert list(net.Proto().external_input) == ["data", "hidden_w", "hidden_b", "pred_w", "pred_b"]
    assert list(net.Proto().external_output) == ["softmax"]
    assert parameters == ["hidden_w", "hidden_b", "pred_w", "pred_b"]
    workspace.ResetWorkspace()
    workspace.RunNetOnce(model.param_init_net)
    workspace.FeedBlob("data", np.ones((2, 4), np.float32))
    workspace.RunNetOnce(net)
    np.testing.assert_allclose(workspace.FetchBlob("softmax").sum(1), 1, rtol=1e-6)


def test_the_part_that_predicts_with_new_names_and_elsewhere():
    device = core.DeviceOption(core.caffe2_pb2.CUDA, 1)
    net, parameters = ExtractPredictorNet(
        trained_model().Proto(), ["data"], ["pred"], device=device, renames={"data": "images", "pred": "scores"}
    )
    assert net.Proto().external_input[0] == "images"
    assert list(net.Proto().external_output) == ["scores"]
    assert list(net.Proto().op[-1].output) == ["scores"]
    assert "images" not in parameters
    assert {(op.device_option.device_type, op.device_option.device_id) for op in net.Proto().op} == {(1, 1)}


def test_what_cannot_predict_is_refused():
    proto = trained_model().Proto()
    with pytest.raises(Exception, match="No ops with input"):
        ExtractPredictorNet(proto, ["picture"], ["softmax"])
    with pytest.raises(Exception, match="No ops with output"):
        ExtractPredictorNet(proto, ["data"], ["boxes"])
    training = ModelHelper("training")
    brew.dropout(training, "data", "dropped", is_test=False)
    with pytest.raises(Exception, match="is_test=0"):
        ExtractPredictorNet(training.Proto(), ["data"], ["dropped"])


def test_operators_on_disabled_inputs_are_left_out():
    model = ModelHelper("disabled")
    model.Relu("data", "a")
    model.Add(["a", "extra"], "b")
    model.Sigmoid("a", "c")
    net, _ = ExtractPredictorNet(model.Proto(), ["data"], ["c"], disabled_inputs=["extra"])
    assert [op.type for op in net.Proto().op] == ["Relu", "Sigmoid"]


def test_recurrent_steps_lose_their_backward_net():
    step = core.caffe2_pb2.NetDef(name="step", external_input=["h", "w"], external_output=["h"])
    step.op.add(type="FC", input=["h", "w"], output=["h"])
    proto = core.caffe2_pb2.NetDef(name="recurrent", external_input=["data", "w"])
    op = proto.op.add(type="RecurrentNetwork", input=["data"], output=["all"])
    for name in ("step_net", "backward_step_net"):
        op.arg.add(name=name).n.CopyFrom(step)
    device = core.DeviceOption(core.caffe2_pb2.CUDA, 1)
    net, parameters = ExtractPredictorNet(proto, ["data"], ["all"], device=device, renames={"w": "weights"})
    forward, backward = net.Proto().op[0].arg
    assert list(forward.n.op[0].input) == ["h", "weights"]
    assert forward.n.op[0].device_option.device_id == 1
    assert not backward.HasField("n")
    assert parameters == ["weights"]
