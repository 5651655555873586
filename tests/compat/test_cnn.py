"""Layers as methods."""

from __future__ import annotations

import pytest

from c2lab.compat.cnn import CNNModelHelper
from c2lab.proto import caffe2_pb2


def test_layers_are_those_of_brew():
    model = CNNModelHelper(order="NHWC", name="old")
    conv = model.Conv("data", "conv", 1, 4, 3, model.XavierInit, model.ConstantInit)
    pool = model.MaxPool(model.Relu(conv, conv), "pool", kernel=2, stride=2)
    model.Softmax(model.FC(pool, "fc", 4, 2), "softmax")
    assert [op.type for op in model.net.Proto().op] == ["Conv", "Relu", "MaxPool", "FC", "Softmax"]
    assert [str(p) for p in model.params] == ["conv_w", "conv_b", "fc_w", "fc_b"]
    order = next(a for a in model.net.Proto().op[0].arg if a.name == "order")
    assert order.s == b"NHWC"
    assert model.CPU.device_type == caffe2_pb2.CPU
    assert model.GPU.device_type == caffe2_pb2.CUDA


def test_orders_are_two():
    with pytest.raises(ValueError, match="storage order"):
        CNNModelHelper(order="CHWN")
