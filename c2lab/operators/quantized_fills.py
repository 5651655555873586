"""Quantized fills: blobs filled with the very numbers that an operator carries."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from c2lab.errors import BadArgument, ShapeMismatch
from c2lab.operators.definition import operator
from c2lab.operators.quantized_arithmetic import scale_of
from c2lab.storage import QuantizedTensor


def _filled(numbers: np.ndarray, shape: tuple[int, ...], Y_scale: float, Y_zero_point: int) -> QuantizedTensor:
    if int(np.prod(shape, dtype=np.int64)) != numbers.size:
        raise ShapeMismatch(
            f"the shape {shape} holds {np.prod(shape, dtype=np.int64)} values, but {numbers.size} are given"
        )
    scale, _ = scale_of(Y_scale, 0)
    return QuantizedTensor(jnp.asarray(numbers.reshape(shape)), float(scale), Y_zero_point)


@operator("Int8GivenTensorFill", outputs="Tensor")
def int8_given_tensor_fill(*, values: bytes, shape: tuple[int, ...], Y_scale: float = 1.0, Y_zero_point: int = 0):
    """Fills a blob with quantized numbers of eight bits, and says what they mean.

    ``Tensor = values``, each standing for ``Y_scale * (value - Y_zero_point)``

    Args:
        values: The numbers, a byte each.
        shape: The shape of the output.
        Y_scale: How much one step is.
        Y_zero_point: The number that stands for 0.
    Outputs:
        Tensor: Quantized, uint8.
    Example:
        >>> run("Int8GivenTensorFill", values=bytes([1, 255]), shape=[2], Y_scale=0.5, Y_zero_point=128)
        Tensor = [  1 255] (scale 0.5, zero point 128)
    """
    if not 0 <= Y_zero_point <= 255:
        raise BadArgument(f"Y_zero_point is {Y_zero_point}; it must be 0 to 255")
    return _filled(np.frombuffer(values, np.uint8), shape, Y_scale, Y_zero_point)


@operator("Int8GivenIntTensorFill", outputs="Tensor")
def int8_given_int_tensor_fill(
    *, values: tuple[int, ...], shape: tuple[int, ...], Y_scale: float = 1.0, Y_zero_point: int = 0
):
    """Fills a blob with quantized numbers of 32 bits, as the bias of a quantized layer is.

    ``Tensor = values``, each standing for ``Y_scale * (value - Y_zero_point)``

    Args:
        values: The numbers.
        shape: The shape of the output.
        Y_scale: How much one step is: the scale of the layer's input times that of its filter.
        Y_zero_point: The number that stands for 0.
    Outputs:
        Tensor: Quantized, int32.
    Example:
        >>> run("Int8GivenIntTensorFill", values=[-70000, 3], shape=[2], Y_scale=0.25)
        Tensor = [-70000      3] (scale 0.25, zero point 0)
    """
    return _filled(np.asarray(values, np.int32), shape, Y_scale, Y_zero_point)
