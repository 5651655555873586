"""Python functions: operators that call back into your own code."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from c2lab.errors import BadArgument, TypeMismatch
from c2lab.operators.definition import host_operator

# The first four inputs may be overwritten by the first two outputs, as the original has it.
INPLACE = [(i, o) for i in range(4) for o in range(2)]


class Factory(NamedTuple):
    """What makes a function: each operator of a created net has one of its own."""

    make: Callable[..., Callable[..., Any]]
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = {}


class Kept(NamedTuple):
    """The functions behind one token."""

    forward: Callable[..., Any] | Factory
    backward: Callable[..., Any] | Factory | None = None
    pass_workspace: bool = False


_kept: dict[str, Kept] = {}
_numbers = itertools.count()


def keep(
    forward: Callable[..., Any] | Factory,
    backward: Callable[..., Any] | Factory | None = None,
    pass_workspace: bool = False,
    token: str = "",
) -> str:
    """Keeps functions for ``Python`` operators of this process, and returns the token to find them by.

    Example:
        >>> keep(print, token="printing")
        'printing'
    """
    named = forward.make if isinstance(forward, Factory) else forward
    token = token or f"{getattr(named, '__name__', type(named).__name__)}:{next(_numbers)}"
    _kept[token] = Kept(forward, backward, pass_workspace)
    return token


def _find(token: str) -> Kept:
    if token not in _kept:
        raise BadArgument(
            f'No Python function is kept under the token "{token}" in this process: a net with Python operators '
            "cannot be loaded from a file. Build it anew with net.Python(f)(inputs, outputs)."
        )
    return _kept[token]


class Tensor:
    """What a function sees of a blob: ``data``, ``shape``, ``reshape``, ``init``, ``feed``, ``fetch``.

    Example:
        >>> tensor = Tensor()
        >>> tensor.reshape([2])
        >>> tensor.data[...] = 3
        >>> tensor.data
        array([3., 3.], dtype=float32)
    """

    def __init__(self, held: Any = None, *, writable: bool = True) -> None:
        self._held = held
        self._writable = writable
        self.touched = False

    @property
    def data(self) -> Any:
        """The values: an array to read and, for an output, to write; float32 where nothing gave it a type."""
        if self._held is None:
            self._held = np.zeros((0,), np.float32)
        if self._writable:
            # Whoever asks for an output's values may change them.
            self.touched = True
            if not isinstance(self._held, bytes | str) and not getattr(
                getattr(self._held, "flags", None), "writeable", False
            ):
                self._held = np.array(self._held)
        return self._held

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes."""
        return tuple(np.shape(self._held)) if self._held is not None else ()

    @property
    def _shape(self) -> tuple[int, ...]:
        return self.shape

    def reshape(self, shape: Sequence[int]) -> None:
        """Changes the sizes; the values are kept where their number stays the same, and zeros otherwise."""
        held = np.zeros((0,), np.float32) if self._held is None else np.asarray(self._held)
        sizes = tuple(int(size) for size in shape)
        self._held = held.reshape(sizes) if held.size == np.prod(sizes) else np.zeros(sizes, held.dtype)
        self.touched = True

    def init(self, shape: Sequence[int], dtype: Any = np.float32) -> None:
        """Makes an array of zeros of these sizes and this type."""
        self._held = np.zeros(tuple(int(size) for size in shape), _numpy_type(dtype))
        self.touched = True

    def feed(self, value: Any, device_option: Any = None) -> None:
        """Replaces the values by a copy of an array, or by text."""
        if not isinstance(value, np.ndarray | np.generic | str | bytes):
            raise TypeMismatch(
                f"feed takes a numpy array or a string, not {type(value).__name__}; np.array(...) makes one."
            )
        if isinstance(value, str):
            value = value.encode()
        self._held = value if isinstance(value, bytes) else np.array(value)
        self.touched = True

    def fetch(self) -> Any:
        """A copy of the values."""
        held = self._held
        return np.array(held) if isinstance(held, np.ndarray) or hasattr(held, "__array__") else held


def _numpy_type(dtype: Any) -> Any:
    """A numpy type from one, or from the number of a ``TensorProto`` type."""
    numbers = {1: np.float32, 2: np.int32, 5: np.bool_, 6: np.uint8, 7: np.int8, 8: np.uint16, 9: np.int16,
               10: np.int64, 12: np.float16, 13: np.float64}  # fmt: skip
    return numbers[dtype] if isinstance(dtype, int) else dtype


def _made(function: Callable[..., Any] | Factory, state: dict[str, Any]) -> Callable[..., Any]:
    """The function of one operator, made at its first run where a factory makes it."""
    if not isinstance(function, Factory):
        return function
    if "function" not in state:
        state["function"] = function.make(*function.args, **function.kwargs)
    return state["function"]


def _call(function: Callable[..., Any], inputs: Sequence[Any], op: Any, workspace: Any, pass_workspace: bool) -> tuple:
    """Calls a function with input and output tensors; returns the outputs that it wrote."""
    blobs = getattr(workspace, "blobs", {})
    outputs = {name: Tensor(_earlier(blobs.get(name))) for name in op.output}
    for name, value in zip(op.input, inputs, strict=True):
        if name in outputs:
            outputs[name] = Tensor(value)
    read = [outputs.get(name) or Tensor(value, writable=False) for name, value in zip(op.input, inputs, strict=True)]
    written = [outputs[name] for name in op.output]
    if pass_workspace:
        # Functions written for the original call its workspace object, which only the room of old names has.
        view = importlib.import_module("c2lab.compat.c_extension").Workspace(over=workspace)
        function(read, written, view)
    else:
        function(read, written)
    return tuple(tensor.fetch() if tensor.touched else None for tensor in written)


def _earlier(held: Any) -> Any:
    """What an output held before, where that is an array."""
    return held if hasattr(held, "__array__") else None


@host_operator("Python", outputs="*outputs", inplace=INPLACE)
def python(
    *inputs,
    token: str = "",
    pass_workspace: bool = False,
    grad_output_indices: tuple[int, ...] = (),
    grad_input_indices: tuple[int, ...] = (),
    op,
    workspace,
    state,
):
    """Calls a Python function.

    ``net.Python(f)(inputs, outputs)`` adds one: ``f(inputs, outputs)`` reads ``inputs[k].data`` and
    writes ``outputs[k]`` with ``feed(array)``, or with ``reshape(shape)`` and ``data[...] = values``.
    The net is cut here, since the function runs outside of XLA.

    Inputs:
        inputs: Any number of blobs.
    Args:
        token: Where the function is found in this process; ``net.Python`` fills it in.
        pass_workspace: Whether the function gets the workspace as third argument.
        grad_output_indices: The outputs whose gradients the gradient function takes; all where empty.
        grad_input_indices: The inputs for which the gradient function makes gradients; all where empty.
    Outputs:
        outputs: What the function wrote; an output that it did not touch stays as it was.
    Example:
        >>> run("Python", inputs=([1.0, 2.0],), token="example: twice")
        outputs_0 = [2. 4.]
    """
    kept = _find(token)
    return _call(_made(kept.forward, state), inputs, op, workspace, pass_workspace or kept.pass_workspace)


@host_operator("PythonGradient", outputs="*gradients", inplace=INPLACE)
def python_gradient(*inputs, token: str = "", pass_workspace: bool = False, op, workspace, state):
    """Calls the gradient function of a Python operator.

    Inputs:
        inputs: Inputs, outputs and output gradients of the forward operator.
    Args:
        token: Where the function is found in this process.
        pass_workspace: Whether the function gets the workspace as third argument.
    Outputs:
        gradients: The gradients of the inputs that the function makes.
    Example:
        >>> run("PythonGradient", inputs=([1.0], [2.0], [5.0]), token="example: twice")
        gradients_0 = [10.]
    """
    kept = _find(token)
    if kept.backward is None:
        raise BadArgument(
            f'The Python function under the token "{token}" has no gradient; give one: net.Python(f, grad_f=g).'
        )
    return _call(_made(kept.backward, state), inputs, op, workspace, pass_workspace or kept.pass_workspace)


@python.gradient_maker
def _(g):
    taken = g.argument("grad_output_indices") or range(len(g.op.output))
    made = g.argument("grad_input_indices") or range(len(g.op.input))
    sources = [*g.op.input, *g.op.output, *(g.GO(k) for k in taken)]
    return [g.define("PythonGradient", sources, [g.GI(k) for k in made])]


def _twice(inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
    outputs[0].feed(2 * inputs[0].data)


def _twice_gradient(inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
    outputs[0].feed(2 * inputs[2].data)


keep(_twice, _twice_gradient, token="example: twice")
