"""Caffe2's ``functional``: operators as functions of arrays.

>>> import numpy as np
>>> Functional.Relu(np.float32([-1, 2])).output_0
array([0., 2.], dtype=float32)
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Sequence
from typing import Any

from c2lab.compat.operator_schema import OpSchema
from c2lab.errors import UnknownOperator
from c2lab.nets.creation import CreateOperator, nearby_types
from c2lab.workspace import Workspace

__all__ = ["Functional", "namedtupledict"]

_MOST = 10_000  # more outputs than this is "any number of them"


def namedtupledict(typename: str, field_names: Sequence[str], *args: Any, **kwargs: Any) -> Any:
    """A ``namedtuple`` class whose fields can also be looked up as in a dictionary.

    Names that are no Python names get other ones (``_0``), and are looked up as they are all the same.

    Example:
        >>> Pair = namedtupledict("Pair", ["first", "1"])
        >>> pair = Pair(10, 20)
        >>> pair["first"], pair["1"], pair[1]
        (10, 20, 20)
    """
    places = {name: place for place, name in enumerate(field_names)}
    kwargs.setdefault("rename", True)
    base: Any = namedtuple(typename, field_names, *args, **kwargs)

    class _Looked(base):
        __slots__ = ()

        def __getitem__(self, key: Any) -> Any:
            return super().__getitem__(places[key] if isinstance(key, str) else key)

    _Looked.__name__ = _Looked.__qualname__ = typename
    return _Looked


class _Functional:
    """``Functional.<Type>(*inputs, **arguments)`` runs one operator in a workspace of its own.

    ``num_output`` says how many outputs there are, where the operator has any number of them. The result is a
    tuple whose fields are the outputs' names: ``output_0``, ...; or those of inputs that outputs must overwrite.
    """

    def __getattr__(self, op_type: str) -> Callable[..., Any]:
        if op_type.startswith("__"):
            raise AttributeError(op_type)
        schema = OpSchema.get(op_type)
        if schema is None:
            near = ", ".join(nearby_types(op_type))
            raise UnknownOperator(f"{op_type} is not a registered operator. Did you mean: [{near}]")

        def run(*inputs: Any, num_output: int | None = None, **arguments: Any) -> Any:
            return _run(op_type, schema, inputs, num_output, arguments)

        run.__name__, run.__doc__ = op_type, schema.doc
        return run


def _run(op_type: str, schema: OpSchema, inputs: Sequence[Any], num_output: int | None, arguments: Any) -> Any:
    if not schema.num_inputs_allowed(len(inputs)):
        raise ValueError(
            f"Functional C2: Number of inputs not in range: {schema.min_input} - {schema.max_input} or not allowed: "
            f"{op_type} got {len(inputs)}."
        )
    if num_output is None:
        if schema.max_output > _MOST:
            raise ValueError(
                f"For operators with max_output == inf, user should pass num_output explicitly: {op_type} has any "
                "number of outputs."
            )
        num_output = schema.max_output
    elif not schema.num_outputs_allowed(num_output):
        raise ValueError(
            f"Functional C2: Number of output not in range: {schema.min_output} - {schema.max_output} or not allowed: "
            f"{op_type} was asked for {num_output}."
        )
    input_names = [f"input_{place}" for place in range(len(inputs))]
    output_names = [f"output_{place}" for place in range(num_output)]
    for source, target in schema.enforced_pairs():
        if source < len(inputs) and target < num_output:
            output_names[target] = input_names[source]
    workspace = Workspace("functional")
    for name, value in zip(input_names, inputs, strict=True):
        workspace.feed(name, value)
    workspace.run_operator(CreateOperator(op_type, input_names, output_names, **arguments))
    return namedtupledict("output", output_names)(*map(workspace.fetch, output_names))


Functional = _Functional()
