"""Gradient kernels that nobody writes: the ``jax.vjp`` of the forward function, as an operator of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from c2lab.errors import SchemaError
from c2lab.operators.schema import Slot, bind, parse_slots

if TYPE_CHECKING:
    from c2lab.operators.definition import Operator


def gradient_slots(forward: Operator, wiring: str) -> tuple[tuple[Slot, ...], tuple[Slot, ...]]:
    """The slots of a gradient operator: a name is optional or variadic where the forward one is."""
    known = {slot.name: slot for slot in (*forward.outputs, *forward.inputs)}
    sides = []
    for side in wiring.split("->"):
        slots = []
        for slot in parse_slots(side):
            base = slot.name if slot.name in known else slot.name.removeprefix("d")
            origin = known.get(base, Slot(base))
            slots.append(
                Slot(slot.name, optional=slot.optional or origin.optional, variadic=slot.variadic or origin.variadic)
            )
        sides.append(tuple(slots))
    return sides[0], sides[1]


def vjp_kernel(forward: Operator, left: tuple[Slot, ...], right: tuple[Slot, ...]) -> Callable[..., Any]:
    """The gradient kernel that is the ``jax.vjp`` of the forward function."""
    input_names = {slot.name for slot in forward.inputs}
    wanted = [slot.name[1:] for slot in right]
    missing = [s.name for s in forward.inputs if not s.optional and s.name not in {slot.name for slot in left}]
    if missing:
        raise SchemaError(
            f"{forward.type}: its gradient operator is not given {', '.join(missing)}, so the kernel must be written"
        )

    def kernel(*values: Any, num_outputs: int, **arguments: Any) -> tuple[Any, ...]:
        """The gradient operator: the vector-Jacobian product of its forward operator."""
        bound = dict(zip((slot.name for slot in left), values, strict=False))
        if any(slot.variadic for slot in left):
            bound = bind(left, values)
        inputs = {name: value for name, value in bound.items() if name in input_names}
        names = [name for name in wanted if inputs.get(name) is not None]

        def differentiated(held: dict[str, Any]) -> tuple[Any, ...]:
            full = {**inputs, **held}
            positional: list[Any] = []
            for slot in forward.inputs:
                value = full.get(slot.name)
                positional.extend(value or () if slot.variadic else [value])
            extra = {"num_outputs": len(forward.outputs)} if "num_outputs" in forward.reserved else {}
            result = forward.function(*positional, **arguments, **extra)
            return tuple(result) if isinstance(result, (tuple, list)) else (result,)

        outputs, pullback = jax.vjp(differentiated, {name: inputs[name] for name in names})
        cotangents = []
        variadic_output = forward.outputs[0].variadic
        for index, value in enumerate(outputs):
            slot = forward.outputs[0 if variadic_output else index]
            given = bound.get(f"d{slot.name}")
            given = given[index] if variadic_output and given is not None else given
            if not jnp.issubdtype(value.dtype, jnp.inexact):
                cotangents.append(jnp.zeros(value.shape, jax.dtypes.float0))
            elif given is None:
                cotangents.append(jnp.zeros_like(value))
            else:
                cotangents.append(jnp.asarray(given, value.dtype).reshape(value.shape))
        (gradients,) = pullback(tuple(cotangents))
        results: list[Any] = []
        for name in names:
            gradient = gradients[name]
            results.extend(gradient if isinstance(gradient, tuple) else [gradient])
        return tuple(results)

    return kernel
