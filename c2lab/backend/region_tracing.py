"""Traces regions: ``If`` becomes ``lax.cond``, ``While`` becomes ``lax.while_loop``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from c2lab.backend.region_nodes import AnyCall, Branches, Call, Loop, Region, RegionRefused
from c2lab.operators.checks import Offender, collecting, report

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


def trace_region(region: Region, values: Sequence[Any]) -> Values:
    """The outputs of a region for its inputs, traced.

    Raises:
        RegionRefused: The shapes or types do not allow it.
    """
    if any(value is None for value in values):
        raise RegionRefused("an input is no tensor")
    arrays = tuple(_plain(value) for value in values)
    condition = arrays[0]
    if condition.dtype != bool or condition.size != 1:
        raise RegionRefused("the condition is not one bool")
    return _trace_branches(region, arrays) if isinstance(region, Branches) else _trace_loop(region, arrays)


def _plain(value: Any) -> Any:
    """An array of a definite type: literals of Python must not take on another."""
    array = jnp.asarray(value)
    return lax.convert_element_type(array, array.dtype)


class _Body:
    """Calls as a function of arrays, which also returns the conditions that they demand."""

    def __init__(self, calls: Sequence[AnyCall], inputs: Sequence[str], outputs: Sequence[str]) -> None:
        self.calls = calls
        self.inputs = inputs
        self.outputs = outputs
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

    def shapes(self, *arrays: Any) -> list[jax.ShapeDtypeStruct]:
        """The shapes and types of the outputs; ``checks`` are known from then on."""
        try:
            return list(jax.eval_shape(self, *arrays).values)
        except RegionRefused:
            raise
        except Exception as error:
            # The host runs it and says what is wrong, where, and only if it comes to that.
            raise RegionRefused(str(error)) from error


def _run(call: AnyCall, held: dict[str, Any]) -> None:
    values = [held[name] for name in call.inputs]
    if isinstance(call, Call):
        node = call.node
        results = node.operator.call(values, node.arguments, num_outputs=len(call.outputs), op=node.op)
        if any(result is None for result in results):
            raise RegionRefused(f"{node.op.type} leaves an output as it was")
    else:
        results = trace_region(call, values)
    held.update(zip(call.outputs, results, strict=True))


def _same(first: Sequence[Any], second: Sequence[Any]) -> bool:
    return all((a.shape, a.dtype) == (b.shape, b.dtype) for a, b in zip(first, second, strict=True))


def _report(checks: Sequence[_Check], fine: Any, found: Any) -> None:
    """Hands the conditions inside of a region to whoever collects those around it."""
    for k, (message, offender) in enumerate(checks):
        report(fine[k], message, offender and offender._replace(position=found[k, 0], value=found[k, 1]))


def _trace_branches(region: Branches, arrays: Values) -> Values:
    bodies = [_Body(calls, region.inputs, region.outputs) for calls in (region.then_calls, region.else_calls)]
    shapes = [body.shapes(*arrays) for body in bodies]
    if not _same(*shapes):
        raise RegionRefused("the branches give different shapes or types")
    counts = [len(body.checks) for body in bodies]

    def padded(body: _Body, before: int, after: int) -> Callable[..., _Traced]:
        # Both branches return the conditions of both; those of the other one hold.
        def branch(*arrays: Any) -> _Traced:
            traced = body(*arrays)
            fine = jnp.concatenate([jnp.ones(before, bool), traced.fine, jnp.ones(after, bool)])
            return _Traced(traced.values, fine, jnp.pad(traced.found, ((before, after), (0, 0))))

        return branch

    yes, no = padded(bodies[0], 0, counts[1]), padded(bodies[1], counts[0], 0)
    values, fine, found = lax.cond(arrays[0].reshape(()), yes, no, *arrays)
    _report([*bodies[0].checks, *bodies[1].checks], fine, found)
    return tuple(values)


def _trace_loop(region: Loop, arrays: Values) -> Values:
    changed = list(region.outputs)
    condition = region.inputs[0]
    before = dict(zip(region.inputs, arrays, strict=True))
    constants = {name: value for name, value in before.items() if name not in changed}
    names = [*changed, *constants]

    def body_of(calls: Sequence[AnyCall]) -> _Body:
        return _Body(calls, names, changed)

    asked, round_ = body_of(region.cond_calls), body_of((*region.loop_calls, *region.cond_calls))
    start = [before[name] for name in changed]
    asked.shapes(*start, *constants.values())
    first = asked(*start, *constants.values())
    _report(asked.checks, first.fine, first.found)
    if not _same(first.values, round_.shapes(*first.values, *constants.values())):
        raise RegionRefused("the loop changes a shape or a type")
    where = changed.index(condition)

    def goes_on(state: _Traced) -> Any:
        # A round that breaks a condition is the last one, as it is on the host.
        return jnp.logical_and(state.values[where].reshape(()), jnp.all(state.fine))

    count = len(round_.checks)
    begin = _Traced(first.values, jnp.ones(count, bool), jnp.zeros((count, 2), jnp.float64))
    if asked.checks:
        begin = begin._replace(values=tuple(
            jnp.logical_and(value, jnp.all(first.fine)) if k == where else value for k, value in enumerate(first.values)
        ))  # fmt: skip
    end = lax.while_loop(goes_on, lambda state: round_(*state.values, *constants.values()), begin)
    _report(round_.checks, end.fine, end.found)
    return tuple(end.values)
