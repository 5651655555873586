"""NetDefs as graphs, and the errors of those that are none."""

from __future__ import annotations

import pytest

from c2lab.errors import BadArgument, SchemaError, UnknownOperator, UnsafeInplace
from c2lab.graph.ir import Device
from c2lab.graph.reader import read
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument


def net_of(type, inputs, outputs, **arguments):
    net = caffe2_pb2.NetDef(name="read_badly")
    op = net.op.add(type=type, input=inputs, output=outputs)
    op.arg.extend(make_argument(k, v) for k, v in arguments.items())
    return net


@pytest.mark.parametrize(
    ("net", "error", "text"),
    [
        (net_of("Rellu", ["x"], ["y"]), UnknownOperator, "Cannot create operator of type 'Rellu'.*Did you mean: Relu"),
        (net_of("Relu", ["x", "z"], ["y"]), SchemaError, "did not pass schema checking"),
        (net_of("FC", ["x", "w", "b"], ["x"]), UnsafeInplace, "may not write output 0 over its input 0"),
        (
            net_of("LeakyRelu", ["x"], ["y"], alpha=1),
            BadArgument,
            "alpha does not have the right field: expected field f",
        ),
        (net_of("Dropout", ["x"], ["y", "m"]), SchemaError, "is_test"),
        (net_of("Conv", ["x", "w"], ["y"], kernel=2.0), BadArgument, "kernel"),
    ],
)
def test_errors_are_placed(net, error, text):
    with pytest.raises(error, match=text) as caught:
        read(net)
    assert str(caught.value).startswith(f'{net.op[0].type} (operator 0 of net "read_badly")')


def test_devices_and_seeds_come_from_operator_then_net():
    net = net_of("Relu", ["x"], ["y"])
    assert read(net).nodes[0].device == Device()
    net.device_option.device_type = caffe2_pb2.PROTO_CUDA
    net.device_option.device_id = 1
    net.device_option.random_seed = 5
    assert read(net).nodes[0].device == Device(caffe2_pb2.PROTO_CUDA, 1)
    assert read(net).nodes[0].seed == 5
    net.op[0].device_option.device_type = caffe2_pb2.PROTO_CPU
    net.op[0].device_option.random_seed = 6
    assert read(net).nodes[0].device == Device(caffe2_pb2.PROTO_CPU, 0)
    assert read(net).nodes[0].seed == 6


def test_unknown_arguments_are_ignored():
    assert read(net_of("Relu", ["x"], ["y"], use_cudnn=1)).nodes[0].arguments == {}
