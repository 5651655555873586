"""The part of a net that predicts."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from c2lab.nets.net import Net
from c2lab.proto import caffe2_pb2

logger = logging.getLogger(__name__)


def ExtractPredictorNet(
    net_proto: caffe2_pb2.NetDef,
    input_blobs: Iterable[Any],
    output_blobs: Iterable[Any],
    device: caffe2_pb2.DeviceOption | None = None,
    renames: Mapping[str, str] | None = None,
    disabled_inputs: Iterable[Any] | None = None,
) -> tuple[Net, list[str]]:
    """The part of a net that leads from inputs to outputs, as a net to predict with.

    Args:
        net_proto: A net made for testing.
        input_blobs, output_blobs: Where the part begins and ends.
        device: Where it runs; as in ``net_proto`` where left out.
        renames: New names of blobs.
        disabled_inputs: External inputs that it must not use; the operators that do are left out.

    Returns:
        The net, and the names of the parameters that it needs beside its inputs.

    Raises:
        Exception: No operator uses an input or writes an output, or one is made for training (``is_test=0``).
    """
    renames = renames or {}
    inputs, outputs = [str(b) for b in input_blobs], [str(b) for b in output_blobs]
    ops = list(net_proto.op)
    begin = next((k for k, op in enumerate(ops) if op.type != "StopGradient" and set(inputs) & set(op.input)), None)
    if begin is None:
        raise Exception(f"No ops with input={inputs}")
    end = next((k for k in reversed(range(len(ops))) if set(outputs) & set(ops[k].output)), None)
    if end is None:
        raise Exception(f"No ops with output={outputs}")

    given, promised = set(net_proto.external_input), set(net_proto.external_output)
    known = (given | set(inputs)) - {str(b) for b in disabled_inputs or ()}
    # In the order in which they come up, each once.
    external_inputs, external_outputs = dict.fromkeys(inputs), dict.fromkeys(outputs)
    predict_net = Net(net_proto.name + "_predict")
    proto = predict_net.Proto()

    for original in ops[begin : end + 1]:
        unknown = set(original.input) - known
        if unknown:
            logger.debug("Operator %s is left out: nothing writes %s.", original.type, sorted(unknown))
            continue
        if any(argument.name == "is_test" and argument.i == 0 for argument in original.arg):
            raise Exception(
                "An operator had is_test=0, did you try to extract a predictor from a train model (instead of "
                f"test model)? Op was: {original}"
            )
        op = proto.op.add()
        op.CopyFrom(original)
        step_inputs = _prepare_step_nets(op, renames, device) if op.type == "RecurrentNetwork" else []
        if device is not None:
            _place(op, device)
        known.update(op.output)
        external_inputs.update(dict.fromkeys(b for b in (*op.input, *step_inputs) if b in given))
        external_outputs.update(dict.fromkeys(b for b in op.output if b in promised))

    proto.external_input.extend(external_inputs)
    proto.external_output.extend(external_outputs)
    for names in (proto.external_input, proto.external_output, *(n for op in proto.op for n in (op.input, op.output))):
        _rename(names, renames)
    without_data = {renames.get(b, b) for b in inputs}
    return predict_net, [b for b in proto.external_input if b not in without_data]


def _prepare_step_nets(
    op: caffe2_pb2.OperatorDef, renames: Mapping[str, str], device: caffe2_pb2.DeviceOption | None
) -> list[str]:
    """Renames and places what a recurrent network runs at each step, drops its backward net; returns what it reads."""
    reads: list[str] = []
    for argument in op.arg:
        if argument.name == "backward_step_net":
            argument.ClearField("n")
        elif argument.name == "step_net":
            reads.extend(argument.n.external_input)
            for step in argument.n.op:
                _rename(step.input, renames)
                _rename(step.output, renames)
                if device is not None:
                    _place(step, device)
            _rename(argument.n.external_input, renames)
            _rename(argument.n.external_output, renames)
    return reads


def _place(op: caffe2_pb2.OperatorDef, device: caffe2_pb2.DeviceOption) -> None:
    op.device_option.device_type = device.device_type
    op.device_option.device_id = device.device_id


def _rename(names: Any, renames: Mapping[str, str]) -> None:
    for position, name in enumerate(names):
        names[position] = renames.get(name, name)
