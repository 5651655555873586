"""ONNX layers, pools, normalizations and losses as nets of ours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.onnx_witness.translation import Translation, translates


@translates("MatMul")
def _matmul(t, type):
    a, b = t.array(0), t.array(1)
    t.only(a.dtype == np.float32, "MatMul is for float32")
    t.only(a.ndim + b.ndim > 2, "the product of two vectors is one row of one number")
    if a.ndim == b.ndim == 2:
        return t.op("MatMul", [t[0], t[1]])
    return t.op("BatchMatMul", [t[0], t[1]], broadcast=1)


@translates("Gemm")
def _gemm(t, type):
    made = t.op("MatMul", [t[0], t[1]], trans_a=t.get("transA", 0), trans_b=t.get("transB", 0))
    if t.get("alpha", 1.0) != 1.0:
        made = t.op("Scale", [made], scale=t.get("alpha"))
    if not t.has(2):
        return made
    bias = t[2]
    if t.get("beta", 1.0) != 1.0:
        bias = t.op("Scale", [bias], scale=t.get("beta"))
    return t.op("Add", [made, bias])


def _pads(t: Translation, sizes: Sequence[int], kernel: Sequence[int]) -> list[int]:
    """All beginnings, then all ends."""
    strides = t.get("strides", [1] * len(kernel))
    dilations = t.get("dilations", [1] * len(kernel))
    rule = t.get("auto_pad", "NOTSET")
    if rule in ("NOTSET", "VALID"):
        return list(t.get("pads", [0] * (2 * len(kernel)))) if rule == "NOTSET" else [0] * (2 * len(kernel))
    begins, ends = [], []
    for size, k, s, d in zip(sizes, kernel, strides, dilations, strict=True):
        needed = max((-(-size // s) - 1) * s + d * (k - 1) + 1 - size, 0)
        small, large = needed // 2, needed - needed // 2
        begins.append(small if rule == "SAME_UPPER" else large)
        ends.append(large if rule == "SAME_UPPER" else small)
    return begins + ends


@translates("Conv")
def _conv(t, type):
    kernel = list(t.array(1).shape[2:])
    return t.op(
        "Conv", [t[k] for k in range(len(t.arrays))], kernels=kernel, strides=t.get("strides", [1] * len(kernel)),
        dilations=t.get("dilations", [1] * len(kernel)), pads=_pads(t, t.array(0).shape[2:], kernel),
        group=t.get("group", 1),
    )  # fmt: skip


@translates("ConvTranspose")
def _conv_transpose(t, type):
    kernel = list(t.array(1).shape[2:])
    t.only(all(d == 1 for d in t.get("dilations", [1])), "a transposed convolution has no dilation")
    t.only(not t.get("output_shape") and t.get("auto_pad", "NOTSET") == "NOTSET", "no output shape is asked for")
    return t.op(
        "ConvTranspose", [t[k] for k in range(len(t.arrays))], kernels=kernel,
        strides=t.get("strides", [1] * len(kernel)), pads=t.get("pads", [0] * (2 * len(kernel))),
        adjs=t.get("output_padding", [0] * len(kernel)), group=t.get("group", 1),
    )  # fmt: skip


@translates("AveragePool", "MaxPool", "LpPool")
def _pool(t, type):
    kernel = t.get("kernel_shape")
    rank = len(kernel)
    t.only(not t.get("ceil_mode", 0), "sizes are rounded down")
    t.only(t.outputs == 1, "MaxPool leaves no indices")
    t.only(t.array(0).dtype == np.float32, "pools are for float32")
    t.only(all(d == 1 for d in t.get("dilations", [1])), "pools have no dilation")
    pads = _pads(t, t.array(0).shape[2:], kernel)
    t.only(type != "LpPool" or rank == 2, "LpPool is for images")
    more = {"count_include_pad": t.get("count_include_pad", 0)} if type == "AveragePool" else {}
    if type == "LpPool":
        more = {"p": float(t.get("p", 2))}
    return t.op(type, [t[0]], kernels=kernel, strides=t.get("strides", [1] * rank), pads=pads, **more)


@translates("GlobalAveragePool", "GlobalMaxPool")
def _global_pool(t, type):
    return t.op(type.removeprefix("Global"), [t[0]], global_pooling=1)


# --- normalization, softmax, losses --------------------------------------------------------------


@translates("BatchNormalization")
def _batch_norm(t, type):
    epsilon = t.get("epsilon", 1e-5)
    if not t.get("training_mode", 0):
        return t.op("SpatialBN", [t[k] for k in range(5)], is_test=1, epsilon=epsilon)
    t.only(False, "the running variance of the original is the unbiased one")


@translates("InstanceNormalization")
def _instance_norm(t, type):
    return t.op("InstanceNorm", [t[0], t[1], t[2]], epsilon=t.get("epsilon", 1e-5))


@translates("LayerNormalization")
def _layer_norm(t, type):
    axis = t.get("axis", -1) % t.array(0).ndim
    inputs = [t[k] for k in range(len(t.arrays))]
    if len(inputs) == 2:
        inputs.append(t.feed(np.zeros_like(t.array(1))))
    made, mean, deviation = t.op(
        "LayerNorm", inputs, 3, axis=axis, epsilon=t.get("epsilon", 1e-5), elementwise_affine=1
    )
    kept = [*t.array(0).shape[:axis], *[1] * (t.array(0).ndim - axis)]
    statistics = [t.op("Reshape", [name], 2, shape=kept)[0] for name in (mean, t.op("Reciprocal", [deviation]))]
    return [made, *statistics][: t.outputs]


@translates("GroupNormalization")
def _group_norm(t, type):
    return t.op("GroupNorm", [t[0], t[1], t[2]], 3, group=t.get("num_groups"), epsilon=t.get("epsilon", 1e-5))[:1]


@translates("RMSNormalization")
def _rms_norm(t, type):
    axis, gamma = t.get("axis", -1) % t.array(0).ndim, t.array(1)
    made, _ = t.op("RMSNorm", [t[0], t[1], t.feed(np.zeros_like(gamma))], 2, axis=axis, eps=t.get("epsilon", 1e-5))
    return made


@translates("LRN")
def _lrn(t, type):
    size = t.get("size")
    return t.op("LRN", [t[0]], size=size, alpha=t.get("alpha", 1e-4), beta=t.get("beta", 0.75), bias=t.get("bias", 1.0))


@translates("LpNormalization")
def _lp_norm(t, type):
    p, axis = t.get("p", 2), t.get("axis", -1) % t.array(0).ndim
    t.only(bool(np.abs(t.array(0)).sum(axis=axis).all()), "what is divided by zero is not of one mind")
    return t.op("Normalize" if p == 2 else "NormalizeL1", [t[0]], axis=axis)


@translates("Softmax", "LogSoftmax")
def _softmax(t, type):
    rank = t.array(0).ndim
    axis = t.get("axis", -1) % rank
    order = [k for k in range(rank) if k != axis] + [axis]
    made = t.op("Softmax", [t.op("Transpose", [t[0]], axes=order)], axis=rank - 1)
    if type == "LogSoftmax":
        t.only(float(np.ptp(t.array(0))) < 80, "the logarithm is taken behind the softmax, which is 0 by then")
        made = t.op("Log", [made])
    return t.op("Transpose", [made], axes=np.argsort(order).tolist())


@translates("SoftmaxCrossEntropyLoss")
def _cross_entropy(t, type):
    t.only(t.get("reduction", "mean") == "mean", "the loss is a mean")
    t.only(t.get("ignore_index") is None and len(t.arrays) == 2, "no class is left out or weighs more")
    t.only(t.outputs == 1, "the softmax is given, and not its logarithm")
    x, labels = t.array(0), t.feed(t.array(1).reshape(-1).astype(np.int32))
    rank, classes = x.ndim, x.shape[1]
    turned = t.op("Transpose", [t[0]], axes=[0, *range(2, rank), 1])
    rows, _ = t.op("Reshape", [turned], 2, shape=[-1, classes])
    return t.op("SoftmaxWithLoss", [rows, labels], 2)[1]
