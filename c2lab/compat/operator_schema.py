"""``workspace.C.OpSchema``: what is registered about an operator, asked for as in the original."""

from __future__ import annotations

from typing import Any

from c2lab.operators import registry
from c2lab.operators.definition import Operator

_ANY_NUMBER = 2**31 - 1


class OpSchema:
    """Counts, in-place pairs and documentation of one operator type.

    Example:
        >>> relu = OpSchema.get("Relu")
        >>> relu.min_input, relu.max_output, relu.inplace(0, 0)
        (1, 1, True)
        >>> OpSchema.get("NoSuchOperator") is None
        True
    """

    private = False
    line = 0

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self.doc = operator.doc
        self.file = operator.function.__code__.co_filename
        self.input_desc = [(slot.name, "") for slot in operator.inputs]
        self.output_desc = [(slot.name, "") for slot in operator.outputs]
        self.min_input, self.max_input = _range(operator.inputs, operator.input_counts)
        self.min_output, self.max_output = _range(operator.outputs, operator.output_counts)

    @staticmethod
    def get(name: str) -> OpSchema | None:
        """The schema of an operator type; ``None`` where there is none of this name."""
        operator = registry.get(name)
        return None if operator is None else OpSchema(operator)

    @staticmethod
    def get_cpu_impl(name: str) -> str:
        """Where the operator is written; empty where there is none."""
        found = OpSchema.get(name)
        return found.file if found else ""

    @staticmethod
    def get_cuda_impl(name: str) -> str:
        """Where the operator is written: XLA runs the same text on every device."""
        return OpSchema.get_cpu_impl(name)

    def num_inputs_allowed(self, count: int) -> bool:
        """Whether the operator takes this many inputs."""
        return _allowed(count, self._operator.input_counts, self.min_input, self.max_input)

    def num_outputs_allowed(self, count: int) -> bool:
        """Whether the operator has this many outputs."""
        return _allowed(count, self._operator.output_counts, self.min_output, self.max_output)

    def num_inputs_outputs_allowed(self, inputs: int, outputs: int) -> bool:
        """Whether the operator takes this many inputs and has this many outputs."""
        return self.num_inputs_allowed(inputs) and self.num_outputs_allowed(outputs)

    def inplace(self, input: int, output: int) -> bool:
        """Whether this output may overwrite this input."""
        return self._operator.inplace is None or (input, output) in self._operator.inplace

    def inplace_enforced(self, input: int, output: int) -> bool:
        """Whether this output must overwrite this input."""
        return (input, output) in self._operator.inplace_enforced

    def enforced_pairs(self) -> list[tuple[int, int]]:
        """The inputs and outputs that must be the same blobs."""
        return sorted(self._operator.inplace_enforced)

    @property
    def args(self) -> list[Any]:
        """The arguments: objects with ``name``, ``description`` and ``required``."""
        return [_Argument(spec.name, str(spec.kind), spec.required) for spec in self._operator.arguments.values()]


class _Argument:
    def __init__(self, name: str, description: str, required: bool) -> None:
        self.name, self.description, self.required = name, description, required


def _range(slots: Any, counts: tuple[int, ...]) -> tuple[int, int]:
    if counts:
        return min(counts), max(counts)
    least = sum(not (slot.optional or slot.variadic) for slot in slots)
    return least, _ANY_NUMBER if any(slot.variadic for slot in slots) else len(slots)


def _allowed(count: int, counts: tuple[int, ...], least: int, most: int) -> bool:
    return count in counts if counts else least <= count <= most
