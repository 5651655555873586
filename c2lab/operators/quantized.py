"""Quantized tensors: to eight bits and back, sums, activations.

A quantized tensor is uint8 numbers with a scale and a zero point: ``q`` stands for
``scale * (q - zero_point)``.  An operator is told scale and zero point of what it makes.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from c2lab.errors import BadArgument, NotSupported, ShapeMismatch
from c2lab.operators.axes import canonical_axis
from c2lab.operators.checks import require_shape
from c2lab.operators.definition import operator
from c2lab.operators.quantized_arithmetic import (
    looked_up,
    require_factor,
    require_quantized,
    same_meaning,
    scale_of,
    shifted,
    significand,
    step_table,
    to_uint8,
)
from c2lab.storage import QuantizedTensor


def refuse_parameters(Qparam: Any) -> None:
    """Demands that scale and zero point come as arguments."""
    if Qparam is not None:
        raise NotSupported("Qparam is not read; give Y_scale and Y_zero_point as arguments")


@operator("Int8Quantize", types={"X": "float32"})
def int8_quantize(X, Qparam=None, *, Y_scale: float = 1.0, Y_zero_point: int = 0):
    """Real numbers to eight bits, each to the nearest step.

    ``Y = clip(round(X / Y_scale) + Y_zero_point, 0, 255)``, halves away from zero

    Inputs:
        X: float32, any shape.
        Qparam: Not supported: give the arguments.
    Args:
        Y_scale: How much one step is.
        Y_zero_point: The number that stands for 0.
    Outputs:
        Y: Quantized, same shape.
    Example:
        >>> run("Int8Quantize", X=[-1.0, 0.0, 0.3, 200.0], Y_scale=0.5, Y_zero_point=128)
        Y = [126 128 129 255] (scale 0.5, zero point 128)
    """
    refuse_parameters(Qparam)
    scale, zero_point = scale_of(Y_scale, Y_zero_point)
    # By way of float64, the quotient in float32 is the nearest one; XLA may make a division a multiplication.
    steps = (X.astype(jnp.float64) / np.float64(scale)).astype(jnp.float32)
    # Far outside of uint8 everything is cut off anyway, and fits into whole numbers there.
    whole = jnp.trunc(jnp.clip(steps, -1024, 1024))
    rounded = whole + jnp.where(jnp.abs(jnp.clip(steps, -1024, 1024) - whole) >= 0.5, jnp.sign(steps), 0)
    return QuantizedTensor(to_uint8(rounded.astype(jnp.int32), zero_point), float(scale), zero_point)


@operator("Int8Dequantize")
def int8_dequantize(qX):
    """Eight bits to the real numbers that they stand for.

    ``Y = scale * (qX - zero_point)``

    Inputs:
        qX: Quantized.
    Outputs:
        Y: float32, same shape.
    Example:
        >>> from c2lab.storage import QuantizedTensor
        >>> run("Int8Dequantize", qX=QuantizedTensor(np.uint8([126, 129]), 0.5, 128))
        Y = [-1.   0.5]
    """
    require_quantized(qX=qX)
    away = qX.data.astype(jnp.int32) - qX.zero_point
    return away.astype(jnp.float32) * np.float32(qX.scale)


# --- sums ----------------------------------------------------------------------------------------


def _sum(A: Any, B: Any, Y_scale: float, Y_zero_point: int, *, relu: bool) -> QuantizedTensor:
    require_quantized(A=A, B=B)
    require_shape(tuple(A.shape) == tuple(B.shape), f"the inputs are {A.shape} and {B.shape}; both must be equal")
    scale, zero_point = scale_of(Y_scale, Y_zero_point)
    factors = [np.float32(X.scale) / scale for X in (A, B)]
    for name, factor in zip(("first", "second"), factors, strict=True):
        require_factor(f"the scale of the {name} input over Y_scale", factor, 2.0**-14, 2.0**8)
    # The larger factor becomes a multiplier of 22 bits, and the other one takes the same shift.
    shift = 21 - (significand(max(factors))[1] + 23)
    multipliers = [int(np.rint(factor * np.float32(2.0**shift))) for factor in factors]
    total = sum(
        (X.data.astype(jnp.int32) - X.zero_point) * np.int32(multiplier)
        for X, multiplier in zip((A, B), multipliers, strict=True)
    )
    return QuantizedTensor(to_uint8(shifted(total, shift), zero_point, relu=relu), float(scale), zero_point)


def _define_sum(type: str, first: str, second: str, out: str, relu: bool) -> None:
    def add_two(A, B, *, Y_scale: float = 1.0, Y_zero_point: int = 0):
        return _sum(A, B, Y_scale, Y_zero_point, relu=relu)

    def add_list(*X: Any, Y_scale: float = 1.0, Y_zero_point: int = 0):
        if len(X) != 2:
            raise NotSupported(f"{type} got {len(X)} inputs; it adds two: add one after the other")
        return _sum(*X, Y_scale, Y_zero_point, relu=relu)

    if first:
        inputs = f"""{first}: Quantized.
        {second}: Quantized, same shape, with a scale and a zero point of its own."""
        add, given = add_two, f"{first}=x, {second}=x"
    else:
        inputs = "X: Two quantized tensors of one shape, each with its own scale and zero point."
        add, given = add_list, "X=[x, x]"
    add.__doc__ = f"""Adds two quantized tensors{", what is below 0 made 0" if relu else ""}.

    ``{out} = {"max(0, A + B)" if relu else "A + B"}`` of the real numbers, to the nearest step

    Inputs:
        {inputs}
    Args:
        Y_scale: How much one step of the output is.
        Y_zero_point: The output's number for 0.
    Outputs:
        {out}: Quantized, same shape.
    Example:
        >>> from c2lab.storage import QuantizedTensor
        >>> x = QuantizedTensor(np.uint8([100, 130]), 0.5, 128)
        >>> run("{type}", {given}, Y_scale=1.0, Y_zero_point=128)
        {out} = {"[128 130]" if relu else "[100 130]"} (scale 1, zero point 128)
    """
    operator(type, outputs=out, inplace=[(0, 0), (1, 0)])(add)


_define_sum("Int8Add", "A", "B", "C", relu=False)
_define_sum("Int8AddRelu", "A", "B", "C", relu=True)
_define_sum("Int8Sum", "", "", "Y", relu=False)
_define_sum("Int8SumRelu", "", "", "Y", relu=True)


# --- activations ---------------------------------------------------------------------------------


@operator("Int8Relu", inplace="X -> Y")
def int8_relu(X, *, Y_scale: float | None = None, Y_zero_point: int | None = None):
    """Makes what is below 0 to 0, on quantized numbers.

    ``Y = max(X, zero_point)``

    Inputs:
        X: Quantized.
    Args:
        Y_scale: The scale of X, where given.
        Y_zero_point: The zero point of X, where given.
    Outputs:
        Y: Quantized as X is.
    Example:
        >>> from c2lab.storage import QuantizedTensor
        >>> run("Int8Relu", X=QuantizedTensor(np.uint8([100, 130]), 0.5, 128))
        Y = [128 130] (scale 0.5, zero point 128)
    """
    require_quantized(X=X)
    same_meaning(X, Y_scale, Y_zero_point)
    return X.with_data(jnp.maximum(X.data, jnp.uint8(X.zero_point)))


@operator("Int8LeakyRelu", inplace="X -> Y")
def int8_leaky_relu(X, *, alpha: float = 0.01, Y_scale: float = 1.0, Y_zero_point: int = 0):
    """Multiplies what is below 0 by a small factor, on quantized numbers.

    ``Y = X where X >= 0, else alpha * X``, of the real numbers, to the nearest step

    Inputs:
        X: Quantized.
    Args:
        alpha: The factor, above 0 and up to 1.
        Y_scale: How much one step of the output is.
        Y_zero_point: The output's number for 0.
    Outputs:
        Y: Quantized, same shape.
    Example:
        >>> from c2lab.storage import QuantizedTensor
        >>> run("Int8LeakyRelu", X=QuantizedTensor(np.uint8([100, 130]), 0.5, 128), alpha=0.5, Y_scale=0.5,
        ...     Y_zero_point=128)
        Y = [114 130] (scale 0.5, zero point 128)
    """
    require_quantized(X=X)
    scale, zero_point = scale_of(Y_scale, Y_zero_point)
    if not 0 < alpha <= 1:
        raise BadArgument(f"alpha is {alpha}; it must be above 0 and at most 1")
    factor = np.float32(X.scale) / scale
    require_factor("the scale of X over Y_scale", factor, 2.0**-8, 2.0**8)
    steps = factor * (np.arange(256) - X.zero_point).astype(np.float32)
    table = step_table(np.where(steps < 0, steps * np.float32(alpha), steps), zero_point)
    return QuantizedTensor(looked_up(X, table), float(scale), zero_point)


def _of_one(Y_scale: float | None, Y_zero_point: int | None) -> np.float32:
    """The scale of numbers between 0 and 1, which is 1/256.

    Raises:
        NotSupported: Another one, or another zero point, is asked for.
    """
    if (Y_scale is not None and abs(Y_scale * 256 - 1) > 2e-3) or Y_zero_point not in (None, 0):
        raise NotSupported(f"Y_scale is {Y_scale} and Y_zero_point {Y_zero_point}; they must be 1/256 and 0")
    return np.float32(1 / 256 if Y_scale is None else Y_scale)


@operator("Int8Sigmoid", outputs="output")
def int8_sigmoid(input, *, Y_scale: float | None = None, Y_zero_point: int | None = None):
    """The logistic function, on quantized numbers.

    ``output = 1 / (1 + exp(-input))`` of the real numbers, in steps of 1/256

    Inputs:
        input: Quantized.
    Args:
        Y_scale: 1/256, where given.
        Y_zero_point: 0, where given.
    Outputs:
        output: Quantized, same shape.
    Example:
        >>> from c2lab.storage import QuantizedTensor
        >>> run("Int8Sigmoid", input=QuantizedTensor(np.uint8([100, 128, 255]), 0.1, 128))
        output = [ 15 128 255] (scale 0.00390625, zero point 0)
    """
    require_quantized(input=input)
    scale = _of_one(Y_scale, Y_zero_point)
    real = np.float32(input.scale) * (np.arange(256) - input.zero_point).astype(np.float32)
    with np.errstate(over="ignore"):
        table = step_table(np.float32(256) / (np.float32(1) + np.exp(-real)), 0)
    return QuantizedTensor(looked_up(input, table), float(scale), 0)


@operator("Int8Softmax", outputs="output")
def int8_softmax(input, *, axis: int = 1, Y_scale: float | None = None, Y_zero_point: int | None = None):
    """Scores to probabilities, on quantized numbers.

    ``output = exp(input) / sum of exp(input)`` over the dimensions from ``axis`` on, in steps of 1/256

    Inputs:
        input: Quantized.
    Args:
        axis: From which dimension on the values are of one sum.
        Y_scale: 1/256, where given.
        Y_zero_point: 0, where given.
    Outputs:
        output: Quantized, same shape.
    Example:
        >>> from c2lab.storage import QuantizedTensor
        >>> run("Int8Softmax", input=QuantizedTensor(np.uint8([[128, 138]]), 0.1, 128))
        output = [[ 69 187]] (scale 0.00390625, zero point 0)
    """
    require_quantized(input=input)
    scale = _of_one(Y_scale, Y_zero_point)
    axis = canonical_axis(axis, input.ndim)
    rows = input.data.reshape(int(np.prod(input.shape[:axis])), -1).astype(jnp.int64)
    if 0 in rows.shape:
        raise ShapeMismatch(f"the input is {input.shape}; a sum over nothing has no shares")
    # The exponential of each distance from the largest value, as large as the sum's 32 bits allow.
    most = min((2.0**32 - 1) / rows.shape[1], 8388607.0)
    table = np.rint(most * np.exp(np.arange(-255, 1) * np.float64(np.float32(input.scale)))).astype(np.int64)
    shares = jnp.asarray(table)[255 + rows - jnp.max(rows, axis=1, keepdims=True)]
    total = jnp.sum(shares, axis=1, keepdims=True)
    numbers = jnp.minimum(((shares << 8) + (total >> 1)) // total, 255).astype(jnp.uint8)
    return QuantizedTensor(numbers.reshape(input.shape), float(scale), 0)
