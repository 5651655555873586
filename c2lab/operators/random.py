"""Random: draws from distributions, and the fillers that give new parameters their first values."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from c2lab.errors import BadArgument, TypeMismatch
from c2lab.operators.checks import require, require_same_type, require_shape
from c2lab.operators.definition import host_operator, operator
from c2lab.operators.draws import integers, normal, uniform
from c2lab.operators.fillers import DTYPES, filled_shape
from c2lab.proto import caffe2_pb2

_INPUT = "input if input_as_shape"


def _count(sizes: tuple[int, ...]) -> int:
    return int(np.prod(sizes, dtype=np.int64))


@operator("GaussianFill", outputs="output", gradient="none", inplace="input -> output", static=_INPUT, host_rng=True)
def gaussian_fill(
    input=None,
    *,
    rng,
    mean: float = 0.0,
    std: float = 1.0,
    shape: tuple[int, ...] = (),
    extra_shape: tuple[int, ...] = (),
    input_as_shape: bool = False,
):
    """Fills a blob with draws from a normal distribution.

    ``Y ~ N(mean, std^2)``

    Inputs:
        input: Lends the output its shape; with `input_as_shape` its values are the shape.
    Args:
        mean: The mean.
        std: The standard deviation, above zero.
        shape: The shape of the output where there is no input.
        extra_shape: Dimensions appended to the shape of the input.
        input_as_shape: Takes the values of the input (1-D, int64) for the shape.
    Outputs:
        output: The draws, float32.
    Example:
        >>> run("GaussianFill", shape=[2], mean=5.0, std=1e-12)
        output = [5. 5.]
    """
    if std <= 0:
        raise BadArgument(f"Standard deviation should be positive, but std is {std}")
    target = filled_shape(input, shape, extra_shape, input_as_shape)
    return np.float32(mean) + np.float32(std) * normal(rng, target)


@operator("XavierFill", outputs="output", gradient="none", inplace="input -> output", static=_INPUT, host_rng=True)
def xavier_fill(
    input=None,
    *,
    rng,
    shape: tuple[int, ...] = (),
    extra_shape: tuple[int, ...] = (),
    input_as_shape: bool = False,
):
    """First values for a layer's weights: uniform, the narrower the more inputs a unit has.

    ``Y ~ U(-s, s)`` with ``s = sqrt(3 / fan_in)``, ``fan_in = size / shape[0]``

    Inputs:
        input: Lends the output its shape; with `input_as_shape` its values are the shape.
    Args:
        shape: The shape of the output where there is no input.
        extra_shape: Dimensions appended to the shape of the input.
        input_as_shape: Takes the values of the input (1-D, int64) for the shape.
    Outputs:
        output: The draws, float32.
    Example:
        >>> run("XavierFill", shape=[0, 4])
        output = []
    Source:
        Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010.
    """
    target = filled_shape(input, shape, extra_shape, input_as_shape)
    require_shape(len(target) > 0, "the shape is (); fan_in is the size of one of shape[0] units, so give a shape")
    fan_in = _count(target) // target[0] if target[0] else 1
    scale = np.sqrt(3.0 / max(fan_in, 1))
    return uniform(rng, target, -scale, scale)


@operator("MSRAFill", outputs="output", gradient="none", inplace="input -> output", static=_INPUT, host_rng=True)
def msra_fill(
    input=None,
    *,
    rng,
    shape: tuple[int, ...] = (),
    extra_shape: tuple[int, ...] = (),
    input_as_shape: bool = False,
):
    """First values for the weights before a rectifier: normal, the narrower the more outputs there are.

    ``Y ~ N(0, 2 / fan_out)``, ``fan_out = size / shape[1]``

    Inputs:
        input: Lends the output its shape; with `input_as_shape` its values are the shape.
    Args:
        shape: The shape of the output where there is no input.
        extra_shape: Dimensions appended to the shape of the input.
        input_as_shape: Takes the values of the input (1-D, int64) for the shape.
    Outputs:
        output: The draws, float32.
    Example:
        >>> run("MSRAFill", shape=[0, 4])
        output = []
    Source:
        He, Zhang, Ren and Sun, Delving deep into rectifiers, 2015.
    """
    target = filled_shape(input, shape, extra_shape, input_as_shape)
    require_shape(len(target) > 1, f"the shape is {target}; fan_out is size / shape[1], so it needs two dimensions")
    fan_out = _count(target) // target[1] if target[1] else 1
    return np.float32(np.sqrt(2.0 / max(fan_out, 1))) * normal(rng, target)


def _bounds(
    target: tuple[int, ...], low: Any, high: Any, given_low: Any, given_high: Any, dtype: Any, given: bool
) -> tuple[tuple[int, ...], Any, Any]:
    """The shape and bounds of a uniform draw, from the arguments or from the two inputs.

    Between inputs in the wrong order lies nothing, and the draw has no rows; arguments in the wrong order are an error.
    """
    if given_low is None:
        if low > high:
            raise BadArgument(f"min is {low} and max is {high}; min must not be above max")
        return target, low, high
    if given:
        raise BadArgument("the bounds come as inputs and as arguments; leave out the arguments min and max")
    for name, bound in (("min", given_low), ("max", given_high)):
        require_shape(bound.size == 1, f"{name} must be one number, but it is {tuple(bound.shape)}")
        if bound.dtype != np.dtype(dtype):
            raise TypeMismatch(f"{name} is {bound.dtype}, but this filler draws {np.dtype(dtype)}")
    low, high = given_low.item(), given_high.item()
    if low > high and target:
        return (0, *target[1:]), low, low
    return target, low, high


@operator(
    "UniformFill",
    outputs="output",
    host_rng=True,
    gradient="none",
    inplace=[(0, 0)],
    static="shape_input if input_as_shape, min_input, max_input",
    input_counts=(0, 1, 3),
)
def uniform_fill(
    shape_input=None,
    min_input=None,
    max_input=None,
    *,
    rng,
    min: float | None = None,
    max: float | None = None,
    shape: tuple[int, ...] = (),
    extra_shape: tuple[int, ...] = (),
    input_as_shape: bool = False,
):
    """Fills a blob with draws that are equally likely between two bounds.

    ``Y ~ U(min, max)``

    Inputs:
        shape_input: Lends the output its shape; with `input_as_shape` its values are the shape.
        min_input: The lower bound (one float32), in place of the argument.
        max_input: The upper bound (one float32), in place of the argument; below min_input, nothing is drawn.
    Args:
        min: The lower bound, 0 where absent.
        max: The upper bound, 1 where absent.
        shape: The shape of the output where there is no input.
        extra_shape: Dimensions appended to the shape of the input.
        input_as_shape: Takes the values of the input (1-D, int64) for the shape.
    Outputs:
        output: The draws, float32; no rows where nothing is drawn.
    Example:
        >>> run("UniformFill", shape=[2], min=3.0, max=3.0)
        output = [3. 3.]
    """
    target = filled_shape(shape_input, shape, extra_shape, input_as_shape)
    given = min is not None or max is not None
    low, high = 0.0 if min is None else min, 1.0 if max is None else max
    return uniform(rng, *_bounds(target, low, high, min_input, max_input, np.float32, given))


@operator(
    "UniformIntFill",
    outputs="output",
    host_rng=True,
    gradient="none",
    inplace=[(0, 0)],
    static="shape_input if input_as_shape, min_input, max_input",
    input_counts=(0, 1, 3),
)
def uniform_int_fill(
    shape_input=None,
    min_input=None,
    max_input=None,
    *,
    rng,
    min: int | None = None,
    max: int | None = None,
    shape: tuple[int, ...] = (),
    extra_shape: tuple[int, ...] = (),
    input_as_shape: bool = False,
):
    """Fills a blob with whole numbers that are equally likely between two bounds, both included.

    ``Y ~ U{min, ..., max}``

    Inputs:
        shape_input: Lends the output its shape; with `input_as_shape` its values are the shape.
        min_input: The smallest number (one int32), in place of the argument.
        max_input: The largest number (one int32), in place of the argument; below min_input, nothing is drawn.
    Args:
        min: The smallest number, 0 where absent.
        max: The largest number, 1 where absent.
        shape: The shape of the output where there is no input.
        extra_shape: Dimensions appended to the shape of the input.
        input_as_shape: Takes the values of the input (1-D, int64) for the shape.
    Outputs:
        output: The draws, int32; no rows where nothing is drawn.
    Example:
        >>> run("UniformIntFill", shape=[3], min=7, max=7)
        output = [7 7 7]
    """
    target = filled_shape(shape_input, shape, extra_shape, input_as_shape)
    given = min is not None or max is not None
    low, high = 0 if min is None else min, 1 if max is None else max
    return integers(rng, *_bounds(target, low, high, min_input, max_input, np.int32, given))


@host_operator("UniqueUniformFill", outputs="output", gradient="none", inplace="input -> output")
def unique_uniform_fill(
    input=None,
    avoid=None,
    *,
    rng,
    min: int = 0,
    max: int = 0,
    dtype: int = caffe2_pb2.TensorProto.INT32,
    shape: tuple[int, ...] = (),
    extra_shape: tuple[int, ...] = (),
    input_as_shape: bool = False,
):
    """Fills a blob with different whole numbers from a range, none of them among those to avoid.

    ``Y`` is a draw without replacement from ``{min, ..., max} - avoid``

    Inputs:
        input: Lends the output its shape; with `input_as_shape` its values are the shape.
        avoid: Numbers (1-D, of the output's type) that are not drawn.
    Args:
        min: The smallest number.
        max: The largest number.
        dtype: INT32 (2) or INT64 (10).
        shape: The shape of the output where there is no input.
        extra_shape: Dimensions appended to the shape of the input.
        input_as_shape: Takes the values of the input (1-D, int64) for the shape.
    Outputs:
        output: The draws, in random order.
    Example:
        >>> run("UniqueUniformFill", shape=[1], min=4, max=4)
        output = [4]
    """
    if dtype not in (caffe2_pb2.TensorProto.INT32, caffe2_pb2.TensorProto.INT64):
        raise BadArgument(f"dtype is {dtype}; different draws exist for INT32 (2) and INT64 (10) only")
    element = np.dtype(DTYPES[dtype])
    target = filled_shape(input, shape, extra_shape, input_as_shape)
    avoided = np.zeros((0,), element) if avoid is None else np.unique(avoid)
    require_same_type(np.zeros((0,), element), avoided)
    wanted, size = _count(target), max - min + 1
    # As many more than wanted as there are numbers to strike out: enough remain whichever are drawn.
    drawn = rng.choice(size, np.minimum(size, wanted + avoided.size), replace=False) + min
    kept = drawn[~np.isin(drawn, avoided)][:wanted]
    require(
        len(kept) == wanted,
        f"{wanted} different numbers from {min} to {max} are asked for, but besides those to avoid "
        f"there are only {len(kept)}",
    )
    return kept.astype(element).reshape(target)


@operator("WeightedSample", outputs="sampled_indexes, sampled_values?", gradient="refused")
def weighted_sample(sampling_weights, sampling_values=None, *, rng, num_outputs: int):
    """Draws one position a row, likely in proportion to its weight.

    ``P(Y[n] = k) = w[n, k] / sum(w[n])``

    Inputs:
        sampling_weights: Weights (N, K), float32; a row need not sum to one.
        sampling_values: Values (N, K), float32, for the second output.
    Outputs:
        sampled_indexes: The drawn position of each row, (N, 1) int32.
        sampled_values: The value at that position, (N, 1) float32.
    Example:
        >>> run("WeightedSample", sampling_weights=[[0.0, 1.0], [1.0, 0.0]])
        sampled_indexes = [[1]
         [0]]
    """
    weights = sampling_weights
    require_shape(len(weights.shape) == 2, f"sampling_weights is {tuple(weights.shape)}; it must be (N, K)")
    if sampling_values is not None:
        require_shape(
            tuple(sampling_values.shape) == tuple(weights.shape),
            f"sampling_values is {tuple(sampling_values.shape)}, but sampling_weights is {tuple(weights.shape)}; "
            "they must be equal",
        )
    if num_outputs == 2 and sampling_values is None:
        raise BadArgument("sampled_values is asked for, but there is no input sampling_values")
    rows, columns = weights.shape
    if rows == 0 or columns == 0:
        return jnp.zeros((0,), jnp.int32), jnp.zeros((0,), jnp.float32)
    totals = jnp.cumsum(weights, axis=1)
    thresholds = jax.random.uniform(rng, (rows, 1), jnp.float32) * totals[:, -1:]
    # The first position whose running total lies above the threshold; weight 0 is never drawn.
    positions = jnp.clip(jnp.sum(totals <= thresholds, axis=1, keepdims=True), 0, columns - 1)
    indexes = positions.astype(jnp.int32)
    if sampling_values is None:
        return (indexes,)
    return indexes, jnp.take_along_axis(sampling_values, positions, axis=1)


@operator("WeightedMultiSampling", outputs="sampled_indexes")
def weighted_multi_sampling(sampling_cdf, shape_tensor=None, *, rng, num_samples: int = 0):
    """Draws many positions, likely in proportion to the steps of a cumulative distribution.

    ``Y[k] = the first i with cdf[i] > u_k``, ``u_k ~ U(0, cdf[-1])``

    Inputs:
        sampling_cdf: Running totals of the weights, 1-D float32, not decreasing.
        shape_tensor: Lends the output its shape, in place of `num_samples`.
    Args:
        num_samples: How many positions to draw.
    Outputs:
        sampled_indexes: The positions, int32: (num_samples,) or the shape of shape_tensor.
    Example:
        >>> run("WeightedMultiSampling", sampling_cdf=[0.0, 1.0, 1.0], num_samples=2)
        sampled_indexes = [1 1]
    """
    require_shape(len(sampling_cdf.shape) == 1, f"sampling_cdf is {tuple(sampling_cdf.shape)}; it must be 1-D")
    target = tuple(shape_tensor.shape) if shape_tensor is not None else (num_samples,)
    if sampling_cdf.size == 0:
        return jnp.zeros((0,), jnp.int32)
    thresholds = jax.random.uniform(rng, target, jnp.float32) * sampling_cdf[-1]
    positions = jnp.searchsorted(sampling_cdf, thresholds, side="right")
    return jnp.clip(positions, 0, sampling_cdf.size - 1).astype(jnp.int32)
