"""One line of generated Python: what it calls, written down or done."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from google.protobuf import text_format

from c2lab import brew, optimizer
from c2lab.model_helper import ModelHelper, ParameterTags
from c2lab.nets.blobs import BlobReference
from c2lab.optimizers.base import counted_from_nought
from c2lab.proto import caffe2_pb2

_LINE = 110
_TAGS = ("WEIGHT", "BIAS", "COMPUTED_PARAM")


@dataclass(frozen=True)
class Call:
    """``target(*arguments, **keywords)``: a layer (``brew.conv``), or something of the model (``net.Relu``)."""

    target: str
    arguments: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)
    kind: str = "call"

    def apply(self, model: ModelHelper) -> None:
        """Does what the line says, to a model."""
        room, _, name = self.target.partition(".")
        if self.kind == "list":
            listed = getattr(model.net.Proto(), name)
            del listed[:]
            listed.extend(self.arguments[0])
        elif self.kind == "field":
            setattr(model.net.Proto(), name, self.arguments[0])
        elif self.kind == "raw":
            net = getattr(model, room).Proto()
            net.op.append(text_format.Parse(self.arguments[0], caffe2_pb2.OperatorDef()))
        elif self.kind == "whole":
            net = getattr(model, room).Proto()
            kept = net.name
            net.CopyFrom(text_format.Parse(self.arguments[0], caffe2_pb2.NetDef(name=kept)))
        elif room == "brew":
            getattr(brew, name)(model, *self.arguments, **self.keywords)
        elif room == "optimizer":
            # Counted from nought, as the text has it, and as if it had not been counted at all.
            with counted_from_nought():
                getattr(optimizer, name)(model, *self.arguments, **self.keywords)
        elif self.target == "AddParameter":
            model.AddParameter(self.arguments[0], *(getattr(ParameterTags, tag) for tag in self.arguments[1:]))
        elif self.target == "AddGradientOperators":
            model.AddGradientOperators(*self.arguments)
        else:
            getattr(getattr(model, room), name)(*self.arguments, **self.keywords)

    @property
    def needs(self) -> set[str]:
        """The names that the line uses."""
        room = self.target.partition(".")[0]
        found = {room} & {"brew", "optimizer"}
        values = [*self.arguments, *self.keywords.values()]
        if any(isinstance(value, BlobReference) for value in values):
            found.add("core")
        if any(isinstance(value, caffe2_pb2.DeviceOption) for value in values):
            found.add("caffe2_pb2")
        if self.target == "AddParameter" and len(self.arguments) > 1:
            found.add("ParameterTags")
        if self.kind in ("raw", "whole"):
            found |= {"text_format", "caffe2_pb2"}
        return found

    def text(self, whole: bool) -> str:
        """The line.

        Args:
            whole: Whether there is a ``model``; else there is a ``net`` alone.
        """
        room, _, name = self.target.partition(".")
        owner = ("model." + room) if whole else "net"
        if self.kind == "list":
            return f"{owner}.Proto().{name}[:] = {literal(self.arguments[0])}"
        if self.kind == "field":
            return f"{owner}.Proto().{name} = {literal(self.arguments[0])}"
        if self.kind == "raw":
            return f"{owner}.Proto().op.append(text_format.Parse({self.arguments[0]!r}, caffe2_pb2.OperatorDef()))"
        if self.kind == "whole":
            named = f"caffe2_pb2.NetDef(name={owner}.Name())"
            return f"{owner}.Proto().CopyFrom(text_format.Parse({self.arguments[0]!r}, {named}))"
        parts = [literal(value) for value in self.arguments]
        parts += [f"{key}={literal(value)}" for key, value in self.keywords.items()]
        if self.target == "AddParameter":
            parts = [literal(self.arguments[0]), *(f"ParameterTags.{tag}" for tag in self.arguments[1:])]
            return f"model.AddParameter({', '.join(parts)})"
        if room == "optimizer":
            return "optimizer.reset_optimizer_instance_count()\n" + _fit(self.target, ["model", *parts])
        if room == "brew":
            return _fit(self.target, ["model", *parts])
        if self.target == "AddGradientOperators":
            return _fit("model.AddGradientOperators", parts)
        return _fit(f"{owner}.{name}", parts)


def raw_call(net: str, text: str, *, whole: bool = False) -> Call:
    """The line that adds an operator (or a whole net) from its text, where nothing else says the same."""
    return Call(f"{net}.raw", (text,), kind="whole" if whole else "raw")


def _fit(function: str, parts: list[str]) -> str:
    line = f"{function}({', '.join(parts)})"
    if len(line) <= _LINE:
        return line
    inside = "".join(f"    {part},\n" for part in parts)
    return f"{function}(\n{inside})"


def literal(value: Any) -> str:
    """A value as Python text that gives the same value again.

    Example:
        >>> literal({"std": float("inf"), "shape": [2, 3]})
        "{'std': float('inf'), 'shape': [2, 3]}"
    """
    if isinstance(value, BlobReference):
        return f"core.BlobReference({_text(str(value))})"
    if isinstance(value, caffe2_pb2.DeviceOption):
        fields = [
            f"{field.name}={literal(list(held) if field.is_repeated else held)}" for field, held in value.ListFields()
        ]
        return f"caffe2_pb2.DeviceOption({', '.join(fields)})"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else f"float({str(value)!r})"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (list, tuple)):
        inside = ", ".join(map(literal, value))
        if isinstance(value, tuple):
            return f"({inside},)" if len(value) == 1 else f"({inside})"
        return f"[{inside}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key!r}: {literal(held)}" for key, held in value.items()) + "}"
    return repr(value)


def _text(value: str) -> str:
    told = repr(value)
    plain = told[1:-1] == value and '"' not in value and "\\" not in value and told.isascii()
    return f'"{value}"' if plain else ascii(value)


def short_float(value: float) -> float:
    """The shortest number that is the same in single precision.

    Example:
        >>> short_float(0.10000000149011612)
        0.1
    """
    if not math.isfinite(value):
        return value
    short = float(str(np.float32(value)))
    return short if np.float32(short) == np.float32(value) else value
