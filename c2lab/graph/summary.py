"""``summary(model)``: a table of operators, shapes and parameters, with totals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from c2lab.graph.lettering import plain, shorten
from c2lab.graph.sources import source_of
from c2lab.graph.view import NetView, ViewNode, find_parameters, shape_text


@dataclass(frozen=True)
class Row:
    """One operator: what it writes, how large that is, and the parameters that it reads first."""

    index: int
    type: str
    arguments: str
    outputs: tuple[str, ...]
    shapes: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...]
    """Name and shape of each parameter that no earlier operator reads."""
    values: int | None
    """Numbers in these parameters; ``None`` where a shape is not known."""


@dataclass(frozen=True)
class Summary:
    """A net as a table; ``print`` it, or let a notebook show it."""

    name: str
    rows: tuple[Row, ...]
    operators: int
    gradient_operators: int
    parameters: int
    """How many parameter blobs the net reads."""
    values: int | None
    """How many numbers they hold together; ``None`` where a shape is not known."""

    @property
    def totals(self) -> str:
        """The last line: how many operators, parameters and values."""
        parts = [f"{self.operators} operator{'s' * (self.operators != 1)}"]
        if self.gradient_operators:
            parts.append(f"{self.gradient_operators} of them for gradients")
        parts.append(f"{self.parameters} parameter{'s' * (self.parameters != 1)}")
        if self.values is not None and self.parameters:
            parts.append(f"{self.values:,} values ({_size(4 * self.values)} as float32)")
        return ", ".join(parts)

    def __str__(self) -> str:
        heads = ("#", "operator", "output", "shape", "parameters", "values")
        cells = [_cells(row) for row in self.rows]
        widths = [max(len(line[i]) for line in (heads, *cells)) for i in range(len(heads))]

        def line(texts: tuple[str, ...]) -> str:
            parts = [
                text.rjust(w) if i in (0, 5) else text.ljust(w)
                for i, (text, w) in enumerate(zip(texts, widths, strict=True))
            ]
            return "  ".join(parts).rstrip()

        rule = "  ".join("-" * w for w in widths)
        return "\n".join([f'Net "{plain(self.name)}"', line(heads), rule, *map(line, cells), rule, self.totals])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = []
        for row in self.rows:
            number, kind, output, shape, parameters, values = (escape(text) for text in _cells(row))
            title = escape(plain(row.arguments), quote=True)
            rows.append(
                f'<tr><td>{number}</td><td title="{title}" style="text-align:left"><b>{kind}</b></td>'
                f'<td style="text-align:left">{output}</td><td style="text-align:left">{shape}</td>'
                f'<td style="text-align:left">{parameters}</td><td>{values}</td></tr>'
            )
        heads = "".join(
            f'<th style="text-align:{side}">{word}</th>'
            for word, side in (
                ("#", "right"),
                ("operator", "left"),
                ("output", "left"),
                ("shape", "left"),
                ("parameters", "left"),
                ("values", "right"),
            )
        )
        return (
            f'<table class="c2lab-summary"><caption style="text-align:left">{escape(plain(self.name))}: '
            f"{escape(self.totals)}</caption><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        )


def summary(thing: Any, inputs: Mapping[str, Any] | None = None, *, gradients: bool = False) -> Summary:
    """A table of a net's operators, their output shapes and their parameters.

    Args:
        thing: A ``ModelHelper``, ``Net``, ``NetDef`` or file; a model knows its parameters' shapes.
        inputs: Arrays or shapes of the net's inputs by name.
        gradients: Whether gradient operators and updates get rows too.

    Example:
        >>> from c2lab.proto import caffe2_pb2
        >>> net = caffe2_pb2.NetDef(name="tiny")
        >>> _ = net.op.add(type="Relu", input=["x"], output=["y"])
        >>> print(summary(net, {"x": (2, 3)}))
        Net "tiny"
        #  operator  output  shape  parameters  values
        -  --------  ------  -----  ----------  ------
        0  Relu      y       2×3
        -  --------  ------  -----  ----------  ------
        1 operator, 0 parameters
    """
    source = source_of(thing)
    known = source.shapes(inputs)
    parameters = source.parameters or find_parameters(source.net)
    view = NetView.of(source.net, parameters=parameters, shapes=known)
    operators = [node for node in view.nodes if node.kind == "operator"]
    seen: set[str] = set()
    rows = []
    for node in operators:
        if node.gradient or node.update:
            if gradients:
                rows.append(_row(node, known, ()))
            continue
        fresh = tuple(name for name in node.parameters if name not in seen)
        seen.update(fresh)
        rows.append(_row(node, known, fresh))
    counts = [row.values for row in rows]
    return Summary(
        name=source.net.name,
        rows=tuple(rows),
        operators=len(operators),
        gradient_operators=sum(node.gradient for node in operators),
        parameters=len(seen),
        values=None if None in counts else sum(count or 0 for count in counts),
    )


def _row(node: ViewNode, known: Mapping[str, Any], fresh: tuple[str, ...]) -> Row:
    sizes = [_count(known[name].shape) if name in known else None for name in fresh]
    return Row(
        index=node.members[0],
        type=node.type,
        arguments=", ".join(f"{key}={value}" for key, value in node.arguments),
        outputs=node.outputs,
        shapes=tuple(shape_text(known[name]) if name in known else "" for name in node.outputs),
        parameters=tuple((name, shape_text(known[name]) if name in known else "") for name in fresh),
        values=None if None in sizes else sum(size or 0 for size in sizes),
    )


def _count(shape: tuple[Any, ...]) -> int | None:
    return math.prod(shape) if all(isinstance(size, int) for size in shape) else None


def _cells(row: Row) -> tuple[str, ...]:
    parameters = ", ".join(f"{shorten(name, 24)} {shape}".strip() for name, shape in row.parameters[:6])
    values = "" if not row.parameters else "?" if row.values is None else f"{row.values:,}"
    output = ", ".join(shorten(name, 32) for name in row.outputs[:1]) + (" …" if len(row.outputs) > 1 else "")
    shape = row.shapes[0] if row.shapes else ""
    return tuple(plain(text) for text in (str(row.index), shorten(row.type, 32), output, shape, parameters, values))


def _size(count: int) -> str:
    size = float(count)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    raise AssertionError("unreachable")
