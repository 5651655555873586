"""Nets that stand in an operator's arguments: how they run, and what a scope of blobs is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import numpy as np

from c2lab.errors import BadValue
from c2lab.operators.values import Opaque
from c2lab.proto import caffe2_pb2


def run_net(net: caffe2_pb2.NetDef, key: str, workspace: Any, state: dict[str, Any]) -> None:
    """Runs ``net`` once in ``workspace``; made ready at the first run and kept in ``state``."""
    executable = state.get(key)
    if executable is None:
        executable = state[key] = workspace.executable(net)
    executable.run_inside()


def holds(condition: Any, name: str) -> bool:
    """The truth of a condition blob.

    Raises:
        BadValue: It is not one boolean.
    """
    if str(getattr(condition, "dtype", "")) != "bool" or condition.size != 1:
        kind = getattr(condition, "dtype", None) or getattr(condition, "type_name", type(condition).__name__)
        shape = list(getattr(condition, "shape", ()))
        raise BadValue(f"condition {name} is {kind}{shape}; it must hold one bool")
    return bool(condition.reshape(()))


# The arguments of operators whose nets run on the blobs around them; that of ``Do`` is not one of these.
SHARING_NETS = ("then_net", "else_net", "loop_net", "cond_net")


def net_argument(op: caffe2_pb2.OperatorDef, name: str) -> caffe2_pb2.NetDef:
    """The net that an operator holds under this name; an empty one where it holds none."""
    return next((argument.n for argument in op.arg if argument.name == name), caffe2_pb2.NetDef())


def sharing_nets(op: caffe2_pb2.OperatorDef) -> list[caffe2_pb2.NetDef]:
    """The nets of an operator that run on the blobs around it."""
    return [argument.n for argument in op.arg if argument.name in SHARING_NETS]


def reads_of(net: caffe2_pb2.NetDef) -> set[str]:
    """The blobs that a net reads before it writes them, the nets inside of it included."""
    reads: set[str] = set()
    writes: set[str] = set()
    for op in net.op:
        inside = {name for inner in sharing_nets(op) for name in reads_of(inner)}
        reads.update(name for name in (*op.input, *inside) if name not in writes)
        writes.update(op.output)
    return reads


def writes_of(net: caffe2_pb2.NetDef) -> set[str]:
    """The blobs that a net may write, the nets inside of it included."""
    names: set[str] = set()
    for op in net.op:
        names.update(op.output)
        for inner in sharing_nets(op):
            names |= writes_of(inner)
    return names


def rename_blobs(op: caffe2_pb2.OperatorDef, names: Mapping[str, str]) -> None:
    """Gives the blobs of an operator other names, also in the nets that run on the blobs around it."""
    op.input[:] = [names.get(name, name) for name in op.input]
    op.output[:] = [names.get(name, name) for name in op.output]
    for net in sharing_nets(op):
        for inner in net.op:
            rename_blobs(inner, names)
        net.external_input[:] = [names.get(name, name) for name in net.external_input]
        net.external_output[:] = [names.get(name, name) for name in net.external_output]


def rename_output(op: caffe2_pb2.OperatorDef, position: int, name: str) -> None:
    """Gives one output of an operator another name, also where its nets write it.

    What the nets read under the old name before they write it is a blob from outside, and stays.
    """
    old = op.output[position]
    op.output[position] = name
    for net in sharing_nets(op):
        written = False
        for inner in net.op:
            if written:
                inner.input[:] = [name if blob == old else blob for blob in inner.input]
            for place, blob in enumerate(inner.output):
                if blob == old:
                    rename_output(inner, place, name)
                    written = True
        net.external_output[:] = [name if blob == old else blob for blob in net.external_output]


class BoundBlobs(MutableMapping[str, Any]):
    """Blobs of a scope: some names stand for blobs outside, all others are its own.

    Args:
        own: The scope's own blobs.
        outside: Where bound names lead to.
        bindings: The name outside for each name inside that leads there.
        sees_outside: Whether a name that is neither bound nor its own is looked up outside.
    """

    def __init__(
        self,
        own: dict[str, Any],
        outside: MutableMapping[str, Any],
        bindings: Mapping[str, str],
        *,
        sees_outside: bool = False,
    ) -> None:
        self.own = own
        self.outside = outside
        self.bindings = dict(bindings)
        self.sees_outside = sees_outside

    def __getitem__(self, name: str) -> Any:
        outer = self.bindings.get(name)
        if outer is not None:
            return self.outside[outer]
        if self.sees_outside and name not in self.own:
            return self.outside[name]
        return self.own[name]

    def __setitem__(self, name: str, value: Any) -> None:
        outer = self.bindings.get(name)
        if outer is not None:
            self.outside[outer] = value
        else:
            self.own[name] = value

    def __delitem__(self, name: str) -> None:
        if name in self.bindings:
            del self.outside[self.bindings[name]]
        else:
            del self.own[name]

    def __iter__(self) -> Iterator[str]:
        seen = {*self.own, *(inner for inner, outer in self.bindings.items() if outer in self.outside)}
        if self.sees_outside:
            seen.update(self.outside)
        return iter(sorted(seen))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Scope(BoundBlobs):
    """The blobs of one run of a ``Do``.

    ``first`` and ``last`` are what the bound blobs held before and after the run: references, since
    arrays are never changed in place.
    """

    def __init__(self, own: dict[str, Any], outside: MutableMapping[str, Any], bindings: Mapping[str, str]) -> None:
        super().__init__(own, outside, bindings)
        self.first = self.bound_values()
        self.last: dict[str, Any] = {}

    def bound_values(self) -> dict[str, Any]:
        """What the bound blobs hold now."""
        return {inner: self.outside[outer] for inner, outer in self.bindings.items() if outer in self.outside}


class Scopes(Opaque):
    """The scopes that forward runs left behind, for the backward runs that take them back, last first."""

    type_name = "caffe2::detail::WorkspaceStack"

    def __init__(self) -> None:
        self.entered: list[Scope] = []


class StepScopes(Opaque):
    """The scopes of the steps of a recurrent net, one a step, for its gradient."""

    type_name = "caffe2::detail::ScratchWorkspaces"

    def __init__(self) -> None:
        self.steps: list[BoundBlobs] = []
        self.states: dict[str, np.ndarray] = {}


def written(net: caffe2_pb2.NetDef) -> frozenset[str]:
    """The blobs that the operators of a net write."""
    return frozenset(name for op in net.op for name in op.output)


def shelter(names: frozenset[str], scope: BoundBlobs) -> None:
    """Gives a scope copies of blobs around it that a net in it will write: those around it stay as they are."""
    for name in names:
        if name not in scope.own and name not in scope.bindings and name in scope.outside:
            held = scope.outside[name]
            scope.own[name] = np.array(held) if hasattr(held, "dtype") else held
