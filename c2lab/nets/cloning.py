"""Copies of nets under other names: whole, in part, with blobs renamed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

from c2lab.nets.blobs import BlobReference, text
from c2lab.nets.records import with_blobs
from c2lab.nets.ssa import get_op_ids_in_path, get_ssa, get_undefined_blobs
from c2lab.proto import caffe2_pb2

if TYPE_CHECKING:
    from c2lab.nets.net import Net

Remap = Callable[[caffe2_pb2.OperatorDef, str, Mapping[str, Any]], None]


def _rename(names: Any, renames: Mapping[str, Any]) -> None:
    """Replaces the entries of a repeated field of names."""
    names[:] = [str(renames.get(name, name)) for name in names]


def remap_input(op: caffe2_pb2.OperatorDef, blob_name_remapping: Mapping[str, Any]) -> None:
    """Renames the inputs of an operator, in place."""
    _rename(op.input, blob_name_remapping)


def remap_net(proto: caffe2_pb2.NetDef, renames: Mapping[str, Any], prefix: str = "") -> None:
    """Renames the blobs of a net, those of the nets inside of it included, in place."""
    for op in proto.op:
        remap_op(op, renames, prefix, DEFAULT_REMAP_FUNCS)
    _rename(proto.external_input, renames)
    _rename(proto.external_output, renames)


def remap_op(
    op: caffe2_pb2.OperatorDef, renames: Mapping[str, Any], prefix: str, remap_funcs: Mapping[str, Remap]
) -> None:
    """Renames the blobs of an operator, in place; ``remap_funcs`` know the types that name blobs in arguments."""
    _rename(op.input, renames)
    _rename(op.output, renames)
    if op.type in remap_funcs:
        remap_funcs[op.type](op, prefix, renames)


def remap_proto(argument: caffe2_pb2.Argument, blob_remap: Mapping[str, Any]) -> None:
    """Renames the blobs of the net that an argument holds, in place."""
    remap_net(argument.n, blob_remap)


def recurrent_network_op_remap(op: caffe2_pb2.OperatorDef, prefix: str, blob_remap: Mapping[str, Any]) -> None:
    """Renames the blobs that a recurrent network names in its arguments: its links, its timestep, its step nets."""

    def renamed(name: bytes) -> bytes:
        return str(blob_remap.get(text(name), text(name))).encode("utf-8")

    for argument in op.arg:
        if argument.strings:
            argument.strings[:] = [renamed(name) for name in argument.strings]
        elif argument.name == "timestep":
            argument.s = renamed(argument.s)
        elif argument.name.endswith("step_net"):
            remap_proto(argument, blob_remap)


def control_op_remap(op: caffe2_pb2.OperatorDef, prefix: str, blob_remap: Mapping[str, Any]) -> None:
    """Renames the blobs in the branches of an ``If``, or in the body and condition of a ``While``."""
    names = ("then_net", "else_net") if op.type in ("If", "AsyncIf") else ("loop_net", "cond_net")
    for argument in op.arg:
        if argument.name in names:
            remap_proto(argument, blob_remap)


DEFAULT_REMAP_FUNCS: dict[str, Remap] = {
    "RecurrentNetwork": recurrent_network_op_remap,
    "RecurrentNetworkGradient": recurrent_network_op_remap,
    "If": control_op_remap,
    "While": control_op_remap,
    "AsyncIf": control_op_remap,
}


def clone(
    net: Net,
    name: str,
    blob_remap: Mapping[Any, Any] | None,
    op_id_mask: Iterable[int] | None,
    remap_funcs: Mapping[str, Remap] | None,
    keep_schema: bool,
    update_external_list: bool,
) -> Net:
    """See ``Net.Clone``."""
    renames = {str(blob): str(to) for blob, to in (blob_remap or {}).items()}
    remaps = {**DEFAULT_REMAP_FUNCS, **(remap_funcs or {})}
    source = net.Proto()
    proto = caffe2_pb2.NetDef()
    proto.CopyFrom(source)
    proto.name = name
    del proto.op[:]
    proto.op.extend(source.op[i] for i in (range(len(source.op)) if op_id_mask is None else op_id_mask))
    for op in proto.op:
        remap_op(op, renames, f"{name}/" if name else "", remaps)
    _rename(proto.external_input, renames)
    _rename(proto.external_output, renames)
    if update_external_list:
        _declare_ends(proto)
    copy = type(net)(proto)
    if keep_schema:
        for kind in ("input", "output"):
            record = getattr(net, f"_{kind}_record")
            if record:
                blobs = [BlobReference(renames.get(str(b), str(b)), copy) for b in record.field_blobs()]
                setattr(copy, f"_{kind}_record", with_blobs(record, blobs))
    copy._attributes.update({key: list(values) for key, values in net._attributes.items()})
    return copy


def _declare_ends(proto: caffe2_pb2.NetDef) -> None:
    """Makes the external inputs what is read first, and the external outputs what nothing reads."""
    inputs: dict[str, None] = {}
    written: dict[str, None] = {}
    read = set()
    for op in proto.op:
        inputs.update(dict.fromkeys(name for name in op.input if name not in written))
        read.update(op.input)
        written.update(dict.fromkeys(op.output))
    proto.external_input[:] = list(inputs)
    proto.external_output[:] = [name for name in written if name not in read]


def clone_partial(
    net: Net,
    name: str,
    inputs: Mapping[Any, Any] | Sequence[Any],
    outputs: Sequence[Any],
    remap_funcs: Mapping[str, Remap] | None,
) -> tuple[Net, list[BlobReference]]:
    """See ``Net.ClonePartial``."""
    if not isinstance(inputs, Mapping):
        pairs = inputs and all(isinstance(entry, tuple) and len(entry) == 2 for entry in inputs)
        inputs = dict(inputs if pairs else zip(inputs, inputs, strict=True))
    given = {str(blob): str(to) for blob, to in inputs.items()}
    wanted = [str(blob) for blob in outputs]
    for output in wanted:
        if not net.BlobIsDefined(output):
            raise AssertionError(f"{output} is not defined")
    ssa, versions = get_ssa(net.Proto(), dict.fromkeys(given, 0))
    needed = get_op_ids_in_path(ssa, versions, given, wanted)
    before = get_op_ids_in_path(ssa, versions, [], given)
    if set(needed) & set(before):
        clash = ", ".join(net.Proto().op[i].type for i in sorted(set(needed) & set(before)))
        raise AssertionError(
            f"Cannot partially clone net: some of the ops required would generate the given input ({clash})."
        )
    outside = [b for b in dict.fromkeys(n for i in needed for n, v in ssa[i][0] if v == 0) if b not in given]
    prefix = f"{name}/" if name else ""
    renames = {b: given.get(b, b if b in outside else prefix + b) for b in versions}
    copy = clone(net, name, renames, needed, remap_funcs, True, False)
    proto = copy.Proto()
    proto.external_input[:] = [renames[b] for b in (*given, *outside)]
    proto.external_output[:] = [renames[b] for b in wanted]
    return copy, [copy.GetBlobRef(renames[b]) for b in wanted]


def clone_and_bind_net(
    net: Net,
    name: str,
    prefix: str,
    blob_remap: MutableMapping[str, str] | None = None,
    inputs: Any = None,
    keep_schema: bool = True,
) -> tuple[Net, MutableMapping[str, str]]:
    """A copy of a net whose own blobs begin with ``prefix``, fed from the blobs of ``inputs``.

    Args:
        net: The net to copy.
        name: The name of the copy.
        prefix: What to put in front of the blobs that the net writes.
        blob_remap: Further renames; this dictionary is filled up and returned.
        inputs: A record with the fields of the net's input record, and perhaps more.
        keep_schema: Whether the copy keeps the records of the net; its input record is ``inputs`` if not.
    """
    renames = {} if blob_remap is None else blob_remap
    if inputs is not None:
        original = net.input_record()
        if original is None:
            raise AssertionError(f'Net "{net.Name()}" has no input record to bind {inputs} to.')
        missing = set(original.field_names()) - set(inputs.field_names())
        if missing:
            raise AssertionError(f'The inputs lack fields that net "{net.Name()}" has: {", ".join(sorted(missing))}.')
        blobs = dict(zip(original.field_names(), original.field_blobs(), strict=True))
        for field, blob in zip(inputs.field_names(), inputs.field_blobs(), strict=True):
            if field in blobs:
                renames[str(blobs[field])] = str(blob)
    ssa, versions = get_ssa(net.Proto())
    outside = get_undefined_blobs(ssa)
    for blob in versions:
        renames.setdefault(blob, blob if blob in outside else prefix + blob)
    copy = net.Clone(name, renames, keep_schema=keep_schema)
    if not keep_schema and inputs:
        copy.set_input_record(inputs)
    return copy, renames
