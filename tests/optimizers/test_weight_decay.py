"""Weight decay as an optimizer that changes gradients."""

from __future__ import annotations

import pytest

from c2lab import core
from c2lab.optimizers.weight_decay import WeightDecayBuilder
from tests.optimizers.three_steps import nets
from tests.written_nets import written


def test_the_parameter_is_added_to_its_gradient():
    _, init_net, net = nets(lambda: WeightDecayBuilder(0.5))
    assert written(init_net)[1:] == [
        "ConstantFill() -> ONE_0_0 shape=[1] value=1",
        "ConstantFill() -> wd_0_0 shape=[1] value=0.5",
    ]
    assert written(net) == ["WeightedSum(g, ONE_0_0, w, wd_0_0) -> g"]


def test_each_device_has_its_own_numbers():
    with core.DeviceScope(core.DeviceOption(core.caffe2_pb2.CUDA, 1)):
        _, _, net = nets(lambda: WeightDecayBuilder(0.5))
    assert written(net) == ["WeightedSum(g, ONE_1_1, w, wd_1_1) -> g"]


def test_sparse_gradients_are_refused():
    with pytest.raises(ValueError, match="sparse gradients"):
        nets(lambda: WeightDecayBuilder(0.5), sparse=True)
