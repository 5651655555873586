"""Fillers: blobs made from nothing but their arguments."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from c2lab.errors import BadArgument, TypeMismatch
from c2lab.operators.checks import require_shape
from c2lab.operators.definition import operator
from c2lab.proto import caffe2_pb2

_TENSOR = caffe2_pb2.TensorProto
DTYPES: dict[int, Any] = {
    _TENSOR.FLOAT: np.float32,
    _TENSOR.INT32: np.int32,
    _TENSOR.BYTE: np.uint8,
    _TENSOR.STRING: object,
    _TENSOR.BOOL: np.bool_,
    _TENSOR.UINT8: np.uint8,
    _TENSOR.INT8: np.int8,
    _TENSOR.UINT16: np.uint16,
    _TENSOR.INT16: np.int16,
    _TENSOR.INT64: np.int64,
    _TENSOR.FLOAT16: np.float16,
    _TENSOR.DOUBLE: np.float64,
}
_FLOATING = (_TENSOR.FLOAT, _TENSOR.FLOAT16, _TENSOR.DOUBLE)


def filled_shape(
    input: Any, shape: tuple[int, ...], extra_shape: tuple[int, ...] = (), input_as_shape: bool = False
) -> tuple[Any, ...]:
    """The shape that a filler makes: its ``shape``, its input's, or its input's values."""
    if input is None:
        if extra_shape:
            raise BadArgument("extra_shape is appended to an input's shape, but there is no input; use shape")
        if input_as_shape:
            raise BadArgument("input_as_shape=1 reads the shape from an input, but there is none; use shape")
        return shape
    if shape:
        raise BadArgument("Cannot set the shape argument and pass in an input at the same time; leave one out")
    if not input_as_shape:
        return (*input.shape, *extra_shape)
    require_shape(
        len(input.shape) == 1,
        f"with input_as_shape=1 the input must be a list of sizes (1-D), but it is {tuple(input.shape)}",
    )
    if np.dtype(input.dtype).kind != "i":
        raise TypeMismatch(f"with input_as_shape=1 the input must be int64, but it is {input.dtype}")
    return (*(int(size) for size in np.asarray(input)), *extra_shape)


def dtype_number(dtype: Any) -> int:
    """A ``TensorProto.DataType`` from its number or its name (``b"int32"``)."""
    if isinstance(dtype, bytes):
        name = dtype.decode().upper()
        known = [_TENSOR.DataType.Name(number) for number in DTYPES]
        if name not in known:
            raise BadArgument(f"dtype is {name!r}; it must be one of {', '.join(known)}")
        return _TENSOR.DataType.Value(name)
    if dtype not in DTYPES:
        raise BadArgument(f"dtype is {dtype!r}; it must be one of {sorted(DTYPES)} (TensorProto.DataType)")
    return int(dtype)


def reads_text(op: caffe2_pb2.OperatorDef) -> bool:
    """Whether an operator fills with text, which only the host can hold."""
    return any(a.name == "dtype" and (a.i == _TENSOR.STRING or a.s.upper() == b"STRING") for a in op.arg)


@operator(
    "ConstantFill",
    gradient="none",
    inplace="X -> Y",
    static="X if input_as_shape",
    host_when=reads_text,
)
def constant_fill(
    X=None,
    V=None,
    *,
    value: Any = None,
    dtype: int | None = None,
    shape: tuple[int, ...] = (),
    extra_shape: tuple[int, ...] = (),
    input_as_shape: bool = False,
):
    """Fills a blob with one value.

    ``Y[...] = value``

    Inputs:
        X: Lends Y its shape; with `input_as_shape` its values are the shape.
        V: One element: the value, in place of the argument.
    Args:
        value: The value (0 where absent). Its type picks the type of Y where `dtype` is absent:
            a float gives float32, an int gives int64.
        dtype: The type of Y as a `TensorProto.DataType` number.
        shape: The shape of Y where there is no input; none makes one number, ().
        extra_shape: Dimensions appended to the shape of X.
        input_as_shape: Takes the values of X (1-D, int64) for the shape.
    Outputs:
        Y: The filled blob.
    Example:
        >>> run("ConstantFill", shape=[2, 2], value=0.5)
        Y = [[0.5 0.5]
         [0.5 0.5]]
    """
    number = dtype_number(dtype) if dtype is not None else _TENSOR.INT64 if isinstance(value, int) else _TENSOR.FLOAT
    if dtype is None and value is not None and not isinstance(value, (int, float)):
        raise BadArgument("Argument 'value' is of unexpected type: a text needs dtype=STRING (4)")
    target = filled_shape(X, shape, extra_shape, input_as_shape)
    if number == _TENSOR.STRING:
        if value is not None and not isinstance(value, bytes):
            raise BadArgument(f"Argument value does not have the right field: dtype is STRING, value is {value!r}")
        text = np.empty(target, object)
        text[...] = value or b""
        return text
    if V is not None:
        require_shape(V.size == 1, f"V must hold one value, but it is {tuple(V.shape)}")
        if V.dtype != np.dtype(DTYPES[number]):
            raise TypeMismatch(f"V is {V.dtype}, but dtype says {np.dtype(DTYPES[number])}; make them the same")
        return jnp.broadcast_to(jnp.reshape(V, ()), target)
    return jnp.full(target, _right_field(value, number), DTYPES[number])


def _right_field(value: Any, number: int) -> Any:
    """``value`` if it stands in the field that its element type reads, or 0 where it is absent."""
    if value is None:
        return 0
    if number in _FLOATING and not isinstance(value, float):
        raise BadArgument(f"Argument value does not have the right field: expected field f, got {value!r}; write 1.0")
    if number not in _FLOATING and not isinstance(value, int):
        raise BadArgument(
            f"Argument value does not have the right field: dtype {_TENSOR.DataType.Name(number)} reads "
            f"an int (field i), got {value!r}"
        )
    return bool(value) if number == _TENSOR.BOOL else value


@operator(
    "DiagonalFill", outputs="output", gradient="none", inplace="input -> output", static="input if input_as_shape"
)
def diagonal_fill(
    input=None,
    *,
    value: Any = None,
    dtype: int | None = None,
    shape: tuple[int, ...] = (),
    extra_shape: tuple[int, ...] = (),
    input_as_shape: bool = False,
):
    """Fills the diagonal of a blob with one value, the rest with zero.

    ``Y[i, i, ...] = value``

    Inputs:
        input: Lends the output its shape; with `input_as_shape` its values are the shape.
    Args:
        value: The value on the diagonal (0 where absent); its type picks the type of the output as in ConstantFill.
        dtype: The type of the output as a `TensorProto.DataType` number.
        shape: The shape of the output where there is no input: two sizes, or more that are all equal.
        extra_shape: Dimensions appended to the shape of the input.
        input_as_shape: Takes the values of the input (1-D, int64) for the shape.
    Outputs:
        output: The filled blob.
    Example:
        >>> run("DiagonalFill", shape=[2, 2], value=3.0)
        output = [[3. 0.]
         [0. 3.]]
    """
    number = dtype_number(dtype) if dtype is not None else _TENSOR.INT64 if isinstance(value, int) else _TENSOR.FLOAT
    target = filled_shape(input, shape, extra_shape, input_as_shape)
    require_shape(len(target) >= 2, f"the shape is {target}; a diagonal needs two dimensions or more")
    require_shape(
        len(target) == 2 or len(set(target)) == 1,
        f"the shape is {target}; with more than two dimensions all sizes must be equal",
    )
    steps = jnp.arange(min(target))
    zeros = jnp.zeros(target, DTYPES[number])
    return zeros.at[(steps,) * len(target)].set(jnp.asarray(_right_field(value, number), DTYPES[number]))


@operator("RangeFill", outputs="output", gradient="none", inplace="input -> output", static="input if input_as_shape")
def range_fill(
    input=None, *, shape: tuple[int, ...] = (), extra_shape: tuple[int, ...] = (), input_as_shape: bool = False
):
    """Fills a blob with 0, 1, 2, ... in float32.

    ``Y.flat[k] = k``

    Inputs:
        input: Lends the output its shape; with `input_as_shape` its values are the shape.
    Args:
        shape: The shape of the output where there is no input.
        extra_shape: Dimensions appended to the shape of the input.
        input_as_shape: Takes the values of the input (1-D, int64) for the shape.
    Outputs:
        output: The numbers in order, float32.
    Example:
        >>> run("RangeFill", shape=[4])
        output = [0. 1. 2. 3.]
    """
    target = filled_shape(input, shape, extra_shape, input_as_shape)
    count = int(np.prod(target, dtype=np.int64))
    return jnp.arange(count, dtype=jnp.float32).reshape(target)


@operator("Range", outputs="output", gradient="none", static="start, stop, step",
          types=dict.fromkeys(("start", "stop", "step"), "int32 int64 float32 float64"))  # fmt: skip
def range_(start, stop=None, step=None):
    """Evenly spaced numbers from `start` up to, but without, `stop`.

    ``Y[k] = start + k * step`` for as long as it lies before `stop`

    Inputs:
        start: The first number; where it is the only input it is `stop`, and the first number is 0.
        stop: Where to end.
        step: The distance between two numbers; 1 where absent, never 0.
    Outputs:
        output: 1-D, of the type of the inputs.
    Example:
        >>> run("Range", start=2, stop=8, step=3)
        output = [2 5]
    """
    given = [value for value in (start, stop, step) if value is not None]
    for value in given:
        require_shape(value.size == 1, f"start, stop and step must each be one number, but one is {tuple(value.shape)}")
        if value.dtype != given[0].dtype:
            raise TypeMismatch(f"start, stop and step must have one type, but are {[str(v.dtype) for v in given]}")
    first, last, stride = (np.asarray(v).item() if v is not None else None for v in (start, stop, step))
    if stop is None:
        first, last = 0, first
    stride = 1 if stride is None else stride
    if stride == 0:
        raise BadArgument("step is 0, so the range would never end; it must not be 0")
    length = max(int(np.ceil((last - first) / stride)), 0)
    kind = given[0].dtype
    return jnp.asarray(np.arange(length, dtype=kind) * np.asarray(stride, kind) + np.asarray(first, kind))
