"""``build()``: the net builder of the notebook, over the very ``NetDef`` that code sees."""

from __future__ import annotations

import contextlib
import itertools
import time
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from c2lab.builder.facts import facts_of
from c2lab.builder.inputs import given_values, said_inputs
from c2lab.builder.running import runner_for
from c2lab.builder.session import Session, open_model
from c2lab.graph.differences import difference
from c2lab.graph.view import FOLD_ABOVE
from c2lab.nets.net import Net
from c2lab.operators import registry
from c2lab.widgets.net_viewer import show

_STATIC = Path(__file__).parent / "static"
_STUB = Path(__file__).parent / "canvas_stub.js"
_FILES = ("net_builder.js", "net_builder.css")
CANVAS_BUILT = (_STATIC / _FILES[0]).exists()
"""Whether the browser's side of the canvas is here; a checkout builds it."""

_MISSING = """
export default { render({ el }) {
  const told = document.createElement("p");
  told.setAttribute("role", "alert");
  told.textContent = "The canvas of c2lab was not built. In a checkout, run: python hatch_build.py";
  el.append(told);
} };
"""

_open: weakref.WeakValueDictionary[str, NetBuilder] = weakref.WeakValueDictionary()


_numbers = itertools.count(1)


class _Fresh(traitlets.Dict):
    """A trait that is brought up to date when it is read."""

    def get(self, obj: Any, cls: Any = None) -> Any:
        obj._catch_up()
        return super().get(obj, cls)


class NetBuilder(anywidget.AnyWidget):
    """A net on a canvas.

    ``net`` and ``model`` are live: what code does to them shows on the canvas, what is done on the canvas
    shows in them.

    Example:
        >>> builder = build()
        >>> builder.net.Relu("x", "y")
        BlobReference("y")
        >>> [node["type"] for node in builder.scene["nodes"]]
        ['x', 'Relu']
    """

    # Only the stub is stored in a notebook that keeps its widgets; it asks for the bundle, once a page.
    _esm = _MISSING if not CANVAS_BUILT else _STUB if _STUB.exists() else _STATIC / _FILES[0]

    scene = _Fresh().tag(sync=True)
    facts = traitlets.Dict().tag(sync=True)
    # Empty: it would be stored with every notebook.  The canvas asks for it with the command "palette".
    palette = traitlets.List().tag(sync=True)
    readonly = traitlets.Bool(False).tag(sync=True)
    height = traitlets.Int(560).tag(sync=True)
    key = traitlets.Unicode("").tag(sync=True)

    def __init__(self, session: Session, *, key: str = "", height: int = 560, title: str = "") -> None:
        self._session = session
        self._behind = False
        self._slow_until = 0.0
        self._title = title
        super().__init__(
            scene=session.scene(),
            readonly=session.readonly,
            height=max(120, min(4000, height)),
            key=key,
        )
        session.listeners.append(self._fall_behind)
        session.report = self.send
        self._ends = [registry.on_register(self._operator_defined)]
        self._after_cell(True)
        self.on_msg(self._receive)
        if key:
            _open[key] = self
            session.memory["key"] = key

    # ---- live objects ------------------------------------------------------------------------

    @property
    def net(self) -> Any:
        """The net on the canvas."""
        return self._session.net

    @property
    def model(self) -> Any:
        """The net with the net that fills its parameters."""
        return self._session.model

    def do(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Does what the canvas does with this command; returns its reply.

        Example:
            >>> build().do("add", type="Relu")["placed"]
            ['o0']
        """
        return self._answer({"id": 0, "command": command, **arguments})

    def snapshot(self) -> Any:
        """The net as a still picture."""
        return show(self.model, title=self._title)

    def refresh(self) -> None:
        """Takes over what code did to the nets, and draws it."""
        if self._session.take_over() or self._session.version != self.scene_version:
            self._draw()
            self._tell_facts()
        self._behind = False

    def close(self) -> None:
        """Ends the view; the net stays."""
        for end in self._ends:
            end()
        self._ends = []
        self._after_cell(False)
        self._session.close()
        super().close()

    # ---- what the canvas says ----------------------------------------------------------------

    def _receive(self, widget: Any, message: Any, buffers: Any) -> None:
        if isinstance(message, Mapping) and message.get("command") == "bundle":
            files = [(_STATIC / name).read_bytes() if (_STATIC / name).exists() else b"" for name in _FILES]
            self.send({"reply": message.get("id"), "ok": True, "files": list(_FILES)}, buffers=files)
            return
        self.send(self._answer(message))

    def _answer(self, message: Mapping[str, Any]) -> dict[str, Any]:
        session = self._session
        with session.lock:
            reply = session.handle(message)
            wanted = session.memory.pop("facts_wanted", False)
            if session.version != self.scene_version:
                self._draw()
                wanted = True
            if wanted:
                self._tell_facts()
        return reply

    @property
    def scene_version(self) -> int:
        """The version of the scene that the canvas has."""
        return self._trait_values.get("scene", {}).get("version", -1)

    def _draw(self) -> None:
        self.scene = self._session.scene()

    def _tell_facts(self) -> None:
        session = self._session
        with session.lock:
            more = session.known_outside()
            facts = facts_of(session.document, session.version, self._trait_values["scene"], more)
            self.facts = {**facts, **session.memory.get("overlay", {})}

    # ---- what code does ----------------------------------------------------------------------

    def _fall_behind(self) -> None:
        """Code changed the net: draw it now if there is time, else when the cell is done or somebody looks."""
        self._behind = True
        now = time.monotonic()
        if now >= self._slow_until:
            self._catch_up()
            self._slow_until = time.monotonic() + 8 * (time.monotonic() - now)

    def _catch_up(self) -> None:
        if getattr(self, "_behind", False):
            self._behind = False
            self.refresh()

    def _operator_defined(self, operator: Any) -> None:
        if self._session.memory.get("palette"):
            self.send({"event": "palette"})
        if any(op.type == operator.type for op in self._session.document.net.op):
            self._session.forget_shapes()
            self._fall_behind()

    def _after_cell(self, on: bool) -> None:
        """Looks, after each cell, whether code changed the net in a way that no event told."""
        with contextlib.suppress(ImportError):
            from IPython.core.getipython import get_ipython

            shell = get_ipython()
            if shell is not None and on:
                me = weakref.ref(self)

                def look() -> None:
                    builder = me()
                    if builder is not None:
                        builder.refresh()

                shell.events.register("post_execute", look)
                self._look = look
            elif shell is not None:
                with contextlib.suppress(ValueError, AttributeError):
                    shell.events.unregister("post_execute", self._look)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The live canvas, and the still picture for where there is no kernel."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        still = self.snapshot()
        return {**data, "image/svg+xml": still.svg, "text/plain": still.text}, metadata


def build(
    thing: Any = None,
    *,
    inputs: Mapping[str, Any] | None = None,
    into: str = "",
    height: int = 560,
    fold_above: int = FOLD_ABOVE,
    readonly: bool = False,
    runner: Any = None,
) -> NetBuilder:
    """A canvas to compose a net on.

    Args:
        thing: What to begin with: a ``Net`` or ``ModelHelper``, which the canvas then edits; a ``NetDef``; the
            path of a ``.pb`` or ``.pbtxt`` file. An empty net where left out.
        inputs: Shapes (``("N", 1, 28, 28)``), pairs of shape and type, or arrays, by blob that the net gets from
            outside. An array is fed at once, so that *Run* uses it.
        into: The key of an open builder, whose content is replaced; the change can be undone on its canvas.
        height: Of the canvas, in pixels.
        fold_above: Nets with more operators than this start folded along their scopes.
        readonly: Whether the net can only be looked at.
        runner: Who runs the net; the current workspace where left out.

    Example:
        >>> builder = build()
        >>> builder.do("add", type="Relu")["ok"]
        True
        >>> print(builder.net.Proto().op[0].type)
        Relu
    """
    known = _open.get(into) if into else None
    model = open_model(thing)
    if known is not None:
        known._session.replace(model, said_inputs(inputs))
        known.refresh()
        return known
    session = Session(model, runner=runner or runner_for(), readonly=readonly, fold_above=fold_above)
    session.say_inputs(said_inputs(inputs))
    for blob, value in given_values(inputs).items():
        session.runner.feed(blob, value)
    return NetBuilder(session, key=into or f"builder{next(_numbers)}", height=height)


def diff(before: Any, after: Any, *, height: int = 560, fold_above: int = FOLD_ABOVE) -> NetBuilder:
    """The difference of two nets on a canvas: what was added, removed and changed has a colour.

    Args:
        before, after: Nets, models, ``NetDef`` messages or files.
        height: Of the canvas, in pixels.
        fold_above: Nets with more operators than this start folded along their scopes.

    Example:
        >>> old, new = build(), build()
        >>> _ = new.do("add", type="Relu")
        >>> diff(old.model, new.model).scene["nodes"][0]["diff"]
        'added'
    """
    documents = [Session(open_model(thing)).closed().document for thing in (before, after)]
    found = difference(*documents)
    model = open_model(found.document.written())
    model.param_init_net = Net(found.document.init)
    session = Session(model, readonly=True, fold_above=fold_above, marks=found.marks)
    return NetBuilder(session, height=height)
