"""SGD in half precision: what is added for parameters with and without copies."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.optimizers.base import reset_optimizer_instance_count
from c2lab.optimizers.half_precision_sgd import FP16SgdOptimizer, MultiPrecisionSgdOptimizer
from c2lab.parameters.info import ParameterInfo
from c2lab.parameters.initializers import PseudoFP16Initializer
from tests.optimizers.three_steps import nets
from tests.written_nets import written

UPDATE = "weight_decay=0.25"


class Recorder:
    """Stands for a net; remembers every operator, registered or not."""

    def __init__(self, net: core.Net) -> None:
        self._net = net
        self.lines: list[str] = []

    def BlobIsDefined(self, blob):
        return self._net.BlobIsDefined(blob)

    def GetBlobRef(self, blob):
        return self._net.GetBlobRef(blob)

    def __getattr__(self, operator):
        def add(inputs, outputs, **arguments):
            inputs, outputs = (x if isinstance(x, list) else [x] for x in (inputs, outputs))
            extra = "".join(f" {k}={v}" for k, v in sorted(arguments.items()) if k != "dtype")
            self.lines.append(f"{operator}({', '.join(map(str, inputs))}) -> {', '.join(map(str, outputs))}{extra}")
            return core.BlobReference(str(outputs[0]))

        return add


def recorded(optimizer, copies) -> list[str]:
    """The lines of the init net and of the net for a parameter with copies."""
    net, init_net = Recorder(core.Net("half")), Recorder(core.Net("half_init"))
    copies = copies and {kind: core.BlobReference(name) for kind, name in copies.items()}
    info = ParameterInfo(None, core.BlobReference("w"), grad=core.BlobReference("g"), blob_copy=copies)
    optimizer(net, init_net, info)
    return init_net.lines + net.lines


@pytest.fixture(autouse=True)
def first_instances():
    reset_optimizer_instance_count()


def test_the_float_copy_is_updated_and_rounded():
    lines = recorded(MultiPrecisionSgdOptimizer(0.5, momentum=0.9), {core.DataType.FLOAT: "w_fp32"})
    lr = "MultiPrecisionSgdOptimizer_0_lr_cpu"
    assert "ConstantFill(w_fp32) -> w_momentum value=0.0" in lines
    assert lines[-4:] == [
        f"LearningRate(optimizer_iteration) -> {lr} base_lr=0.5 policy=fixed",
        "HalfToFloat(g) -> g_fp32",
        f"MomentumSGDUpdate(g_fp32, w_momentum, {lr}, w_fp32) -> g_fp32, w_momentum, w_fp32 momentum=0.9 nesterov=True",
        "FloatToHalf(w_fp32) -> w",
    ]


def test_a_float_parameter_is_updated_as_by_sgd():
    _, _, net = nets(lambda: MultiPrecisionSgdOptimizer(0.5))
    assert written(net)[-1] == "WeightedSum(w, ONE_0_0, g, MultiPrecisionSgdOptimizer_0_lr_cpu) -> w"


@pytest.mark.parametrize(
    ("copies", "momentum", "update", "param"),
    [
        ({core.DataType.FLOAT: "w_fp32"}, "w_momentum", "FP16MomentumSGDUpdate", "w"),
        ({core.DataType.FLOAT16: "w_fp16"}, "w_fp16_momentum", "FP16MomentumSGDUpdate", "w_fp16"),
        (None, "w_momentum_fp32", "FP32MomentumSGDUpdate", "w"),
    ],
)
def test_updates_in_half_precision(copies, momentum, update, param):
    lines = recorded(FP16SgdOptimizer(0.5, weight_decay=0.25), copies)
    lr = "FP16SgdOptimizer_0_lr_cpu"
    assert lines[-1] == (
        f"{update}(g, {momentum}, {lr}, {param}) -> g, {momentum}, {param} momentum=0.0 nesterov=True weight_decay=0.25"
    )
    assert f"FloatToHalf({param}_momentum_fp32) -> {param}_momentum" in lines


def test_a_parameter_in_half_precision_follows_its_float_copy():
    init_net, net = core.Net("half_init"), core.Net("half")
    info = PseudoFP16Initializer("ConstantFill", value=1.0).create_param(core.BlobReference("w"), init_net, [3])
    info.grad = core.BlobReference("g")
    MultiPrecisionSgdOptimizer(0.001, momentum=0.5, nesterov=False)(net, init_net, info)
    workspace.FeedBlob("g", np.full(3, 0.25, np.float16))
    workspace.RunNetOnce(init_net)
    workspace.CreateNet(net)
    workspace.RunNet(net.Name(), 3)
    # Steps that half precision could not hold at 1.0 add up: 1, 1.5 and 1.75 times the rate times the gradient.
    expected = 1 - 0.001 * 0.25 * (1 + 1.5 + 1.75)
    np.testing.assert_allclose(workspace.FetchBlob("w_fp32"), expected, rtol=1e-6)
    assert workspace.FetchBlob("w").dtype == np.float16
    np.testing.assert_array_equal(workspace.FetchBlob("w"), np.full(3, expected, np.float16))


def test_what_they_do_not_take():
    for cls in (MultiPrecisionSgdOptimizer, FP16SgdOptimizer):
        sparse = core.GradientSlice(core.BlobReference("i"), core.BlobReference("g"))
        copies = {core.DataType.FLOAT: core.BlobReference("w_fp32")}
        info = ParameterInfo(None, core.BlobReference("w"), grad=sparse, blob_copy=copies)
        with pytest.raises(AssertionError, match="sparse"):
            cls(0.5)(core.Net("half"), core.Net("half_init"), info)
    with pytest.raises(AssertionError, match="half precision"):
        recorded(FP16SgdOptimizer(0.5), {core.DataType.INT32: "w_int"})
    assert recorded(FP16SgdOptimizer(0), None) == []
