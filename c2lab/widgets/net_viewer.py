"""``show(net)``: a net as a still picture, in a notebook and as a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from c2lab.graph.drawing import Direction, draw
from c2lab.graph.plan_drawing import draw_plan
from c2lab.graph.sources import FILE_LIMIT, Source, open_file, source_of
from c2lab.graph.view import FOLD_ABOVE, NetView
from c2lab.proto import caffe2_pb2


class Picture:
    """An SVG that a notebook shows and that can be saved.

    Args:
        svg: The picture.
        text: What stands for it where there are no pictures.
        live: Makes the canvas that a notebook with a kernel shows in place of the picture.
    """

    def __init__(self, svg: str, text: str, live: Callable[[], Any] | None = None) -> None:
        self.svg = svg
        self.text = text
        self._live = live

    def save(self, path: str | Path) -> Path:
        """Writes the picture to ``path`` (``.svg``) and returns the path."""
        path = Path(path)
        path.write_text(self.svg, encoding="utf-8")
        return path

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        still = {"image/svg+xml": self.svg, "text/plain": self.text}
        if self._live is None:
            return still
        bundle = self._live()._repr_mimebundle_()
        return {**(bundle[0] if isinstance(bundle, tuple) else bundle), **still}

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return self.text


def show(
    thing: Any,
    *,
    inputs: Mapping[str, Any] | None = None,
    direction: Direction = "auto",
    boxes: int = 40,
    fold_above: int = FOLD_ABOVE,
    title: str = "",
    limit: int = FILE_LIMIT,
    live: bool | None = None,
) -> Picture:
    """The picture of a net; in a notebook with a kernel, a canvas to look around in.

    Args:
        thing: A ``Net``, a ``ModelHelper``, a ``NetDef``, a ``PlanDef`` or ``Plan``, or the path of a
            ``.pb`` or ``.pbtxt`` file.
        inputs: Arrays or shapes of the net's inputs by name; the shapes that follow are written
            at the lines.
        direction: ``down``, ``right``, or ``auto``: rightwards where that fits a page.
        boxes: About how many boxes are drawn of a net that is folded.
        fold_above: Nets with more operators than this are folded along their scopes.
        title: A heading; the net's name where left out.
        limit: Bytes that a file may have.
        live: Whether a notebook shows the canvas; where left out, it does when it can.

    Example:
        >>> net = caffe2_pb2.NetDef(name="tiny")
        >>> _ = net.op.add(type="Relu", input=["x"], output=["y"])
        >>> show(net)
        <picture of net "tiny": 1 operator>
    """
    if isinstance(thing, (str, Path)):
        thing = open_file(thing, limit)
    plan = thing.Proto() if hasattr(thing, "Proto") else thing
    if isinstance(plan, caffe2_pb2.PlanDef):
        count = len(plan.network)
        return Picture(draw_plan(plan), f'<picture of plan "{plan.name}": {count} net{"s" * (count != 1)}>')
    source = source_of(thing)
    svg = draw(view_of(source, inputs), direction=direction, boxes=boxes, fold_above=fold_above, title=title)
    count = len(source.net.op)

    def canvas() -> Any:
        from c2lab.widgets.net_builder import build

        return build(thing, inputs=inputs, readonly=True, fold_above=fold_above)

    text = f'<picture of net "{source.net.name}": {count} operator{"s" * (count != 1)}>'
    return Picture(svg, text, canvas if (_live_here() if live is None else live) else None)


def _live_here() -> bool:
    """Whether this is a notebook with a kernel, and the canvas was built."""
    try:
        from IPython.core.getipython import get_ipython

        from c2lab.widgets.net_builder import CANVAS_BUILT
    except ImportError:
        return False
    shell = get_ipython()
    return CANVAS_BUILT and shell is not None and hasattr(shell, "kernel")


def view_of(source: Source, inputs: Mapping[str, Any] | None = None) -> NetView:
    """The view of a source, with the shapes that follow from ``inputs``."""
    shapes = source.shapes(inputs) if inputs or source.init is not None else {}
    return NetView.of(source.net, parameters=source.parameters, shapes=shapes)


def mimebundle(thing: Any) -> dict[str, str]:
    """What a notebook shows of a net that is the value of a cell."""
    return show(thing)._repr_mimebundle_()
