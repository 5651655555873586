"""What a canvas knows beside the net: places of boxes, closed scopes, comments, sizes of inputs.

It travels in one argument of the ``NetDef``, which runs and other readers ignore; a net that nobody
arranged has no such argument.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from c2lab.proto import caffe2_pb2

ARGUMENT = "c2lab_canvas"
"""The name of the argument."""

Point = tuple[float, float]
Size = int | str
"""A number, or the name of a size that stays open, such as the batch ``N``."""

_FARTHEST = 1e6
_MOST = 100_000


class Comment(NamedTuple):
    """A note on the canvas."""

    id: str
    text: str
    x: float
    y: float


class InputShape(NamedTuple):
    """What is said of a blob that comes from outside."""

    shape: tuple[Size, ...]
    dtype: str = "float32"


@dataclass(frozen=True)
class Canvas:
    """The canvas beside a net; ``ids`` names each operator, whatever happens around it."""

    ids: tuple[str, ...] = ()
    positions: Mapping[str, Point] = field(default_factory=dict)
    closed: frozenset[str] = frozenset()
    opened: frozenset[str] = frozenset()
    comments: tuple[Comment, ...] = ()
    inputs: Mapping[str, InputShape] = field(default_factory=dict)
    boxes: frozenset[str] = frozenset()
    """Blobs from outside that have boxes, although they are read where parameters usually are."""

    def argument(self) -> caffe2_pb2.Argument | None:
        """The argument that holds all this, or ``None`` where there is nothing to hold.

        Example:
            >>> Canvas(ids=("o0", "o1")).argument() is None
            True
        """
        told: dict[str, Any] = {}
        if self.ids != default_ids(len(self.ids)):
            told["ids"] = list(self.ids)
        if self.positions:
            told["positions"] = {name: [round(x, 1), round(y, 1)] for name, (x, y) in self.positions.items()}
        for name in ("closed", "opened", "boxes"):
            if getattr(self, name):
                told[name] = sorted(getattr(self, name))
        if self.comments:
            told["comments"] = [list(comment) for comment in self.comments]
        if self.inputs:
            told["inputs"] = {blob: [list(known.shape), known.dtype] for blob, known in self.inputs.items()}
        if not told:
            return None
        text = json.dumps(told, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        return caffe2_pb2.Argument(name=ARGUMENT, s=text.encode("utf-8", "replace"))


def default_ids(count: int) -> tuple[str, ...]:
    """The names of operators of a net that was not edited: by position.

    Example:
        >>> default_ids(2)
        ('o0', 'o1')
    """
    return tuple(f"o{k}" for k in range(count))


def input_id(blob: str) -> str:
    """The name of the box of a blob that comes from outside; harmless whatever the blob's name.

    Example:
        >>> input_id("data")
        'i3a6eb0790f39'
    """
    return "i" + hashlib.sha256(blob.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def group_id(path: str) -> str:
    """The name of the box of a closed group."""
    return "g" + hashlib.sha256(path.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def fresh_id(prefix: str, taken: Iterable[str]) -> str:
    """The next free name with this prefix.

    Example:
        >>> fresh_id("o", ["o0", "o7", "c9"])
        'o8'
    """
    rest = (name[len(prefix) :] for name in taken if name.startswith(prefix))
    return f"{prefix}{max((int(r) for r in rest if r.isascii() and r.isdecimal() and len(r) < 12), default=-1) + 1}"


def read_canvas(net: caffe2_pb2.NetDef) -> Canvas:
    """The canvas of a net.  What does not make sense (a file may hold anything) is left out.

    Example:
        >>> read_canvas(caffe2_pb2.NetDef(op=[caffe2_pb2.OperatorDef(type="Relu")])).ids
        ('o0',)
    """
    count = len(net.op)
    argument = next((argument for argument in net.arg if argument.name == ARGUMENT), None)
    if argument is None or len(argument.s) > 64 * 2**20:
        return Canvas(default_ids(count))
    try:
        told = json.loads(argument.s)
    except (ValueError, RecursionError):
        return Canvas(default_ids(count))
    if not isinstance(told, dict):
        return Canvas(default_ids(count))
    return Canvas(
        ids=_ids(told.get("ids"), count),
        positions=_positions(told.get("positions")),
        closed=_texts(told.get("closed")),
        opened=_texts(told.get("opened")),
        comments=_comments(told.get("comments")),
        inputs=_inputs(told.get("inputs")),
        boxes=_texts(told.get("boxes")),
    )


def without_canvas(net: caffe2_pb2.NetDef) -> caffe2_pb2.NetDef:
    """A copy of a net, without its canvas."""
    copied = caffe2_pb2.NetDef()
    copied.CopyFrom(net)
    for position in reversed(range(len(copied.arg))):
        if copied.arg[position].name == ARGUMENT:
            del copied.arg[position]
    return copied


def shape_of_text(text: str) -> tuple[Size, ...]:
    """A shape as a person writes it: ``N, 1, 28, 28``.

    Raises:
        ValueError: With what is wrong.

    Example:
        >>> shape_of_text("(N, 1, 28, 28)")
        ('N', 1, 28, 28)
    """
    parts = [part.strip() for part in text.strip().strip("()[]").replace("×", ",").split(",")]
    sizes: list[Size] = []
    for part in filter(None, parts):
        if part.isascii() and part.isdecimal() and len(part) < 10:
            sizes.append(int(part))
        elif part.isascii() and part.isidentifier() and len(part) <= 12:
            sizes.append(part)
        else:
            raise ValueError(
                f"{part[:40]!r} is no size; sizes are numbers, or a name such as N for one that stays open"
            )
    if len(sizes) > 12:
        raise ValueError(f"a shape of {len(sizes)} sizes; 12 are the most")
    return tuple(sizes)


# ---- reading what a file says, which may be anything ---------------------------------------------


def _ids(told: Any, count: int) -> tuple[str, ...]:
    good = isinstance(told, list) and len(told) == count and len(set(map(str, told))) == count
    if good and all(isinstance(name, str) and _is_id(name, "o") for name in told):
        return tuple(told)
    return default_ids(count)


def _is_id(name: str, prefix: str) -> bool:
    return name[:1] == prefix and name[1:].isascii() and name[1:].isdecimal() and len(name) < 12


def _number(told: Any) -> float | None:
    if isinstance(told, (int, float)) and not isinstance(told, bool) and math.isfinite(told):
        return max(-_FARTHEST, min(_FARTHEST, float(told)))
    return None


def _positions(told: Any) -> dict[str, Point]:
    found = {}
    for name, place in list(told.items())[:_MOST] if isinstance(told, dict) else ():
        if isinstance(place, list) and len(place) == 2 and len(name) < 20 and name.isascii() and name.isalnum():
            x, y = _number(place[0]), _number(place[1])
            if x is not None and y is not None:
                found[name] = (x, y)
    return found


def _texts(told: Any) -> frozenset[str]:
    return frozenset(text for text in told[:_MOST] if isinstance(text, str)) if isinstance(told, list) else frozenset()


def _comments(told: Any) -> tuple[Comment, ...]:
    found = []
    for entry in told[:_MOST] if isinstance(told, list) else ():
        if isinstance(entry, list) and len(entry) == 4 and isinstance(entry[0], str) and isinstance(entry[1], str):
            x, y = _number(entry[2]), _number(entry[3])
            if _is_id(entry[0], "c") and x is not None and y is not None:
                found.append(Comment(entry[0], entry[1], x, y))
    return tuple(found)


def _inputs(told: Any) -> dict[str, InputShape]:
    found = {}
    for blob, entry in list(told.items())[:_MOST] if isinstance(told, dict) else ():
        if isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], list) and isinstance(entry[1], str):
            try:
                shape = shape_of_text(",".join(map(str, entry[0])))
            except ValueError:
                continue
            if entry[1] in DTYPES:
                found[blob] = InputShape(shape, entry[1])
    return found


DTYPES = ("float32", "int32", "int64", "float16", "float64", "bool", "uint8", "int8", "int16", "uint16")
"""Element types that a blob from outside may be said to have."""
