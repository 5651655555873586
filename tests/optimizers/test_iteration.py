"""The counter of steps."""

from __future__ import annotations

import numpy as np

from c2lab import core, workspace
from c2lab.optimizers.iteration import BuildUniqueMutexIter
from tests.written_nets import written


def test_a_net_has_one_counter_on_the_cpu():
    init_net, net = core.Net("counting_init"), core.Net("counting")
    with core.DeviceScope(core.DeviceOption(core.caffe2_pb2.CUDA, 1)):
        counter = BuildUniqueMutexIter(init_net, net, iter_val=5)
        assert BuildUniqueMutexIter(init_net, net) == counter == "optimizer_iteration"
    assert written(init_net) == [
        "ConstantFill() -> optimizer_iteration dtype=10 shape=[1] value=5",
        "CreateMutex() -> iteration_mutex",
    ]
    assert written(net) == ["AtomicIter(iteration_mutex, optimizer_iteration) -> optimizer_iteration"]
    assert {op.device_option.device_type for op in [*init_net.Proto().op, *net.Proto().op]} == {0}
    assert list(net.Proto().op[0].device_option.extra_info) == ["device_type_override:cpu"]


def test_other_names():
    init_net, net = core.Net("counting_init"), core.Net("counting")
    assert BuildUniqueMutexIter(init_net, net, iter="steps", iter_mutex="lock") == "steps"
    assert written(net) == ["AtomicIter(lock, steps) -> steps"]


def test_it_counts():
    init_net, net = core.Net("counting_init"), core.Net("counting")
    BuildUniqueMutexIter(init_net, net)
    workspace.RunNetOnce(init_net)
    workspace.CreateNet(net)
    workspace.RunNet(net.Name(), 3)
    value = workspace.FetchBlob("optimizer_iteration")
    assert (value.dtype, value.tolist()) == (np.int64, [3])
