"""Single operators: making their OperatorDefs, and asking which types exist."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from c2lab import events
from c2lab.nets.blobs import blob_list, text
from c2lab.nets.scopes import CurrentDeviceScope
from c2lab.operators import registry
from c2lab.operators.schema import REQUIRED
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument

if TYPE_CHECKING:
    from c2lab.operators.definition import Operator


def CreateOperator(
    operator_type: str,
    inputs: Any,
    outputs: Any,
    name: str = "",
    control_input: Any = None,
    device_option: caffe2_pb2.DeviceOption | None = None,
    arg: Iterable[caffe2_pb2.Argument] | None = None,
    engine: str | None = None,
    debug_info: str | None = None,
    **kwargs: Any,
) -> caffe2_pb2.OperatorDef:
    """An OperatorDef. Whether its type exists is asked when it runs, not here.

    Args:
        operator_type: The type, ``"Relu"``.
        inputs, outputs: A name, a ``BlobReference``, or a list of these; names given as text get the
            prefix of the current ``NameScope``.
        name: A name for this operator, which error messages show.
        control_input: Blobs that must be written before this operator runs.
        device_option: The device; the current ``DeviceScope`` where left out.
        arg: Ready ``Argument`` messages.
        engine: An implementation to prefer; there is only one here.
        debug_info: Any text.
        kwargs: Arguments; ``None`` leaves one out, ``random_seed`` goes to the device option.

    Example:
        >>> CreateOperator("Relu", "x", "y").output[0]
        'y'
    """
    op = caffe2_pb2.OperatorDef()
    op.type = text(operator_type)
    op.name = name
    op.input.extend(map(str, blob_list(inputs)))
    op.output.extend(map(str, blob_list(outputs)))
    if control_input:
        op.control_input.extend(map(str, blob_list(control_input)))
    device_option = CurrentDeviceScope() if device_option is None else device_option
    if device_option is not None:
        op.device_option.CopyFrom(device_option)
    if engine is not None:
        op.engine = engine
    if debug_info is not None:
        op.debug_info = debug_info
    seed = kwargs.pop("random_seed", None)
    if seed is not None:
        op.device_option.random_seed = seed
    if arg is not None:
        op.arg.extend(arg)
    op.arg.extend(make_argument(key, value) for key, value in kwargs.items() if value is not None)
    # The immediate mode of the workspace runs operators from here.
    events.emit("operator_created", op=op)
    return op


def python_token(f: Any, grad_f: Any = None, python_func_type: Any = None, pass_workspace: bool = False) -> str:
    """Keeps the functions of a Python operator; returns the token by which the operator finds them."""
    from c2lab.operators import python_functions  # with the operator comes jax

    if python_func_type is not None:
        made = python_func_type(f)
        f, grad_f = made.forward, made.backward
    forward, backward = (python_functions.Factory(*it) if isinstance(it, tuple) else it for it in (f, grad_f))
    return python_functions.keep(forward, backward, pass_workspace)


def CreatePythonOperator(
    f: Any,
    inputs: Any,
    outputs: Any,
    grad_f: Any = None,
    pass_workspace: bool = False,
    python_func_type: Any = None,
    *args: Any,
    **kwargs: Any,
) -> caffe2_pb2.OperatorDef:
    """An operator that calls ``f(inputs, outputs)``; see ``Net.Python`` for the arguments."""
    kwargs["token"] = python_token(f, grad_f, python_func_type, pass_workspace)
    kwargs["pass_workspace"] = pass_workspace or None
    return CreateOperator("Python", inputs, outputs, *args, **kwargs)


def nearby_types(op_type: str) -> list[str]:
    """Registered types that are spelled much like ``op_type``."""
    return difflib.get_close_matches(op_type, operator_types(), n=5, cutoff=0.6)


def IsOperator(op_type: str) -> bool:
    """Whether an operator of this type is registered."""
    return registry.get(op_type) is not None


def IsOperatorWithEngine(op_type: str, engine: str) -> bool:
    """Whether a type has an implementation of its own for ``engine``; here XLA is the only one."""
    return engine in ("", "DEFAULT") and IsOperator(op_type)


def operator_types() -> set[str]:
    """The types of all registered operators."""
    return {operator.type for operator in registry.all_operators()}


def RefreshRegisteredOperators(trigger_lazy: bool = True) -> None:
    """Loads the operator families; operators defined later are known at once anyway."""
    if trigger_lazy:
        registry.load()


def SetEnginePref(per_op_engine_pref: Any, global_engine_pref: Any) -> None:
    """Accepted and without effect: every operator has one implementation, XLA's."""


def SetPerOpEnginePref(per_op_engine_pref: Any) -> None:
    """Accepted and without effect, as ``SetEnginePref``."""


def SetGlobalEnginePref(global_engine_pref: Any) -> None:
    """Accepted and without effect, as ``SetEnginePref``."""


def SetOpEnginePref(op_type: str, op_pref: Any) -> None:
    """Accepted and without effect, as ``SetEnginePref``."""


class OperatorMethod:
    """``net.<Type>``: adds one operator to a net; signature and help are those of the definition."""

    def __init__(self, add: Callable[..., Any], definition: Operator) -> None:
        self._add = add
        self._definition = definition
        self.__name__ = self.__qualname__ = definition.type
        self.__doc__ = definition.doc

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._add(self._definition.type, *args, **kwargs)

    def __repr__(self) -> str:
        return f"<operator {self._definition.type}{self.__signature__}>"

    @property
    def __signature__(self) -> inspect.Signature:
        parameter = inspect.Parameter
        parameters = [
            parameter("inputs", parameter.POSITIONAL_OR_KEYWORD),
            parameter("outputs", parameter.POSITIONAL_OR_KEYWORD, default=None),
        ]
        # An argument without a default may still be left out here: the schema asks for it when the net is created.
        for spec in self._definition.arguments.values():
            default = parameter.empty if spec.default is REQUIRED else spec.default
            kind = {"ints": "list[int]", "floats": "list[float]", "strs": "list[str]"}.get(spec.kind, spec.kind)
            parameters.append(parameter(spec.name, parameter.KEYWORD_ONLY, default=default, annotation=kind))
        for name in ("name", "device_option", "engine", "control_input"):
            if name not in self._definition.arguments:
                parameters.append(parameter(name, parameter.KEYWORD_ONLY, default=None))
        return inspect.Signature(parameters)
