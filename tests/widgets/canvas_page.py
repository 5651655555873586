"""The canvas in a plain page: its model is a stand-in whose other end is a real builder in this process."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from c2lab import core
from c2lab.widgets.net_builder import NetBuilder

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or ""
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
STATIC = Path(__file__).parents[2] / "c2lab" / "widgets" / "static"
SCREENSHOTS = Path(__file__).parents[2] / "screenshots"
VALUES = ("scene", "facts", "palette", "readonly", "height", "key")
ADDRESS = "http://localhost/"

_PAGE = """<!doctype html><meta charset=utf-8><title>canvas</title>
<link rel=stylesheet href=/net_builder.css><style>body { margin: 0 }</style>
<body data-jp-theme-light="%(light)s"><div id=place></div>
<script type=module>
import canvas from "/net_builder.js";
const values = %(values)s;
const listeners = new Map();
const heard = (name) => { if (!listeners.has(name)) listeners.set(name, new Set()); return listeners.get(name); };
const fire = (name, ...told) => { for (const listener of [...heard(name)]) listener(...told); };
window.apply = ({ changes, messages }) => {
  for (const [name, value] of Object.entries(changes)) { values[name] = value; fire(`change:${name}`); }
  for (const message of messages) fire("msg:custom", message, []);
};
const model = {
  get: (name) => values[name],
  set: (name, value) => { values[name] = value; },
  on: (name, listener) => heard(name).add(listener),
  off: (name, listener) => heard(name).delete(listener),
  save_changes: () => {},
  send: (message) => window.kernel(message).then(window.apply),
};
window.begun = performance.now();
window.unmount = canvas.render({ model, el: document.getElementById("place") });
</script>"""


class CanvasPage:
    """A page with a canvas, and the builder behind it."""

    def __init__(self, page: Any, builder: NetBuilder) -> None:
        self.page = page
        self.builder = builder
        self._changes: dict[str, Any] = {}
        self._messages: list[Any] = []
        builder.observe(lambda change: self._changes.update({change["name"]: change["new"]}), names=list(VALUES))
        # What the builder would send to a front end is handed to the page.
        builder.send = lambda content, buffers=None: self._messages.append(content)  # type: ignore[method-assign]
        builder._session.report = builder.send
        page.expose_function("kernel", self._receive)

    def _receive(self, message: Any) -> dict[str, Any]:
        self.builder._receive(self.builder, message, [])
        return self._told()

    def _told(self) -> dict[str, Any]:
        told = {"changes": self._changes, "messages": self._messages}
        self._changes, self._messages = {}, []
        return told

    def push(self) -> None:
        """Hands the page what code changed, as a kernel does after a cell."""
        self.builder.refresh()
        self.page.evaluate("told => window.apply(told)", self._told())

    def open(self, *, light: bool = True) -> None:
        """Loads the page, and waits until the canvas stands."""
        values = {name: getattr(self.builder, name) for name in VALUES}
        page = _PAGE % {
            "light": str(light).lower(),
            # A "<" in a script could end it.
            "values": json.dumps(values).replace("<", "\\u003c"),
        }

        def answer(route: Any) -> None:
            name = route.request.url.removeprefix(ADDRESS)
            if name == "":
                route.fulfill(body=page, content_type="text/html")
            elif name in ("net_builder.js", "net_builder.css"):
                kind = "text/javascript" if name.endswith("js") else "text/css"
                route.fulfill(body=(STATIC / name).read_text(encoding="utf-8"), content_type=f"{kind}; charset=utf-8")
            else:
                route.fulfill(status=404, body="")

        self.page.route("**/*", answer)
        self.page.goto(ADDRESS)
        self.page.wait_for_selector('[data-c2lab="net-builder"]')
        self.settle()

    # ---- what is on the page -----------------------------------------------------------------

    @property
    def root(self) -> Any:
        """The widget."""
        return self.page.locator('[data-c2lab="net-builder"]')

    def node(self, label: str) -> Any:
        """A box by the name that it is read aloud by."""
        return self.page.get_by_role("group", name=label, exact=True)

    def port(self, label: str, port: str, side: str = "") -> Any:
        """A port of a box."""
        wanted = f"[data-port={json.dumps(port)}]" + (f'[data-side="{side}"]' if side else "")
        return self.node(label).locator(wanted)

    def types(self) -> list[str]:
        """The types of the boxes."""
        return sorted(node.get_attribute("data-op") for node in self.page.locator("[data-op]").all())

    def button(self, name: str) -> Any:
        """A button by its name."""
        return self.page.get_by_role("button", name=name, exact=True)

    def settle(self) -> None:
        """Waits until the page shows the builder's present state, with its shapes."""
        version = self.builder.scene_version
        self.page.wait_for_function(
            """version => { const root = document.querySelector('[data-c2lab]');
            return root && Number(root.dataset.version) >= version && Number(root.dataset.facts) >= version }""",
            arg=version,
        )

    def place(self, typed: str) -> None:
        """Types a name into the search, and Enter."""
        before = self.builder.scene_version
        if not self.page.evaluate("document.activeElement.closest('[data-c2lab]') !== null"):
            self.root.focus()
        self.page.keyboard.press("/")
        search = self.page.get_by_role("searchbox")
        search.wait_for()
        self.page.wait_for_function("document.activeElement?.getAttribute('role') === 'searchbox'")
        self.page.keyboard.type(typed)
        self.page.keyboard.press("Enter")
        self.page.wait_for_function(
            "before => Number(document.querySelector('[data-c2lab]').dataset.version) > before", arg=before
        )
        self.settle()

    def drag(self, start: Any, end: Any, steps: int = 8) -> None:
        """Drags from the middle of one thing to that of another."""
        self.drag_to(start, *middle(end), steps=steps)

    def drag_to(self, start: Any, x: float, y: float, *, steps: int = 8, drop: bool = True) -> None:
        """Drags from the middle of a thing to a place."""
        mouse = self.page.mouse
        mouse.move(*middle(start))
        mouse.down()
        mouse.move(x, y, steps=steps)
        if drop:
            mouse.up()

    def picture(self, name: str) -> None:
        """Takes a screenshot in light and in dark."""
        SCREENSHOTS.mkdir(exist_ok=True)
        for light in (True, False):
            self.page.evaluate("light => document.body.setAttribute('data-jp-theme-light', light)", str(light).lower())
            self.page.wait_for_timeout(60)
            self.root.screenshot(path=SCREENSHOTS / f"{name}-{'light' if light else 'dark'}.png")
        self.page.evaluate("document.body.setAttribute('data-jp-theme-light', 'true')")


def middle(thing: Any) -> tuple[float, float]:
    """The middle of a thing on the page."""
    box = thing.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def small_net() -> core.Net:
    net = core.Net("small")
    net.Relu("x", "y")
    net.Tanh("y", "z")
    net.Sigmoid("z", "w")
    return net


INPUTS = {"x": ("N", 4)}


def started(open_page, **how: Any) -> CanvasPage:
    """A page with handwritten digits as input, the first of them chosen."""
    canvas = open_page(**how)
    canvas.page.get_by_role("button", name="Handwritten digits").click()
    canvas.settle()
    return canvas


def lenet(canvas: CanvasPage) -> None:
    for layer in ("conv", "max_pool", "conv", "max_pool", "fc", "relu", "fc", "softmax"):
        canvas.place(layer)
