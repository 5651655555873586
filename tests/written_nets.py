"""Nets as lines of text, for tests that compare every operator of them."""

from __future__ import annotations

from typing import Any

from c2lab.proto.arguments import argument_value


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return "[" + ",".join(_text(v) for v in value) + "]"
    return str(value)


def written(net: Any) -> list[str]:
    """The operators of a net: ``Type(inputs) -> outputs argument=value ... @engine``, arguments by name."""
    lines = []
    for op in net.Proto().op:
        line = f"{op.type}({', '.join(op.input)}) -> {', '.join(op.output)}"
        arguments = {argument.name: argument_value(argument) for argument in op.arg}
        line += "".join(f" {name}={_text(arguments[name])}" for name in sorted(arguments))
        lines.append(line + (f" @{op.engine}" if op.engine else ""))
    return lines
