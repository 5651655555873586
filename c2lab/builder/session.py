"""One open builder: the model that is edited, its history, and who is told of changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from c2lab import events, origins
from c2lab.builder.messages import Message, Reply, text
from c2lab.errors import C2LabError
from c2lab.graph.canvas import InputShape
from c2lab.graph.document import Document, EditRefused, changed_by_code, matching_ids
from c2lab.graph.draft import is_backward
from c2lab.graph.history import History
from c2lab.graph.scene import Scene, closed_groups, scene_of
from c2lab.graph.shapes import ShapeAndType
from c2lab.graph.sources import Source
from c2lab.graph.view import FOLD_ABOVE
from c2lab.model_helper import ModelHelper
from c2lab.nets.blobs import BlobReference
from c2lab.nets.net import Net
from c2lab.proto import caffe2_pb2

Command = Callable[["Session", Message], Reply | None]


class Session:
    """A model under edit.

    The model's nets are live: commands write them, and what code writes into them is taken over as a step
    that can be undone.  Commands run one at a time, also when they come from several threads; one that
    fails changes nothing.

    Args:
        model: The model; its net is what the canvas shows.
        runner: Who runs nets and knows what is in the workspace (see ``builder.running``), if anybody.
        readonly: Whether commands that change the net are refused.
        fold_above: Nets with more operators than this start folded.

    Example:
        >>> session = Session(ModelHelper("session_example"))
        >>> session.handle({"id": 1, "command": "add", "type": "Relu"})
        {'reply': 1, 'ok': True, 'placed': ['o0']}
        >>> session.net.Proto().op[0].type
        'Relu'
    """

    def __init__(
        self,
        model: ModelHelper,
        *,
        runner: Any = None,
        readonly: bool = False,
        fold_above: int = FOLD_ABOVE,
        marks: Mapping[str, str] | None = None,
    ) -> None:
        self.model = model
        self.runner = runner
        self.readonly = readonly
        self.fold_above = fold_above
        self.marks = dict(marks or {})
        self.lock = threading.RLock()
        self.waiting = 0
        """How many commands wait for their turn; whoever holds the lock often lets them in."""
        self.version = 0
        self.selected: list[str] = []
        self.memory: dict[str, Any] = {}
        """What commands keep between calls: measured times, trained steps; no part of the history."""
        self.listeners: list[Callable[[], None]] = []
        self.report: Callable[[dict[str, Any]], None] = lambda told: None
        """Who is told what goes on in the background."""
        self._writing = False
        self.history = History(self._document())
        self._see()
        self._ends = [events.listen("operator_added", self._operator_added)]

    # ---- the model ---------------------------------------------------------------------------

    @property
    def net(self) -> Net:
        """The net that is edited."""
        return self.model.net

    @property
    def document(self) -> Document:
        """The present state."""
        return self.history.present

    def _kinds(self) -> dict[str, str]:
        model = self.model
        kinds = {str(name): "" for name in model.params}
        kinds |= {str(name): "weight" for name in model.weights if str(name) in kinds}
        kinds |= {str(name): "bias" for name in model.biases if str(name) in kinds}
        return kinds | {str(name): "computed" for name in model.GetComputedParams("")}

    def _document(self) -> Document:
        return Document.of(Source(self.net.Proto(), self.model.param_init_net.Proto()), self._kinds())

    def take_over(self) -> bool:
        """Takes over what code did to the nets since; returns whether it did anything."""
        with self.lock:
            if self._writing:
                return False
            before = self.document
            net, init = self.net.Proto(), self.model.param_init_net.Proto()
            if net == self._seen[0] and init == self._seen[1]:
                return False
            self._see()
            after = changed_by_code(before, net, init, {**before.parameters, **self._kinds()})
            if before.same(after):
                return False
            self.history.do("change by code", after)
            self.version += 1
            return True

    def apply(self, label: str, after: Document) -> None:
        """Makes ``after`` the present state, of the live nets too."""
        before = self.document
        if before.same(after):
            return
        self.history.do(label, after)
        self.write(before)

    def say_inputs(self, inputs: Mapping[str, InputShape]) -> None:
        """Notes shapes of inputs; this is where the session begins, and no step of its history."""
        if inputs:
            canvas = self.document.canvas
            self.history.present = self.document.with_canvas(inputs={**canvas.inputs, **inputs})
            self.write(self.document)

    def replace(self, model: ModelHelper, inputs: Mapping[str, InputShape]) -> None:
        """Lets another model's nets take the place of what is on the canvas, as one step that can be undone.

        Boxes that are still there stay where they are.
        """
        with self.lock:
            self.take_over()
            before = self.document
            other = Session(model)
            other.close()
            found = other.document
            canvas = found.canvas
            if not (canvas.positions or canvas.comments):
                ids = matching_ids(before.net.op, before.ids, found.net.op)
                canvas = replace(before.canvas, ids=ids, boxes=canvas.boxes)
            after = Document(found.net, found.init, found.parameters, canvas)
            known = {**before.canvas.inputs, **found.canvas.inputs, **inputs}
            outside = set(after.outside().values())
            after = after.with_canvas(inputs={blob: shape for blob, shape in known.items() if blob in outside})
            net = caffe2_pb2.NetDef()
            net.CopyFrom(after.net)
            net.name = before.net.name
            self.apply("run cell", Document(net, after.init, after.parameters, after.canvas))

    def known_outside(self) -> dict[str, ShapeAndType]:
        """Shapes of blobs from outside that nobody said, as they are in the workspace."""
        if self.runner is None:
            return {}
        document = self.document
        made = {name for op in document.init.op for name in op.output}
        wanted = [blob for blob in document.outside().values() if blob not in document.canvas.inputs]
        wanted += [blob for blob in document.parameters if blob not in made]
        return self.runner.shapes(wanted)

    def amend(self, after: Document) -> None:
        """Changes what the last step came to, without a step of its own."""
        before = self.document
        self.history.present = after
        self.write(before)

    def _see(self) -> None:
        """Notes how the live nets are, to tell later whether code changed them."""
        self._seen = caffe2_pb2.NetDef(), caffe2_pb2.NetDef()
        self._seen[0].CopyFrom(self.net.Proto())
        self._seen[1].CopyFrom(self.model.param_init_net.Proto())

    def write(self, before: Document) -> None:
        """Writes the present state into the live nets; who only looks leaves them alone."""
        if self.readonly:
            self.version += 1
            return
        self._writing = True
        try:
            after = self.document
            self.net.Proto().CopyFrom(after.written())
            self.model.param_init_net.Proto().CopyFrom(after.init)
            _keep_lines(self.net.Name(), before.ids, after.ids)
            self._write_parameters(before, after)
            self._note_gradients(before, after)
            self._see()
            self.version += 1
        finally:
            self._writing = False

    def _write_parameters(self, before: Document, after: Document) -> None:
        model, init = self.model, self.model.param_init_net
        if dict(before.parameters) == dict(after.parameters):
            return
        named: dict[str, BlobReference] = {str(r): r for r in [*model.params, *model.GetComputedParams("")]}
        reference = {name: named.get(name) or BlobReference(name, init) for name in after.parameters}
        learned = [reference[name] for name, kind in after.parameters.items() if kind != "computed"]
        computed = [reference[name] for name, kind in after.parameters.items() if kind == "computed"]
        for kept, now in (
            (model.params, learned),
            (model._computed_params, computed),
            (model.weights, [reference[n] for n, kind in after.parameters.items() if kind == "weight"]),
            (model.biases, [reference[n] for n, kind in after.parameters.items() if kind == "bias"]),
        ):
            kept[:] = now
        for name in [name for name in model._parameters_info if str(name) not in after.parameters]:
            del model._parameters_info[name]

    def _note_gradients(self, before: Document, after: Document) -> None:
        """Keeps what the model knows of its gradients in step with the net."""
        from c2lab.builder.gradients import note_gradients

        if before.net != after.net and (self.model.gradient_ops_added or any(map(is_backward, after.net.op))):
            note_gradients(self.model)

    # ---- commands ----------------------------------------------------------------------------

    def handle(self, message: Message) -> Reply:
        """Does what a message says; the reply says what came of it, or why nothing did."""
        from c2lab.builder.commands import COMMANDS, LOOKING

        number = message.get("id") if isinstance(message, Mapping) else None
        self.waiting += 1
        with self.lock:
            self.waiting -= 1
            self.take_over()
            before, version, steps = self.history.present, self.version, self.history.steps()
            try:
                if not isinstance(message, Mapping):
                    raise EditRefused("a message is an object with a command")
                name = text(message, "command", longest=40)
                if name not in COMMANDS:
                    raise EditRefused(f"there is no command {name!r}")
                if self.readonly and name not in LOOKING:
                    raise EditRefused("this view is for looking only; c2.build(net) opens it for editing")
                reply = COMMANDS[name](self, message) or {}
                return {"reply": number, "ok": True, **reply}
            except Exception as error:
                if self.history.present is not before:
                    failed = self.history.present
                    self.history.restore(before, steps)
                    self.write(failed)
                    self.version = version
                return {"reply": number, "ok": False, "error": _reason(error)}

    def scene(self) -> Scene:
        """What the canvas draws now."""
        with self.lock:
            scene = scene_of(self.document, fold_above=self.fold_above, marks=self.marks, pairs=self.pairs())
            return {
                "version": self.version,
                "readonly": self.readonly,
                **scene,
                "undo": self.history.undo_label,
                "redo": self.history.redo_label,
            }

    def members_of(self, nodes: list[str]) -> list[str]:
        """Ids of boxes, with those of closed groups in place of the groups."""
        groups = self.groups() if any(name[:1] == "g" for name in nodes) else {}
        return list(dict.fromkeys(inner for name in nodes for inner in groups.get(name, [name])))

    def groups(self) -> dict[str, list[str]]:
        """The closed groups on the canvas, by id: the ids of the operators inside."""
        return closed_groups(self.document, self.fold_above)

    def forget_shapes(self) -> None:
        """Works shapes out anew: an operator is another one now."""
        present = self.document
        self.history.present = replace(present)
        self.version += 1

    def pairs(self) -> dict[str, str]:
        """By id of a gradient operator, the id of the forward operator that it belongs to."""
        from c2lab.builder.gradient_pairs import pairs_of

        return pairs_of(self.document)

    # ---- changes from outside ----------------------------------------------------------------

    def _operator_added(self, net: Any, position: int) -> None:
        if not self._writing and (net is self.model.net or net is self.model.param_init_net):
            for listener in tuple(self.listeners):
                listener()

    def closed(self) -> Session:
        """This session, which no longer listens to anything."""
        self.close()
        return self

    def close(self) -> None:
        """Listens no longer, and trains no longer."""
        training = self.memory.get("training")
        if training is not None:
            training.stop()
        for end in self._ends:
            end()
        self._ends.clear()


def _keep_lines(net_name: str, before: tuple[str, ...], after: tuple[str, ...]) -> None:
    """Lets the lines of code where operators were written move along with them."""
    lines = origins.operator_tracebacks.get(net_name)
    if lines and before != after:
        place = {name: position for position, name in enumerate(after)}
        moved = {place[before[p]]: line for p, line in lines.items() if p < len(before) and before[p] in place}
        lines.clear()
        lines.update(moved)


def _reason(error: Exception) -> str:
    if isinstance(error, C2LabError):
        return error.message
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def open_model(thing: Any) -> ModelHelper:
    """The model behind what somebody hands to ``build``: itself, or one made around a net.

    Raises:
        TypeError: It is nothing that holds a net.
    """
    from c2lab.graph.sources import source_of

    if isinstance(thing, ModelHelper):
        return thing
    if thing is None:
        return ModelHelper("net")
    if isinstance(thing, Net):
        return _model_around(thing)
    source = source_of(thing)
    net = Net(source.net)
    net.Proto().name = source.net.name  # a net from a file keeps its name, whoever else has it
    model = _model_around(net)
    if source.init is not None:
        model.param_init_net = Net(source.init)
    return model


def _model_around(net: Net) -> ModelHelper:
    model = ModelHelper(f"{net.Name()}_canvas")
    model.name = net.Name()
    model.net = net
    model.param_init_net.Proto().name = f"{net.Name()}_init"
    return model
