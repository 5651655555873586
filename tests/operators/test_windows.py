"""Where windows fit, and how their arguments may be spelled."""

from __future__ import annotations

import pytest

from c2lab.errors import BadArgument, ShapeMismatch
from c2lab.operators.windows import LegacyPad, Window, window


def folded(**arguments):
    known = {name: spec.default for name, spec in window.arguments.items()}
    return window.function(**{**known, **arguments})["window"]


@pytest.mark.parametrize(
    ("arguments", "kernel", "stride", "dilation", "pads"),
    [
        ({"kernel": 3}, (3, 3), (1, 1), (1, 1), (0, 0, 0, 0)),
        ({"kernel_h": 3, "kernel_w": 5, "stride_h": 2, "stride_w": 1}, (3, 5), (2, 1), (1, 1), (0, 0, 0, 0)),
        ({"kernel": 2, "kernel_h": 7}, (2, 2), (1, 1), (1, 1), (0, 0, 0, 0)),
        ({"kernel": 3, "pad_t": 1, "pad_l": 2, "pad_b": 3, "pad_r": 4}, (3, 3), (1, 1), (1, 1), (1, 2, 3, 4)),
        ({"kernels": (3,), "strides": (2,), "pads": (1, 0)}, (3,), (2,), (1,), (1, 0)),
        ({"kernels": (1, 2, 3), "dilations": (2, 2, 2)}, (1, 2, 3), (1, 1, 1), (2, 2, 2), (0,) * 6),
    ],
)
def test_spellings_fold_into_one(arguments, kernel, stride, dilation, pads):
    assert folded(**arguments) == Window(kernel, stride, dilation, pads)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "kernel_\\[dim\\] > 0"),
        ({"kernel": 0}, "kernel_\\[dim\\] > 0"),
        ({"kernel_h": 3}, "kernel_w must be given too"),
        ({"kernel": 3, "pad_t": 1, "pad_l": 1}, "pad_b, pad_r must be given too"),
        ({"kernel": 3, "stride": 0}, "stride is \\(0, 0\\); it must be at least 1"),
        ({"kernel": 3, "pad": -1}, "pad is \\(-1, -1, -1, -1\\); it must be at least 0"),
        ({"kernels": (3, 3, 3), "stride": 2}, "stride is \\(2, 2\\) but the kernel is \\(3, 3, 3\\): 3 numbers"),
        ({"kernel": 3, "legacy_pad": 2, "pad": 1}, "legacy_pad SAME sets the padding itself"),
        ({"kernel": 3, "legacy_pad": 4}, "legacy_pad is 4"),
        ({"global_pooling": True, "stride": 2}, "global_pooling covers the whole input"),
    ],
)
def test_what_does_not_fit_together_is_said(arguments, message):
    with pytest.raises(BadArgument, match=message):
        folded(**arguments)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "pad", "output", "pads"),
    [
        (7, 2, 2, 0, 4, (0, 2)),
        (8, 2, 2, 0, 4, (0, 0)),
        (224, 3, 2, 0, 112, (0, 2)),
        (5, 2, 2, 1, 3, (1, 1)),  # a fourth window would begin in the padding
        (6, 3, 2, 1, 4, (1, 3)),
    ],
)
def test_caffes_pools_round_up(size, kernel, stride, pad, output, pads):
    placed = Window((kernel,), (stride,), (1,), (pad, pad), LegacyPad.CAFFE_LEGACY_POOLING).over([size])
    assert placed.output == (output,)
    assert placed.pads == (pads,)


@pytest.mark.parametrize("size", range(1, 12))
@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_same_keeps_the_size_over_the_stride(size, kernel, stride):
    placed = Window((kernel,), (stride,), (1,), (0, 0), LegacyPad.SAME).over([size])
    assert placed.output == (-(-size // stride),)
    (low, high) = placed.pads[0]
    assert (size + low + high - kernel) // stride + 1 == placed.output[0]
    assert high - low in (0, 1, -1)


def test_a_window_larger_than_its_input_is_an_error():
    with pytest.raises(ShapeMismatch, match=r"a size of 4 padded by 0 and 0 is smaller .* reaches over 5"):
        Window((3,), (1,), (2,), (0, 0)).over([4])


def test_a_window_of_another_rank_is_an_error():
    with pytest.raises(BadArgument, match="2 dimensions but X has 1 spatial"):
        Window((3, 3), (1, 1), (1, 1), (0,) * 4).over([9])


def test_global_pooling_takes_its_kernel_from_the_input():
    assert folded(kernel=0, global_pooling=True).over([5, 7]).kernel == (5, 7)
