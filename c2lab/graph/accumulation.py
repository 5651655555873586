"""Where one blob has several gradients: the operators that join them.

Dense gradients are added by a ``Sum``, sparse ones are put one behind the other by ``Concat``.
The names are the original's: the first gradient that an operator writes gives the result its
name, and the others step aside (``_x_grad_autosplit_0``, ``_x_grad_autosplit_1``, ...).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from c2lab.errors import NoGradient
from c2lab.operators.gradients import GradientSlice
from c2lab.operators.subnets import rename_output
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument

OperatorDef = caffe2_pb2.OperatorDef

# Notes in a device option: on an operator that joins gradients, and on one whose joins shall carry no other note.
MARK = "is_auto_gen_sum_ops"
ONLY_KEEP_MARK = "only_keep_is_auto_gen_sum_ops_tag"


class Writer(NamedTuple):
    """The output of a gradient operator that holds a gradient.

    ``mentions`` are the other places of the same gradient where the blob stands, as positions in
    repeated fields: operators that work on it in place, or read it.
    """

    op: OperatorDef
    position: int
    mentions: tuple[tuple[Any, int], ...] = ()

    @property
    def name(self) -> str:
        """The blob that is written."""
        return self.op.output[self.position]

    def rename(self, name: str) -> None:
        """Gives the blob another name wherever the gradient mentions it."""
        rename_output(self.op, self.position, name)
        for names, position in self.mentions:
            names[position] = name


def find_writers(ops: Sequence[OperatorDef], name: str, count: int) -> list[Writer]:
    """Who writes the blob ``name`` among the operators of one gradient: ``count`` writers at most.

    Where there are more, the earlier ones made what the later ones finished in place.
    """
    writers: list[Writer] = []
    mentions: list[tuple[Any, int]] = []
    for op in ops:
        # Before the first write the name means a blob from elsewhere: the gradient of an in-place operator.
        if writers:
            mentions += [(op.input, i) for i, read in enumerate(op.input) if read == name]
        writers += [Writer(op, o) for o, written in enumerate(op.output) if written == name]
    last = writers[-count:]
    if count > 1 or not last:
        return last
    mentions += [(writer.op.output, writer.position) for writer in writers[:-1]]
    return [last[0]._replace(mentions=tuple(mentions))]


@dataclass(frozen=True)
class Contribution:
    """One gradient of one version of a blob, and who writes it.

    ``writers`` has one entry for a dense gradient, and two (indices, values) for a sparse one;
    ``None`` where the gradient is a blob that existed already, passed through by a ``Sum``, say.
    """

    gradient: str | GradientSlice
    writers: tuple[Writer | None, ...]
    device: caffe2_pb2.DeviceOption | None

    @property
    def sparse(self) -> bool:
        """Whether this is a slice."""
        return isinstance(self.gradient, GradientSlice)

    @property
    def names(self) -> tuple[str, ...]:
        """The blobs of the gradient: one, or indices and values."""
        return tuple(self.gradient) if isinstance(self.gradient, GradientSlice) else (self.gradient,)


def must_join(name: str, contributions: Sequence[Contribution]) -> bool:
    """Whether there is more than one gradient; the gradients must be of one kind and on one device."""
    if len({contribution.sparse for contribution in contributions}) > 1:
        raise NoGradient(
            f"Gradients for param '{name}' failed to verify: Automatic aggregation of a mix of sparse and dense "
            f"gradients is not supported yet: {', '.join(str(c.gradient) for c in contributions)}."
        )
    if len(contributions) < 2:
        return False
    places = {_place_key(c.device) for c in contributions if c.device is not None}
    if len(places) > 1:
        raise NoGradient(
            f"Gradients for param '{name}' failed to verify: Unexpected behavior: not all grad ops have the same "
            f"device option. {', '.join(str(c.gradient) for c in contributions)} are on {len(places)} devices; "
            f"copy {name} to each device first."
        )
    return True


def join(name: str, contributions: Sequence[Contribution]) -> tuple[list[OperatorDef], str | GradientSlice]:
    """The operators that join the gradients of a blob, and what they make."""
    join_kind = _join_sparse if contributions[0].sparse else _join_dense
    ops, gradient = join_kind(contributions, _joined_name(name, contributions))
    device = next((c.device for c in contributions if c.device is not None), None)
    for op in ops:
        if device is not None:
            op.device_option.CopyFrom(device)
            _mark_as_made(op.device_option)
    return ops, gradient


def _mark_as_made(device: caffe2_pb2.DeviceOption) -> None:
    """Says in the device's notes that nobody wrote this operator, as tools that read them expect."""
    if f"{ONLY_KEEP_MARK}:1" in device.extra_info:
        del device.extra_info[:]
    device.extra_info.append(f"{MARK}:1")


def _place_key(device: caffe2_pb2.DeviceOption) -> tuple[int, int]:
    """What makes two devices the same; all of the CPU is one."""
    return device.device_type, device.device_id if device.device_type != caffe2_pb2.PROTO_CPU else 0


def _joined_name(name: str, contributions: Sequence[Contribution]) -> str:
    """The name of the joined gradient: that of the first gradient which an operator writes."""
    for contribution in contributions:
        for writer, suffix in zip(contribution.writers, ("_indices", "_values"), strict=False):
            if writer is not None:
                return writer.name.removesuffix(suffix) if contribution.sparse else writer.name
    return f"{name}_grad"


def _split_name(writer: Writer, count: int) -> str:
    """Renames the output of a gradient operator, which shares its name with others, and returns the new name."""
    name = f"_{writer.name}_autosplit_{count}"
    writer.rename(name)
    return name


def _passed_on(name: str, joined: str) -> str:
    if name == joined:
        raise NoGradient(
            f'The gradient "{name}" is passed on from another blob, and so cannot also be the name of a sum with it; '
            "give the gradient another name."
        )
    return name


def _join_dense(contributions: Sequence[Contribution], joined: str) -> tuple[list[OperatorDef], str]:
    """A ``Sum``; the first gradient that an operator writes keeps its name, so that the sum is in place."""
    summands: list[str] = []
    keeper, count = None, 0
    for contribution in contributions:
        (writer,) = contribution.writers
        if writer is None:
            summands.append(_passed_on(contribution.names[0], joined))
        elif keeper is None:
            keeper = writer
            summands.append(writer.name)
        else:
            summands.append(_split_name(writer, count))
            count += 1
    if joined in summands:
        # Sum may only overwrite its first input.
        at = summands.index(joined)
        summands[0], summands[at] = summands[at], summands[0]
    return [OperatorDef(type="Sum", name="", input=summands, output=[joined])], joined


def _join_sparse(contributions: Sequence[Contribution], joined: str) -> tuple[list[OperatorDef], GradientSlice]:
    """Two ``Concat``: one of the indices, one of the values."""
    ops: list[OperatorDef] = []
    for part, kind in enumerate(GradientSlice._fields):
        pieces: list[str] = []
        count = 0
        for contribution in contributions:
            writer = contribution.writers[part]
            if writer is None:
                pieces.append(_passed_on(contribution.names[part], joined))
            else:
                pieces.append(_split_name(writer, count))
                count += 1
        output = f"{joined}_{kind}_concat"
        op = OperatorDef(type="Concat", name="", input=pieces, output=[output, f"{output}_split"])
        op.arg.append(make_argument("axis", 0))
        ops.append(op)
    return ops, GradientSlice(ops[0].output[0], ops[1].output[0])
