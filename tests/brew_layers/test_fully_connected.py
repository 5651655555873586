"""Fully connected layers: what they append."""

from __future__ import annotations

import pytest

from c2lab import brew
from c2lab.model_helper import ModelHelper
from c2lab.operators import registry
from c2lab.parameters.info import ParameterTags
from tests.written_nets import written


def model() -> ModelHelper:
    return ModelHelper("fully_connected")


def test_fc():
    m = model()
    assert brew.fc(m, "x", "y", 3, 2) == "y"
    assert written(m.param_init_net) == ["XavierFill() -> y_w shape=[2,3]", "ConstantFill() -> y_b shape=[2]"]
    assert written(m.net) == ["FC(x, y_w, y_b) -> y cudnn_exhaustive_search=0 order=NCHW use_cudnn=1"]
    assert (m.weights, m.biases) == (["y_w"], ["y_b"])


def test_fc_with_everything_else():
    m = model()
    with brew.arg_scope(brew.fc, weight_init=("MSRAFill", {}), bias_init=("ConstantFill", {"value": 1.0})):
        brew.fc(m, "x", "y", dim_in=3, dim_out=2, axis=2, enable_tensor_core=True, float16_compute=True)
    assert written(m.param_init_net) == ["MSRAFill() -> y_w shape=[2,3]", "ConstantFill() -> y_b shape=[2] value=1"]
    assert written(m.net) == [
        "FC(x, y_w, y_b) -> y axis=2 cudnn_exhaustive_search=0 float16_compute=1 order=NCHW use_cudnn=1 @TENSORCORE"
    ]


def test_a_frozen_bias_is_not_learned():
    m = model()
    brew.fc(m, "x", "y", 3, 2, freeze_bias=True)
    assert m.params == ["y_w"]
    assert m.GetComputedParams() == m.biases == ["y_b"]


def test_the_same_name_twice_shares_the_parameters():
    m = model()
    brew.fc(m, "x", "y", 3, 2)
    brew.fc(m, "z", "y", 3, 2)
    assert len(m.InitProto().op) == len(m.params) == 2
    m.Validate()


@pytest.mark.parametrize(
    ("layer", "operator", "sizes"),
    [("packed_fc", "PackedFC", (3, 2)), ("fc_decomp", "FC_Decomp", (3, 2)), ("fc_prune", "FC_Prune", (3, 2))],
)
def test_layers_of_operators_that_are_not_registered_say_so(layer, operator, sizes):
    assert registry.get(operator) is None
    with pytest.raises(AttributeError, match=f"Method {operator} is not a registered operator"):
        getattr(brew, layer)(model(), "x", "y", *sizes)


class Recorder:
    """Stands for the net of a model, and takes operators that are not registered."""

    def __init__(self, net):
        self._net = net

    def __getattr__(self, name):
        if name.startswith("FC_"):
            return lambda inputs, outputs, **arguments: (name, [str(i) for i in inputs], outputs, arguments)
        return getattr(self._net, name)


def test_the_parameters_of_the_other_layers():
    m = model()
    m.net = Recorder(m.net)
    assert brew.fc_decomp(m, "x", "y", 7, 6)[:3] == ("FC_Decomp", ["x", "y_u", "y_v", "y_b"], "y")
    assert written(m.param_init_net) == [
        "XavierFill() -> y_u shape=[6,5]",
        "XavierFill() -> y_v shape=[7,5]",
        "ConstantFill() -> y_b shape=[6]",
    ]

    m = model()
    m.net = Recorder(m.net)
    kind, inputs, outputs, _ = brew.fc_prune(m, "x", "y", 3, 2, need_compress_rate=True)
    assert (kind, outputs) == ("FC_Prune", ["y", "y_compress_rate"])
    assert inputs == ["x", "y_w", "y_m", "y_b", "y_ag_dw", "y_mask_seq", "y_thres", "y_lb"]
    assert written(m.param_init_net) == [
        "ConstantFill() -> y_lb shape=[1] value=0.05",
        "XavierFill() -> y_w shape=[2,3]",
        "ConstantFill() -> y_m shape=[2,3] value=1",
        "ConstantFill() -> y_ag_dw shape=[2,3]",
        "ConstantFill() -> y_b shape=[2]",
        "ConstantFill() -> y_mask_seq shape=[2,3]",
        "ConstantFill() -> y_thres shape=[1] value=1e-05",
    ]
    assert m.params == ["y_w", "y_b"]

    m = model()
    parts = [m.param_init_net.ConstantFill([], name, shape=[1]) for name in ("w", "i", "j", "b")]
    m.net = Recorder(m.net)
    assert brew.fc_sparse(m, "x", "y", *parts)[:2] == ("FC_Sparse", ["x", "w", "i", "j", "b"])
    assert m.params == ["w", "i", "j", "b"]
    assert ParameterTags.WEIGHT == "WEIGHT"
