"""Traces recurrent networks: their steps become one ``lax.scan``, and another one the other way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from c2lab.backend.region_nodes import Call, RegionRefused
from c2lab.backend.scans import Link, Scan, ScanBack
from c2lab.operators.checks import Offender, collecting, report
from c2lab.operators.recurrent_network import gradient_of
from c2lab.storage import QuantizedTensor

Held = dict[str, Any]


def trace_scan(region: Scan | ScanBack, values: Sequence[Any]) -> tuple[Any, ...]:
    """The outputs of a recurrent network, or of its way back, for its inputs, traced.

    Raises:
        RegionRefused: The shapes or types do not allow it.
    """
    if any(value is None or isinstance(value, QuantizedTensor) for value in values):
        raise RegionRefused("an input is no tensor")
    held = dict(zip(region.inputs, values, strict=True))
    steps = np.shape(held[region.sequence])[0] if np.ndim(held[region.sequence]) else 0
    if not isinstance(steps, int) or steps == 0:
        raise RegionRefused("there are no steps")
    if isinstance(region, Scan):
        return _forward(region, held, steps)
    return _backward(region, held, steps)


class _Steps:
    """The calls of a step, run in order; what they demand is told once for all steps."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self._calls = calls
        self._demands: list[tuple[str, Offender | None]] = []

    def run(self, held: Held) -> tuple[Any, Any]:
        """Runs a step; returns whether each demand is met, and its first offender."""
        self._demands = []
        fine: list[Any] = []
        found: list[Any] = []
        for call in self._calls:

            def collect(ok: Any, message: str, offender: Offender | None, word: str = call.node.op.type) -> None:
                fine.append(jnp.asarray(ok))
                numbers = (offender.position, offender.value) if offender else (0, 0)
                found.append(jnp.stack([jnp.asarray(number, jnp.float64) for number in numbers]))
                plain = offender and offender._replace(position=None, value=None)
                self._demands.append((f"{word}: {message}", plain))

            with collecting(collect):
                values = [held[name] for name in call.inputs]
                node = call.node
                results = node.operator.call(values, node.arguments, num_outputs=len(call.outputs), op=node.op)
            if any(result is None for result in results):
                raise RegionRefused(f"{node.op.type} leaves an output as it was")
            held.update(zip(call.outputs, results, strict=True))
        return tuple(fine), tuple(found)

    def tell(self, fine: Sequence[Any], found: Sequence[Any]) -> None:
        """Hands the demands of all steps, in the order they ran, to whoever collects those around."""
        for (message, offender), ok, where in zip(self._demands, fine, found, strict=True):
            first = where[jnp.argmin(ok)]
            told = offender and offender._replace(position=first[0], value=first[1])
            report(jnp.all(ok), message, told)


def _scanned(step: Callable[..., Any], carry: Any, xs: Any, *, reverse: bool = False) -> Any:
    try:
        return lax.scan(step, carry, xs, reverse=reverse)
    except RegionRefused:
        raise
    except Exception as error:
        # The host runs it and says what is wrong, where, and only if it comes to that.
        raise RegionRefused(str(error)) from error


def _rows(array: Any, link: Link, steps: int) -> Any:
    """For each step the rows that a link names, (T, window, ...)."""
    if link.offset < 0 or array.shape[0] < link.offset + steps + link.window - 1:
        raise RegionRefused(f"{link.external} has too few rows")
    parts = [array[link.offset + k : link.offset + k + steps] for k in range(link.window)]
    return jnp.stack(parts, axis=1)


def _first_row(first: Any, batch: int) -> Any:
    """The first value of a state, as one of its rows (1, N, D)."""
    if first.ndim == 1:
        return jnp.broadcast_to(first, (1, batch, first.shape[0]))
    row = first.shape[1:] if first.ndim == 3 else first.shape
    if first.ndim > 3 or row[0] != batch or first.size != np.prod(row):
        raise RegionRefused("a first value has another shape than its state")
    return first.reshape(1, *row)


def _forward(region: Scan, held: Held, steps: int) -> tuple[Any, ...]:
    sequence = held[region.sequence]
    batch = sequence.shape[1] if sequence.ndim > 1 else 1
    begin = {state.name: _first_row(held[state.first], batch) for state in region.states}
    runner = _Steps(region.calls)
    # Values that follow from shapes are the same at each step, and known while tracing.
    constants: Held = {}
    simple = {name for state in region.states for name in state.before} | {link.internal for link in region.rows}
    ends = {state.after: state.name for state in region.states}
    traced = [name for name, _ in region.kept if name not in simple and name not in ends]
    xs = {link.internal: _rows(held[link.external], link, steps) for link in region.rows}

    def step(carry: Held, row: Any) -> Any:
        number, rows = row
        inner = {**held, **rows, region.timestep: number.reshape(1)}
        for state in region.states:
            inner.update(dict.fromkeys(state.before, carry[state.name]))
        fine, found = runner.run(inner)
        after = {state.name: _like(inner[state.after], carry[state.name]) for state in region.states}
        constants.update({name: inner[name] for name in traced if isinstance(inner[name], np.ndarray)})
        kept = {name: inner[name] for name in traced if name not in constants}
        kept |= {name: inner[name] for name in ends if inner[name].shape != begin[ends[name]].shape}
        return after, (after, kept, fine, found)

    numbers = jnp.arange(steps, dtype=jnp.int32)
    _, (rows, kept, fine, found) = _scanned(step, begin, (numbers, xs))
    runner.tell(fine, found)
    states = {name: jnp.concatenate([begin[name], row[:, 0]]) for name, row in rows.items()}
    results = dict(states)
    for name, source, offset in region.aliases:
        results[name] = states[source][offset:]
    kept = {**xs, **{name: rows[state] for name, state in ends.items()}, **kept, **constants}
    for state in region.states:
        kept.update(dict.fromkeys(state.before, states[state.name][:-1, None]))
    results.update({outer: kept[name] for name, outer in region.kept})
    return tuple(results[name] for name in region.outputs)


def _like(value: Any, place: Any) -> Any:
    """A value in the shape of the row that it becomes."""
    if value.size != place.size or value.dtype != place.dtype:
        raise RegionRefused("a state changes its size or type")
    return value.reshape(place.shape)


def _backward(region: ScanBack, held: Held, steps: int) -> tuple[Any, ...]:
    sequence = held[region.sequence]
    kept = {name: held[outer] for name, outer in region.kept}
    constants = {name: value for name, value in kept.items() if isinstance(value, np.ndarray)}
    each_step: Held = {}
    begin: dict[str, Any] = {}
    for state in region.states:
        rows = held[state.state]
        last = jnp.zeros_like(rows[:1])
        for flow in state.flows:
            gradient = held[flow.gradient]
            if flow.at_each_step:
                flowing = gradient.reshape(steps, *last.shape)
                known = each_step.get(state.state)
                each_step[state.state] = flowing if known is None else known + flowing
            else:
                last = last + gradient.reshape(last.shape)
        begin[state.state] = last
    totals = tuple(jnp.zeros_like(held[name]) for name, _ in region.params)
    runner = _Steps(region.calls)

    def step(carry: Any, row: Any) -> Any:
        arriving, sums = carry
        number, values, flows = row
        inner = {**held, **constants, **values, region.timestep: number.reshape(1)}
        for state in region.states:
            gradient = arriving[state.state]
            if state.state in flows:
                gradient = gradient + flows[state.state]
            for name in state.arriving:
                base = inner.get(gradient_of(name))
                if base is not None and np.size(base) == gradient.size:
                    inner[name] = gradient.reshape(np.shape(base))
                else:
                    inner[name] = gradient
        fine, found = runner.run(inner)
        leaving = {
            state.state: _like(inner[state.leaving], arriving[state.state])
            if state.leaving
            else jnp.zeros_like(arriving[state.state])
            for state in region.states
        }
        sums = tuple(
            total + _like(inner[name], total) if name in made else total
            for total, (_, name) in zip(sums, region.params, strict=True)
        )
        row_gradients = tuple(_like(inner[name], sequence[:1]) for name in region.rows)
        return (leaving, sums), (row_gradients, fine, found)

    made = {name for call in region.calls for name in call.outputs}
    made |= {name for state in region.states for name in state.arriving}
    values = {name: value for name, value in kept.items() if name not in constants}
    numbers = jnp.arange(steps, dtype=jnp.int32)
    (first, totals), (rows, fine, found) = _scanned(step, (begin, totals), (numbers, values, each_step), reverse=True)
    # The host meets the last step first.
    runner.tell(*jax.tree.map(lambda values: values[::-1], (fine, found)))
    dsequence = rows[-1].reshape(sequence.shape) if rows else jnp.zeros_like(sequence)
    return (dsequence, *totals, *(_first_gradient(first[s.state], held[s.first]) for s in region.states))


def _first_gradient(row: Any, first: Any) -> Any:
    return row[0].sum(axis=0) if first.ndim == 1 else row.reshape(first.shape)
