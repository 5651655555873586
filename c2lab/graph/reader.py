"""NetDef to Graph: definitions found, arguments read, schema checked, versions counted."""

from __future__ import annotations

from c2lab.errors import C2LabError
from c2lab.graph.ir import Device, Graph, Node, Value
from c2lab.operators import registry
from c2lab.proto import caffe2_pb2


def read(net: caffe2_pb2.NetDef) -> Graph:
    """The graph of a net.

    Raises:
        UnknownOperator, SchemaError, BadArgument, UnsafeInplace: Placed at the operator at fault.

    Example:
        >>> from c2lab.proto import caffe2_pb2
        >>> net = caffe2_pb2.NetDef(name="n")
        >>> _ = net.op.add(type="Relu", input=["x"], output=["x"])
        >>> read(net).nodes[0].outputs
        (Value(blob='x', version=1),)
    """
    versions: dict[str, int] = {}
    nodes = []
    for index, op in enumerate(net.op):
        node = read_operator(op, index, net, versions)
        nodes.append(node)
    return Graph(net.name, tuple(nodes), tuple(net.external_output))


def read_operator(op: caffe2_pb2.OperatorDef, index: int, net: caffe2_pb2.NetDef, versions: dict[str, int]) -> Node:
    """One node; ``versions`` counts the writes of each blob so far and is brought up to date."""
    option = op.device_option if op.HasField("device_option") else net.device_option
    has_device = op.HasField("device_option") or net.HasField("device_option")
    seed = next((o.random_seed for o in (op.device_option, net.device_option) if o.HasField("random_seed")), None)
    try:
        operator = registry.find(op.type)
        operator.check(op)
        arguments = operator.read_arguments(op)
    except C2LabError as error:
        from c2lab import origins

        raise error.at(origins.place(op.type, op.name, index, net.name)) from None
    inputs = tuple(Value(name, versions.get(name, 0)) for name in op.input)
    outputs = []
    for name in op.output:
        versions[name] = versions.get(name, 0) + 1
        outputs.append(Value(name, versions[name]))
    return Node(
        index=index,
        op=op,
        operator=operator,
        arguments=arguments,
        inputs=inputs,
        outputs=tuple(outputs),
        device=Device(option.device_type, option.device_id)
        if has_device and option.HasField("device_type")
        else Device(),
        seed=seed,
        net_name=net.name,
    )
