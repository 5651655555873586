"""Places for boxes: the layered layout, around what the user put somewhere himself."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from c2lab.graph.layout import arrange, longest_path_ranks

Point = tuple[float, float]
Direction = Literal["right", "down"]

_DEEP = 24
"""With more ranks than this, a picture that goes rightwards would be too long for its height."""


@dataclass(frozen=True)
class Placed:
    """The top left corner of each box, and the way the data flows."""

    corners: dict[str, Point]
    direction: Direction


def place(
    ids: Sequence[str],
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[tuple[str, str]],
    *,
    lanes: Sequence[int],
    kept: Mapping[str, Point],
) -> Placed:
    """Places boxes; those in ``kept`` stay where they are, the others come near what they hang together with.

    Args:
        ids: A name for each box.
        sizes: Width and height of each box.
        edges: Pairs of names.
        lanes: A column for each box: forward 0, backward 1, updates 2.
        kept: Top left corners of the boxes that the user placed.

    Example:
        >>> place(["a", "b"], [(10, 10), (10, 10)], [("a", "b")], lanes=[0, 0], kept={"a": (100, 50)}).corners
        {'a': (100, 50), 'b': (174.0, 50.0)}
    """
    index = {name: i for i, name in enumerate(ids)}
    pairs = list(dict.fromkeys((index[a], index[b]) for a, b in edges))
    # What flows back is turned round, so that the gradients stand beside the forward operators.
    flow = [(b, a) if lanes[a] == 1 and lanes[b] == 1 else (a, b) for a, b in pairs]
    deep = max(longest_path_ranks(len(ids), flow), default=0) > _DEEP
    direction: Direction = "down" if deep else "right"
    along, across = (56, 36) if deep else (64, 30)
    layout = arrange(sizes, flow, rightwards=not deep, lanes=lanes, fill=2400, gap_along=along, gap_across=across)
    corners = {name: (x - w / 2, y - h / 2) for name, (x, y), (w, h) in zip(ids, layout.positions, sizes, strict=True)}
    fixed = {name: kept[name] for name in ids if name in kept}
    if fixed:
        corners = _around(ids, sizes, pairs, corners, fixed, direction)
    return Placed(corners, direction)


def _around(
    ids: Sequence[str],
    sizes: Sequence[tuple[float, float]],
    pairs: Sequence[tuple[int, int]],
    corners: Mapping[str, Point],
    fixed: Mapping[str, Point],
    direction: Direction,
) -> dict[str, Point]:
    """Moves the free boxes as far as their nearest placed neighbours were moved, and out of others' way."""
    near: list[list[int]] = [[] for _ in ids]
    for a, b in pairs:
        near[a].append(b)
        near[b].append(a)
    shift: dict[int, Point] = {}
    queue: deque[int] = deque()
    for i, name in enumerate(ids):
        if name in fixed:
            (x, y), (u, v) = fixed[name], corners[name]
            shift[i] = (x - u, y - v)
            queue.append(i)
    while queue:
        i = queue.popleft()
        for j in near[i]:
            if j not in shift:
                shift[j] = shift[i]
                queue.append(j)
    result: dict[str, Point] = {}
    taken: list[tuple[float, float, float, float]] = []
    order = sorted(range(len(ids)), key=lambda i: ids[i] not in fixed)
    for i in order:
        name, (w, h) = ids[i], sizes[i]
        if name in fixed:
            x, y = fixed[name]
        else:
            dx, dy = shift.get(i, (0.0, 0.0))
            x, y = _free_place(corners[name][0] + dx, corners[name][1] + dy, w, h, taken, direction)
        result[name] = (x, y)
        taken.append((x, y, x + w, y + h))
    return {name: result[name] for name in ids}


def _free_place(
    x: float, y: float, w: float, h: float, taken: Sequence[tuple[float, float, float, float]], direction: Direction
) -> Point:
    """The nearest place across the flow where a box covers no other."""
    gap = 12.0
    for _ in range(200):
        hit = next(
            (
                box
                for box in taken
                if x < box[2] + gap and x + w > box[0] - gap and y < box[3] + gap and y + h > box[1] - gap
            ),
            None,
        )
        if hit is None:
            break
        if direction == "right":
            y = hit[3] + gap + 1
        else:
            x = hit[2] + gap + 1
    return x, y
