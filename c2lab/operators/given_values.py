"""Given values: blobs filled with the very values that an operator carries."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from c2lab.errors import BadArgument, ShapeMismatch
from c2lab.operators.definition import host_operator, operator
from c2lab.operators.fillers import DTYPES, dtype_number, filled_shape, reads_text
from c2lab.proto import caffe2_pb2

_TENSOR = caffe2_pb2.TensorProto
_FLOATING = (_TENSOR.FLOAT, _TENSOR.FLOAT16, _TENSOR.DOUBLE)


def _given(values: Any, target: tuple[int, ...], dtype: Any) -> Any:
    """``values`` as an array of shape ``target``, which they must fill exactly."""
    count = int(np.prod(target, dtype=np.int64))
    if len(values) != count:
        raise ShapeMismatch(
            f"{count} vs {len(values)}. output size: {count} given size: {len(values)}: "
            f"the shape {tuple(target)} holds {count} values, "
            f"but {len(values)} of the right type are given (floats and ints are not mixed)"
        )
    return np.asarray(values, dtype).reshape(target)


def _define_given(type: str, element: Any, example: str, kind: Any, note: str = "") -> None:
    """Registers one filler of the GivenTensor family."""

    def fill(
        input=None,
        *,
        values: kind,  # pyright: ignore[reportInvalidTypeForm] - a type by type of blob
        shape: tuple[int, ...] = (),
        extra_shape: tuple[int, ...] = (),
        input_as_shape: bool = False,
    ):
        target = filled_shape(input, shape, extra_shape, input_as_shape)
        return jnp.asarray(_given(values, target, element))

    name = np.dtype(element).name
    fill.__doc__ = f"""Fills a blob with the {name} values that are given.

    ``Y.flat[k] = values[k]``

    Inputs:
        input: Lends the output its shape; with `input_as_shape` its values are the shape.
    Args:
        values: As many numbers as the shape holds.{note}
        shape: The shape of the output where there is no input.
        extra_shape: Dimensions appended to the shape of the input.
        input_as_shape: Takes the values of the input (1-D, int64) for the shape.
    Outputs:
        output: The values, {name}.
    Example:
        {example}
    """
    fill.__annotations__["values"] = kind
    operator(type, outputs="output", gradient="none", inplace="input -> output", static="input if input_as_shape")(fill)


for _type, _element, _example in (
    ("GivenTensorIntFill", np.int32, "[1, 2]\n        output = [1 2]"),
    ("GivenTensorInt64Fill", np.int64, "[1, 2]\n        output = [1 2]"),
    ("GivenTensorInt16Fill", np.int16, "[1, 2]\n        output = [1 2]"),
    ("GivenTensorBoolFill", np.bool_, "[True, False]\n        output = [ True False]"),
    ("GivenTensorDoubleFill", np.float64, "[0.5, 2.0]\n        output = [0.5 2. ]"),
):
    _define_given(
        _type,
        _element,
        f'>>> run("{_type}", shape=[2], values={_example.replace(chr(10), ")" + chr(10), 1)}',
        tuple[float, ...] if _element is np.float64 else tuple[int, ...],
        " A NetDef keeps them in float32." if _element is np.float64 else "",
    )


@operator(
    "GivenTensorFill",
    outputs="output",
    gradient="none",
    inplace="input -> output",
    static="input if input_as_shape",
    host_when=reads_text,
)
def given_tensor_fill(
    input=None,
    *,
    values: Any,
    dtype: Any = None,
    shape: tuple[int, ...] = (),
    extra_shape: tuple[int, ...] = (),
    input_as_shape: bool = False,
):
    """Fills a blob with the values that are given.

    ``Y.flat[k] = values[k]``

    Inputs:
        input: Lends the output its shape; with `input_as_shape` its values are the shape.
    Args:
        values: As many values as the shape holds: floats, unless `dtype` says otherwise.
        dtype: The type of the output as a `TensorProto.DataType` number or name; float32 where absent.
        shape: The shape of the output where there is no input.
        extra_shape: Dimensions appended to the shape of the input.
        input_as_shape: Takes the values of the input (1-D, int64) for the shape.
    Outputs:
        output: The values.
    Example:
        >>> run("GivenTensorFill", shape=[2, 2], values=[1.0, 2.0, 3.0, 4.0])
        output = [[1. 2.]
         [3. 4.]]
    """
    number = _TENSOR.FLOAT if dtype is None else dtype_number(dtype)
    target = filled_shape(input, shape, extra_shape, input_as_shape)
    wanted = float if number in _FLOATING else bytes if number == _TENSOR.STRING else int
    held = values if isinstance(values, list) else [values]
    filled = _given([value for value in held if isinstance(value, wanted)], target, DTYPES[number])
    return filled if number == _TENSOR.STRING else jnp.asarray(filled)


@host_operator("GivenTensorStringFill", outputs="output", gradient="none", inplace="input -> output")
def given_tensor_string_fill(
    input=None,
    *,
    values: Any,
    shape: tuple[int, ...] = (),
    extra_shape: tuple[int, ...] = (),
    input_as_shape: bool = False,
):
    """Fills a blob with the texts that are given.

    ``Y.flat[k] = values[k]``

    Inputs:
        input: Lends the output its shape; with `input_as_shape` its values are the shape.
    Args:
        values: As many texts as the shape holds.
        shape: The shape of the output where there is no input.
        extra_shape: Dimensions appended to the shape of the input.
        input_as_shape: Takes the values of the input (1-D, int64) for the shape.
    Outputs:
        output: The texts, as bytes.
    Example:
        >>> run("GivenTensorStringFill", shape=[2], values=["cat", "dog"])
        output = [b'cat' b'dog']
    """
    target = filled_shape(input, shape, extra_shape, input_as_shape)
    held = values if isinstance(values, list) else [values]
    return _given([value for value in held if isinstance(value, bytes)], target, object)


@operator(
    "GivenTensorByteStringToUInt8Fill",
    outputs="output",
    gradient="none",
    inplace="input -> output",
    static="input if input_as_shape",
)
def given_tensor_byte_string_fill(
    input=None,
    *,
    values: Any,
    shape: tuple[int, ...] = (),
    extra_shape: tuple[int, ...] = (),
    input_as_shape: bool = False,
):
    """Fills a blob with the bytes of one text.

    ``Y.flat[k] = values[0][k]``

    Inputs:
        input: Lends the output its shape; with `input_as_shape` its values are the shape.
    Args:
        values: A list of one text, of as many bytes as the shape holds.
        shape: The shape of the output where there is no input.
        extra_shape: Dimensions appended to the shape of the input.
        input_as_shape: Takes the values of the input (1-D, int64) for the shape.
    Outputs:
        output: The bytes, uint8.
    Example:
        >>> run("GivenTensorByteStringToUInt8Fill", shape=[3], values=[b"abc"])
        output = [97 98 99]
    """
    held = values if isinstance(values, list) else [values]
    if len(held) != 1 or not isinstance(held[0], bytes):
        raise BadArgument(f"values must be a list of one text, got {held!r}")
    target = filled_shape(input, shape, extra_shape, input_as_shape)
    return jnp.asarray(_given(np.frombuffer(held[0], np.uint8), target, np.uint8))


@host_operator("FeedBlob", outputs="output", gradient="refused")
def feed_blob(*, value: bytes = b""):
    """Fills a blob with one text.

    Args:
        value: The text.
    Outputs:
        output: The text, as bytes.
    Example:
        >>> run("FeedBlob", value="cat")
        output = b'cat'
    """
    return value
