"""Copies: blobs under another name, on another device, as another type, or cut from gradients."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from c2lab.errors import BadArgument, NotSupported, TypeMismatch
from c2lab.operators.definition import operator
from c2lab.operators.gradients import GradientSlice
from c2lab.proto import caffe2_pb2

DataType = caffe2_pb2.TensorProto.DataType


@operator("Copy", outputs="output")
def copy(input):
    """The same values in a blob of their own.

    Inputs:
        input: Values of any shape and type.
    Outputs:
        output: The same values.
    Example:
        >>> run("Copy", input=[1.0, 2.0])
        output = [1. 2.]
    """
    return input


@copy.gradient_maker
def _(g):
    return [g.define("CopyOnDeviceLike", [g.GO(0), g.I(0)], [g.GI(0)])]


@operator("CopyOnDeviceLike", outputs="output")
def copy_on_device_like(input, dst):
    """The same values on the device of another blob.

    Inputs:
        input: Values of any shape and type.
        dst: Only its device counts.
    Outputs:
        output: The values of input.
    Example:
        >>> run("CopyOnDeviceLike", input=[1.0, 2.0], dst=[0.0])
        output = [1. 2.]
    """
    return input


@operator("CopyCPUToGPU", outputs="output")
def copy_cpu_to_gpu(input):
    """The same values on the accelerator of the operator's device option.

    Inputs:
        input: Values in the memory of the host.
    Outputs:
        output: The same values.
    Example:
        >>> run("CopyCPUToGPU", input=[1.0, 2.0])
        output = [1. 2.]
    """
    return input


@copy_cpu_to_gpu.gradient_maker
def _(g):
    return [g.define("CopyGPUToCPU", [g.GO(0)], [g.GI(0)])]


@operator("CopyGPUToCPU", outputs="output")
def copy_gpu_to_cpu(input):
    """The same values in the memory of the host.

    Inputs:
        input: Values on an accelerator.
    Outputs:
        output: The same values.
    Example:
        >>> run("CopyGPUToCPU", input=[1.0, 2.0])
        output = [1. 2.]
    """
    return input


@copy_gpu_to_cpu.gradient_maker
def _(g):
    return [g.define("CopyCPUToGPU", [g.GO(0)], [g.GI(0)])]


@operator("CopyFromCPUInput", outputs="output")
def copy_from_cpu_input(input):
    """The same values, taken from the memory of the host to wherever the operator runs.

    Inputs:
        input: Values in the memory of the host.
    Outputs:
        output: The same values.
    Example:
        >>> run("CopyFromCPUInput", input=[1.0, 2.0])
        output = [1. 2.]
    """
    return input


@operator("EnsureCPUOutput", outputs="output", gradient="none")
def ensure_cpu_output(input):
    """The same values, in the memory of the host wherever they were.

    Inputs:
        input: Values on any device.
    Outputs:
        output: The same values.
    Example:
        >>> run("EnsureCPUOutput", input=[1.0, 2.0])
        output = [1. 2.]
    """
    return input


@operator("EnsureDense", outputs="output", inplace="input -> output")
def ensure_dense(input):
    """The same values; the gradient that comes back is made dense.

    Inputs:
        input: Values of any shape and type.
    Outputs:
        output: The same values.
    Example:
        >>> run("EnsureDense", input=[1.0, 2.0])
        output = [1. 2.]
    """
    return input


@ensure_dense.gradient_maker
def _(g):
    gradient = g.output_gradients[0]
    if isinstance(gradient, GradientSlice):
        return [g.define("SparseToDense", [gradient.indices, gradient.values, g.I(0)], [g.GI(0)])]
    g.set_dense(0, g.GO(0))
    return []


@operator("Alias", outputs="output")
def alias(input):
    """The same values under a second name.

    The original shares the memory, so that writing one blob in place shows in the other; here values are
    never shared, and writing one leaves the other as it was.

    Inputs:
        input: Values of any shape and type.
    Outputs:
        output: The same values.
    Example:
        >>> run("Alias", input=[1.0, 2.0])
        output = [1. 2.]
    """
    return input


@alias.gradient_maker
def _(g):
    g.set_dense(0, g.GO(0))
    return []


@operator("AliasWithName", outputs="output", inplace="input -> output")
def alias_with_name(input, *, name: str = "invalid_name", is_backward: bool = False):
    """The same values under a second name, with a label for those who read the net.

    Inputs:
        input: Values of any shape and type.
    Args:
        name: The label.
        is_backward: Whether the label is for the backward pass.
    Outputs:
        output: The same values.
    Example:
        >>> run("AliasWithName", input=[1.0, 2.0], name="here")
        output = [1. 2.]
    """
    return input


@operator("StopGradient", outputs="output", gradient="none", inplace="input -> output")
def stop_gradient(input):
    """The same values; no gradient passes back through here.

    Inputs:
        input: Values of any shape and type.
    Outputs:
        output: The same values.
    Example:
        >>> run("StopGradient", input=[1.0, 2.0])
        output = [1. 2.]
    """
    return input


_NUMPY_TYPES: dict[int, Any] = {
    DataType.Value("FLOAT"): np.float32,
    DataType.Value("INT32"): np.int32,
    DataType.Value("BYTE"): np.uint8,
    DataType.Value("BOOL"): np.bool_,
    DataType.Value("UINT8"): np.uint8,
    DataType.Value("INT8"): np.int8,
    DataType.Value("UINT16"): np.uint16,
    DataType.Value("INT16"): np.int16,
    DataType.Value("INT64"): np.int64,
    DataType.Value("DOUBLE"): np.float64,
}


def _data_type(value: Any, argument: str) -> int:
    """A data type from its number or its name (``"float"``, ``"INT64"``)."""
    if isinstance(value, bytes):
        name = value.decode("utf-8", "replace").upper()
        if name not in DataType.keys():  # noqa: SIM118 - a protobuf enum, not a dict
            raise BadArgument(f"{argument} is {name!r}; it must be one of {', '.join(DataType.keys())}")
        return DataType.Value(name)
    if not isinstance(value, int) or value not in DataType.values():
        raise BadArgument(f"{argument} is {value!r}; it must be a data type's number (1 is FLOAT) or name")
    return value


def _casts_to_text(op: caffe2_pb2.OperatorDef) -> bool:
    return any(a.name == "to" and (a.i == DataType.Value("STRING") or a.s.upper() == b"STRING") for a in op.arg)


@operator("Cast", host_when=_casts_to_text)
def cast(X, *, to: Any, from_type: Any = None):
    """The values as another element type: towards zero where fractions are lost, like C.

    Inputs:
        X: Numbers or booleans of any shape.
    Args:
        to: The new type, a number of TensorProto.DataType or its name: 1 or "float".
        from_type: The type of X; needed only where a gradient is asked for.
    Outputs:
        Y: Same shape as X, of the new type; STRING gives the decimal text of integers.
    Example:
        >>> run("Cast", X=[1.7, -1.7], to="int32")
        Y = [ 1 -1]
    """
    target = _data_type(to, "to")
    if X.dtype == object:
        raise TypeMismatch("X holds text, which Cast cannot read; it must be numbers or booleans")
    if target == DataType.Value("STRING"):
        if X.dtype.kind not in "iu":
            raise NotSupported(f"Cast to STRING takes integers, but X is {X.dtype}; Cast to int64 first")
        return np.vectorize(lambda number: str(number).encode(), otypes=[object])(X) if X.size else X.astype(object)
    if target == DataType.Value("FLOAT16") or X.dtype == jnp.float16:
        raise NotSupported("Casting to and from float16 is not supported by Cast; use FloatToHalf or HalfToFloat")
    if target not in _NUMPY_TYPES:
        raise NotSupported(f"Cast to {DataType.Name(target)} is not supported; to may be {_names()}")
    return X.astype(_NUMPY_TYPES[target])


def _names() -> str:
    return ", ".join(DataType.Name(number) for number in sorted(_NUMPY_TYPES))


@cast.gradient_maker
def _(g):
    source = g.argument("from_type")
    if source is None:
        raise BadArgument("Cast needs the argument from_type where its gradient is asked for; give the type of X")
    return [g.define("Cast", [g.GO(0)], [g.GI(0)], to=source, from_type=g.argument("to"))]
