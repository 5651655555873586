"""Nets read as static single assignments: every blob with the version at which it is read or written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from c2lab.proto import caffe2_pb2

if TYPE_CHECKING:
    from c2lab.nets.net import Net

Versioned = tuple[str, int]
SSA = Sequence[tuple[list[Versioned], list[Versioned]]]


def get_ssa(
    net: Net | caffe2_pb2.NetDef, blob_versions: dict[str, int] | None = None
) -> tuple[list[tuple[list[Versioned], list[Versioned]]], dict[str, int]]:
    """The inputs and outputs of every operator as ``(name, version)``, and the last version of each blob.

    A blob that is given to the net has version 0; each operator that writes it makes the next one.

    Args:
        net: The net.
        blob_versions: Versions to begin with; this dictionary is carried on and returned.

    Example:
        >>> op = caffe2_pb2.OperatorDef(type="Relu", input=["x"], output=["x"])
        >>> get_ssa(caffe2_pb2.NetDef(op=[op]))
        ([([('x', 0)], [('x', 1)])], {'x': 1})
    """
    proto = net if isinstance(net, caffe2_pb2.NetDef) else net.Proto()
    versions = {} if blob_versions is None else blob_versions
    for name in proto.external_input:
        versions.setdefault(name, 0)
    ssa = []
    for op in proto.op:
        for name in op.input:
            versions.setdefault(name, 0)
        inputs = [(name, versions[name]) for name in op.input]
        for name in op.output:
            versions[name] = versions.get(name, 0) + 1
        ssa.append((inputs, [(name, versions[name]) for name in op.output]))
    return ssa, versions


def get_undefined_blobs(ssa: SSA) -> set[str]:
    """The blobs that are read before any operator writes them."""
    return {name for inputs, _ in ssa for name, version in inputs if version == 0}


def get_output_producers(ssa: SSA) -> dict[Versioned, int]:
    """The position of the operator that writes each version of each blob."""
    return {blob: position for position, (_, outputs) in enumerate(ssa) for blob in outputs}


def get_op_ids_in_path(
    ssa: SSA, blob_versions: Mapping[str, int], inputs: Iterable[Any], outputs: Iterable[Any]
) -> list[int]:
    """The positions of the operators that are needed to compute ``outputs`` once ``inputs`` are there."""
    given = {(str(name), blob_versions[str(name)]) for name in inputs}
    producers = get_output_producers(ssa)
    wanted = [(str(name), blob_versions[str(name)]) for name in outputs]
    needed: set[int] = set()
    while wanted:
        blob = wanted.pop()
        position = producers.get(blob)
        if blob in given or position is None or position in needed:
            continue
        needed.add(position)
        wanted.extend(ssa[position][0])
    return sorted(needed)
