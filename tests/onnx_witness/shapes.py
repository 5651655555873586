"""ONNX operators on shapes and images as nets of ours."""

from __future__ import annotations

import numpy as np

from tests.onnx_witness.translation import DATA_TYPES, translates


@translates("Reshape")
def _reshape(t, type):
    wanted = t.array(1).tolist()
    t.only(not t.get("allowzero", 0), "0 is the size of X at that place")
    return t.op("Reshape", [t[0], t[1]], 2)[0] if wanted else t.op("Reshape", [t[0]], 2, shape=wanted)[0]


@translates("Transpose")
def _transpose(t, type):
    return t.op("Transpose", [t[0]], axes=t.get("perm"))


@translates("Concat")
def _concat(t, type):
    return t.op("Concat", [t[k] for k in range(len(t.arrays))], 2, axis=t.get("axis") % t.array(0).ndim)[0]


@translates("Slice")
def _slice(t, type):
    sizes = t.array(0).shape
    axes = t.array(3).tolist() if t.has(3) else list(range(t.array(1).size))
    steps = t.array(4).tolist() if t.has(4) else [1] * len(axes)
    t.only(all(step == 1 for step in steps), "a range has no steps")
    made = t[0]
    for axis, start, end in zip(axes, t.array(1).tolist(), t.array(2).tolist(), strict=True):
        size = sizes[axis]
        start, end, _ = slice(start, end).indices(size)
        t.only(end >= start, "a range does not end before it begins")
        starts, ends = [0] * len(sizes), [-1] * len(sizes)
        starts[axis], ends[axis] = start, end
        made = t.op("Slice", [made], starts=starts, ends=ends)
    return made


@translates("Split")
def _split(t, type):
    axis, size = t.get("axis", 0) % t.array(0).ndim, t.array(0).shape[t.get("axis", 0)]
    if t.has(1):
        sizes = t.array(1).tolist()
    else:
        chunk = -(-size // t.outputs)
        sizes = [max(min(chunk, size - k * chunk), 0) for k in range(t.outputs)]
    return t.op("Split", [t[0]], t.outputs, axis=axis, split=[int(n) for n in sizes])


@translates("Squeeze", "Unsqueeze")
def _squeeze(t, type):
    x = t.array(0)
    axes = t.array(1).tolist() if t.has(1) else t.get("axes") or [k for k, n in enumerate(x.shape) if n == 1]
    rank = x.ndim + (len(axes) if type == "Unsqueeze" else 0)
    return t.op("Squeeze" if type == "Squeeze" else "ExpandDims", [t[0]], dims=sorted(axis % rank for axis in axes))


@translates("Flatten")
def _flatten(t, type):
    axis = t.get("axis", 1)
    return t.op("Flatten", [t[0]], axis=axis + t.array(0).ndim if axis < 0 else axis)


@translates("Tile")
def _tile(t, type):
    made = t[0]
    for axis, tiles in enumerate(t.array(1).tolist()):
        made = t.op("Tile", [made], axis=axis, tiles=tiles)
    return made


@translates("Expand")
def _expand(t, type):
    return t.op("Expand", [t[0], t[1]])


@translates("Pad")
def _pad(t, type):
    x, pads, mode = t.array(0), t.array(1).tolist(), t.get("mode", "constant")
    t.only(x.ndim == 4 and x.dtype == np.float32 and not t.has(3), "margins are put around images of float32")
    t.only(mode in ("constant", "reflect", "edge"), "margins are constant, reflected, or the edge")
    t.only(pads[:2] == pads[4:6] == [0, 0], "margins are put around height and width")
    value = float(t.array(2)) if t.has(2) else 0.0
    return t.op("PadImage", [t[0]], mode=mode, value=value, pad_t=pads[2], pad_l=pads[3], pad_b=pads[6], pad_r=pads[7])


@translates("Gather")
def _gather(t, type):
    return t.op("Gather", [t[0], t[1]], axis=t.get("axis", 0) % t.array(0).ndim)


@translates("Shape")
def _shape(t, type):
    rank = t.array(0).ndim
    start, end, _ = slice(t.get("start", 0), t.get("end")).indices(rank)
    t.only(end > start, "no axes are all axes")
    return t.op("Shape", [t[0]], axes=list(range(start, end)))


@translates("Size")
def _size(t, type):
    return t.op("Size", [t[0]])


@translates("Range")
def _range(t, type):
    t.only(t.array(0).dtype != np.float16, "Range is not for float16")
    return t.op("Range", [t[0], t[1], t[2]])


@translates("Compress")
def _compress(t, type):
    axis, x, mask = t.get("axis"), t.array(0), t.array(1)
    source, rank = t[0], x.ndim
    if axis is None:
        source, axis, rank = t.op("FlattenToVec", [source]), 0, 1
    order = [axis % rank, *(k for k in range(rank) if k != axis % rank)]
    size = x.size if t.get("axis") is None else x.shape[axis]
    full = t.feed(np.concatenate([mask, np.zeros(size - mask.size, bool)]))
    made = t.op("BooleanMask", [t.op("Transpose", [source], axes=order), full])
    return t.op("Transpose", [made], axes=np.argsort(order).tolist())


@translates("OneHot")
def _one_hot(t, type):
    indices, depth, (off, on) = t.array(0), int(t.array(1).reshape(-1)[0]), t.array(2).tolist()
    t.only(indices.ndim == 1 and t.get("axis", -1) in (-1, 1), "one row an index")
    t.only((indices >= 0).all(), "no index counts from the end")
    t.only(off == 0 and on == 1, "the two values are 0 and 1")
    hot = t.op("OneHot", [t.feed(indices.astype(np.int64)), t.feed(np.int64([depth]))])
    return t.op("Cast", [hot], to=2)


@translates("EyeLike")
def _eye(t, type):
    t.only(not t.get("k", 0), "the diagonal is the main one")
    number = {"float32": 1, "int32": 6, "float64": 11}[t.array(0).dtype.name]
    number = DATA_TYPES[t.get("dtype", number)]
    return t.op("DiagonalFill", [t[0]], value=1 if number == 2 else 1.0, dtype=number)


@translates("Unique")
def _unique(t, type):
    t.only(t.array(0).ndim == 1 and t.array(0).dtype.kind == "i", "whole numbers in one row are told apart")
    return t.op("Unique", [t[0]])


@translates("DepthToSpace", "SpaceToDepth")
def _depth(t, type):
    n, c, h, w = t.array(0).shape
    b = t.get("blocksize")
    if type == "SpaceToDepth":
        parts, _ = t.op("Reshape", [t[0]], 2, shape=[n, c, h // b, b, w // b, b])
        turned = t.op("Transpose", [parts], axes=[0, 1, 3, 5, 2, 4] if t.get("mode") == "CRD" else [0, 3, 5, 1, 2, 4])
        return t.op("Reshape", [turned], 2, shape=[n, c * b * b, h // b, w // b])[0]
    crd = t.get("mode", "DCR") == "CRD"
    k = c // (b * b)
    parts, _ = t.op("Reshape", [t[0]], 2, shape=[n, k, b, b, h, w] if crd else [n, b, b, k, h, w])
    turned = t.op("Transpose", [parts], axes=[0, 1, 4, 2, 5, 3] if crd else [0, 3, 4, 1, 5, 2])
    return t.op("Reshape", [turned], 2, shape=[n, k, h * b, w * b])[0]


# --- images --------------------------------------------------------------------------------------


@translates("Resize", "Upsample")
def _resize(t, type):
    x = t.array(0)
    t.only(x.ndim == 4 and not t.get("axes") and not t.get("antialias", 0), "images are resized, without smoothing")
    scales = t.array(1 if type == "Upsample" else 2) if t.has(1 if type == "Upsample" else 2) else None
    if scales is not None and scales.size == 0:
        scales = None
    if scales is None:
        t.only(t.get("keep_aspect_ratio_policy", "stretch") == "stretch", "sizes are taken as they are")
        sizes = t.array(3)
        scales = np.float32([size / old for size, old in zip(sizes.tolist(), x.shape, strict=True)])
    where, mode = t.get("coordinate_transformation_mode", "half_pixel"), t.get("mode", "nearest")
    if type == "Upsample":
        where = "asymmetric"
    more = {"height_scale": float(scales[2]), "width_scale": float(scales[3])}
    if mode == "nearest":
        down = type == "Upsample" or t.get("nearest_mode", "round_prefer_floor") == "floor"
        whole = all(float(s).is_integer() for s in scales[2:])
        centred = where == "half_pixel" and t.get("nearest_mode", "round_prefer_floor") == "round_prefer_floor"
        t.only(
            (where == "asymmetric" and down) or (whole and centred), "the nearest pixel is the one up and to the left"
        )
        return t.op("ResizeNearest", [t[0]], **more)
    t.only(mode == "linear" and where == "align_corners", "bilinear pixels have their corners aligned, and no others")
    t.only(float(scales[2]) >= 1, "pictures grow")
    return t.op("UpsampleBilinear", [t[0]], **more)


@translates("RoiAlign")
def _roi_align(t, type):
    t.only(t.get("mode", "avg") == "avg", "samples are averaged")
    rois = np.concatenate([t.array(2)[:, None].astype(np.float32), t.array(1)], axis=1)
    return t.op(
        "RoIAlign", [t[0], t.feed(rois)], spatial_scale=t.get("spatial_scale", 1.0), pooled_h=t.get("output_height", 1),
        pooled_w=t.get("output_width", 1), sampling_ratio=t.get("sampling_ratio", 0),
        aligned=t.get("coordinate_transformation_mode", "half_pixel") == "half_pixel",
    )  # fmt: skip
