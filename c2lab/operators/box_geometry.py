"""Boxes as numpy arrays: moving, clipping, overlap, and which of many to keep.

Upright boxes are rows ``(x1, y1, x2, y2)``; rotated ones ``(x, y, width, height, degrees)`` around their
centre.  ``one`` is 1 where the far edge belongs to the box (width ``x2 - x1 + 1``, as in the first
detectors) and 0 where it does not.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from c2lab.errors import BadArgument

MOST_GROWTH = math.log(1000 / 16)
"""Logarithm of the most that a box may grow: what comes out of a net has no bounds."""


class Angles(NamedTuple):
    """What is done to the angle of a rotated box: kept within bounds, and how small counts as upright."""

    bounded: bool
    low: int
    high: int
    upright: float

    def check(self) -> None:
        """Demands bounds that a turn of the box can always reach.

        Raises:
            BadArgument: They do not span a multiple of 180 degrees.
        """
        period = self.high - self.low
        if self.bounded and (period <= 0 or period % 180):
            raise BadArgument(
                f"angle_bound_lo is {self.low} and angle_bound_hi is {self.high}; they must be a multiple of 180 apart"
            )


def moved(boxes: Any, deltas: Any, weights: tuple[float, ...], one: int) -> Any:
    """Upright boxes moved by deltas ``(dx, dy, dw, dh)``, which are in units of the box divided by the weights."""
    width, height = boxes[:, 2] - boxes[:, 0] + one, boxes[:, 3] - boxes[:, 1] + one
    x, y = boxes[:, 0] + 0.5 * width, boxes[:, 1] + 0.5 * height
    dx, dy, dw, dh = (deltas[:, i] / weights[i] for i in range(4))
    x, y = dx * width + x, dy * height + y
    width, height = (np.exp(np.minimum(d, MOST_GROWTH)) * size for d, size in ((dw, width), (dh, height)))
    return np.stack([x - width / 2, y - height / 2, x + width / 2 - one, y + height / 2 - one], axis=1)


def moved_rotated(boxes: Any, deltas: Any, weights: tuple[float, ...], angles: Angles) -> Any:
    """Rotated boxes moved by deltas ``(dx, dy, dw, dh, radians)``."""
    dx, dy, dw, dh = (deltas[:, i] / weights[i] for i in range(4))
    x, y = dx * boxes[:, 2] + boxes[:, 0], dy * boxes[:, 3] + boxes[:, 1]
    width, height = (np.exp(np.minimum(d, MOST_GROWTH)) * boxes[:, 2 + i] for i, d in enumerate((dw, dh)))
    angle = boxes[:, 4] + deltas[:, 4] * 180 / math.pi
    if angles.bounded:
        period = angles.high - angles.low
        angle = np.where(angle < angles.low, angle + period, np.where(angle > angles.high, angle - period, angle))
    return np.stack([x, y, width, height, angle], axis=1)


def clipped(boxes: Any, height: float, width: float, one: int) -> Any:
    """Upright boxes cut off at the edges of an image."""
    far = np.array([width - one, height - one] * 2, boxes.dtype)
    return np.maximum(np.minimum(boxes, far), np.zeros(1, boxes.dtype))


def clipped_rotated(boxes: Any, height: float, width: float, angles: Angles, one: int) -> Any:
    """Rotated boxes, of which those that stand nearly upright are cut off at the edges of an image."""
    if angles.upright < 0:
        return boxes
    half = (boxes[:, 2:4] - one) / 2
    edges = clipped(np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1), height, width, one)
    cut = np.stack(
        [
            (edges[:, 0] + edges[:, 2]) / 2,
            (edges[:, 1] + edges[:, 3]) / 2,
            edges[:, 2] - edges[:, 0] + one,
            edges[:, 3] - edges[:, 1] + one,
            boxes[:, 4],
        ],
        axis=1,
    )
    return np.where((np.abs(boxes[:, 4]) <= angles.upright)[:, None], cut, boxes)


def overlaps(box: Any, others: Any, one: int) -> Any:
    """The area that a box shares with each other box, over that of both together."""
    if len(box) == 5:
        return np.array([_rotated_overlap(box, other) for other in others], others.dtype)
    width, height = others[:, 2] - others[:, 0] + one, others[:, 3] - others[:, 1] + one
    area = (box[2] - box[0] + one) * (box[3] - box[1] + one)
    shared_width = np.minimum(box[2], others[:, 2]) - np.maximum(box[0], others[:, 0]) + one
    shared_height = np.minimum(box[3], others[:, 3]) - np.maximum(box[1], others[:, 1]) + one
    shared = np.maximum(shared_width, 0) * np.maximum(shared_height, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return shared / (area + width * height - shared)


def _corners(box: Any) -> list[tuple[float, float]]:
    x, y, width, height, angle = map(float, box)
    c, s = math.cos(math.radians(angle)) / 2, math.sin(math.radians(angle)) / 2
    signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return [(x + i * width * c + j * height * s, y + j * height * c - i * width * s) for i, j in signs]


def _area(corners: list[tuple[float, float]]) -> float:
    following = corners[1:] + corners[:1]
    return abs(sum(x * v - u * y for (x, y), (u, v) in zip(corners, following, strict=True))) / 2


def _rotated_overlap(box: Any, other: Any) -> float:
    """The corners of one box, cut off along each side of the other in turn, span what the two share."""
    if min(box[2], box[3], other[2], other[3]) <= 0:
        return 0.0  # cut off until nothing was left: it shares no area, and has no inner side to cut along
    corners, cutter = _corners(box), _corners(other)
    total = float(box[2] * box[3] + other[2] * other[3])
    middle = [sum(values) / 4 for values in zip(*cutter, strict=True)]
    for (ax, ay), (bx, by) in zip(cutter, cutter[1:] + cutter[:1], strict=True):

        def side(point: Any, ax: float = ax, ay: float = ay, bx: float = bx, by: float = by) -> float:
            return (bx - ax) * (point[1] - ay) - (by - ay) * (point[0] - ax)

        inwards = 1 if side(middle) >= 0 else -1
        kept: list[tuple[float, float]] = []
        for point, following in zip(corners, corners[1:] + corners[:1], strict=True):
            here, there = inwards * side(point), inwards * side(following)
            if here >= 0:
                kept.append(point)
            if here * there < 0:
                part = here / (here - there)
                (x, y), (u, v) = point, following
                kept.append((x + part * (u - x), y + part * (v - y)))
        corners = kept
        if len(corners) < 3:
            return 0.0
    shared = _area(corners)
    return shared / (total - shared) if total > shared else 1.0


def suppressed(boxes: Any, order: Any, threshold: float, one: int, most: int = -1) -> Any:
    """Positions of the boxes to keep, best first: none overlaps a better one by more than ``threshold``.

    Args:
        boxes: All boxes.
        order: Positions of those in question, best first.
        threshold: The most that two kept boxes may overlap.
        one: 1 where far edges belong to the boxes.
        most: After so many nothing more is kept; without bound below 0.
    """
    kept = []
    order = np.asarray(order)
    while len(order) and (most < 0 or len(kept) < most):
        kept.append(order[0])
        rest = order[1:]
        order = rest[overlaps(boxes[order[0]], boxes[rest], one) <= threshold]
    return np.array(kept, np.int64)


def softly_suppressed(
    boxes: Any, scores: Any, chosen: Any, *, method: str, sigma: float, threshold: float, least: float, one: int
) -> tuple[Any, Any]:
    """Positions of the boxes to keep, and all scores after those that overlap a better box were lowered.

    Bodla et al., Soft-NMS, 2017.

    Args:
        boxes: All boxes.
        scores: Their scores.
        chosen: Positions of those in question.
        method: ``linear`` (times 1 - overlap, above the threshold), ``gaussian`` (times
            ``exp(-overlap^2 / sigma)``) or ``hard`` (0 above the threshold).
        sigma: Width of the Gaussian.
        threshold: Overlap above which linear and hard act.
        least: Boxes whose score falls below this are dropped.
        one: 1 where far edges belong to the boxes.
    """
    scores = scores.copy()
    kept = []
    waiting = np.asarray(chosen)
    while len(waiting):
        best = int(np.argmax(scores[waiting]))
        box, waiting = waiting[best], np.delete(waiting, best)
        kept.append(box)
        shared = overlaps(boxes[box], boxes[waiting], one)
        if method == "gaussian":
            weight = np.exp(-(shared**2) / sigma)
        else:
            weight = np.where(shared > threshold, 1 - shared if method == "linear" else 0, 1)
        scores[waiting] *= weight.astype(scores.dtype)
        waiting = waiting[scores[waiting] >= least]
    return np.array(kept, np.int64), scores
