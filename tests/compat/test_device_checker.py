"""The same on several devices."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core
from c2lab.compat.device_checker import DeviceChecker
from c2lab.proto import caffe2_pb2

CPU = core.DeviceOption(caffe2_pb2.CPU)


def test_devices_agree():
    op = core.CreateOperator("Relu", ["x"], ["y"])
    assert DeviceChecker(0.01, [CPU, CPU]).CheckSimple(op, [np.float32([[-1, 2]])], [0])
    net = core.Net("two")
    net.Relu("x", "y")
    assert DeviceChecker(0.01, [CPU, CPU]).CheckNet(net, {"x": np.float32([-1, 2])})


@pytest.mark.parametrize("ignore", [[], ["y"]])
def test_differences_are_found(capsys, ignore):
    net = core.Net("random")
    net.UniformFill([], "y", shape=[100])
    assert DeviceChecker(0.01, [CPU, CPU]).CheckNet(net, ignore=ignore) == bool(ignore)
    assert ("differs from device 0 in y" in capsys.readouterr().out) != bool(ignore)
