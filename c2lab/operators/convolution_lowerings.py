"""Four ways to compute a convolution and its gradients, and which to take.

XLA's own convolution is the best on accelerators.  On the CPU it is often not: its gradients
are slow where filters are large, strided or 1 x 1, and whatever has groups is very slow.
There, other ways compute the same numbers:

* **patches**: every patch that the filter sees becomes a column of a matrix, the batch folded
  into the columns, so that one matrix product does the work; the gradient of the input is
  the product the other way round, each patch added back to where it came from.  Patches
  take ``taps`` times the memory of the input.
* **rows**: the same with a patch a row, which is how channels-last images lie in memory: for
  filters of one pixel, and where there are fewer places than filters.
* **shifts**: with a filter for each channel (depthwise), a sum of shifted, scaled inputs.

``benchmarks/convolution_lowerings.py`` measures what the rules below rest on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from c2lab.operators.windows import Placement, layout, padded, per_channel, taps, views

_SMALL = 2**23  # elements of a patch matrix that stay near the processor
_GATHERED = 2**22  # elements up to which a gather lays them out as fast as slices, and compiles faster
_LARGE = 2**25  # elements beyond which a patch matrix takes too much memory


def convolve(X: Any, filter: Any, place: Placement, group: int, order: str) -> Any:
    """The convolution of X with a filter, without bias."""
    way = _way(X, filter, place, group, order)
    if way is _by_xla:
        return _by_xla(X, filter, place, group, order)
    return _on_cpu(lambda X, filter: way(X, filter, place, group, order), _by_xla, place, group, order)(X, filter)


def filter_gradient(X: Any, filter: Any, dY: Any, place: Placement, group: int, order: str) -> Any:
    """The gradient of ``convolve`` by its filter."""
    channels = X.shape[layout(order, X.ndim)[1]]

    def by_xla(X: Any, dY: Any) -> Any:
        return _transposed(lambda W: _by_xla(X, W, place, group, order), filter, dY)

    if _depthwise(filter, channels, group):
        way = _filter_shifts
    elif _pointwise(place, group, order):
        way = _filter_by_rows
    elif math.prod(place.kernel) == 1 or _patch_elements(X, place, order) <= _LARGE:
        way = _filter_by_patches
    else:
        return by_xla(X, dY)
    return lax.platform_dependent(
        X, dY, cpu=lambda X, dY: way(X, filter.shape, dY, place, group, order), default=by_xla
    )


def input_gradient(X: Any, filter: Any, dY: Any, place: Placement, group: int, order: str) -> Any:
    """The gradient of ``convolve`` by its input, of which only shape and type count."""

    def back_through(way: Callable[..., Any]) -> Callable[[Any, Any], Any]:
        return lambda filter, dY: _transposed(lambda Z: way(Z, filter, place, group, order), X, dY)

    way = _way(X, filter, place, group, order, backwards=True)
    if way is _by_xla:
        return back_through(_by_xla)(filter, dY)
    return lax.platform_dependent(filter, dY, cpu=back_through(way), default=back_through(_by_xla))


def _way(
    X: Any, filter: Any, place: Placement, group: int, order: str, *, backwards: bool = False
) -> Callable[..., Any]:
    """What computes a convolution, and its gradient by the input, fastest on the CPU."""
    channels, area = X.shape[layout(order, X.ndim)[1]], math.prod(place.kernel)
    size = _patch_elements(X, place, order)
    if _depthwise(filter, channels, group):
        return _shifts
    if order == "NHWC" and group == 1:
        # With fewer places than filters, it is cheaper to lay out the patches than to turn the filters.
        places = X.shape[0] * math.prod(place.output)
        few = isinstance(places, int) and places <= filter.shape[0]
        return _by_rows if area == 1 or (few and not backwards) else _by_xla
    if area == 1 or (group > 1 and size <= _LARGE) or (size <= _SMALL and (channels <= 4 or area >= 25)):
        return _by_sliced_patches if backwards else _by_patches
    return _by_xla


def _on_cpu(way: Callable[..., Any], otherwise: Callable[..., Any], *rest: Any) -> Callable[..., Any]:
    """``way`` where the program runs on a CPU, else ``otherwise`` with the ``rest`` of its arguments."""
    return lambda *values: lax.platform_dependent(*values, cpu=way, default=lambda *v: otherwise(*v, *rest))


def _depthwise(filter: Any, channels: int, group: int) -> bool:
    return group == channels == filter.shape[0] and group > 1


def _pointwise(place: Placement, group: int, order: str) -> bool:
    return order == "NHWC" and group == 1 and math.prod(place.kernel) == 1


def _patch_elements(X: Any, place: Placement, order: str) -> float:
    """How many elements the matrix of patches has; without bound where the batch has no size yet."""
    sizes = (X.shape[0], X.shape[layout(order, X.ndim)[1]], *place.kernel, *place.output)
    return math.prod(sizes) if all(isinstance(size, int) for size in sizes) else math.inf


def _transposed(linear: Callable[[Any], Any], like: Any, flow: Any) -> Any:
    (back,) = jax.linear_transpose(linear, jax.ShapeDtypeStruct(like.shape, flow.dtype))(flow)
    return back


# --- XLA's convolution ---------------------------------------------------------------------------


def _by_xla(X: Any, filter: Any, place: Placement, group: int, order: str) -> Any:
    axes = layout(order, X.ndim)
    return lax.conv_general_dilated(
        X,
        filter,
        place.stride,
        place.pads,
        rhs_dilation=place.dilation,
        dimension_numbers=lax.ConvDimensionNumbers(axes, axes, axes),
        feature_group_count=group,
        preferred_element_type=X.dtype,
    )


# --- patches -------------------------------------------------------------------------------------


def _channels_first(values: Any, order: str) -> Any:
    """``(channels, batch, space...)``, whatever the order."""
    batch, channel, *space = layout(order, values.ndim)
    return values.transpose(channel, batch, *space)


def _patches(X: Any, place: Placement, group: int, order: str, *, sliced: bool = False) -> Any:
    """The matrix of patches of each group: ``(group, channels / group * taps, batch * places)``.

    ``sliced``: by slices alone, whose transpose is cheap; that of a gather is not.
    """
    columns = _channels_first(padded(X, place, order, 0), order)
    channels, batch, *sizes = columns.shape
    if not sliced and math.prod(place.kernel) > 1 and _patch_elements(X, place, order) <= _GATHERED:
        seen = columns.reshape(channels, batch, math.prod(sizes))
        seen = seen.at[:, :, _seen_pixels(sizes, place).T].get(mode="promise_in_bounds")
        return jnp.swapaxes(seen, 1, 2).reshape(
            group, channels // group * math.prod(place.kernel), batch * math.prod(place.output)
        )
    rank = len(place.kernel)
    # One axis after the other: k + k slices are copied instead of k * k.
    for axis in reversed(range(rank)):
        columns = jnp.stack(taps(columns, place, axis, columns.ndim - rank + axis), axis=1)
    return columns.reshape(group, channels // group * math.prod(place.kernel), batch * math.prod(place.output))


def _filter_matrix(filter: Any, group: int, order: str) -> Any:
    """``(group, outputs / group, channels / group * taps)``."""
    made, inner, *space = layout(order, filter.ndim)
    rows = filter.shape[made] // group
    return filter.transpose(made, inner, *space).reshape(group, rows, math.prod(filter.shape[1:]))


def _seen_pixels(sizes: Sequence[int], place: Placement) -> np.ndarray:
    """Which pixel, counted through the image, each place sees at each tap: ``(places, taps)``."""
    at = np.zeros((1, 1), np.int32)
    for size, step, spread, kernel, places in zip(
        sizes, place.stride, place.dilation, place.kernel, place.output, strict=True
    ):
        along = np.arange(places, dtype=np.int32)[:, None] * step + np.arange(kernel, dtype=np.int32) * spread
        at = (at[:, None, :, None] * size + along[:, None, :]).reshape(len(at) * places, -1)
    return at


def _by_sliced_patches(X: Any, filter: Any, place: Placement, group: int, order: str) -> Any:
    return _by_patches(X, filter, place, group, order, sliced=True)


def _by_patches(X: Any, filter: Any, place: Placement, group: int, order: str, *, sliced: bool = False) -> Any:
    rows, columns = _filter_matrix(filter, group, order), _patches(X, place, group, order, sliced=sliced)
    if group == 1:
        # Turned before the product, not in it, the filters cost less.
        turned = lax.optimization_barrier(rows[0].T)
        Y = lax.dot_general(turned, columns[0], (((0,), (0,)), ((), ())))
    else:
        Y = jnp.matmul(rows, columns)
    Y = Y.reshape(filter.shape[0], X.shape[0], *place.output)
    batch_first = jnp.swapaxes(Y, 0, 1)
    return batch_first if order == "NCHW" else jnp.moveaxis(batch_first, 1, -1)


def _filter_by_patches(X: Any, shape: Any, dY: Any, place: Placement, group: int, order: str) -> Any:
    flow = _channels_first(dY, order).reshape(group, shape[0] // group, X.shape[0] * math.prod(place.output))
    columns = _patches(X, place, group, order)
    if group == 1:
        product = lax.dot_general(flow[0], columns[0], (((1,), (1,)), ((), ())))
    else:
        product = lax.dot_general(flow, columns, (((2,), (2,)), ((0,), (0,))))
    axes = layout(order, X.ndim)
    gradient = product.reshape(shape[0], shape[axes[1]], *place.kernel)
    return gradient if order == "NCHW" else jnp.moveaxis(gradient, 1, -1)


# --- rows ----------------------------------------------------------------------------------------


def _rows(X: Any, place: Placement) -> Any:
    """The matrix of patches of channels-last images: ``(batch * places, channels * taps)``."""
    X = padded(X, place, "NHWC", 0)
    batch, *sizes, channels = X.shape
    # One gather compiles faster than a slice a tap.
    at = _seen_pixels(sizes, place)
    if at.shape[1] == 1:
        (seen,) = views(X, place, "NHWC")  # a slice, whose gradient is cheap
    else:
        seen = X.reshape(batch, math.prod(sizes), channels).at[:, at].get(mode="promise_in_bounds")
        seen = jnp.swapaxes(seen, 2, 3)
    return seen.reshape(batch * math.prod(place.output), channels * math.prod(place.kernel))


def _by_rows(X: Any, filter: Any, place: Placement, group: int, order: str) -> Any:
    weights = _filter_matrix(filter, group, order)[0]
    Y = lax.dot_general(_rows(X, place), weights, (((1,), (1,)), ((), ())))
    return Y.reshape(X.shape[0], *place.output, filter.shape[0])


def _filter_by_rows(X: Any, shape: Any, dY: Any, place: Placement, group: int, order: str) -> Any:
    flow = dY.reshape(X.shape[0] * math.prod(place.output), shape[0])
    gradient = lax.dot_general(flow, _rows(X, place), (((0,), (0,)), ((), ())))
    return jnp.moveaxis(gradient.reshape(shape[0], shape[-1], *place.kernel), 1, -1)


# --- shifts --------------------------------------------------------------------------------------


def _filter_taps(filter: Any, order: str) -> list[Any]:
    """For each position in the kernel, the filters' values there: one a channel."""
    rows = filter.reshape(filter.shape[0], math.prod(filter.shape[1:]))  # one channel a filter: only taps are left
    return [rows[:, tap] for tap in range(rows.shape[1])]


def _shifts(X: Any, filter: Any, place: Placement, group: int, order: str) -> Any:
    seen = views(padded(X, place, order, 0), place, order)
    return sum(
        view * per_channel(tap, order, X.ndim) for view, tap in zip(seen, _filter_taps(filter, order), strict=True)
    )


def _filter_shifts(X: Any, shape: Any, dY: Any, place: Placement, group: int, order: str) -> Any:
    batch, _, *space = layout(order, X.ndim)
    seen = views(padded(X, place, order, 0), place, order)
    sums = [jnp.sum(view * dY, axis=(batch, *space), dtype=dY.dtype) for view in seen]
    return jnp.stack(sums, axis=1).reshape(shape)
