"""What optimizers share: how they are called, their names, their learning rates."""

from __future__ import annotations

import pytest

from c2lab import core
from c2lab.optimizers.base import Optimizer, reset_optimizer_instance_count
from c2lab.optimizers.sgd import SgdOptimizer
from c2lab.parameters.info import ParameterInfo
from tests.written_nets import written


@pytest.fixture(autouse=True)
def first_instances():
    reset_optimizer_instance_count()


def pair() -> tuple[core.Net, core.Net]:
    return core.Net("base"), core.Net("base_init")


def test_a_blob_and_its_gradient_will_do():
    net, init_net = pair()
    SgdOptimizer(0.5)(net, init_net, "w", "g")
    assert net.Proto().op[-1].output[0] == "w"


def test_without_a_gradient_there_is_nothing_to_do():
    net, init_net = pair()
    with pytest.raises(AssertionError, match="must be a ParameterInfo"):
        SgdOptimizer()(net, init_net, "w")
    with pytest.raises(AssertionError, match="w has no gradient"):
        SgdOptimizer()(net, init_net, ParameterInfo(None, core.BlobReference("w")))
    with pytest.raises(NotImplementedError, match="Optimizer"):
        Optimizer()(net, init_net, "w", "g")
    with pytest.raises(NotImplementedError, match="no learning rate"):
        Optimizer().scale_learning_rate(0.5)


def test_instances_are_counted_by_class():
    first, other, second = SgdOptimizer(), Optimizer(), SgdOptimizer()
    assert first.make_unique_blob_name("lr") == "SgdOptimizer_0_lr_cpu"
    assert second.make_unique_blob_name("lr") == "SgdOptimizer_1_lr_cpu"
    assert other.make_unique_blob_name("lr") == "Optimizer_0_lr_cpu"
    with core.DeviceScope(core.DeviceOption(core.caffe2_pb2.CUDA, 2, node_name="n")):
        assert first.make_unique_blob_name("lr") == "SgdOptimizer_0_lrn_gpu2"
    with core.DeviceScope(core.DeviceOption(core.caffe2_pb2.CPU, node_name="n")):
        assert first.make_unique_blob_name("lr") == "SgdOptimizer_0_lrn_cpu"


def test_attributes_are_a_copy_without_the_number():
    optimizer = SgdOptimizer(0.5, momentum=0.9, gamma=0.1)
    attributes = optimizer.attributes
    assert "_instance_num" not in attributes
    assert (attributes["base_learning_rate"], attributes["init_kwargs"]) == (0.5, {"gamma": 0.1})
    attributes["init_kwargs"]["gamma"] = 0.2
    assert optimizer.init_kwargs == {"gamma": 0.1}


def test_the_rate_is_made_once_for_all_parameters():
    net, init_net = pair()
    optimizer = SgdOptimizer(0.5, policy="inv", gamma=0.5, power=0.75)
    for name in ("v", "w"):
        optimizer(net, init_net, name, name + "_grad")
    types = [op.type for op in net.Proto().op]
    assert types == ["AtomicIter", "LearningRate", "WeightedSum", "WeightedSum"]
    assert written(net)[1].endswith("base_lr=-0.5 gamma=0.5 policy=inv power=0.75")
    # The number 1 is filled for each parameter, again and again.
    assert [line for line in written(init_net) if "ONE_0_0" in line] == [
        "ConstantFill() -> ONE_0_0 shape=[1] value=1"
    ] * 2


def test_a_rate_of_another_name_and_a_multiplier():
    net, init_net = pair()
    optimizer = SgdOptimizer()
    optimizer.add_lr_multiplier("ratio")
    lr, iteration = optimizer.build_lr(net, init_net, 0.5, learning_rate_blob="my_lr", iter_val=7)
    assert (lr, iteration) == ("SgdOptimizer_0_scaled_lr_cpu", "optimizer_iteration")
    assert written(net)[1:] == [
        "LearningRate(optimizer_iteration) -> my_lr base_lr=-0.5 policy=fixed",
        "CopyFromCPUInput(ratio) -> SgdOptimizer_0_lr_multiplier_cpu",
        "Mul(my_lr, SgdOptimizer_0_lr_multiplier_cpu) -> SgdOptimizer_0_scaled_lr_cpu",
    ]
    assert written(init_net)[0].endswith("value=7")


def test_only_sparse_gradients_have_rows_to_join():
    with pytest.raises(AssertionError, match="only works for sparse"):
        Optimizer.dedup(core.Net("base"), "sum", "g")
    sparse = core.GradientSlice("i", "v")
    assert Optimizer.dedup(core.Net("base"), None, sparse) is sparse
