"""Nodes to one pure function of arrays."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from c2lab.backend.blobs import kind_of
from c2lab.backend.half_compute import call_half, computes_half
from c2lab.backend.layouts import as_written, call_channels_last
from c2lab.backend.randomness import node_key
from c2lab.backend.region_nodes import RegionNode
from c2lab.backend.region_tracing import trace_region
from c2lab.errors import BadValue, C2LabError, ShapeMismatch
from c2lab.graph.ir import Node, Value
from c2lab.operators.checks import Offender, collecting
from c2lab.operators.quantized_arithmetic import refuse_quantized
from c2lab.storage import QuantizedTensor


class ValueCheck:
    """A condition on values that a compiled function reports, and what to say where it does not hold."""

    def __init__(self, node: Node, message: str, offender: Offender | None = None) -> None:
        self.node = node
        self.message = message
        self.offender = offender and offender._replace(position=None, value=None)

    def error(self, found: Sequence[float]) -> BadValue:
        """The error to raise, placed at the operator; ``found``: position and value of the first offender."""
        error = BadValue(self.message + (self.offender.text(*found) if self.offender else ""))
        error.at(self.node.place)
        return error


class Lowered:
    """The pure function of a stretch of nodes.

    ``function(*inputs, [random state])`` returns the outputs and, where there are conditions, last two
    things: position and value of each one's first offender, and a vector of booleans, one for each
    condition in ``checks``, which is filled in while tracing.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        inputs: Sequence[Value],
        outputs: Sequence[Value],
        overwritten: Sequence[int | None],
        static_values: dict[Value, Any],
        *,
        channels_last: bool = False,
    ) -> None:
        self.nodes = nodes
        self.inputs = inputs
        self.outputs = outputs
        self.overwritten = overwritten
        self.static_values = static_values
        self.channels_last = channels_last
        self.random = any("rng" in node.operator.reserved for node in nodes)
        self.checks: list[ValueCheck] = []
        self.complete = True

    def function(self) -> Callable[..., tuple[Any, ...]]:
        """The function itself, under a constant name: the name is part of the key of JAX's cache on disk."""

        def segment(*arguments: Any) -> tuple[Any, ...]:
            return self._trace(arguments)

        return segment

    def _trace(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        self.checks = []
        conditions: list[Any] = []
        offenders: list[Any] = []
        random_state = arguments[-1] if self.random else None
        held: dict[Value, Any] = dict(zip(self.inputs, arguments, strict=False))
        for node in self.nodes:

            def collect(ok: Any, message: str, offender: Offender | None, node: Node = node) -> None:
                conditions.append(ok)
                found = (offender.position, offender.value) if offender else (0, 0)
                offenders.append(jnp.stack([jnp.asarray(number, jnp.float64) for number in found]))
                self.checks.append(ValueCheck(node, message, offender))

            with collecting(collect):
                results = self._call(node, held, random_state)
            held.update(zip(node.outputs, results, strict=True))

        outputs = [as_written(held[value]) for value in self.outputs]
        self.complete = all(value is not None for value in outputs)
        if conditions:
            fine = jnp.stack(conditions)
            all_fine = jnp.all(fine)
            for position, source in enumerate(self.overwritten):
                if source is not None:
                    old, new = arguments[source], outputs[position]
                    if new is not None and kind_of(new) == kind_of(old):
                        outputs[position] = jax.tree.map(functools.partial(jnp.where, all_fine), new, old)
        else:
            fine = None
        # An output that *is* an input, or another output, would share its buffer; the next run may
        # give one of the two away.
        seen = {_identity(a) for a in arguments}
        for position, value in enumerate(outputs):
            if value is not None and _identity(value) in seen:
                outputs[position] = jax.tree.map(functools.partial(jnp.array, copy=True), value)
            seen.add(_identity(value))
        return (*outputs, jnp.stack(offenders), fine) if fine is not None else tuple(outputs)

    def _call(self, node: Node, held: dict[Value, Any], random_state: Any) -> tuple[Any, ...]:
        if isinstance(node, RegionNode):
            return trace_region(node.region, [as_written(held[value]) for value in node.inputs])
        operator = node.operator
        values: list[Any] = []
        for value, slot in zip(node.inputs, node.input_slots, strict=True):
            if slot in operator.opaque_inputs:
                values.append(None)
            elif value in node.static_inputs and value in self.static_values:
                values.append(self.static_values[value])
            else:
                values.append(held.get(value))
        reserved: dict[str, Any] = {"op": node.op}
        if "rng" in operator.reserved:
            reserved["rng"] = node_key(node, random_state)
        try:
            refuse_quantized(node.op.type, operator.family, node.op.input, values)
            if computes_half(node):
                return call_half(node, values, reserved)
            if self.channels_last:
                results = call_channels_last(node, values, reserved)
                if results is not None:
                    return results
                values = [as_written(value) for value in values]
            return operator.call(values, node.arguments, num_outputs=len(node.outputs), **reserved)
        except C2LabError as error:
            raise error.at(node.place) from error.__cause__
        except Exception as error:
            shapes = ", ".join(
                f"{name} is {getattr(v, 'dtype', type(v).__name__)}{list(getattr(v, 'shape', ()))}"
                for name, v in zip(node.op.input, values, strict=True)
            )
            text = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ShapeMismatch(f"{text} ({shapes})").at(node.place) from error


def abstract(value: Any) -> Any:
    """The shape and type of a tensor, for tracing."""
    struct = jax.ShapeDtypeStruct(value.shape, value.dtype)
    return value.with_data(struct) if isinstance(value, QuantizedTensor) else struct


def _identity(value: Any) -> int:
    return id(value.data if isinstance(value, QuantizedTensor) else value)
