"""Traces regions: ``If`` becomes ``lax.cond``, ``While`` ``lax.while_loop``, a recurrent network ``lax.scan``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from c2lab.backend.blobs import kind_of
from c2lab.backend.region_nodes import Alias, AnyCall, AnyRegion, Branches, Call, Loop, RegionRefused, writes
from c2lab.backend.scan_tracing import trace_scan
from c2lab.backend.scans import Scan, ScanBack
from c2lab.operators.checks import Offender, collecting, report
from c2lab.storage import QuantizedTensor

Values = tuple[Any, ...]


class _Check(NamedTuple):
    """A condition on values inside of a region, without the values."""

    message: str
    offender: Offender | None


class _Traced(NamedTuple):
    """What a list of calls gives: values, whether each condition held, and its first offender."""

    values: Values
    fine: Any
    found: Any


def trace_region(region: AnyRegion, values: Sequence[Any]) -> Values:
    """The outputs of a region for its inputs, traced.

    Raises:
        RegionRefused: The shapes or types do not allow it.
    """
    if isinstance(region, Scan | ScanBack):
        return trace_scan(region, values)
    if any(value is None for value in values):
        raise RegionRefused("an input is no tensor")
    arrays = tuple(_plain(value) for value in values)
    condition = arrays[0]
    if condition.dtype != bool or condition.size != 1:
        raise RegionRefused("the condition is not one bool")
    return _trace_branches(region, arrays) if isinstance(region, Branches) else _trace_loop(region, arrays)


def _plain(value: Any) -> Any:
    """An array of a definite type: literals of Python must not take on another."""
    if isinstance(value, QuantizedTensor):
        return value.with_data(_plain(value.data))
    array = jnp.asarray(value)
    return lax.convert_element_type(array, array.dtype)


class _Body:
    """Calls as a function of arrays, which also returns the conditions that they demand."""

    def __init__(self, calls: Sequence[AnyCall], inputs: Sequence[str], outputs: Sequence[str]) -> None:
        known = {*inputs, *writes(calls)}
        self.calls = calls
        self.inputs = inputs
        self.outputs = [name for name in outputs if name in known]
        self.checks: list[_Check] = []

    def __call__(self, *arrays: Any) -> _Traced:
        held = dict(zip(self.inputs, arrays, strict=True))
        self.checks, fine, found = [], [], []

        def collect(ok: Any, message: str, offender: Offender | None, word: str) -> None:
            fine.append(ok)
            numbers = (offender.position, offender.value) if offender else (0, 0)
            found.append(jnp.stack([jnp.asarray(number, jnp.float64) for number in numbers]))
            self.checks.append(_Check(word + message, offender and offender._replace(position=None, value=None)))

        for call in self.calls:
            word = f"{call.node.op.type}: " if isinstance(call, Call) else ""
            with collecting(partial(collect, word=word)):
                _run(call, held)
        results = tuple(_plain(held[name]) for name in self.outputs)
        return _Traced(
            results,
            jnp.stack(fine) if fine else jnp.ones(0, bool),
            jnp.stack(found) if found else jnp.zeros((0, 2), jnp.float64),
        )

    def shapes(self, *arrays: Any) -> dict[str, jax.ShapeDtypeStruct]:
        """The shapes and types of the outputs; ``checks`` are known from then on."""
        try:
            return dict(zip(self.outputs, jax.eval_shape(self, *arrays).values, strict=True))
        except RegionRefused:
            raise
        except Exception as error:
            # The host runs it and says what is wrong, where, and only if it comes to that.
            raise RegionRefused(str(error)) from error


def _run(call: AnyCall, held: dict[str, Any]) -> None:
    values = [held[name] for name in call.inputs]
    if isinstance(call, Alias):
        results = tuple(values)
    elif isinstance(call, Call):
        node = call.node
        results = node.operator.call(values, node.arguments, num_outputs=len(call.outputs), op=node.op)
        if any(result is None for result in results):
            raise RegionRefused(f"{node.op.type} leaves an output as it was")
    else:
        results = trace_region(call, values)
    held.update(zip(call.outputs, results, strict=True))


def _same(first: Any, second: Any) -> bool:
    return kind_of(first) == kind_of(second)


def _zeros(like: Any) -> Any:
    return jax.tree.map(lambda part: jnp.zeros(part.shape, part.dtype), like)


def _report(checks: Sequence[_Check], fine: Any, found: Any) -> None:
    """Hands the conditions inside of a region to whoever collects those around it."""
    for k, (message, offender) in enumerate(checks):
        report(fine[k], message, offender and offender._replace(position=found[k, 0], value=found[k, 1]))


def _trace_branches(region: Branches, arrays: Values) -> Values:
    bodies = [_Body(calls, region.inputs, region.outputs) for calls in (region.then_calls, region.else_calls)]
    yes_shapes, no_shapes = (body.shapes(*arrays) for body in bodies)
    if not all(_same(yes_shapes[name], no_shapes[name]) for name in yes_shapes.keys() & no_shapes.keys()):
        raise RegionRefused("the branches give different shapes or types")
    shapes = yes_shapes | no_shapes
    counts = [len(body.checks) for body in bodies]

    def padded(body: _Body, before: int, after: int) -> Callable[..., _Traced]:
        # Both branches return the values and conditions of both; the conditions of the other one hold.
        def branch(*arrays: Any) -> _Traced:
            traced = body(*arrays)
            made = dict(zip(body.outputs, traced.values, strict=True))
            values = tuple(made[name] if name in made else _zeros(shapes[name]) for name in region.outputs)
            fine = jnp.concatenate([jnp.ones(before, bool), traced.fine, jnp.ones(after, bool)])
            return _Traced(values, fine, jnp.pad(traced.found, ((before, after), (0, 0))))

        return branch

    yes, no = padded(bodies[0], 0, counts[1]), padded(bodies[1], counts[0], 0)
    values, fine, found = lax.cond(arrays[0].reshape(()), yes, no, *arrays)
    _report([*bodies[0].checks, *bodies[1].checks], fine, found)
    return tuple(values)


def _trace_loop(region: Loop, arrays: Values) -> Values:
    changed = list(region.outputs)
    before = dict(zip(region.inputs, arrays, strict=True))
    constants = {name: value for name, value in before.items() if name not in changed}
    whole = (*region.loop_calls, *region.cond_calls)
    shapes = _Body(whole, region.inputs, changed).shapes(*arrays)
    # What only a round makes is zeros before there is one.
    start = [before[name] if name in before else _zeros(shapes[name]) for name in changed]
    names = [*changed, *constants]
    asked, round_ = _Body(region.cond_calls, names, changed), _Body(whole, names, changed)
    asked.shapes(*start, *constants.values())
    first = asked(*start, *constants.values())
    _report(asked.checks, first.fine, first.found)
    after = round_.shapes(*first.values, *constants.values())
    if not all(_same(value, after[name]) for name, value in zip(changed, first.values, strict=True)):
        raise RegionRefused("the loop changes a shape or a type")
    where = changed.index(region.inputs[0])

    def goes_on(state: _Traced) -> Any:
        # A round that breaks a condition is the last one, as it is on the host.
        return jnp.logical_and(state.values[where].reshape(()), jnp.all(state.fine))

    count = len(round_.checks)
    # A question that breaks a condition lets no round begin.
    held = jnp.broadcast_to(jnp.all(first.fine), (max(count, 1),))
    begin = _Traced(first.values, held, jnp.zeros((max(count, 1), 2), jnp.float64))

    def once(state: _Traced) -> _Traced:
        traced = round_(*state.values, *constants.values())
        return traced if count else traced._replace(fine=state.fine, found=state.found)

    end = lax.while_loop(goes_on, once, begin)
    _report(round_.checks, end.fine, end.found)
    return tuple(end.values)
