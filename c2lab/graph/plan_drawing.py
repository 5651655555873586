"""A plan as a picture: its steps, then each of its nets."""

from __future__ import annotations

import re

from c2lab.graph.drawing import MARGIN, draw
from c2lab.graph.lettering import safe, shorten, text_width
from c2lab.graph.palette import STYLE
from c2lab.graph.view import NetView
from c2lab.proto import caffe2_pb2

_SIZE = re.compile(r'width="(\d+)" height="(\d+)"')
LINE = 18


def draw_plan(plan: caffe2_pb2.PlanDef) -> str:
    """The SVG of a plan.

    Example:
        >>> plan = caffe2_pb2.PlanDef(name="p")
        >>> _ = plan.execution_step.add(name="train", network=["n"], num_iter=10)
        >>> "train: n, 10 times" in draw_plan(plan)
        True
    """
    lines = step_lines(plan)
    pictures = [draw(NetView.of(net)) for net in plan.network]
    sizes = [(int(w), int(h)) for picture in pictures for w, h in _SIZE.findall(picture)[:1]]
    top = MARGIN + 20 + LINE * len(lines) + 12
    width = max([w for w, _ in sizes] + [int(text_width(text, 12) + 20 * depth) for depth, text in lines] + [300])
    width += 2 * MARGIN
    height = top + sum(h + 16 for _, h in sizes) + 8
    head = shorten(plan.name or "plan", 60)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="c2lab-net" role="img" aria-label="{safe(head)}" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}" style="max-width:100%;height:auto">'
        f"<title>{safe(head)}</title>"
        f"<style>{STYLE}</style>"
        f'<rect class="c2lab-paper c2lab-rim" fill="#ffffff" stroke="#e3e6eb" x="0.5" y="0.5" rx="10" '
        f'width="{width - 1}" height="{height - 1}"/>'
        f'<text class="c2lab-type c2lab-title" x="{MARGIN}" y="{MARGIN + 6}">{safe(head)}</text>'
    ]
    for row, (depth, text) in enumerate(lines):
        y = MARGIN + 6 + LINE * (row + 1)
        parts.append(f'<text class="c2lab-blob" x="{MARGIN + 18 * depth}" y="{y}">{safe(text)}</text>')
    for picture, (_, inner) in zip(pictures, sizes, strict=True):
        picture = picture.replace(' style="max-width:100%;height:auto"', "", 1)
        parts.append(picture.replace("<svg ", f'<svg x="{MARGIN}" y="{top}" ', 1))
        top += inner + 16
    return "".join(parts) + "</svg>"


def step_lines(plan: caffe2_pb2.PlanDef) -> list[tuple[int, str]]:
    """A depth and a sentence for each execution step of a plan."""
    lines: list[tuple[int, str]] = []

    def visit(step: caffe2_pb2.ExecutionStep, depth: int) -> None:
        does = ", ".join(shorten(name, 40) for name in step.network) or f"{len(step.substep)} steps"
        how = [does]
        if step.num_iter > 1:
            how.append(f"{step.num_iter} times")
        if step.should_stop_blob:
            how.append(f"until {shorten(step.should_stop_blob, 40)}")
        if step.concurrent_substeps:
            how.append("at the same time")
        lines.append((depth, f"{shorten(step.name or 'step', 40)}: {', '.join(how)}"))
        for inner in step.substep:
            visit(inner, depth + 1)

    for step in plan.execution_step:
        visit(step, 0)
    return lines
