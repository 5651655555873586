"""The training panel in a plain page, with a real run behind it: every control is used as a hand would."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api", reason="the browser tests drive Chromium with Playwright")

import c2lab as c2
from c2lab.widgets.training_panel import TrainingPanel
from tests.training.models import classifier, pictures
from tests.widgets.canvas_page import CHROMIUM, SCREENSHOTS, STATIC

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine"),
]

TRAIN, TEST = pictures()
ADDRESS = "http://localhost/"
PAGE = """<!doctype html><meta charset=utf-8><title>panel</title><link rel=stylesheet href=/training_panel.css>
<body data-jp-theme-light="true"><div id=place></div><script type=module>
import panel from "/training_panel.js";
let listener = () => {};
const bytes = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
window.tell = (messages) => { for (const [content, buffers] of messages) listener(content, buffers.map(bytes)); };
const model = {
  on: (_, found) => { listener = found; }, off: () => {},
  send: (message) => window.kernel(message).then(window.tell),
};
panel.render({ model, el: document.getElementById("place") });
</script>"""


class Kept(TrainingPanel):
    """A panel whose messages wait until the page takes them."""

    def __init__(self, run):
        self.waiting = []
        super().__init__(run)

    def _follow(self):
        pass

    def send(self, content, buffers=None):
        self.waiting.append([content, [base64.b64encode(buffer).decode() for buffer in buffers or []]])

    def taken(self):
        self.refresh()
        waiting, self.waiting = self.waiting, []
        return waiting


@pytest.fixture
def open_panel(browser):
    opened, errors = [], []

    def open_one(run):
        panel = Kept(run)
        page = browser.new_context(viewport={"width": 1000, "height": 900}).new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: errors.append(str(error)))

        def kernel(message):
            panel._receive(panel, message, [])
            return panel.taken()

        page.expose_function("kernel", kernel)

        def answer(route):
            name = route.request.url.removeprefix(ADDRESS)
            if name == "":
                route.fulfill(body=PAGE, content_type="text/html")
            elif name in ("training_panel.js", "training_panel.css"):
                kind = "text/javascript" if name.endswith("js") else "text/css"
                route.fulfill(body=(STATIC / name).read_text(encoding="utf-8"), content_type=kind)
            else:
                route.fulfill(status=404, body="")

        page.route("**/*", answer)
        page.goto(ADDRESS)
        page.wait_for_selector(".c2-training-chart canvas")
        opened.append((panel, page))
        return panel, page

    yield open_one
    for panel, page in opened:
        panel.close()
        page.context.close()
    assert not errors


def tell(panel, page):
    page.evaluate("messages => window.tell(messages)", panel.taken())


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def test_a_run_that_is_over(open_panel, tmp_path):
    c2.train(classifier(), TRAIN, steps=6, folder=tmp_path, name="earlier", block=True)
    run = c2.train(classifier(), TRAIN, evaluate=TEST, epochs=1, folder=tmp_path, block=True)
    _, page = open_panel(run)
    assert button(page, "Stop").is_disabled()
    page.get_by_text("worst mistakes").or_(page.get_by_text("no mistakes")).wait_for()
    with page.expect_download() as found:
        button(page, "CSV").click()
    lines = Path(found.value.path()).read_text().splitlines()
    assert len(lines) == run.steps_done + 1
    page.get_by_label("Log axis").check()
    page.get_by_label("Smoothing").fill("0.5")
    overlay = page.get_by_label("Overlay")
    overlay.select_option(index=1)
    page.get_by_label("Pin").fill("hidden_w")
    page.keyboard.press("Enter")
    page.get_by_text("hidden_w (").wait_for()
    page.wait_for_timeout(150)
    charts = [chart.bounding_box() for chart in page.locator(".c2-training-chart").all()]
    curves = [curve.bounding_box() for curve in page.locator(".c2-training-chart canvas").all()]
    assert len(curves) >= 3
    for chart, curve in zip(charts, curves, strict=True):  # each curve fills its own place, and no other's
        assert abs(chart["x"] - curve["x"]) < 2
        assert abs(chart["width"] - curve["width"]) < 2
    SCREENSHOTS.mkdir(exist_ok=True)
    for light in ("true", "false"):
        page.evaluate("light => document.body.setAttribute('data-jp-theme-light', light)", light)
        page.wait_for_timeout(150)
        page.screenshot(path=SCREENSHOTS / f"panel-{'light' if light == 'true' else 'dark'}.png", full_page=True)
    button(page, "Unpin hidden_w").click()
    page.wait_for_function("document.querySelector('.c2-training-pin') === null")


def test_a_zoomed_curve_does_not_jump(open_panel):
    run = c2.train(classifier(), TRAIN, steps=20, keep=False, block=True)
    _, page = open_panel(run)
    follow = page.get_by_label("Follow")
    assert follow.is_checked()
    box = page.locator(".c2-training-chart canvas").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] / 2, steps=6)
    page.mouse.up()
    page.wait_for_function("![...document.querySelectorAll('input[type=checkbox]')].at(-1).checked")
    assert not follow.is_checked()
    button(page, "All").click()
    assert follow.is_checked()


def test_a_run_is_steered(open_panel, tmp_path):
    run = c2.train(classifier(), TRAIN, steps=1_000_000, folder=tmp_path)
    try:
        while run.steps_done < 3:
            pass
        panel, page = open_panel(run)
        button(page, "Pause").click()
        while run.state != "paused":
            page.wait_for_timeout(20)
        tell(panel, page)
        button(page, "Go on").wait_for()
        before = run.steps_done
        button(page, "Step").click()
        while run.steps_done == before or run.state != "paused":
            page.wait_for_timeout(20)
        assert run.steps_done == before + 1
        page.get_by_label("Learning rate", exact=True).fill("0.005")
        page.keyboard.press("Enter")
        page.wait_for_timeout(100)
        assert run.rate == pytest.approx(0.005)
        button(page, "Snapshot").click()
        page.get_by_text("saved ").wait_for()
        button(page, "Stop").click()
        run.wait(30)
        assert run.state == "stopped"
    finally:
        run.stop()
