"""A net as a picture: one self-contained SVG text, for notebooks, files and web pages.

No scripts, no fonts and no references to anything outside.  Every text that came from a
net passes through ``lettering.safe``.  Light and
dark follow the reader's system, and JupyterLab's theme where the SVG stands in its page.
"""

from __future__ import annotations

import hashlib
import itertools
from typing import Literal

from c2lab.graph.boxes import STACK, Box, box_of, hover_text
from c2lab.graph.layout import Layout, Point, arrange
from c2lab.graph.lettering import safe, shorten, text_width
from c2lab.graph.palette import COLOURS, STYLE, hue_of
from c2lab.graph.view import FOLD_ABOVE, NetView

Direction = Literal["auto", "down", "right"]

MARGIN = 24
TITLE_HEIGHT = 34
FILL = 1000
"""Width, in pixels, that a picture may have before it is drawn downwards or wrapped."""


def draw(
    view: NetView, *, direction: Direction = "auto", boxes: int = 40, fold_above: int = FOLD_ABOVE, title: str = ""
) -> str:
    """The SVG of a net.

    Args:
        view: The net.
        direction: Way of the data; ``auto`` is rightwards where that fits a page, else downwards.
        boxes: At most about this many boxes are drawn of a net that is folded.
        fold_above: Nets with more operators than this are folded.
        title: A heading; the net's name where left out.

    Example:
        >>> from c2lab.proto import caffe2_pb2
        >>> net = caffe2_pb2.NetDef(name="tiny")
        >>> _ = net.op.add(type="Relu", input=["x"], output=["y"])
        >>> draw(NetView.of(net)).startswith("<svg")
        True
    """
    shown = view.folded(boxes) if view.operators > fold_above else view
    heading = _heading(view, title)
    if direction == "auto":
        rightwards = _Drawing(shown, heading, True)
        fits = rightwards.layout.width <= FILL and rightwards.layout.height <= 0.8 * FILL
        return (rightwards if fits else _Drawing(shown, heading, False)).svg()
    return _Drawing(shown, heading, direction == "right").svg()


class _Drawing:
    def __init__(self, view: NetView, heading: tuple[str, str], rightwards: bool) -> None:
        self.view, self.heading, self.rightwards = view, heading, rightwards
        read: list[set[str]] = [set() for _ in view.nodes]
        self.leaving: list[dict[str, str]] = [{} for _ in view.nodes]
        """For each box, the blobs whose lines leave it, and the label at the line."""
        for edge in view.edges:
            read[edge.source].add(edge.blob)
            node = view.nodes[edge.source]
            shown = "" if node.kind == "input" else shorten(edge.blob, 22)
            self.leaving[edge.source][edge.blob] = (
                f"{edge.count} blobs" if edge.count > 1 else self._label_text(shown, edge.blob)
            )
        self.open: list[list[str]] = []
        """For each box, results that nobody reads: their lines end in a dot."""
        self.boxes: list[Box] = []
        for position, node in enumerate(view.nodes):
            unread = [name for name in dict.fromkeys(node.outputs) if name not in read[position]]
            if node.kind != "operator" or node.update:
                unread = []
            unread = [name for name in unread if name not in node.parameters]
            # By-products (a mask, a gradient that no update takes yet) are not worth a line of their own.
            ends = [n for n in unread if n in view.results or (n == node.outputs[0] and not node.gradient)]
            self.open.append(ends)
            for name in ends:
                self.leaving[position][name] = self._label_text(shorten(name, 22), name)
            made = [name for name in unread if name not in ends] if node.gradient else []
            self.boxes.append(box_of(node, view.shapes, made))
        self.layout = self._arrange()

    def _label_text(self, shown: str, blob: str) -> str:
        return f"{shown} {shorten(self.view.shapes.get(blob, ''), 20)}".strip()

    def _flow(self) -> list[tuple[int, int]]:
        """The edges as the layout sees them: what flows back to the data is turned round.

        So the gradient operators stand beside the forward operators, each near its own,
        instead of making the picture twice as long.
        """
        return [
            (e.target, e.source) if self._back(e.source, e.target) else (e.source, e.target) for e in self.view.edges
        ]

    def _back(self, source: int, target: int) -> bool:
        nodes = self.view.nodes
        return nodes[source].gradient and nodes[target].gradient

    def _arrange(self) -> Layout:
        nodes, boxes = self.view.nodes, self.boxes
        lanes = [2 if node.update else 1 if node.gradient else 0 for node in nodes]
        widths = [[text_width(text, 11) + 12 for text in labels.values()] for labels in self.leaving]
        if self.rightwards:
            longest = max((width for row in widths for width in row), default=0.0)
            sizes = [(box.width, max(box.height, 18.0 * len(row))) for box, row in zip(boxes, widths, strict=True)]
            gap_along = max(44.0, longest + 26)
            tail = max(
                (text_width(self.leaving[i][name], 11) + 12 for i, names in enumerate(self.open) for name in names),
                default=0.0,
            )
        else:
            # Labels stand right of the line, which leaves in the middle of the box where it is the only one.
            needs = [2 * max(row, default=0.0) if len(row) == 1 else sum(row) for row in widths]
            sizes = [(max(box.width, need), box.height) for box, need in zip(boxes, needs, strict=True)]
            gap_along = 46.0
            tail = 26.0 if any(self.open) else 0.0
        return arrange(
            sizes,
            self._flow(),
            rightwards=self.rightwards,
            lanes=lanes,
            gap_along=gap_along,
            gap_across=26.0,
            tail=tail,
            fill=FILL,
        )

    def svg(self) -> str:
        view, layout = self.view, self.layout
        head, detail = self.heading
        head_width = text_width(head, 14, bold=True) + text_width(detail, 11) + 20
        width = max(layout.width, head_width) + 2 * MARGIN
        height = layout.height + 2 * MARGIN + TITLE_HEIGHT - 10
        lines, labels = self._edges()
        body = "".join(self._scopes()) + "".join(lines)
        body += "".join(self._node(i) for i in range(len(view.nodes))) + "".join(labels)
        digest = hashlib.sha256(body.encode()).hexdigest()[:10]
        name, about = f"c2lab-{digest}-title", f"c2lab-{digest}-about"
        detail_x = MARGIN + text_width(head, 14, bold=True) + 12
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="c2lab-net" role="img" aria-labelledby="{name} {about}" '
            f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" '
            f'style="max-width:100%;height:auto">'
            f'<title id="{name}">{safe(head)}</title><desc id="{about}">{safe(self._description())}</desc>'
            f"<style>{STYLE}</style>"
            f'<rect class="c2lab-paper c2lab-rim" fill="#ffffff" stroke="#e3e6eb" x="0.5" y="0.5" rx="10" '
            f'width="{width - 1:.0f}" height="{height - 1:.0f}"/>'
            f'<text class="c2lab-type c2lab-title" x="{MARGIN}" y="{MARGIN + 6}">{safe(head)}</text>'
            f'<text class="c2lab-muted" x="{detail_x:.0f}" y="{MARGIN + 6}">{safe(detail)}</text>'
            f'<g transform="translate({MARGIN} {MARGIN + TITLE_HEIGHT - 10})">{body}</g></svg>'
        )

    def _description(self) -> str:
        parts = [f"A net of {self.view.operators} operators."]
        for node in self.view.nodes[:200]:
            if node.kind == "input":
                parts.append(f"Input {shorten(node.type, 60)}.")
            elif node.kind == "group":
                parts.append(f"Group {shorten(node.type, 60)}: {node.name}.")
            else:
                made = ", ".join(shorten(name, 60) for name in node.outputs[:4])
                read = ", ".join(shorten(name, 60) for name in node.inputs[:6])
                parts.append(f"{shorten(node.type, 60)} makes {made or 'nothing'} from {read or 'nothing'}.")
        return " ".join(parts)

    # -- lines ---------------------------------------------------------------------------------

    def _edges(self) -> tuple[list[str], list[str]]:
        """The lines, and the labels (which are painted last, over everything)."""
        view, routes = self.view, []
        for edge, route in zip(view.edges, self.layout.routes, strict=True):
            routes.append(route[::-1] if self._back(edge.source, edge.target) else route)
        starts = self._spread_ends(routes, at_source=True)
        ends = self._spread_ends(routes, at_source=False)
        lines, labels = [], []
        labelled: set[tuple[int, str]] = set()
        for i, edge in enumerate(view.edges):
            source, target = view.nodes[edge.source], view.nodes[edge.target]
            route = [starts[i], *routes[i][1:-1], ends[i]]
            # What the backward side borrows from the forward side is a side-line: paler.
            aside = (not source.gradient and target.gradient) or target.update
            dashed = " c2lab-gradient" if source.gradient and target.gradient else ""
            css, tip = ("c2lab-aside", "c2lab-aside-tip") if aside else ("c2lab-line", "c2lab-tip")
            full = f"{edge.blob}@{edge.version}" if edge.count == 1 else f"{edge.count} blobs"
            shape = view.shapes.get(edge.blob, "") if edge.count == 1 else ""
            lines.append(
                f'<g class="c2lab-edge"><title>{safe(f"{full} {shape}".strip(), 300)}</title>'
                f'<path class="{css}{dashed}" fill="none" stroke="#8691a5" d="{self._curve(route)}"/>'
                f'<path class="{tip}" fill="#8691a5" d="{self._arrow(route)}"/></g>'
            )
            # The pill on an update's box says already whose gradient comes in, and a bundle that
            # the backward side borrows would say little.
            tells = not target.update and not (aside and edge.count > 1)
            if tells and (edge.source, edge.blob) not in labelled:
                labelled.add((edge.source, edge.blob))
                rows = sum(position == edge.source for position, _ in labelled) - 1
                text = self.leaving[edge.source][edge.blob]
                labels.append(self._label(text, edge.blob, starts[i], route[1], rows))
        leads_on = {edge.source for edge in view.edges if not self._back(edge.source, edge.target)}
        for position, names in enumerate(self.open):
            for k, name in enumerate(names):
                start = self._open_start(position, k, len(names), position in leads_on)
                lines.append(self._open_end(start, name in view.results))
                labels.append(self._label(self.leaving[position][name], name, start, self._along(start, 20)))
        return lines, labels

    def _along(self, point: Point, distance: float) -> Point:
        x, y = point
        return (x + distance, y) if self.rightwards else (x, y + distance)

    def _open_start(self, position: int, k: int, count: int, beside_others: bool) -> Point:
        (x, y), box = self.layout.positions[position], self.boxes[position]
        share = (k + 1 + beside_others) / (count + 1 + beside_others) - 0.5
        if self.rightwards:
            return x + box.width / 2, y + share * box.height
        return x + share * box.width, y + box.height / 2

    def _open_end(self, start: Point, result: bool) -> str:
        x, y = self._along(start, 18)
        return (
            f'<path class="c2lab-line" fill="none" stroke="#8691a5" d="{self._curve([start, (x, y)])}"/>'
            f'<circle class="c2lab-tip" fill="#8691a5" cx="{x:.1f}" cy="{y:.1f}" r="{4 if result else 2.5}"/>'
        )

    def _spread_ends(self, routes: list[list[Point]], at_source: bool) -> list[Point]:
        """Where each line touches its box: blobs apart from each other, in the order in which they leave."""
        ends: list[Point] = [route[0] if at_source else route[-1] for route in routes]
        sides: dict[tuple[int, bool], dict[str, list[int]]] = {}
        for i, edge in enumerate(self.view.edges):
            box = edge.source if at_source else edge.target
            forwards = not self._back(edge.source, edge.target)
            port = edge.blob if at_source else f"{edge.source} {edge.blob}"
            sides.setdefault((box, forwards), {}).setdefault(port, []).append(i)
        axis = 1 if self.rightwards else 0
        for (box, forwards), ports in sides.items():

            def towards(lines: list[int]) -> float:
                return sum(routes[i][1 if at_source else -2][axis] for i in lines) / len(lines)

            x, y = self.layout.positions[box]
            width, height = self.boxes[box].width, self.boxes[box].height
            ordered = sorted(ports.values(), key=towards)
            for k, lines in enumerate(ordered):
                share = (k + 1) / (len(ordered) + 1) - 0.5
                sign = 1 if at_source == forwards else -1
                point = (
                    (x + sign * width / 2, y + share * height)
                    if self.rightwards
                    else (x + share * width, y + sign * height / 2)
                )
                for i in lines:
                    ends[i] = point
        return ends

    def _curve(self, route: list[Point]) -> str:
        path = [f"M{route[0][0]:.1f} {route[0][1]:.1f}"]
        for (x, y), (u, v) in itertools.pairwise(route):
            if abs(x - u) < 0.6 or abs(y - v) < 0.6:
                path.append(f"L{u:.1f} {v:.1f}")
            elif self.rightwards:
                path.append(f"C{(x + u) / 2:.1f} {y:.1f} {(x + u) / 2:.1f} {v:.1f} {u:.1f} {v:.1f}")
            else:
                path.append(f"C{x:.1f} {(y + v) / 2:.1f} {u:.1f} {(y + v) / 2:.1f} {u:.1f} {v:.1f}")
        return "".join(path)

    def _arrow(self, route: list[Point]) -> str:
        """A small triangle at the end of a route, which arrives along the way the data flows."""
        (x, y), (u, v) = route[-1], route[-2]
        if self.rightwards:
            sign = 1 if x >= u else -1
            return f"M{x:.1f} {y:.1f}l{-7 * sign} -4v8z"
        sign = 1 if y >= v else -1
        return f"M{x:.1f} {y:.1f}l-4 {-7 * sign}h8z"

    def _label(self, text: str, full: str, start: Point, towards: Point, row: int = 0) -> str:
        if not text:
            return ""
        x, y = start
        if self.rightwards:
            forwards = towards[0] >= x
            x, y, anchor = (x + 8 if forwards else x - 8), y - 5, "start" if forwards else "end"
        else:
            # Labels of one box stand below each other, as they may be broader than their lines are apart.
            x, y, anchor = x + 7, y + (15 + 12 * (row % 3) if towards[1] >= y else -8), "start"
        return (
            f'<text class="c2lab-blob c2lab-halo" fill="#3b4458" stroke="#ffffff" x="{x:.1f}" y="{y:.1f}" '
            f'text-anchor="{anchor}"><title>{safe(full, 300)}</title>{safe(text)}</text>'
        )

    # -- boxes ---------------------------------------------------------------------------------

    def _node(self, position: int) -> str:
        node, box = self.view.nodes[position], self.boxes[position]
        x, y = self.layout.positions[position]
        left, top = x - box.width / 2, y - box.height / 2
        hue = "grey" if node.kind == "input" else hue_of(node.family)
        dashed = " c2lab-gradient" if node.gradient else ""
        bar, fill, _, _ = COLOURS[hue]
        parts = [
            f'<g class="c2lab-node c2lab-{node.kind}" transform="translate({left:.1f} {top:.1f})">'
            f"<title>{safe(hover_text(node, self.view.shapes), 2000)}</title>"
        ]
        stack = STACK if node.kind == "group" else 0
        w, h = f"{box.width - stack:.1f}", f"{box.height - stack:.1f}"
        if node.kind == "group":
            for shift in (STACK, STACK // 2):
                parts.append(
                    f'<rect class="c2lab-box-{hue}" fill="{fill}" stroke="{bar}" x="{shift}" y="{shift}" rx="8" '
                    f'width="{w}" height="{h}"/>'
                )
        radius = box.height / 2 if node.kind == "input" else 8
        parts.append(
            f'<rect class="c2lab-box-{hue}{dashed}" fill="{fill}" stroke="{bar}" rx="{radius:.1f}" '
            f'width="{w}" height="{h}"/>'
        )
        if node.kind == "input":
            parts.append(
                f'<text class="c2lab-type" fill="#1b2130" text-anchor="middle" x="{box.width / 2:.1f}" y="18">'
                f"{safe(box.title)}</text></g>"
            )
            return "".join(parts)
        parts.append(
            f'<rect class="c2lab-bar-{hue}" fill="{bar}" x="7" y="9" rx="2" width="4" '
            f'height="{box.height - stack - 18:.1f}"/>'
        )
        parts.append(f'<text class="c2lab-type" fill="#1b2130" x="19" y="20">{safe(box.title)}</text>')
        if box.subtitle:
            parts.append(
                f'<text class="c2lab-muted" fill="#566074" text-anchor="end" x="{box.width - 10:.1f}" y="20">'
                f"{safe(box.subtitle)}</text>"
            )
        line_y = 36
        for line in box.lines:
            parts.append(f'<text class="c2lab-muted" fill="#566074" x="19" y="{line_y}">{safe(line)}</text>')
            line_y += 15
        pill_x = 19.0
        for shown, full, width in box.pills:
            parts.append(
                f"<g><title>{safe(full, 300)}</title>"
                f'<rect class="c2lab-pill c2lab-pill-rim" fill="#ffffff" stroke="#c8ced9" '
                f'x="{pill_x:.1f}" y="{line_y - 10}" rx="8" width="{width:.1f}" height="17"/>'
                f'<text class="c2lab-muted" fill="#566074" x="{pill_x + 7:.1f}" y="{line_y + 2}">'
                f"{safe(shown)}</text></g>"
            )
            pill_x += width + 5
        parts.append("</g>")
        return "".join(parts)

    def _scopes(self) -> list[str]:
        """Frames around name scopes, where no box of another scope would stand inside the frame."""
        frames = []
        layout, boxes = self.layout, self.boxes

        def edges_of(i: int) -> tuple[float, float, float, float]:
            (x, y), box = layout.positions[i], boxes[i]
            return x - box.width / 2, y - box.height / 2, x + box.width / 2, y + box.height / 2

        for scope, members in sorted(self.view.groups.items()):
            sides = [edges_of(m) for m in members]
            pad = 16.0
            left, top = min(s[0] for s in sides) - pad, min(s[1] for s in sides) - pad - 4
            right, bottom = max(s[2] for s in sides) + pad, max(s[3] for s in sides) + pad
            inside = set(members)
            apart = (
                edges_of(i)
                for i, node in enumerate(self.view.nodes)
                if i not in inside and not (node.kind == "input" and node.scope == scope)
            )
            if any(l < right and r > left and t < bottom and b > top for l, t, r, b in apart):
                continue
            if left < -MARGIN + 2 or top < -MARGIN or right > layout.width + MARGIN - 2:
                left, right, top = max(left, -MARGIN + 4), min(right, layout.width + MARGIN - 4), max(top, -MARGIN + 4)
            label = shorten(scope.rpartition("/")[2] or scope, 30)
            frames.append(
                f'<g class="c2lab-frame"><title>{safe(scope, 300)}</title>'
                f'<rect class="c2lab-scope c2lab-scope-fill" fill="#fafbfc" stroke="#b9c1cf" stroke-dasharray="2 3" '
                f'rx="10" x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}"/>'
                f'<text class="c2lab-muted" fill="#566074" x="{left + 9:.1f}" y="{top + 13:.1f}">'
                f"{safe(label)}</text></g>"
            )
        return frames


def _heading(view: NetView, title: str) -> tuple[str, str]:
    name = shorten(title or view.name or "net", 60)
    gradients = sum(node.gradient for node in view.nodes)
    parameters = len({name for node in view.nodes if not node.update for name in node.parameters})
    parts = [f"{view.operators} operator{'s' * (view.operators != 1)}"]
    if gradients:
        parts.append(f"{gradients} of them for gradients")
    if parameters:
        parts.append(f"{parameters} parameter{'s' * (parameters != 1)}")
    return name, " · ".join(parts)
