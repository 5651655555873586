"""Caffe2's ``net_printer``: nets and plans as readable text, and a check that nothing is read unwritten.

``to_string(net)`` prints one line an operator, ``y = FC(x, w, b)``; ``analyze(net)`` walks a net or
plan and raises where a blob is read before anything writes it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, TypeVar

from c2lab.errors import C2LabError, MissingBlob, NotSupported
from c2lab.graph.view import argument_text
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import argument_field

Handler = Callable[[Any, Any], None]
_Handler = TypeVar("_Handler", bound=Callable[..., None])
_TASKS = "c2lab.jobs.printing"


class Visitor:
    """Calls, for an object, the function that was registered for its type."""

    _handlers: ClassVar[dict[type, Handler]] = {}

    def __init_subclass__(cls) -> None:
        cls._handlers = {}

    @classmethod
    def register(cls, Type: type) -> Callable[[_Handler], _Handler]:
        """Decorator: the function handles objects of ``Type`` (and of its subclasses)."""

        def keep(function: _Handler) -> _Handler:
            cls._handlers[Type] = function
            return function

        return keep

    def __call__(self, obj: Any) -> None:
        if hasattr(obj, "Proto"):
            obj = obj.Proto()
        # Those of tasks and jobs are added where these are defined, which is far above.
        for _ in range(2):
            for kind in type(obj).__mro__:
                if kind in self._handlers:
                    self._handlers[kind](self, obj)
                    return
            importlib.import_module(_TASKS)
        raise NotSupported(f"{type(self).__name__} knows nets, plans, steps, tasks and jobs, not {type(obj).__name__}")


class UndefinedBlob(MissingBlob, AssertionError):
    """A blob that is read before anything writes it."""


class BlobsMadeTwice(C2LabError, AssertionError):
    """Blobs that steps beside each other both make."""


class Analyzer(Visitor):
    """Keeps the blobs that exist at each point of a plan."""

    def __init__(self, existing: Sequence[str] = ()) -> None:
        self.workspaces: dict[str, set[str]] = {"": set(existing)}
        self._entered = [self.workspaces[""]]
        self.nets: dict[str, caffe2_pb2.NetDef] = {}

    @property
    def workspace(self) -> set[str]:
        """The blobs of the current workspace."""
        return self._entered[-1]

    @contextmanager
    def set_workspace(self, node: Any = None, ws: set[str] | None = None, do_copy: bool = False) -> Iterator[set[str]]:
        """Lets what is inside run in another workspace.

        Args:
            node: That of a node.
            ws: These blobs.
            do_copy: A copy of it, or of the current one: what is made inside is gone after it.
        """
        if ws is None:
            ws = self.workspace if node is None else self.workspaces.setdefault(str(node), set())
        self._entered.append(set(ws) if do_copy else ws)
        try:
            yield self._entered[-1]
        finally:
            self._entered.pop()

    def define_blob(self, blob: str) -> None:
        """The blob exists from here on."""
        self.workspace.add(blob)

    def need_blob(self, blob: str) -> None:
        """Raises ``UndefinedBlob`` where the blob does not exist yet."""
        if blob not in self.workspace:
            raise UndefinedBlob(f"Blob {blob} is read, but nothing before writes it")


class Text:
    """Lines of text under headings, indented."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._depth = 0

    @contextmanager
    def context(self, text: str | None) -> Iterator[None]:
        """Indents what is added inside, below ``text``."""
        if text is not None:
            self.add(f"{text}:")
            self._depth += 1
        try:
            yield
        finally:
            if text is not None:
                self._depth -= 1

    def add(self, text: str) -> None:
        """Adds lines below the headings that are open."""
        self.lines.extend("    " * self._depth + line for line in text.splitlines())

    def __str__(self) -> str:
        return "\n".join(self.lines)


class Printer(Visitor, Text):
    """Prints what it visits.

    Args:
        factor_prefixes: Writes ``a/{x, y}`` for ``a/x, a/y``.
        c2_syntax: Writes operators as the Python calls that add them; else as plain functions.
    """

    def __init__(self, factor_prefixes: bool = False, c2_syntax: bool = True) -> None:
        Text.__init__(self)
        self.factor_prefixes = factor_prefixes
        self.c2_syntax = c2_syntax


@Analyzer.register(caffe2_pb2.OperatorDef)
def analyze_op(analyzer: Analyzer, op: caffe2_pb2.OperatorDef) -> None:
    """Every input must exist; the outputs exist from here on."""
    for blob in op.input:
        analyzer.need_blob(blob)
    for blob in op.output:
        analyzer.define_blob(blob)


@Analyzer.register(caffe2_pb2.NetDef)
def analyze_net(analyzer: Analyzer, net: Any) -> None:
    """The operators in order."""
    for op in _proto(net).op:
        analyze_op(analyzer, op)


@Analyzer.register(caffe2_pb2.ExecutionStep)
def analyze_step(analyzer: Analyzer, step: Any) -> None:
    """The nets or steps inside, in order; a stop blob must exist when they have run.

    What a step with a workspace of its own makes is gone after it; steps beside each other see nothing of
    each other, and may not make the same blobs.
    """
    step = _proto(step)
    with analyzer.set_workspace(do_copy=step.create_workspace):
        nets = [analyzer.nets[name] for name in step.network if name in analyzer.nets]
        made: set[str] = set()
        for part in (*step.substep, *nets):
            with analyzer.set_workspace(do_copy=step.concurrent_substeps) as inside:
                analyzer(part)
            if step.concurrent_substeps:
                new = inside - analyzer.workspace
                if made & new:
                    twice = ", ".join(sorted(made & new))
                    raise BlobsMadeTwice(f'Blobs created by multiple parallel steps: {twice} (step "{step.name}")')
                made |= new
        analyzer.workspace.update(made)
        if step.report_net in analyzer.nets:
            with analyzer.set_workspace(do_copy=True):
                analyze_net(analyzer, analyzer.nets[step.report_net])
        if step.should_stop_blob:
            analyzer.need_blob(step.should_stop_blob)


@Analyzer.register(caffe2_pb2.PlanDef)
def _analyze_plan(analyzer: Analyzer, plan: caffe2_pb2.PlanDef) -> None:
    analyzer.nets = {**analyzer.nets, **{net.name: net for net in plan.network}}
    for step in plan.execution_step:
        analyze_step(analyzer, step)


def analyze(obj: Any) -> None:
    """Raises ``UndefinedBlob`` where a net or plan reads a blob that neither it nor its inputs hold.

    Tasks and jobs must make all blobs that they read.

    Example:
        >>> net = caffe2_pb2.NetDef(name="n", external_input=["x"])
        >>> _ = net.op.add(type="Relu", input=["x"], output=["y"])
        >>> analyze(net)
    """
    proto = _proto(obj)
    nets = [proto] if isinstance(proto, caffe2_pb2.NetDef) else list(getattr(proto, "network", ()))
    existing = [name for net in nets if isinstance(net, caffe2_pb2.NetDef) for name in net.external_input]
    Analyzer(existing)(proto)


def commonprefix(m: Sequence[str]) -> str:
    """The longest common beginning of names that ends at a scope.

    Example:
        >>> commonprefix(["a/bc", "a/bd"])
        'a/'
    """
    # What the first and the last in order share, all in between share too.
    first, last = (min(m), max(m)) if m else ("", "")
    length = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[: first.rfind("/", 0, length) + 1]


def factor_prefix(vals: Sequence[Any], do_it: bool) -> str:
    """Names as a list, with their common scope written once if ``do_it``.

    Example:
        >>> factor_prefix(["a/x", "a/y"], True)
        'a/{x, y}'
    """
    names = [format_value(value) for value in vals]
    prefix = commonprefix(names) if do_it and len(names) > 1 else ""
    joined = ", ".join(name[len(prefix) :] for name in names)
    return f"{prefix}{{{joined}}}" if prefix else joined


def format_value(val: Any) -> str:
    """A value as text: names as they are, messages by kind, lists in brackets."""
    if isinstance(val, bytes):
        return val.decode("utf-8", "replace")
    if isinstance(val, (list, tuple)):
        return f"[{', '.join(map(format_value, val))}]"
    if isinstance(val, caffe2_pb2.NetDef):
        return f"<net {val.name}>"
    return str(val)


def call(op: Any, inputs: Sequence[Any] | None = None, outputs: Sequence[Any] | None = None,
         factor_prefixes: bool = False) -> str:  # fmt: skip
    """``outputs = op(inputs)``; an input that is a pair becomes ``key=value``.

    Example:
        >>> call("FC", ["x", "w", ("axis", 1)], ["y"])
        'y = FC(x, w, axis=1)'
    """
    names = [value for value in inputs or () if not isinstance(value, tuple)]
    pairs = [f"{key}={format_value(value)}" for key, value in (v for v in inputs or () if isinstance(v, tuple))]
    inside = ", ".join([factor_prefix(names, factor_prefixes)] * bool(names) + pairs)
    text = f"{op}({inside})"
    return f"{factor_prefix(outputs, factor_prefixes)} = {text}" if outputs else text


def format_device_option(dev_opt: caffe2_pb2.DeviceOption) -> str | None:
    """A device as the call that makes it, or ``None`` for the default device."""
    if dev_opt is None or not dev_opt.ListFields():
        return None
    return call("DeviceOption", [dev_opt.device_type, dev_opt.device_id] + (
        [("node_name", repr(dev_opt.node_name))] if dev_opt.node_name else []))  # fmt: skip


@Printer.register(caffe2_pb2.OperatorDef)
def print_op(text: Printer, op: caffe2_pb2.OperatorDef) -> None:
    """One line; nets among the arguments follow below it."""
    inputs: list[Any] = list(op.input)
    nets = []
    for argument in op.arg:
        if argument_field(argument) == "n":
            nets.append((argument.name, argument.n))
        else:
            inputs.append((argument.name, argument_text(argument)))
    if op.name:
        inputs.append(("name", op.name))
    if op.engine:
        inputs.append(("engine", op.engine))
    device = format_device_option(op.device_option)
    if device:
        inputs.append(("device", device))
    text.add(call(op.type, inputs, list(op.output), text.factor_prefixes))
    for name, net in nets:
        with text.context(name):
            print_net_def(text, net)


@Printer.register(caffe2_pb2.NetDef)
def print_net_def(text: Printer, net_def: caffe2_pb2.NetDef) -> None:
    """The net's inputs, its operators, its outputs."""
    heading = call("core.Net", [f"{net_def.name!r}"]) if text.c2_syntax else f"net {net_def.name}"
    with text.context(heading):
        if net_def.external_input:
            text.add(f"# reads {', '.join(net_def.external_input)}")
        for op in net_def.op:
            print_op(text, op)
        if net_def.external_output:
            text.add(f"# leaves {', '.join(net_def.external_output)}")


def print_net(text: Printer, net: Any) -> None:
    """A ``Net``, as its message is printed."""
    print_net_def(text, _proto(net))


@Printer.register(caffe2_pb2.ExecutionStep)
def print_step(text: Printer, step: Any) -> None:
    """How the step runs, and the nets or steps that it runs."""
    step = _proto(step)
    how = []
    if step.HasField("num_iter"):
        how.append(("num_iter", step.num_iter))
    if step.should_stop_blob:
        how.append(("should_stop_blob", step.should_stop_blob))
    if step.concurrent_substeps:
        how.append(("concurrent_substeps", True))
    with text.context(call("execution_step" if text.c2_syntax else "step", [repr(step.name), *how])):
        for inner in step.substep:
            print_step(text, inner)
        for name in step.network:
            text.add(f"run {name}")


@Printer.register(caffe2_pb2.PlanDef)
def _print_plan(text: Printer, plan: caffe2_pb2.PlanDef) -> None:
    with text.context(call("core.Plan", [repr(plan.name)]) if text.c2_syntax else f"plan {plan.name}"):
        for net in plan.network:
            print_net_def(text, net)
        for step in plan.execution_step:
            print_step(text, step)


def to_string(obj: Any, **kwargs: Any) -> str:
    """A net, plan, step or operator as text; ``kwargs`` as for ``Printer``.

    Example:
        >>> net = caffe2_pb2.NetDef(name="n")
        >>> _ = net.op.add(type="Relu", input=["x"], output=["y"])
        >>> print(to_string(net))
        core.Net('n'):
            y = Relu(x)
    """
    printer = Printer(**kwargs)
    printer(obj)
    return str(printer)


def debug_net(net: Any) -> Any:
    """The net with a ``Print`` after each operator, for each blob that the operator writes.

    Returns a new ``Net`` where a ``Net`` is given, else a new ``NetDef``.
    """
    original = _proto(net)
    printing = caffe2_pb2.NetDef()
    printing.CopyFrom(original)
    del printing.op[:]
    printing.name = f"{original.name}_debug"
    for op in original.op:
        printing.op.add().CopyFrom(op)
        for blob in op.output:
            printing.op.add(type="Print", input=[blob])
    return type(net)(printing) if hasattr(net, "Proto") else printing


def __getattr__(name: str) -> Any:
    if name in ("analyze_task", "analyze_task_group", "analyze_job", "print_task", "print_task_group", "print_job"):
        return getattr(importlib.import_module(_TASKS), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _proto(obj: Any) -> Any:
    return obj.Proto() if hasattr(obj, "Proto") else obj
