"""Runs a net on blobs: values go in from the workspace's dictionary and come back after success."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from c2lab.backend.blobs import UNINITIALISED, Blobs, Uninitialised, kind_of, to_device
from c2lab.backend.compile import Compiled, compile_segment
from c2lab.backend.devices import jax_device
from c2lab.backend.fallback import FallbackStep
from c2lab.backend.host_step import HostStep
from c2lab.backend.interrupts import interrupts_deferred
from c2lab.backend.mutexes import hold, mutexes_of
from c2lab.backend.randomness import random_state
from c2lab.backend.region_nodes import RegionNode
from c2lab.backend.regions import on_host, with_regions
from c2lab.backend.rollback import Rollback, blobs_written
from c2lab.backend.segments import Step, cut, kept_values, splits_pairs
from c2lab.backend.text import TextCode, can_read_text, is_text, moved_outputs, text_nodes
from c2lab.errors import C2LabError, MissingBlob
from c2lab.graph.ir import Graph, Value
from c2lab.storage import QuantizedTensor

__all__ = ["UNINITIALISED", "CompiledStep", "Executable", "HostStep", "Program", "Uninitialised", "to_device"]


class _TextFound(MissingBlob):
    """A compiled step cannot read a blob, as it holds text."""


class CompiledStep:
    """A step that is one compiled function, or one for each set of static values."""

    def __init__(self, step: Step, keep: frozenset[Value], *, donates: bool = True) -> None:
        self.step = step
        nodes = step.nodes
        made = {value for node in nodes for value in node.outputs}
        inputs: dict[Value, None] = {}
        # Sizes that this step makes itself are known while it is compiled; others are read each time.
        self.static_inputs = tuple({v: None for node in nodes for v in node.static_inputs if v not in made})
        for node in nodes:
            for value, slot in zip(node.inputs, node.input_slots, strict=True):
                if slot in node.operator.opaque_inputs or value in made or value in node.static_inputs:
                    continue
                inputs.setdefault(value)
        self.inputs = tuple(inputs)
        last: dict[str, Value] = {}
        for node in nodes:
            for value in node.outputs:
                last[value.blob] = value
        self.outputs = tuple(value for value in last.values() if value in keep)
        self.input_names = tuple(value.blob for value in self.inputs)
        self.output_names = tuple(value.blob for value in self.outputs)
        written = set(self.output_names)
        self.donate = tuple(i for i, name in enumerate(self.input_names) if donates and name in written)
        self.random = any("rng" in node.operator.reserved for node in nodes)
        self.compiled: Compiled | None = None
        self.mutexes = mutexes_of(nodes)
        self.one_by_one: list[Any] | None = None  # its operators, once a blob has turned out to hold text

    def run(self, blobs: Blobs, base: int, run: int) -> None:
        """Runs the compiled function on ``blobs`` and commits what it returns."""
        if self.one_by_one is None:
            try:
                self._run_locked(blobs, base, run)
                return
            except _TextFound:
                self.one_by_one = self._pieces()
        for piece in self.one_by_one:
            piece.run(blobs, base, run)

    def _pieces(self) -> list[Any]:
        nodes, device = self.step.nodes, self.step.device
        if any(isinstance(node, RegionNode) for node in nodes) or (
            len(nodes) == 1 and not can_read_text(nodes[0].op.type)
        ):
            raise  # what was found
        if len(nodes) == 1:
            return [TextStep(self.step)]
        return [CompiledStep(Step("static", (n,), device), frozenset(n.outputs), donates=False) for n in nodes]

    def _run_locked(self, blobs: Blobs, base: int, run: int) -> None:
        if self.mutexes:
            with hold(self.mutexes, blobs):
                self._run(blobs, base, run)
        else:
            self._run(blobs, base, run)

    def _run(self, blobs: Blobs, base: int, run: int) -> None:
        try:
            arguments = [blobs[name] for name in self.input_names]
        except KeyError:
            arguments = self._gather(blobs)
        if self.random:
            arguments.append(random_state(base, run))
        compiled = self.compiled
        if compiled is None:
            compiled = self._prepare(blobs, arguments)
        try:
            results = compiled.call(*arguments)
        except (TypeError, ValueError):
            # Shapes, types or devices are not those of the last run.
            arguments = self._gather(blobs)
            if self.random:
                arguments.append(random_state(base, run))
            results = self._prepare(blobs, arguments).call(*arguments)
            compiled = self.compiled or compiled
        if compiled.checks:
            self._commit_checked(compiled, results, blobs)
        elif compiled.complete:
            blobs.update(zip(self.output_names, results, strict=False))
        else:
            for name, value in zip(self.output_names, results, strict=True):
                if value is not None:  # None: the operator left this blob as it was
                    blobs[name] = value
        if self.static_inputs:
            self.compiled = None  # other values, another program

    def _commit_checked(self, compiled: Compiled, results: Sequence[Any], blobs: Blobs) -> None:
        fine = np.asarray(results[-1])
        if fine.all():
            for name, value in zip(self.output_names, results, strict=False):
                if value is not None:
                    blobs[name] = value
            return
        # What was overwritten comes back as it was; nothing else is touched.
        overwritten = {self.input_names[i] for i in self.donate}
        for name, value in zip(self.output_names, results, strict=False):
            if name in overwritten and value is not None and _same_kind(blobs[name], value):
                blobs[name] = value
        first = int(np.argmin(fine))
        raise compiled.checks[first].error(np.asarray(results[-2])[first])

    def _gather(self, blobs: Blobs) -> list[Any]:
        """The arguments, each an array on this step's device.

        Raises:
            MissingBlob: A blob is absent, empty or not a tensor.
        """
        device = jax_device(self.step.device)
        arguments = []
        for value in self.inputs:
            held = blobs.get(value.blob, UNINITIALISED)
            numbers = held.data if isinstance(held, QuantizedTensor) else held
            if isinstance(numbers, np.ndarray) and numbers.dtype != object:
                held = blobs[value.blob] = to_device(held, self.step.device)
            elif not isinstance(numbers, jax.Array):
                raise self._not_a_tensor(value.blob, held)
            elif device not in numbers.devices():
                held = blobs[value.blob] = jax.device_put(held, device)
            arguments.append(held)
        return arguments

    def _not_a_tensor(self, name: str, held: Any) -> C2LabError:
        node = next(n for n in self.step.nodes if name in n.op.input)
        kind = MissingBlob
        if held is UNINITIALISED:
            what = "is empty: nothing has written it yet; feed it, or run the net that fills it"
        elif is_text(held):
            kind, what = _TextFound, f"is text; {node.op.type} reads numbers only"
        else:
            what = f"is no tensor but {getattr(held, 'type_name', type(held).__name__)}"
        return kind(f"op {node.op.type}: input blob {name} {what}").at(node.place)

    def _prepare(self, blobs: Blobs, arguments: list[Any]) -> Compiled:
        arguments[: len(self.inputs)] = self._gather(blobs)
        static_values = {}
        for value in self.static_inputs:
            held = blobs.get(value.blob, UNINITIALISED)
            if held is UNINITIALISED or not hasattr(held, "dtype"):
                raise self._not_a_tensor(value.blob, held)
            static_values[value] = np.asarray(held)
        self.compiled = compile_segment(
            self.step.nodes,
            self.inputs,
            self.outputs,
            arguments[: len(self.inputs)],
            self.step.device,
            self.donate,
            static_values,
        )
        return self.compiled

    def prepare(self, blobs: Blobs) -> None:
        """Compiles ahead where the shapes are known by now."""
        if (
            self.compiled is None
            and self.one_by_one is None
            and not self.static_inputs
            and all(isinstance(blobs.get(name), jax.Array | QuantizedTensor) for name in self.input_names)
        ):
            self._prepare(blobs, self._gather(blobs))


def _same_kind(held: Any, value: Any) -> bool:
    return kind_of(held) == kind_of(value)


class TextStep:
    """A step that is one operator moving strings, which travel through its compiled function as numbers."""

    def __init__(self, step: Step) -> None:
        (self.node,) = step.nodes
        self._numbers = CompiledStep(Step("static", step.nodes, step.device), frozenset(self.node.outputs))

    def run(self, blobs: Blobs, base: int, run: int) -> None:
        """Moves the strings."""
        names = dict.fromkeys(self.node.op.input)
        held = {name: blobs[name] for name in names if name in blobs}
        code = TextCode(value for value in held.values() if is_text(value))
        numbers = {name: code.numbers(value) if is_text(value) else value for name, value in held.items()}
        self._numbers.run(numbers, base, run)
        texts = any(is_text(value) for value in held.values())
        moved = moved_outputs(self.node.op.type, len(self.node.outputs)) if texts else ()
        for position, name in enumerate(self.node.op.output):
            value = numbers[name]
            blobs[name] = code.strings(np.asarray(value)) if position in moved else value

    def prepare(self, blobs: Blobs) -> None:
        """Nothing to compile before the strings are known."""


class Program:
    """A net ready to run, in one of two ways: ``observable`` leaves every blob, lean only outputs and state.

    A run that fails leaves the blobs as they were.  One compiled piece sees to that itself; for several
    the old values are kept until the last piece, which alone may then overwrite them in their memory.
    """

    def __init__(
        self,
        graph: Graph,
        steps: Sequence[Step],
        host_steps: Mapping[Step, HostStep],
        workspace: Any,
        *,
        observable: bool,
        inside: bool = False,
        beside: bool = False,
    ) -> None:
        keep = kept_values(graph, steps, observable)
        last = None if inside or beside or not steps else steps[-1]
        self.steps = [
            host_steps[step]
            if step in host_steps
            else TextStep(step)
            if step.kind == "text"
            else _with_fallback(step, keep, workspace, donates=step is last)
            if any(isinstance(node, RegionNode) for node in step.nodes)
            else CompiledStep(step, keep, donates=step is last)
            for step in steps
        ]
        several = len(steps) > 1 or any(node.holds_nets or isinstance(node, RegionNode) for node in graph.nodes)
        self.written = blobs_written(graph) if several and not inside else ()
        self.compiled_steps = sum(isinstance(step, CompiledStep | FallbackStep) for step in self.steps)

    def run(self, blobs: Blobs, base: int, run: int) -> None:
        """Runs all steps once."""
        if not self.written:
            for step in self.steps:
                step.run(blobs, base, run)
            return
        with Rollback(blobs, self.written):
            for step in self.steps:
                step.run(blobs, base, run)

    def prepare(self, blobs: Blobs) -> None:
        """Compiles ahead whatever has known shapes."""
        for step in self.steps:
            step.prepare(blobs)


def _with_fallback(step: Step, keep: frozenset[Value], workspace: Any, *, donates: bool) -> FallbackStep:
    """A step with branches and loops that are compiled with it where they can be."""

    def on_the_host() -> Program:
        graph = on_host(step.nodes)
        steps = cut(graph)
        host_steps = {piece: HostStep(piece, workspace) for piece in steps if piece.kind == "host"}
        # The program around keeps the old values for the case that this one fails.
        return Program(graph, steps, host_steps, workspace, observable=True, inside=True)

    new = (name for node in step.nodes if isinstance(node, RegionNode) for name in node.made_up)
    return FallbackStep(CompiledStep(step, keep, donates=donates), on_the_host, new)


class Executable:
    """A created net: its graph, its programs, and its random state.

    ``random_base`` and ``runs`` are all the state there is, so that a run can be resumed bit for bit.
    """

    def __init__(self, graph: Graph, workspace: Any, random_base: int) -> None:
        self.graph = graph
        self.workspace = workspace
        self.random_base = random_base
        self.runs = 0
        self._compiled_graph = with_regions(graph, self._holds)
        self.steps = cut(self._compiled_graph, text_nodes(self._compiled_graph, workspace.blobs))
        if splits_pairs(self.steps):
            self._compiled_graph = with_regions(graph, self._holds, pairs=False)
            self.steps = cut(self._compiled_graph, text_nodes(self._compiled_graph, workspace.blobs))
        # One for both programs: a host operator may keep a state from run to run.
        self._host_steps = {step: HostStep(step, workspace) for step in self.steps if step.kind == "host"}
        self.observable = self._program(observable=True)
        self._lean: Program | None = None
        self._inside: Program | None = None
        self._beside: Program | None = None

    def _holds(self, name: str) -> bool:
        return self.workspace.blobs.get(name, UNINITIALISED) is not UNINITIALISED

    def _program(self, **options: bool) -> Program:
        return Program(self._compiled_graph, self.steps, self._host_steps, self.workspace, **options)

    @property
    def lean(self) -> Program:
        """The program for runs whose intermediate blobs nobody sees."""
        if self._lean is None:
            self._lean = self._program(observable=False)
        return self._lean

    def run(self, blobs: Blobs, iterations: int = 1) -> None:
        """Runs ``iterations`` times; all but the last leave only outputs and state.

        Raises:
            KeyboardInterrupt: After the running step, with every blob of one and the same step.
        """
        if iterations == 1:
            with interrupts_deferred() as interrupted:
                self.observable.run(blobs, self.random_base, self.runs)
                self.runs += 1
            if interrupted:
                raise KeyboardInterrupt
            return
        self.observable.prepare(blobs)
        done = 0
        with interrupts_deferred() as interrupted:
            while done < iterations and not interrupted:
                last = done == iterations - 1
                (self.observable if last else self.lean).run(blobs, self.random_base, self.runs)
                self.runs += 1
                done += 1
                if not last:
                    _wait(blobs, self.lean)
            if interrupted and 0 < done < iterations:
                # One whole step more, so that what is between the parameters is of the same step too.
                self.observable.run(blobs, self.random_base, self.runs)
                self.runs += 1
        if interrupted:
            raise KeyboardInterrupt

    def run_inside(self) -> None:
        """Runs once on the blobs of its workspace, as a part of a net that runs and minds interrupts."""
        if self._inside is None:
            # The outer net keeps the old values for the case that it fails: nothing may be donated.
            # A gradient of that net may go back through scopes that are made here.
            graph = with_regions(self.graph, self._holds, inside=True)
            steps = cut(graph, text_nodes(graph, self.workspace.blobs))
            host_steps = {step: HostStep(step, self.workspace) for step in steps if step.kind == "host"}
            self._inside = Program(graph, steps, host_steps, self.workspace, observable=True, inside=True)
        self._inside.run(self.workspace.blobs, self.random_base, self.runs)
        self.runs += 1

    def run_beside(self, blobs: Blobs) -> None:
        """Runs once beside other threads, which may hold what this net overwrites: nothing is donated."""
        if self._beside is None:
            self._beside = self._program(observable=True, beside=True)
        self._beside.run(blobs, self.random_base, self.runs)
        self.runs += 1


def _wait(blobs: Blobs, program: Program) -> None:
    """Waits for the last step, so that a stop finds no queue of steps behind it."""
    for step in reversed(program.steps):
        if isinstance(step, CompiledStep) and step.output_names:
            value = blobs[step.output_names[-1]]
            if isinstance(value, jax.Array):
                value.block_until_ready()
            return
