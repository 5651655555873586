"""Row quantization: each row in 8 bits an element, with a scale and a bias of its own."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from c2lab.operators.checks import require_shape
from c2lab.operators.definition import operator

_PARAMETERS = 8  # bytes at the end of a fused row: scale and bias, float32 each, little endian


def _range(rows: Any) -> tuple[Any, Any]:
    require_shape(rows.ndim >= 1 and rows.shape[-1] > 0, f"input is {tuple(rows.shape)}; rows must not be empty")
    low = rows.min(axis=-1, keepdims=True)
    return low, rows.max(axis=-1, keepdims=True) - low


def _bytes(values: Any) -> Any:
    """The four bytes of each float32, in a dimension that takes the place of the last."""
    raw = jax.lax.bitcast_convert_type(values, jnp.uint8)
    return raw.reshape(*values.shape[:-1], 4 * values.shape[-1])


def restored(fused: Any) -> Any:
    """The float32 rows of fused rows."""
    require_shape(
        fused.ndim >= 1 and fused.shape[-1] > _PARAMETERS,
        f"the rows are {tuple(fused.shape)}; the last dimension must be longer than the {_PARAMETERS} bytes "
        "of scale and bias",
    )
    parameters = fused[..., -_PARAMETERS:].reshape(*fused.shape[:-1], 2, 4)
    scale_bias = jax.lax.bitcast_convert_type(parameters, jnp.float32)
    return fused[..., :-_PARAMETERS].astype(jnp.float32) * scale_bias[..., :1] + scale_bias[..., 1:]


@operator("FloatToFused8BitRowwiseQuantized", outputs="output", gradient="none", types={"input": "float32"})
def float_to_fused_8bit(input):
    """Rounds every row to 256 steps between its smallest and largest element; scale and bias stand at its end.

    ``q = round((x - min) * 255 / (max - min))``, ``scale = (max - min) / 255``, ``bias = min``.

    Inputs:
        input: float32 (..., D).
    Outputs:
        output: uint8 (..., D + 8): the steps, then the four bytes of scale and the four of bias.
    Example:
        >>> run("FloatToFused8BitRowwiseQuantized", input=[[0.0, 51.0, 255.0]])
        output = [[  0  51 255   0   0 128  63   0   0   0   0]]
    """
    low, extent = _range(input)
    inverse = jnp.float32(255) / (extent + jnp.float32(1e-8))
    steps = jnp.clip(jnp.round((input - low) * inverse), 0, 255).astype(jnp.uint8)
    return jnp.concatenate([steps, _bytes(extent / jnp.float32(255)), _bytes(low)], axis=-1)


@operator(
    "Fused8BitRowwiseQuantizedToFloat",
    outputs="float_output",
    gradient="none",
    types={"scale_bias_quantized_input": "uint8"},
)
def fused_8bit_to_float(scale_bias_quantized_input):
    """The rows that FloatToFused8BitRowwiseQuantized rounded: ``x = q * scale + bias``.

    Inputs:
        scale_bias_quantized_input: uint8 (..., D + 8).
    Outputs:
        float_output: float32 (..., D).
    Example:
        >>> rounded = run("FloatToFused8BitRowwiseQuantized", input=[[0.0, 51.0, 255.0]])["output"]
        >>> run("Fused8BitRowwiseQuantizedToFloat", scale_bias_quantized_input=rounded)
        float_output = [[  0.  51. 255.]]
    """
    return restored(scale_bias_quantized_input)


@operator(
    "FloatToRowwiseQuantized8Bits",
    outputs="quantized_input, scale_bias",
    gradient="none",
    output_counts=(2,),
    types={"input": "float32"},
)
def float_to_rowwise_8bits(input):
    """Rounds every row to 256 steps between its smallest and largest element.

    Inputs:
        input: float32 (N, ...).
    Outputs:
        quantized_input: uint8, same shape: the steps.
        scale_bias: float32 (N, 2): the size of a step, and the smallest element. Equal elements have step 1.
    Example:
        >>> run("FloatToRowwiseQuantized8Bits", input=[[0.0, 51.0, 255.0]])
        quantized_input = [[  0  51 255]]
        scale_bias = [[1. 0.]]
    """
    require_shape(input.ndim >= 2, f"input is {tuple(input.shape)}; it must be (N, ...)")
    rows = input.reshape(input.shape[0], -1)
    low, extent = _range(rows)
    flat = extent < jnp.float32(1e-10)
    scale = jnp.where(flat, jnp.float32(1), extent / jnp.float32(255))
    inverse = jnp.where(flat, jnp.float32(1), jnp.float32(255) / extent)
    steps = jnp.clip(jnp.round((rows - low) * inverse), 0, 255).astype(jnp.uint8)
    return steps.reshape(input.shape), jnp.concatenate([scale, low], axis=1)


@operator(
    "Rowwise8BitQuantizedToFloat",
    outputs="output",
    gradient="none",
    types={"quantized_input": "uint8", "scale_bias": "float32"},
)
def rowwise_8bit_to_float(quantized_input, scale_bias):
    """The rows that FloatToRowwiseQuantized8Bits rounded: ``x = q * scale + bias``.

    Inputs:
        quantized_input: uint8 (N, ...).
        scale_bias: float32 (N, 2).
    Outputs:
        output: float32, the shape of quantized_input.
    Example:
        >>> run("Rowwise8BitQuantizedToFloat", quantized_input=np.uint8([[0, 51]]), scale_bias=[[2.0, 1.0]])
        output = [[  1. 103.]]
    """
    require_shape(
        quantized_input.ndim >= 1 and scale_bias.shape == (quantized_input.shape[0], 2),
        f"quantized_input is {tuple(quantized_input.shape)} and scale_bias is {tuple(scale_bias.shape)}; "
        "there must be a scale and a bias for each row",
    )
    shape = (quantized_input.shape[0],) + (1,) * (quantized_input.ndim - 1)
    return quantized_input.astype(jnp.float32) * scale_bias[:, 0].reshape(shape) + scale_bias[:, 1].reshape(shape)
