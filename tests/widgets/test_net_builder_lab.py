"""The builder in a real JupyterLab: what only the host can break."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import nbformat
import pytest

pytest.importorskip("playwright.sync_api", reason="the browser tests drive Chromium with Playwright")
pytest.importorskip("jupyterlab", reason="these tests need the host itself")

from tests.widgets.canvas_page import CHROMIUM, SCREENSHOTS, chromium

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine"),
]

BUILD = "import c2lab as c2\nbuilder = c2.build()\nbuilder"
TELL = "print([op.type for op in builder.net.Proto().op], list(builder.net.Proto().op[-1].input))"


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator[Any]:
    """Opens notebooks in one server and one browser."""
    from tests.widgets.lab_server import Notebook, jupyterlab

    folder = tmp_path_factory.mktemp("lab")
    with jupyterlab(folder) as address, chromium() as browser:
        context = browser.new_context(viewport={"width": 1500, "height": 950})
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
        numbers = iter(range(100))
        pages = []

        def opened(*cells: str) -> Any:
            # One at a time: a page in the background gets no frames.
            while pages:
                pages.pop().close()
            page = context.new_page()
            pages.append(page)
            page.set_default_timeout(30_000)
            return Notebook(page, address, folder, f"n{next(numbers)}", cells)

        yield opened
        context.close()


def built(notebook: Any, index: int = 0) -> Any:
    """Runs the cell with a builder; its canvas, when it stands."""
    notebook.run(index)
    root = notebook.cell(index).locator('[data-c2lab="net-builder"]')
    root.wait_for()
    return root


def place(notebook: Any, root: Any, typed: str) -> None:
    """Types a name into the search of a canvas, and Enter."""
    before = int(root.get_attribute("data-version"))
    root.get_by_role("searchbox").click()
    notebook.page.keyboard.type(typed)
    notebook.page.keyboard.press("Enter")
    notebook.page.wait_for_function(
        "before => Number(document.querySelector('[data-c2lab]').dataset.version) > before", arg=before
    )


def test_canvas_and_code_show_the_same_net(lab):
    notebook = lab(BUILD, TELL, "builder.net.Exp('relu1', 'e')", TELL)
    root = built(notebook)
    root.get_by_role("button", name="Handwritten digits").click()
    root.get_by_role("group", name="Input data").wait_for()
    place(notebook, root, "Relu")
    assert root.locator("[data-op]").count() == 1
    root.get_by_text("(N,1,28,28)").first.wait_for()
    notebook.run(1)
    assert "['Relu'] ['data']" in notebook.output(1)
    notebook.run(2)
    root.locator('[data-op="Exp"]').wait_for()
    SCREENSHOTS.mkdir(exist_ok=True)
    notebook.page.screenshot(path=SCREENSHOTS / "lab-builder.png")


def test_keys_stay_in_the_canvas(lab):
    notebook = lab(BUILD, TELL)
    root = built(notebook)
    place(notebook, root, "Relu")
    root.locator('[data-op="Relu"]').click()
    for key in ("a", "b", "d", "d", "x"):
        notebook.page.keyboard.press(key)
    assert notebook.count() == 2
    notebook.page.keyboard.press("Delete")
    root.locator('[data-op="Relu"]').wait_for(state="detached")
    notebook.page.keyboard.press("Control+z")
    root.locator('[data-op="Relu"]').wait_for()
    assert notebook.count() == 2


def test_insert_cell_writes_below_and_running_it_edited_moves_the_canvas(lab):
    notebook = lab(BUILD, TELL)
    root = built(notebook)
    place(notebook, root, "Relu")
    root.get_by_role("button", name="Code", exact=True).click()
    root.locator(".c2b-code pre").filter(has_text="Relu").wait_for()
    root.get_by_role("button", name="Insert cell").click()
    notebook.page.wait_for_function("document.querySelectorAll('.jp-Notebook .jp-Cell').length === 3")
    source = notebook.cell(1).locator(".cm-content")
    assert "Relu" in source.inner_text()
    source.click()
    notebook.page.keyboard.press("Control+a")
    text = source.inner_text().replace("Relu", "Tanh")
    notebook.page.keyboard.insert_text(text)
    notebook.run(1)
    root.locator('[data-op="Tanh"]').wait_for()


def test_theme_follows_the_host(lab):
    notebook = lab(BUILD)
    root = built(notebook)
    light = root.evaluate("element => getComputedStyle(element).backgroundColor")
    notebook.page.locator(".lm-MenuBar-itemLabel", has_text="Settings").click()
    for label in ("Theme", "JupyterLab Dark"):
        notebook.page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{label}$")).click()
    notebook.page.wait_for_function("document.body.dataset.jpThemeLight === 'false'")
    notebook.page.wait_for_function(
        "light => getComputedStyle(document.querySelector('[data-c2lab]')).backgroundColor !== light", arg=light
    )
    notebook.page.screenshot(path=SCREENSHOTS / "lab-builder-dark.png")


def test_saved_notebook_is_small_and_holds_a_still_picture(lab):
    notebook = lab(*[BUILD] * 3)
    for index in range(3):
        built(notebook, index)
    notebook.page.keyboard.press("Control+s")
    notebook.page.wait_for_function("!document.querySelector('.jp-mod-dirty.jp-mod-current')")
    notebook.page.wait_for_timeout(1500)
    saved = nbformat.read(notebook.path, as_version=4)
    for cell in saved.cells[:3]:
        data = cell.outputs[0]["data"]
        assert data["image/svg+xml"].lstrip().startswith("<svg")
    assert notebook.path.stat().st_size < 1_000_000


def test_wheel_scrolls_the_notebook_until_the_canvas_is_used(lab):
    notebook = lab(BUILD, *["print('\\n'.join(map(str, range(60))))"] * 2)
    root = built(notebook)
    notebook.run(1)
    notebook.cell(0).locator(".jp-InputArea-editor").click()
    zoom = "() => document.querySelector('.react-flow__viewport').style.transform"
    frame = root.locator(".c2b-pane").bounding_box()
    notebook.page.mouse.move(frame["x"] + 100, frame["y"] + 200)
    before, top = notebook.page.evaluate(zoom), frame["y"]
    notebook.page.mouse.wheel(0, 200)
    notebook.page.wait_for_timeout(600)
    assert notebook.page.evaluate(zoom) == before
    assert root.locator(".c2b-pane").bounding_box()["y"] < top
