"""Outer reductions: over the first or the last dimensions, or as many of them as a length says."""

from __future__ import annotations

import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from c2lab.errors import BadArgument, NotSupported
from c2lab.operators.axes import product
from c2lab.operators.checks import require, require_shape
from c2lab.operators.definition import operator
from c2lab.proto import caffe2_pb2

SUMMED = {"X": "int32 int64 float32 float64", "lengths": "int32"}
RANKED = {"X": "float32", "lengths": "int32"}


class Ends:
    """X seen as a matrix whose rows (front) or columns (back) are reduced.

    Attributes:
        axes: The dimensions that are reduced.
        mask: Which values count, in X's shape (``None``: all).
        counts: How many values count, in the reduced shape.
        kept: The shape of what is left, with 1 for each reduced dimension.
    """

    def __init__(self, X: Any, lengths: Any, dims: int, *, front: bool) -> None:
        if not 0 <= dims <= X.ndim:
            raise BadArgument(f"num_reduce_dim is {dims} but X is {X.shape}; it must be between 0 and {X.ndim}")
        self.axes = tuple(range(dims)) if front else tuple(range(X.ndim - dims, X.ndim))
        self.kept = tuple(1 if axis in self.axes else size for axis, size in enumerate(X.shape))
        self.counts: Any = product([X.shape[axis] for axis in self.axes])
        self.mask = None
        if lengths is None:
            return
        if dims != 1:
            raise BadArgument(f"num_reduce_dim is {dims}; with lengths it must be 1")
        (axis,) = self.axes
        others = product([size for other, size in enumerate(X.shape) if other != axis])
        require_shape(
            lengths.ndim == 1 and lengths.shape[0] == others,
            f"lengths is {lengths.shape} but X is {X.shape}; lengths must be ({others},), one for each value left over",
        )
        require(
            (lengths >= 0) & (lengths <= X.shape[axis]),
            f"lengths must be between 0 and {X.shape[axis]}, the size of the dimension of X that is reduced",
            lengths,
        )
        self.counts = lengths.reshape(self.kept)
        self.mask = jax.lax.broadcasted_iota(lengths.dtype, X.shape, axis) < self.counts

    def only(self, values: Any, filler: Any) -> Any:
        """The values that count, ``filler`` in place of the others."""
        return values if self.mask is None else jnp.where(self.mask, values, filler).astype(values.dtype)

    def left(self, values: Any) -> Any:
        """Values of one entry a reduced dimension, without these dimensions."""
        return jnp.squeeze(values, self.axes)

    def divided(self, values: Any) -> Any:
        """Values divided by how many were reduced; integers are cut towards zero."""
        counts = jnp.broadcast_to(jnp.asarray(self.counts, values.dtype), values.shape)
        return jax.lax.div(values, counts)


def _sum(X: Any, ends: Ends) -> Any:
    return jnp.sum(ends.only(X, 0), axis=ends.axes, keepdims=True, dtype=X.dtype)


def _largest(X: Any, lengths: Any, dims: int, *, front: bool) -> Any:
    # A length of 0 has no largest value; the original takes the first one, and so do we.
    ends = Ends(X, None if lengths is None else jnp.maximum(lengths, 1), dims, front=front)
    require_shape(
        all(X.shape[axis] != 0 for axis in ends.axes), f"X is {X.shape}; there is no largest of the 0 values reduced"
    )
    return ends.left(jnp.max(ends.only(X, -jnp.inf), axis=ends.axes, keepdims=True))


def _may_be_shape(op: caffe2_pb2.OperatorDef) -> bool:
    """Whether a gradient operator may be given X's shape where X belongs, as very old nets do.

    Only the values tell, so such an operator runs on the host; one that is named as gradient
    makers name it (``X_grad`` for X) is given X and compiled with its neighbours.
    """
    return re.fullmatch(rf"_?{re.escape(op.input[1])}_grad(_autosplit_\d+)?", op.output[0]) is None


def _sum_gradient(dY: Any, X: Any, lengths: Any, dims: int, *, front: bool, mean: bool = False) -> Any:
    with jax.enable_x64(True):  # on the host nobody else has said it
        if isinstance(X, np.ndarray) and X.ndim == 1 and X.dtype == np.int64:
            X = np.broadcast_to(np.zeros((), dY.dtype), tuple(X))
        ends = Ends(X, lengths, dims, front=front)
        spread = dY.reshape(ends.kept)
        return ends.only(jnp.broadcast_to(ends.divided(spread) if mean else spread, X.shape), 0)


def _max_gradient(dY: Any, X: Any, Y: Any, ends: Ends) -> Any:
    held = X == Y.reshape(ends.kept)
    return ends.only(jnp.where(held, dY.reshape(ends.kept), 0).astype(dY.dtype), 0)


@operator("ReduceFrontSum", types=SUMMED)
def reduce_front_sum(X, lengths=None, *, num_reduce_dim: int = 1):
    """Sum over the first dimensions.

    Inputs:
        X: Values of any shape.
        lengths: How many of the first dimension's values count, int32, one for each value that is left
            over.
    Args:
        num_reduce_dim: How many dimensions are reduced; 1 with lengths.
    Outputs:
        Y: X's shape without its first dimensions, same type.
    Example:
        >>> run("ReduceFrontSum", X=[[1.0, 2.0], [3.0, 6.0]])
        Y = [4. 8.]
    """
    ends = Ends(X, lengths, num_reduce_dim, front=True)
    return ends.left(_sum(X, ends))


@reduce_front_sum.gradient("dY, X, lengths -> dX", host_when=_may_be_shape)
def _(dY, X, lengths=None, *, num_reduce_dim: int = 1):
    """The gradient to every value that counted."""
    return _sum_gradient(dY, X, lengths, num_reduce_dim, front=True)


@operator("ReduceFrontMean", types=SUMMED)
def reduce_front_mean(X, lengths=None, *, num_reduce_dim: int = 1):
    """Mean over the first dimensions.

    Inputs:
        X: Values of any shape.
        lengths: How many of the first dimension's values count, int32, one for each value that is left
            over.
    Args:
        num_reduce_dim: How many dimensions are reduced; 1 with lengths.
    Outputs:
        Y: X's shape without its first dimensions, same type.
    Example:
        >>> run("ReduceFrontMean", X=[[1.0, 2.0], [3.0, 6.0]])
        Y = [2. 4.]
    """
    ends = Ends(X, lengths, num_reduce_dim, front=True)
    return ends.left(ends.divided(_sum(X, ends)))


@reduce_front_mean.gradient("dY, X, lengths -> dX", host_when=_may_be_shape)
def _(dY, X, lengths=None, *, num_reduce_dim: int = 1):
    """An equal share of the gradient to every value that counted."""
    return _sum_gradient(dY, X, lengths, num_reduce_dim, front=True, mean=True)


@operator("ReduceFrontMax", types=RANKED)
def reduce_front_max(X, lengths=None, *, num_reduce_dim: int = 1):
    """Largest value over the first dimensions.

    Inputs:
        X: Values of any shape.
        lengths: How many of the first dimension's values count, int32, one for each value that is left
            over. A length of 0 takes the first value.
    Args:
        num_reduce_dim: How many dimensions are reduced; 1 with lengths.
    Outputs:
        Y: X's shape without its first dimensions, same type.
    Example:
        >>> run("ReduceFrontMax", X=[[1.0, 2.0], [3.0, 6.0]])
        Y = [3. 6.]
    """
    return _largest(X, lengths, num_reduce_dim, front=True)


@reduce_front_max.gradient("dY, X, Y, lengths -> dX")
def _(dY, X, Y, lengths=None, *, num_reduce_dim: int = 1):
    """The whole gradient to every value that counted and is the largest, ties included."""
    return _max_gradient(dY, X, Y, Ends(X, lengths, num_reduce_dim, front=True))


@operator("ReduceBackSum", types=SUMMED)
def reduce_back_sum(X, lengths=None, *, num_reduce_dim: int = 1):
    """Sum over the last dimensions.

    Inputs:
        X: Values of any shape.
        lengths: How many of the last dimension's values count, int32, one for each value that is left
            over.
    Args:
        num_reduce_dim: How many dimensions are reduced; 1 with lengths.
    Outputs:
        Y: X's shape without its last dimensions, same type.
    Example:
        >>> run("ReduceBackSum", X=[[1.0, 2.0], [3.0, 6.0]])
        Y = [3. 9.]
    """
    ends = Ends(X, lengths, num_reduce_dim, front=False)
    return ends.left(_sum(X, ends))


@reduce_back_sum.gradient("dY, X, lengths -> dX", host_when=_may_be_shape)
def _(dY, X, lengths=None, *, num_reduce_dim: int = 1):
    """The gradient to every value that counted."""
    return _sum_gradient(dY, X, lengths, num_reduce_dim, front=False)


@operator("ReduceBackMean", types=SUMMED)
def reduce_back_mean(X, lengths=None, *, num_reduce_dim: int = 1):
    """Mean over the last dimensions.

    Inputs:
        X: Values of any shape.
        lengths: How many of the last dimension's values count, int32, one for each value that is left
            over.
    Args:
        num_reduce_dim: How many dimensions are reduced; 1 with lengths.
    Outputs:
        Y: X's shape without its last dimensions, same type.
    Example:
        >>> run("ReduceBackMean", X=[[1.0, 2.0], [3.0, 6.0]])
        Y = [1.5 4.5]
    """
    ends = Ends(X, lengths, num_reduce_dim, front=False)
    return ends.left(ends.divided(_sum(X, ends)))


@reduce_back_mean.gradient("dY, X, lengths -> dX", host_when=_may_be_shape)
def _(dY, X, lengths=None, *, num_reduce_dim: int = 1):
    """An equal share of the gradient to every value that counted."""
    return _sum_gradient(dY, X, lengths, num_reduce_dim, front=False, mean=True)


@operator("ReduceBackMax", types=RANKED)
def reduce_back_max(X, lengths=None, *, num_reduce_dim: int = 1):
    """Largest value over the last dimensions.

    Inputs:
        X: Values of any shape.
        lengths: How many of the last dimension's values count, int32, one for each value that is left
            over. A length of 0 takes the first value.
    Args:
        num_reduce_dim: How many dimensions are reduced; 1 with lengths.
    Outputs:
        Y: X's shape without its last dimensions, same type.
    Example:
        >>> run("ReduceBackMax", X=[[1.0, 2.0], [3.0, 6.0]])
        Y = [2. 6.]
    """
    return _largest(X, lengths, num_reduce_dim, front=False)


@reduce_back_max.gradient("dY, X, Y, lengths -> dX")
def _(dY, X, Y, lengths=None, *, num_reduce_dim: int = 1):
    """The whole gradient to every value that counted and is the largest, ties included."""
    return _max_gradient(dY, X, Y, Ends(X, lengths, num_reduce_dim, front=False))


@operator("ReduceFrontWeightedSum", outputs="OUTPUT", types={"DATA": "float32", "SCALARS": "float32"})
def reduce_front_weighted_sum(DATA, SCALARS, *, grad_on_weights: bool = False, num_reduce_dim: int = 1):
    """Sum over the first dimension, each entry with its own weight.

    ``OUTPUT = sum over i of SCALARS[i] * DATA[i]``

    Inputs:
        DATA: Entries (N, ...), float32.
        SCALARS: One weight an entry (N,), float32.
    Args:
        grad_on_weights: Whether the weights take part in the gradient; only 0 is supported.
        num_reduce_dim: How many dimensions are reduced; only 1 is supported.
    Outputs:
        OUTPUT: DATA's shape without its first dimension.
    Example:
        >>> run("ReduceFrontWeightedSum", DATA=[[1.0, 2.0], [3.0, 4.0]], SCALARS=[10.0, 1.0])
        OUTPUT = [13. 24.]
    """
    _require_one(num_reduce_dim)
    require_shape(
        DATA.ndim > 0 and SCALARS.shape == DATA.shape[:1],
        f"DATA is {DATA.shape} but SCALARS is {SCALARS.shape}; SCALARS must be {DATA.shape[:1]}, one an entry",
    )
    return jnp.tensordot(SCALARS, DATA, 1)


def _require_one(num_reduce_dim: int) -> None:
    if num_reduce_dim != 1:
        raise NotSupported(f"num_reduce_dim is {num_reduce_dim}; only 1 is supported: merge the dimensions first")


@reduce_front_weighted_sum.gradient("SCALARS, dOUTPUT, dims -> dDATA")
def _(SCALARS, dOUTPUT, dims, *, num_reduce_dim: int = 1):
    """Each entry's weight times the gradient."""
    _require_one(num_reduce_dim)
    return jnp.tensordot(SCALARS, dOUTPUT, 0)


@reduce_front_weighted_sum.gradient_maker
def _(g):
    if g.argument("grad_on_weights", 0):
        raise NotSupported("grad_on_weights=1 is not supported; multiply and sum with Mul and ReduceFrontSum instead")
    dims = f"_{g.O(0)}_dims"
    return [
        g.define("Shape", [g.I(0)], [dims], copy_arguments=False),
        g.define("ReduceFrontWeightedSumGradient", [g.I(1), g.GO(0), dims], [g.GI(0)]),
    ]
