"""The backward pass: from forward operators to the gradient operators that follow them.

A blob may be written more than once, so everything is kept for a name *at a version*.
The forward operators are played once to learn the versions; then, from the last to the
first, each one whose outputs have a gradient is asked for its gradient operators. Where
several operators read one version of a blob, each contributes a gradient, and as soon as
the first reader (the last one in this order) has contributed, a ``Sum`` joins them.

Everything here is names and OperatorDefs; nothing runs.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from c2lab import origins
from c2lab.errors import BadArgument, C2LabError, NoGradient, UnsafeInplace
from c2lab.graph.accumulation import Contribution, Writer, find_writers, join, must_join
from c2lab.graph.overwritten import make_safe_gradient
from c2lab.operators.gradients import Gradient, GradientOperators, GradientSlice, NetGradients
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument

OperatorDef = caffe2_pb2.OperatorDef
GradientMaker = Callable[[OperatorDef, Sequence[Gradient]], tuple[Sequence[OperatorDef], Sequence[Gradient]]]


class OpSSA(NamedTuple):
    """An operator, with the version at which it reads and writes each of its blobs."""

    op: OperatorDef
    in_versions: dict[str, int]
    out_versions: dict[str, int]


class BackwardOperators(NamedTuple):
    """The gradient operators in the order in which they run, and the gradient of each blob that has one."""

    ops: list[OperatorDef]
    gradients: dict[str, str | GradientSlice]


def differentiate(
    net: caffe2_pb2.NetDef, gradients: Mapping[str, str], known: Iterable[str], maker: GradientMaker
) -> NetGradients:
    """The gradient operators of a net that stands in an operator, by the makers of the pass around it."""
    inside = BackwardPass(net.op, maker, net_name=net.name, known=known)
    return inside.gradients_at_entry(gradients)


def registered_gradient(op: OperatorDef, output_gradients: Sequence[Gradient]) -> GradientOperators:
    """The gradient of an operator as its definition has it, that of the nets in it included."""
    return make_safe_gradient(op, output_gradients, partial(differentiate, maker=registered_gradient))


class BackwardPass:
    """The gradient operators for a list of forward operators.

    Args:
        operators: The forward operators, in the order in which they run.
        maker: Who knows the gradient of one operator; the registry where left out.
        net_name, first_position: The net that the operators come from and where, for messages.
        known: Blobs that exist before the operators run, also those that are written before they are read.

    Example:
        >>> relu = OperatorDef(type="Relu", input=["x"], output=["y"])
        >>> ops, gradients = BackwardPass([relu]).gradients_of(["y"])
        >>> [op.type for op in ops], gradients["x"]
        (['ConstantFill', 'ReluGradient'], 'x_grad')
    """

    def __init__(
        self,
        operators: Sequence[OperatorDef],
        maker: GradientMaker = registered_gradient,
        *,
        net_name: str = "",
        first_position: int = 0,
        known: Iterable[str] = (),
    ) -> None:
        self._maker = maker
        self._net_name = net_name
        self._first_position = first_position
        self.ssa: list[OpSSA] = []
        self.frontier: defaultdict[str, int] = defaultdict(int, dict.fromkeys(known, 0))
        self.gradient_frontier: dict[str, int] = {}
        self.input_usages: defaultdict[str, defaultdict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        self.gradient_generators: defaultdict[tuple[str, int], list[Contribution]] = defaultdict(list)
        for op in operators:
            self.play(op)
        self._require_used_stops()

    # ---- forward ---------------------------------------------------------------------------------

    def play(self, op: OperatorDef) -> None:
        """Notes the versions at which an operator reads and writes; a new blob starts with version 0."""
        reads = {}
        for name in op.input:
            reads[name] = self.frontier[name]
            self.input_usages[name][reads[name]].append(len(self.ssa))
        writes = {}
        for name in op.output:
            if name in self.frontier:
                self.frontier[name] += 1
            writes[name] = self.frontier[name]
        self.ssa.append(OpSSA(op, reads, writes))

    def _require_used_stops(self) -> None:
        for position, (op, _, _) in enumerate(self.ssa):
            if op.type == "StopGradient" and op.output[0] not in self.input_usages:
                raise BadArgument(
                    f"StopGradient's output '{op.output[0]}' is orphan: nothing reads it, so nothing is stopped. "
                    f"Give StopGradient the same input and output, or let what follows read '{op.output[0]}'."
                ).at(self._place(position))

    def _place(self, position: int) -> str:
        """An operator in words, with the line that added it where that is known."""
        op, number = self.ssa[position].op, self._first_position + position
        place = origins.place(op.type, op.name, number, self._net_name)
        return place if self._net_name else f"{place} (operator {number})"

    # ---- backward --------------------------------------------------------------------------------

    def gradients_of(
        self, ys: Sequence[Any] | Mapping[Any, Any], seed_device: caffe2_pb2.DeviceOption | None = None
    ) -> BackwardOperators:
        """The gradient operators for ``ys``.

        Args:
            ys: Blobs to differentiate, whose gradient is then filled with ones; or, by blob, the
                gradient to start from (``None``: ones).
            seed_device: The device on which the ones are made; that of the blob where left out.

        Raises:
            TypeError: ``ys`` is neither a list nor a dictionary.
            NoGradient: An operator on the way refuses a gradient.
            UnsafeInplace: A blob that a gradient needs is overwritten by then.
        """
        if isinstance(ys, list | tuple):
            ys = dict.fromkeys(ys)
        elif not isinstance(ys, Mapping):
            raise TypeError(f"ys should either be a list or a dict, not {type(ys).__name__}.")
        start = {str(y): gradient for y, gradient in ys.items()}
        for y in start:
            self.gradient_frontier[y] = self.frontier[y]
            # The caller is one more reader of y, after all operators.
            self.input_usages[y][self.frontier[y]].append(len(self.ssa))
        ops: list[OperatorDef] = []
        gradients: dict[str, Gradient] = {}
        for y, given in start.items():
            gradients[y] = self._start(y, given, seed_device, ops)
        for position in reversed(range(len(self.ssa))):
            ops += self._differentiate(position, gradients)
            ops += self._accumulate(position, gradients)
        return BackwardOperators(ops, {name: g for name, g in gradients.items() if g is not None})

    def gradients_at_entry(self, ys: Mapping[str, str]) -> NetGradients:
        """The gradient operators for ``ys``, and the gradients of blobs as they were before all operators."""
        ops, gradients = self.gradients_of(ys)
        made_here = {name for _, _, writes in self.ssa for name, version in writes.items() if version == 0}
        found = {
            name: gradient
            for name, gradient in gradients.items()
            if self.gradient_frontier.get(name) == 0 and name not in made_here
        }
        return NetGradients(ops, found)

    def _start(
        self, y: str, given: Any, device: caffe2_pb2.DeviceOption | None, ops: list[OperatorDef]
    ) -> str | GradientSlice:
        """The gradient of ``y`` to begin with; where none is given, an operator that makes ones."""
        version = self.frontier[y]
        writers: tuple[Writer | None, ...]
        if given is None:
            device = device or self._device_of(y, version)
            seed = OperatorDef(type="ConstantFill", name="", input=[y], output=[f"{y}_autogen_grad"])
            seed.arg.append(make_argument("value", 1.0))
            if device is not None:
                seed.device_option.CopyFrom(device)
            ops.append(seed)
            gradient, writers = seed.output[0], (Writer(seed, 0),)
        else:
            gradient, device = _as_names(given), None
            writers = (None, None) if isinstance(gradient, GradientSlice) else (None,)
        self.gradient_generators[y, version].append(Contribution(gradient, writers, device))
        return gradient

    def _device_of(self, name: str, version: int) -> caffe2_pb2.DeviceOption | None:
        for op, _, writes in self.ssa:
            if writes.get(name) == version:
                return _device(op)
        return None

    def _differentiate(self, position: int, gradients: dict[str, Gradient]) -> list[OperatorDef]:
        """The gradient operators of one forward operator; ``gradients`` learns those of its inputs."""
        op = self.ssa[position].op
        arriving = [gradients.get(name) for name in op.output]
        if all(gradient is None for gradient in arriving) and op.type != "ZeroGradient":
            return []
        try:
            made, leaving = self._maker(op, arriving)
        except C2LabError as error:
            raise error.at(self._place(position)) from error.__cause__
        ops, leaving = list(made), [_as_names(gradient) for gradient in leaving]
        self._require_versions(position, ops, arriving)
        self._contribute(position, ops, leaving)
        for name, gradient in zip(op.input, leaving, strict=False):
            # An input without a gradient keeps what another reader contributed, unless this
            # operator writes it too: then that was the gradient of a later version.
            if gradient is not None or name not in gradients or name in op.output:
                gradients[name] = gradient
        return ops

    def _contribute(self, position: int, ops: Sequence[OperatorDef], leaving: Sequence[Gradient]) -> None:
        """Notes what the gradient operators ``ops`` contribute to the inputs of a forward operator."""
        op, reads, _ = self.ssa[position]
        wanted: defaultdict[str, int] = defaultdict(int)
        for gradient in leaving:
            for name in _names(gradient):
                wanted[name] += 1
        writers = {name: deque(find_writers(ops, name, count)) for name, count in wanted.items()}
        made = []
        for name, gradient in zip(op.input, leaving, strict=False):
            if gradient is None:
                continue
            sources = tuple(writers[n].popleft() if writers[n] else None for n in _names(gradient))
            written = next((source for source in sources if source is not None), None)
            device = _device(written.op if written else op)
            made.append((name, Contribution(gradient, sources, device)))
            self.gradient_frontier[name] = reads[name]
        made.sort(key=lambda entry: all(writer is None for writer in entry[1].writers))
        for name, contribution in made:
            self.gradient_generators[name, reads[name]].append(contribution)

    # ---- accumulation ----------------------------------------------------------------------------

    def _accumulate(self, position: int, gradients: dict[str, Gradient]) -> list[OperatorDef]:
        """The operators that join the gradients of inputs whose readers have all contributed by now."""
        op, reads, _ = self.ssa[position]
        joining: list[OperatorDef] = []
        for name in dict.fromkeys(op.input):
            usages = self.input_usages[name][reads[name]]
            contributions = self.gradient_generators[name, reads[name]]
            if len(usages) < 2 or usages[0] != position or not must_join(name, contributions):
                continue
            ops, gradients[name] = join(name, contributions)
            joining += ops
        return joining

    # ---- versions --------------------------------------------------------------------------------

    def _require_versions(self, position: int, ops: Sequence[OperatorDef], arriving: Sequence[Gradient]) -> None:
        """Every input of the gradient operators must still be what it was at the forward operator."""
        op, reads, writes = self.ssa[position]
        carries: dict[str, str] = {}
        for output, gradient in zip(op.output, arriving, strict=False):
            for name in _names(gradient):
                carries.setdefault(name, output)
        local: set[str] = set()
        for gradient_op in ops:
            for name in gradient_op.input:
                if name in carries:
                    self._require_gradient_version(position, name, carries[name])
                elif name in writes:
                    self._require_version(position, gradient_op, "output", name, writes[name])
                elif name in reads:
                    self._require_version(position, gradient_op, "input", name, reads[name])
                elif name not in local:
                    raise NoGradient(
                        f'Blob name "{name}" not in the scope of operator {op.type}: {gradient_op.type} reads it, but '
                        "it is no input, output or output gradient, and is not generated by any of the local gradient "
                        "operators."
                    ).at(self._place(position))
            local.update(gradient_op.output)

    def _require_version(self, position: int, gradient_op: OperatorDef, role: str, name: str, version: int) -> None:
        current = self.frontier[name]
        if current == version:
            return
        writers = [p for p in range(position + 1, len(self.ssa)) if name in self.ssa[p].out_versions]
        by, at = self.ssa[writers[0]].op, self._first_position + writers[0]
        raise UnsafeInplace(
            f'Gradient operator needs {role} "{name}" at version {version}, but currently we have version {current}. '
            f'{gradient_op.type} reads "{name}" as {self.ssa[position].op.type} (operator '
            f"{self._first_position + position}) had it, but {by.type} (operator {at}) has overwritten it by then. "
            f'Give the output "{name}" of {by.type} another name.\n{self._history(name)}'
        ).at(self._place(position))

    def _require_gradient_version(self, position: int, gradient: str, name: str) -> None:
        version, current = self.ssa[position].out_versions[name], self.gradient_frontier.get(name)
        if current != version:
            raise UnsafeInplace(
                f'Gradient name "{gradient}" is expected to correspond to version {version} of "{name}", but currently '
                f'we have version {current}. Two operators write "{name}", and the second does not read it; '
                f"give them different outputs.\n{self._history(name)}"
            ).at(self._place(position))

    def _history(self, name: str) -> str:
        """Who wrote and read each version of a blob, one line a version."""
        lines = [f'Version history of blob "{name}":']
        for version in range(self.frontier[name] + 1):
            writer = next((p for p, (_, _, writes) in enumerate(self.ssa) if writes.get(name) == version), None)
            readers = [p for p, (_, reads, _) in enumerate(self.ssa) if reads.get(name) == version]
            origin = "given from outside" if writer is None else f"written by {self._place(writer)}"
            read = f", read by {', '.join(self._place(p) for p in readers)}" if readers else ""
            lines.append(f"  version {version}: {origin}{read}")
        return "\n".join(lines)


def _names(gradient: Gradient) -> tuple[str, ...]:
    if gradient is None:
        return ()
    return tuple(gradient) if isinstance(gradient, GradientSlice) else (gradient,)


def _as_names(gradient: Any) -> Any:
    """A gradient in names only, however the maker or the caller wrote it."""
    if gradient is None:
        return None
    if isinstance(gradient, GradientSlice):
        return GradientSlice(str(gradient.indices), str(gradient.values))
    return str(gradient)


def _device(op: OperatorDef) -> caffe2_pb2.DeviceOption | None:
    return op.device_option if op.HasField("device_option") else None
