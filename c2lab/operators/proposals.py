"""Regions that may hold something: proposed from anchors, collected from and spread over pyramid levels."""

from __future__ import annotations

from typing import Any

import numpy as np

from c2lab.errors import BadArgument
from c2lab.operators.box_geometry import (
    Angles,
    clipped,
    clipped_rotated,
    moved,
    moved_rotated,
    suppressed,
)
from c2lab.operators.checks import require_shape
from c2lab.operators.definition import host_operator

FLOAT = "float32"


@host_operator(
    "GenerateProposals",
    outputs="rois, rois_probs",
    gradient="refused",
    types={"scores": FLOAT, "bbox_deltas": FLOAT, "im_info": FLOAT, "anchors": FLOAT},
)
def generate_proposals(
    scores,
    bbox_deltas,
    im_info,
    anchors,
    *,
    spatial_scale: float = 1.0 / 16,
    pre_nms_topN: int = 6000,
    post_nms_topN: int = 300,
    nms_thresh: float = 0.7,
    min_size: float = 16.0,
    angle_bound_on: bool = True,
    angle_bound_lo: int = -90,
    angle_bound_hi: int = 90,
    clip_angle_thresh: float = 1.0,
    legacy_plus_one: bool = True,
):
    """The most promising regions of each image: anchors at every place, moved, cut off, and without the doubles.

    Ren et al., Faster R-CNN, 2015.

    Inputs:
        scores: ``(N, A, H, W)``, how promising each anchor is at each place.
        bbox_deltas: ``(N, A * 4, H, W)``: how each is moved (five numbers an anchor for rotated ones).
        im_info: ``(N, 3)``: height, width and scale of each image.
        anchors: ``(A, 4)`` boxes around the first place, or ``(A, 5)`` rotated ones.
    Args:
        spatial_scale: Places a pixel: neighbouring places are ``1 / spatial_scale`` pixels apart.
        pre_nms_topN: So many of the best are looked at; all at 0 or below.
        post_nms_topN: So many are kept at most; all at 0 or below.
        nms_thresh: The most that two kept regions overlap (shared area over joint area).
        min_size: Least width and height, in the image before scaling.
        angle_bound_on: Whether angles are brought between the bounds.
        angle_bound_lo: Least angle in degrees.
        angle_bound_hi: Largest angle in degrees.
        clip_angle_thresh: Rotated boxes turned by less are cut off at the image; below 0 none is.
        legacy_plus_one: Whether the far edge belongs to a box.
    Outputs:
        rois: ``(n, 5)``: the image's number and the box (``(n, 6)`` with angles).
        rois_probs: ``(n,)``: their scores.
    Example:
        >>> run("GenerateProposals", scores=[[[[0.9]]]], bbox_deltas=[[[[0.0]], [[0.0]], [[0.0]], [[0.0]]]],
        ...     im_info=[[30.0, 30.0, 1.0]], anchors=[[0.0, 0.0, 19.0, 19.0]])
        rois = [[ 0.  0.  0. 19. 19.]]
        rois_probs = [0.9]
    """
    require_shape(
        scores.ndim == 4 and anchors.ndim == 2 and anchors.shape[1] in (4, 5) and scores.shape[1] == len(anchors),
        f"scores is {scores.shape} and anchors {anchors.shape}; they must be (N, A, H, W) and (A, 4) or (A, 5)",
    )
    count, kinds, height, width = scores.shape
    size = anchors.shape[1]
    require_shape(
        bbox_deltas.shape == (count, kinds * size, height, width),
        f"bbox_deltas is {bbox_deltas.shape}; it must be {(count, kinds * size, height, width)}",
    )
    require_shape(im_info.shape == (count, 3), f"im_info is {im_info.shape}; it must be ({count}, 3)")
    angles = Angles(angle_bound_on, angle_bound_lo, angle_bound_hi, clip_angle_thresh)
    if size == 5:
        angles.check()
    one = int(legacy_plus_one)
    stride = np.float32(1 / spatial_scale)
    y, x = np.meshgrid(np.arange(height, dtype=np.float32), np.arange(width, dtype=np.float32), indexing="ij")
    steps = np.zeros((height, width, 1, size), np.float32)
    for corner in range(0, 2 if size == 5 else 4, 2):
        steps[..., 0, corner], steps[..., 0, corner + 1] = x * stride, y * stride
    everywhere = (steps + anchors).reshape(-1, size)
    found: list[Any] = [np.empty((0, size + 1), np.float32)]
    chances: list[Any] = [np.empty(0, np.float32)]
    for image, (high, wide, scale) in enumerate(im_info):
        score = scores[image].transpose(1, 2, 0).reshape(-1)
        delta = bbox_deltas[image].reshape(kinds, size, height, width).transpose(2, 3, 0, 1).reshape(-1, size)
        order = np.argsort(-score, kind="stable")
        order = order[:pre_nms_topN] if pre_nms_topN > 0 else order
        score = score[order]
        if size == 5:
            boxes = moved_rotated(everywhere[order], delta[order], (1.0,) * 4, angles)
            boxes = clipped_rotated(boxes, high, wide, angles, one)
            sides, middle = boxes[:, 2:4], boxes[:, :2]
        else:
            boxes = clipped(moved(everywhere[order], delta[order], (1.0,) * 4, one), high, wide, one)
            sides = boxes[:, 2:] - boxes[:, :2] + one
            middle = boxes[:, :2] + sides / 2
        large = (sides >= np.float32(min_size) * scale).all(axis=1)
        inside = (middle[:, 0] < wide) & (middle[:, 1] < high)
        kept = suppressed(
            boxes, np.flatnonzero(large & inside), nms_thresh, one, post_nms_topN if post_nms_topN > 0 else -1
        )
        number = np.full((len(kept), 1), image, np.float32)
        found.append(np.concatenate([number, boxes[kept]], axis=1))
        chances.append(score[kept])
    return np.concatenate(found).astype(np.float32), np.concatenate(chances)


@host_operator("CollectRpnProposals", outputs="rois", gradient="refused")
def collect_rpn_proposals(*proposals, rpn_max_level: int = 6, rpn_min_level: int = 2, rpn_post_nms_topN: int = 2000):
    """The best regions of all levels of a feature pyramid.

    Inputs:
        proposals: The regions ``(n, 5)`` of each level from ``rpn_min_level`` to ``rpn_max_level``, then the
            probabilities ``(n,)`` of each level.
    Args:
        rpn_max_level: The last level.
        rpn_min_level: The first level.
        rpn_post_nms_topN: How many are kept.
    Outputs:
        rois: The best ones, best first.
    Example:
        >>> run("CollectRpnProposals", proposals=[[[0.0, 0.0, 0.0, 9.0, 9.0], [0.0, 5.0, 5.0, 9.0, 9.0]], [0.1, 0.9]],
        ...     rpn_min_level=2, rpn_max_level=2, rpn_post_nms_topN=1)
        rois = [[0. 5. 5. 9. 9.]]
    """
    return _collected(proposals, rpn_min_level, rpn_max_level, rpn_post_nms_topN)


@host_operator("DistributeFpnProposals", outputs="*rois_by_level", gradient="refused", types={"rois": FLOAT})
def distribute_fpn_proposals(
    rois,
    *,
    roi_canonical_scale: int = 224,
    roi_canonical_level: int = 4,
    roi_max_level: int = 5,
    roi_min_level: int = 2,
    legacy_plus_one: bool = True,
    num_outputs: int,
):
    """Regions spread over the levels of a feature pyramid, the larger ones to the coarser levels.

    ``level = floor(canonical_level + log2(sqrt(area) / canonical_scale + 1e-6))``, kept between the least and
    the largest.  Lin et al., Feature Pyramid Networks, 2017.

    Inputs:
        rois: ``(n, 5)`` (the first number is the image's) or ``(n, 4)``.
    Args:
        roi_canonical_scale: Size in pixels of a region that belongs to the canonical level.
        roi_canonical_level: That level.
        roi_max_level: The coarsest level.
        roi_min_level: The finest level.
        legacy_plus_one: Whether the far edge belongs to a box.
    Outputs:
        rois_by_level: The regions of each level, finest first; then int32 ``(n,)``: where, one level after the
            other, each of the rois stands.
    Example:
        >>> run("DistributeFpnProposals", rois=[[0.0, 0.0, 499.0, 499.0], [0.0, 0.0, 9.0, 9.0]],
        ...     roi_min_level=4, roi_max_level=5, outputs=3)
        rois_by_level_0 = [[0. 0. 9. 9.]]
        rois_by_level_1 = [[  0.   0. 499. 499.]]
        rois_by_level_2 = [1 0]
    """
    return _spread(
        rois, roi_canonical_scale, roi_canonical_level, roi_min_level, roi_max_level, int(legacy_plus_one), num_outputs
    )


@host_operator("CollectAndDistributeFpnRpnProposals", outputs="*rois_by_level", gradient="refused")
def collect_and_distribute_fpn_rpn_proposals(
    *proposals,
    roi_canonical_scale: int = 224,
    roi_canonical_level: int = 4,
    roi_max_level: int = 5,
    roi_min_level: int = 2,
    rpn_max_level: int = 6,
    rpn_min_level: int = 2,
    rpn_post_nms_topN: int = 2000,
    legacy_plus_one: bool = True,
    num_outputs: int,
):
    """CollectRpnProposals and then DistributeFpnProposals.

    Inputs:
        proposals: As for CollectRpnProposals.
    Args:
        roi_canonical_scale: Size in pixels of a region that belongs to the canonical level.
        roi_canonical_level: That level.
        roi_max_level: The coarsest level for regions.
        roi_min_level: The finest level for regions.
        rpn_max_level: The last level of proposals.
        rpn_min_level: The first level of proposals.
        rpn_post_nms_topN: How many are kept.
        legacy_plus_one: Whether the far edge belongs to a box.
    Outputs:
        rois_by_level: All the regions kept, best first; then what DistributeFpnProposals gives for them.
    Example:
        >>> run("CollectAndDistributeFpnRpnProposals", proposals=[[[0.0, 0.0, 0.0, 9.0, 9.0]], [0.5]],
        ...     rpn_min_level=2, rpn_max_level=2, roi_min_level=2, roi_max_level=2, outputs=3)
        rois_by_level_0 = [[0. 0. 0. 9. 9.]]
        rois_by_level_1 = [[0. 0. 0. 9. 9.]]
        rois_by_level_2 = [0]
    """
    rois = _collected(proposals, rpn_min_level, rpn_max_level, rpn_post_nms_topN)
    spread = _spread(
        rois, roi_canonical_scale, roi_canonical_level, roi_min_level, roi_max_level, int(legacy_plus_one),
        num_outputs - 1,
    )  # fmt: skip
    return (rois, *spread)


def _collected(proposals: tuple[Any, ...], least: int, most: int, best: int) -> Any:
    levels = most - least + 1
    if levels < 1 or len(proposals) != 2 * levels:
        raise BadArgument(
            f"levels {least} to {most} take {2 * max(levels, 1)} inputs (regions of each, then probabilities of each), "
            f"but there are {len(proposals)}"
        )
    for rois, chances in zip(proposals[:levels], proposals[levels:], strict=True):
        require_shape(
            rois.ndim == 2 and rois.shape[1] == 5 and chances.size == len(rois),
            f"regions are {rois.shape} and their probabilities {chances.shape}; they must be (n, 5) and (n,)",
        )
    rois = np.concatenate(proposals[:levels])
    chances = np.concatenate([chance.reshape(-1) for chance in proposals[levels:]])
    return rois[np.argsort(-chances, kind="stable")[: max(best, 0)]]


def _spread(
    rois: Any, scale: int, canonical: int, least: int, most: int, one: int, num_outputs: int
) -> tuple[Any, ...]:
    levels = most - least + 1
    if levels < 1 or num_outputs != levels + 1:
        raise BadArgument(
            f"roi_min_level {least} and roi_max_level {most} give {max(levels, 1) + 1} outputs (regions of each level, "
            f"and where they went), but there are {num_outputs}"
        )
    require_shape(rois.ndim == 2 and rois.shape[1] in (4, 5), f"rois is {rois.shape}; it must be (n, 4) or (n, 5)")
    boxes = rois[:, -4:]
    area = (boxes[:, 2] - boxes[:, 0] + one) * (boxes[:, 3] - boxes[:, 1] + one)
    level = np.floor(canonical + np.log2(np.sqrt(area) / np.float32(scale) + np.float32(1e-6)))
    level = np.clip(level, least, most).astype(int)
    places = [np.flatnonzero(level == number) for number in range(least, most + 1)]
    restore = np.argsort(np.concatenate(places), kind="stable").astype(np.int32)
    return (*(rois[place] for place in places), restore)
