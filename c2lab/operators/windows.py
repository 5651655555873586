"""Sliding windows: the spellings of kernel, stride, dilation and padding, and where a window fits.

Convolutions and pools share these rules.  The arguments are folded into a ``Window`` when an
OperatorDef is read; ``Window.over`` lays it over an input of known size.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np
from jax import lax

from c2lab.errors import BadArgument, ShapeMismatch
from c2lab.operators.schema import argument_fold

Order = Literal["NCHW", "NHWC"]
Sizes = tuple[int, ...]


class LegacyPad(IntEnum):
    """Padding by a rule instead of by numbers."""

    NOTSET = 0
    VALID = 1  # no padding
    SAME = 2  # as much as keeps the output at ceil(input / stride)
    CAFFE_LEGACY_POOLING = 3  # Caffe's: the output size is rounded up, the end is padded to match


def layout(order: str, ndim: int) -> tuple[int, ...]:
    """The axes of batch, channel and space, in this order, of an array of ``ndim`` dimensions.

    Example:
        >>> layout("NHWC", 4)
        (0, 3, 1, 2)
    """
    return tuple(range(ndim)) if order == "NCHW" else (0, ndim - 1, *range(1, ndim - 1))


def spatial_sizes(X: Any, order: str) -> Sizes:
    """The sizes of ``X`` along its spatial axes."""
    return tuple(X.shape[axis] for axis in layout(order, X.ndim)[2:])


def per_channel(values: Any, order: str, ndim: int) -> Any:
    """A vector with one value a channel, shaped to broadcast against an array of ``ndim`` dimensions."""
    return values.reshape((-1,) + (1,) * (ndim - 2)) if order == "NCHW" else values


@dataclass(frozen=True)
class Placement:
    """A window laid over an input: every number an operator needs, one entry a spatial axis."""

    kernel: Sizes
    stride: Sizes
    dilation: Sizes
    pads: tuple[tuple[int, int], ...]
    output: Sizes

    @property
    def reach(self) -> Sizes:
        """How far the dilated kernel extends."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    @property
    def covered(self) -> Sizes:
        """Where the last window ends, counted from the beginning of the padding."""
        return tuple((n - 1) * s + r for n, s, r in zip(self.output, self.stride, self.reach, strict=True))


@dataclass(frozen=True)
class Window:
    """Kernel, stride, dilation and padding as an OperatorDef gives them.

    ``kernel`` is empty where ``global_pooling`` takes it from the input.  ``pads`` holds the
    beginnings of all axes, then their ends.
    """

    kernel: Sizes
    stride: Sizes
    dilation: Sizes
    pads: Sizes
    legacy_pad: LegacyPad = LegacyPad.NOTSET
    global_pooling: bool = False

    def over(self, sizes: Sequence[int]) -> Placement:
        """This window over an input of these spatial ``sizes``.

        Raises:
            BadArgument: The window has another number of dimensions.
            ShapeMismatch: The window does not fit into the padded input.

        Example:
            >>> Window((2,), (2,), (1,), (0, 0), LegacyPad.CAFFE_LEGACY_POOLING).over([7]).output
            (4,)
        """
        sizes = tuple(sizes)
        if self.global_pooling:
            ones = (1,) * len(sizes)
            return Placement(sizes, ones, ones, ((0, 0),) * len(sizes), ones)
        rank = len(self.kernel)
        if rank != len(sizes):
            raise BadArgument(
                f"the kernel {self.kernel} has {rank} dimensions but X has {len(sizes)} spatial ones {sizes}; "
                f"give kernels (and strides, dilations) of {len(sizes)} numbers, pads of {2 * len(sizes)}"
            )
        placed = [self._along(axis, size) for axis, size in enumerate(sizes)]
        return Placement(
            self.kernel,
            self.stride,
            self.dilation,
            tuple(pads for pads, _ in placed),
            tuple(size for _, size in placed),
        )

    def _along(self, axis: int, size: int) -> tuple[tuple[int, int], int]:
        """Padding and output size along one axis."""
        kernel, stride = self.kernel[axis], self.stride[axis]
        reach = self.dilation[axis] * (kernel - 1) + 1
        low, high = self.pads[axis], self.pads[axis + len(self.kernel)]
        match self.legacy_pad:
            case LegacyPad.SAME:
                if self.dilation[axis] != 1:
                    raise BadArgument("legacy_pad SAME does not go with a dilation; give pads instead")
                needed = (-(-size // stride) - 1) * stride + kernel - size
                low = int(needed / 2)  # towards zero, also where the stride skips the end and needed is negative
                high = needed - low
            case LegacyPad.CAFFE_LEGACY_POOLING:
                output = -(-(size + 2 * low - kernel) // stride) + 1
                # The last window must begin inside the image, not in the padding.
                if low > 0 and (output - 1) * stride >= size + low:
                    output -= 1
                rounded_down = (size + 2 * low - kernel) // stride + 1
                return (low, low + stride * (output - rounded_down)), output
        if size + low + high < reach:
            raise ShapeMismatch(
                f"a size of {size} padded by {low} and {high} is smaller than the kernel, which reaches over {reach} "
                f"(kernel {kernel}, dilation {self.dilation[axis]}); give a smaller kernel or more padding"
            )
        return (low, high), (size + low + high - reach) // stride + 1


def spelled(name: str, many: Sequence[int], one: int | None, parts: Sequence[int | None], suffixes: str) -> Sizes:
    """The value of an argument that may be given as a list, as one number for all, or in parts.

    Args:
        name: The argument's name, such as ``stride``.
        many: The list (``strides``), which wins.
        one: The number for all (``stride``).
        parts: The parts (``stride_h``, ``stride_w``); all or none.
        suffixes: The letters of the parts, for the message.

    Returns:
        The value, or an empty tuple where the argument was not given.

    Example:
        >>> spelled("stride", (), None, (1, 2), "hw"), spelled("stride", (), 3, (None, None), "hw")
        ((1, 2), (3, 3))
    """
    if many:
        return tuple(many)
    if one is not None:
        return (one,) * len(parts)
    absent = [f"{name}_{letter}" for letter, part in zip(suffixes, parts, strict=True) if part is None]
    if len(absent) == len(parts):
        return ()
    if absent:
        raise BadArgument(f"{', '.join(absent)} must be given too, or {name} or {name}s instead of the parts")
    return tuple(part for part in parts if part is not None)


@argument_fold("window")
def window(
    *,
    kernel: int | None = None,
    kernel_h: int | None = None,
    kernel_w: int | None = None,
    kernels: tuple[int, ...] = (),
    stride: int | None = None,
    stride_h: int | None = None,
    stride_w: int | None = None,
    strides: tuple[int, ...] = (),
    dilation: int | None = None,
    dilation_h: int | None = None,
    dilation_w: int | None = None,
    dilations: tuple[int, ...] = (),
    pad: int | None = None,
    pad_t: int | None = None,
    pad_l: int | None = None,
    pad_b: int | None = None,
    pad_r: int | None = None,
    pads: tuple[int, ...] = (),
    legacy_pad: int = 0,
    global_pooling: bool = False,
) -> dict[str, Window]:
    """Folds all spellings into one ``Window``."""
    size = spelled("kernel", kernels, kernel, (kernel_h, kernel_w), "hw")
    step = spelled("stride", strides, stride, (stride_h, stride_w), "hw")
    spread = spelled("dilation", dilations, dilation, (dilation_h, dilation_w), "hw")
    margin = spelled("pad", pads, pad, (pad_t, pad_l, pad_b, pad_r), "tlbr")
    if legacy_pad not in tuple(LegacyPad):
        raise BadArgument(f"legacy_pad is {legacy_pad}; it must be 0 (none), 1 (VALID), 2 (SAME) or 3 (Caffe's)")
    legacy = LegacyPad(legacy_pad)
    if legacy in (LegacyPad.VALID, LegacyPad.SAME) and margin:
        raise BadArgument(f"legacy_pad {legacy.name} sets the padding itself; take {margin} away")
    if global_pooling:
        if any(margin) or any(n != 1 for n in (*step, *spread)):
            raise BadArgument("global_pooling covers the whole input; take pad, stride and dilation away")
        return {"window": Window((), (), (), (), global_pooling=True)}
    rank = len(size)
    if not size or min(size) <= 0:
        raise BadArgument(
            f"kernel_[dim] > 0 is demanded, got {size or 'no kernel'}; give kernel, or kernels with one number an axis"
        )
    step, spread, margin = step or (1,) * rank, spread or (1,) * rank, margin or (0,) * (2 * rank)
    for name, values, count, least in (
        ("stride", step, rank, 1),
        ("dilation", spread, rank, 1),
        ("pad", margin, 2 * rank, 0),
    ):
        if len(values) != count:
            raise BadArgument(f"{name} is {values} but the kernel is {size}: {count} numbers are needed ({name}s)")
        if min(values) < least:
            raise BadArgument(f"{name} is {values}; it must be at least {least}")
    return {"window": Window(size, step, spread, margin, legacy)}


def taps(X: Any, place: Placement, axis: int, at: int) -> list[Any]:
    """For each tap along spatial axis ``axis``, which is dimension ``at`` of X: what all windows see there."""
    reach = (place.output[axis] - 1) * place.stride[axis] + 1
    begins = (tap * place.dilation[axis] for tap in range(place.kernel[axis]))
    return [lax.slice_in_dim(X, begin, begin + reach, place.stride[axis], at) for begin in begins]


def views(X: Any, place: Placement, order: str) -> list[Any]:
    """For each position in the kernel, what all windows see there, in row-major order of the positions.

    ``X`` is padded already (``padded``); every view has the shape of the output.  The views are cut
    along one axis after the other, which is fast also backwards.
    """
    seen = [X]
    for axis, at in enumerate(layout(order, X.ndim)[2:]):
        seen = [tap for view in seen for tap in taps(view, place, axis, at)]
    return seen


def joined(X: Any, place: Placement, order: str, how: Literal["max", "sum"]) -> Any:
    """Every window of X joined into its largest value or its sum, along one axis after the other."""
    join, reduce, start = (jnp.maximum, jnp.max, -np.inf) if how == "max" else (jnp.add, jnp.sum, 0)
    X = padded(X, place, order, start)
    for axis, at in enumerate(layout(order, X.ndim)[2:]):
        if place.output[axis] == 1 and place.dilation[axis] == 1:
            X = reduce(X, axis=at, keepdims=True).astype(X.dtype)
        else:
            X = functools.reduce(join, taps(X, place, axis, at))
    return X


def padded(X: Any, place: Placement, order: str, value: float) -> Any:
    """X with its padding of ``value``, up to where the last window ends: longer or shorter than X."""
    pads = [(0, 0, 0)] * X.ndim
    for axis, (low, _), end in zip(layout(order, X.ndim)[2:], place.pads, place.covered, strict=True):
        pads[axis] = (low, end - low - X.shape[axis], 0)
    return lax.pad(X, np.asarray(value, X.dtype), pads)
