"""One operator at once: ``c2.run("Relu", X=[-1.0, 2.0])``."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from c2lab.backend.run import UNINITIALISED
from c2lab.errors import BadArgument, did_you_mean
from c2lab.operators import registry
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument
from c2lab.workspace import Workspace


class Results(dict[str, Any]):
    """Outputs by their names in the schema; prints as ``Y = [...]``, a line each."""

    def __repr__(self) -> str:
        return "\n".join(f"{name} = {value}" for name, value in self.items())


def run(type: str, outputs: int | None = None, seed: int = 0, **values: Any) -> Results:
    """Runs one operator on plain values, in a workspace of its own.

    Args:
        type: The operator's type.
        outputs: How many outputs to ask for; all but the optional ones (one, where the operator
            has any number of them) where left out.
        seed: For random operators.
        values: Inputs and arguments by their names in the schema. Python floats become float32,
            ints int32, strings bytes; a list for a variadic input gives one blob an element.

    Returns:
        The outputs by name.

    Raises:
        BadArgument: A name that is neither an input nor an argument.

    Example:
        >>> run("Relu", X=[-1.0, 2.0])
        Y = [0. 2.]
    """
    operator = registry.find(type)
    if outputs is not None and not isinstance(outputs, int):
        first = operator.inputs[0].name if operator.inputs else "name"
        raise BadArgument(f'inputs are given by name: run("{type}", {first}=...); outputs is how many are wanted')
    workspace = Workspace("eager", seed=seed)
    op = caffe2_pb2.OperatorDef(type=type)
    slots = {slot.name: slot for slot in operator.inputs}
    for name in values:
        if name not in slots and name not in operator.arguments:
            known = [*slots, *operator.arguments]
            raise BadArgument(f"{type} has no input or argument {name}.{did_you_mean(name, known)}")
    for slot in operator.inputs:
        if slot.name not in values:
            continue
        given = values[slot.name]
        parts = list(given) if slot.variadic else [given]
        for index, part in enumerate(parts):
            blob = f"{slot.name}_{index}" if slot.variadic else slot.name
            op.input.append(blob)
            if part is None:  # an opaque input that the operator does not look into
                workspace.blobs[blob] = UNINITIALISED
            else:
                workspace.feed(blob, as_blob(part, operator.types.get(slot.name, ())))
    for name, spec in operator.arguments.items():
        if name in values:
            value = values[name]
            if spec.kind == "float" and isinstance(value, int):
                value = float(value)
            elif spec.kind == "floats":
                value = [float(v) for v in value]
            op.arg.append(make_argument(name, value))
    op.output.extend(_output_names(operator, op, outputs))
    workspace.run_operator(op)
    named = Results()
    for name in op.output:
        named[name.removesuffix("_out")] = workspace.fetch(name)
    return named


def _output_names(operator: Any, op: caffe2_pb2.OperatorDef, count: int | None) -> list[str]:
    slots = operator.outputs
    if any(slot.variadic for slot in slots):
        return [f"{slots[0].name}_{k}" for k in range(1 if count is None else count)]
    wanted = [slot for slot in slots if not slot.optional]
    if count is not None:
        wanted = list(slots[:count])
    elif operator.output_counts:
        wanted = list(slots[: min(operator.output_counts)])
    enforced = {o: i for i, o in operator.inplace_enforced}
    allowed = {o: i for i, o in operator.inplace or ()}
    names = []
    for position, slot in enumerate(wanted):
        if position in enforced and enforced[position] < len(op.input):
            names.append(op.input[enforced[position]])
        elif slot.name in op.input:
            names.append(slot.name if allowed.get(position) == list(op.input).index(slot.name) else f"{slot.name}_out")
        else:
            names.append(slot.name)
    return names


def as_blob(value: Any, types: tuple[str, ...] = ()) -> Any:
    """A plain Python value as what a blob may hold, of the first of ``types`` that fits its kind."""
    if isinstance(value, (str, bytes, np.ndarray, jax.Array)) or hasattr(value, "type_name"):
        return value
    array = np.asarray(value)
    usual = {"f": "float32", "i": "int32"}.get(array.dtype.kind)
    if usual is None:
        return array
    fitting = [name for name in types if np.dtype(name).kind == array.dtype.kind and name != "float16"]
    return array.astype(usual if usual in fitting or not fitting else fitting[0])
