"""Device options as devices of this machine."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.backend.devices import accelerators, jax_device
from c2lab.errors import DeviceMissing
from c2lab.graph.ir import Device
from c2lab.proto import caffe2_pb2


def test_no_device_option_is_the_default_device_and_cpu_is_the_cpu():
    assert jax_device(Device()).id == 0
    assert jax_device(Device(caffe2_pb2.PROTO_CPU, 0)).platform == "cpu"


def test_an_accelerator_that_is_not_there_is_said_at_the_operator():
    beyond = len(accelerators())
    with core.DeviceScope(core.DeviceOption(caffe2_pb2.CUDA, beyond)):
        op = core.CreateOperator("Relu", "x", "y")
    with pytest.raises(DeviceMissing, match=f"wants accelerator {beyond}"):
        workspace.FeedBlob("x", np.zeros(2, np.float32), device_option=op.device_option)
    workspace.FeedBlob("x", np.zeros(2, np.float32))
    net = core.Net("beyond")
    net.Proto().op.add().CopyFrom(op)
    with pytest.raises(DeviceMissing, match=r"Relu \(operator 0 of net .*build the net outside of the device scope"):
        workspace.CreateNet(net)
