"""The two broadcasting rules of binary operators.

By default shapes follow numpy's rule, on both sides.  With ``broadcast=1`` the older
rule holds: B is the smaller one, laid along A's last dimensions or from ``axis`` on,
and the output has A's shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from c2lab.errors import BadArgument, ShapeMismatch
from c2lab.operators.axes import canonical_axis
from c2lab.operators.checks import require_same_type, require_shape
from c2lab.operators.schema import argument_fold


@dataclass(frozen=True)
class Placement:
    """How B is laid along A: by numpy's rule, or from dimension ``axis`` on (``None``: the last ones)."""

    numpy: bool = True
    axis: int | None = None


def placed(axis: int, axis_str: str, order: str) -> Placement:
    """The older rule's placement, from a number or from a dimension's letter in ``order``.

    Raises:
        BadArgument: Both are given, or the letter is not in ``order``.

    Example:
        >>> placed(-1, "C", "NCHW").axis
        1
    """
    if axis_str:
        if axis != -1:
            raise BadArgument(f"axis={axis} and axis_str={axis_str!r} are both given; give one")
        if len(axis_str) != 1 or axis_str not in order:
            raise BadArgument(f"axis_str is {axis_str!r}; it must be one letter of the order {order}")
        return Placement(numpy=False, axis=order.index(axis_str))
    return Placement(numpy=False, axis=None if axis == -1 else axis)


@argument_fold("placement")
def broadcast(
    *, broadcast: bool = False, axis: int = -1, axis_str: str = "", order: str = "NCHW"
) -> dict[str, Placement]:
    """The arguments that every binary operator takes, as one placement."""
    if broadcast:
        return {"placement": placed(axis, axis_str, order)}
    if axis != -1 or axis_str:
        raise BadArgument(
            "axis and axis_str say where B lies in the rule of broadcast=1; add broadcast=1, or leave them out"
        )
    return {"placement": Placement()}


def lay(A: Any, B: Any, placement: Placement) -> tuple[Any, Any]:
    """A and B with one element type and shapes that numpy's rule brings together.

    Raises:
        TypeMismatch: Their element types differ.
        ShapeMismatch: The shapes do not fit, naming both.

    Example:
        >>> A, B = jnp.zeros((2, 3, 4)), jnp.zeros(3)
        >>> lay(A, B, Placement(numpy=False, axis=1))[1].shape
        (3, 1)
    """
    require_same_type(A, B)
    if placement.numpy:
        try:
            jnp.broadcast_shapes(A.shape, B.shape)
        except ValueError:
            raise ShapeMismatch(
                f"A is {A.shape} but B is {B.shape}; counted from the last dimension, sizes must be equal or 1"
            ) from None
        return A, B
    return A, B.reshape(_shape_along(A.shape, B.shape, placement.axis))


def _shape_along(A: tuple[Any, ...], B: tuple[Any, ...], axis: int | None) -> tuple[Any, ...]:
    """B's shape with a 1 for each dimension of A behind it; sizes 1 at either end of B match anything."""
    if all(size == 1 for size in B):
        return (1,) * min(len(A), 1)
    require_shape(len(B) <= len(A), f"A is {A} but B is {B}; with broadcast=1, B may not have more dimensions than A")
    start = len(A) - len(B) if axis is None else canonical_axis(axis, len(A))
    along = A[start : start + len(B)]
    inner = [i for i, size in enumerate(B) if size != 1]
    fits = len(along) == len(B) and all(B[i] == along[i] for i in range(inner[0], inner[-1] + 1))
    require_shape(
        fits,
        f"A is {A} but B is {B}; with broadcast=1, B's sizes must equal A's from dimension {start} on: {along}",
    )
    return (*B, *(1,) * (len(A) - start - len(B)))


def fold_back(gradient: Any, like: Any, laid: Any) -> Any:
    """Sums ``gradient`` over the dimensions that broadcasting added, to the shape of ``like``.

    Args:
        gradient: A value of the broadcast shape.
        like: The input as it came.
        laid: The same input as ``lay`` returned it.
    """
    if laid.shape != gradient.shape:
        added = gradient.ndim - laid.ndim
        stretched = [
            axis for axis in range(gradient.ndim) if axis < added or laid.shape[axis - added] != gradient.shape[axis]
        ]
        gradient = jnp.sum(gradient, axis=tuple(stretched), dtype=gradient.dtype, keepdims=True)
    return gradient.reshape(like.shape)
