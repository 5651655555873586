"""Arithmetic of quantized tensors: back to eight bits by whole-number multiplication and shifts.

The results are those of the fixed-point schemes of QNNPACK, bit for bit: a real factor becomes a
whole multiplier and a shift to the right, which rounds.  The programs hold no real numbers at all;
where sums of products are formed in float64 they are whole and far below 2^53, so they are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from c2lab.errors import BadArgument, NotSupported, TypeMismatch
from c2lab.operators.checks import require_shape
from c2lab.storage import QuantizedTensor

# Scale and zero point are a part of what is compiled; only the numbers move.
jax.tree_util.register_dataclass(QuantizedTensor, ["data"], ["scale", "zero_point"])


def require_quantized(**inputs: Any) -> None:
    """Demands that the inputs are quantized tensors of uint8.

    Raises:
        TypeMismatch: With the input at fault.
    """
    for name, value in inputs.items():
        if not isinstance(value, QuantizedTensor):
            raise TypeMismatch(f"{name} is a plain tensor; it must be quantized: Int8Quantize makes it so")
        if value.dtype != np.uint8:
            raise TypeMismatch(f"{name} is quantized to {value.dtype}; it must be uint8")


def refuse_quantized(op_type: str, family: str, names: Sequence[str], values: Sequence[Any]) -> None:
    """Demands of an operator on plain tensors that no input is quantized.

    Raises:
        TypeMismatch: With the input at fault.
    """
    if not family.startswith("quantized"):
        for name, value in zip(names, values, strict=True):
            if isinstance(value, QuantizedTensor):
                raise TypeMismatch(
                    f"{name} is a quantized tensor, and {op_type} reads plain ones; Int8Dequantize makes it plain"
                )


def require_nhwc(order: str) -> None:
    """Demands the one storage order that quantized images have.

    Raises:
        NotSupported: The order is another one.
    """
    if order != "NHWC":
        raise NotSupported(f"order is {order}; quantized images are NHWC only: transpose them, and say order='NHWC'")


def same_meaning(X: QuantizedTensor, Y_scale: float | None, Y_zero_point: int | None) -> None:
    """Demands that an output is given the scale and zero point that the input has, or none.

    Raises:
        BadArgument: They differ.
    """
    for name, given, have in (("Y_scale", Y_scale, X.scale), ("Y_zero_point", Y_zero_point, X.zero_point)):
        if given is not None and given != have:
            raise BadArgument(f"{name} is {given:g}, but X has {have:g}; this operator keeps what X has")


def scale_of(Y_scale: float, Y_zero_point: int) -> tuple[np.float32, int]:
    """An output's scale and zero point, once they make sense.

    Raises:
        BadArgument: A scale that is not above 0, or a zero point outside of uint8.
    """
    if not (0 < Y_scale < np.inf):
        raise BadArgument(f"Y_scale is {Y_scale}; it must be above 0")
    if not 0 <= Y_zero_point <= 255:
        raise BadArgument(f"Y_zero_point is {Y_zero_point}; it must be 0 to 255")
    return np.float32(Y_scale), Y_zero_point


def require_factor(what: str, factor: np.float32, low: float, high: float) -> None:
    """Demands that a ratio of scales is one that fixed-point numbers can carry.

    Raises:
        NotSupported: It is outside ``[low, high)``.
    """
    if not low <= factor < high:
        raise NotSupported(
            f"{what} is {factor:g}; it must be at least {low:g} and below {high:g}: choose another Y_scale"
        )


def significand(factor: np.float32) -> tuple[int, int]:
    """A positive float32 as ``(m, e)`` with ``factor = m * 2^e``, ``m`` of 24 bits.

    Example:
        >>> significand(np.float32(0.5)) == (1 << 23, -24)
        True
    """
    bits = int(np.float32(factor).view(np.uint32))
    return (bits & 0x007FFFFF) | 0x00800000, (bits >> 23) - 150


def shifted(value: Any, shift: int) -> Any:
    """``value / 2^shift`` to the nearest whole number, halves away from zero."""
    mask = (1 << shift) - 1
    rest = (value & mask) - (value < 0)
    return (value >> shift) + (rest > (mask >> 1))


def scaled_down(total: Any, factor: np.float32) -> Any:
    """A sum of products times a factor below 1: a multiplier of 31 bits, and a shift.

    Example:
        >>> with jax.enable_x64(True):
        ...     print(scaled_down(jnp.int64(-10), np.float32(0.25)))
        -3
    """
    require_factor("the product of the inputs' scales over Y_scale", factor, 2.0**-32, 1.0)
    m, e = significand(factor)
    # factor = (m << 7) / 2^31 / 2^shift
    product = total.astype(jnp.int64) * (m << 7)
    return shifted((product + (1 << 30)) >> 31, -(e + 24))


def averaged(total: Any, factor: np.float32) -> Any:
    """A sum times a factor that may be 1 and more: a multiplier of 24 bits, and one rounding shift."""
    require_factor("the scale of X over Y_scale and the window's size", factor, 2.0**-32, 2.0**8)
    m, e = significand(factor)
    product = total.astype(jnp.int64) * m
    return (product - (total < 0) + (1 << (-e - 1))) >> -e


def to_uint8(values: Any, zero_point: int, *, relu: bool = False) -> Any:
    """Whole numbers around zero as uint8 around the zero point, cut off at both ends (below it, with ``relu``)."""
    return jnp.clip(values + zero_point, zero_point if relu else 0, 255).astype(jnp.uint8)


def looked_up(X: QuantizedTensor, table: np.ndarray) -> Any:
    """For each number of X what stands in a table of 256."""
    return jnp.asarray(table)[X.data.astype(jnp.int32)]


def step_table(steps: np.ndarray, zero_point: int) -> np.ndarray:
    """The uint8 nearest to each of 256 distances from the zero point, in float32 steps; halves to even."""
    cut_off = np.clip(steps, np.float32(-zero_point), np.float32(255 - zero_point))
    return (np.rint(cut_off).astype(np.int64) + zero_point).astype(np.uint8)


def bias_values(bias: Any, count: int) -> Any:
    """The numbers of a bias, which are int32 in steps of the product of the inputs' scales.

    Raises:
        TypeMismatch: The bias is plain, or of another type.
    """
    if not isinstance(bias, QuantizedTensor) or bias.dtype != np.int32:
        kind = f"quantized to {bias.dtype}" if isinstance(bias, QuantizedTensor) else "a plain tensor"
        raise TypeMismatch(
            f"the bias is {kind}; it must be quantized to int32 (Int8GivenIntTensorFill), with the scale of X times "
            "that of the filter and zero point 0"
        )
    require_shape(
        tuple(bias.shape) == (count,), f"the bias is {bias.shape}; with {count} outputs it must be ({count},)"
    )
    return bias.data.astype(jnp.int64)
