"""The canvas in a plain page: clipboard, finding, gradients, groups, large nets, themes, hostile names."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("playwright.sync_api", reason="the browser tests drive Chromium with Playwright")

from c2lab import core, model_helper
from tests.widgets.canvas_page import CHROMIUM, INPUTS, lenet, small_net, started

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine"),
]


def test_copy_and_paste_as_text(open_page):
    canvas = open_page(small_net(), inputs=INPUTS)
    canvas.node("Tanh z").click()
    canvas.page.keyboard.press("Control+c")
    canvas.page.wait_for_function("navigator.clipboard.readText().then(text => text.includes('type: \"Tanh\"'))")
    canvas.page.keyboard.press("Control+v")
    canvas.page.wait_for_function("document.querySelectorAll('[data-op=Tanh]').length === 2")
    canvas.page.keyboard.press("Control+z")
    canvas.page.wait_for_function("document.querySelectorAll('[data-op=Tanh]').length === 1")
    canvas.page.evaluate('navigator.clipboard.writeText(\'op { type: "Exp" input: "w" output: "e" }\')')
    canvas.root.focus()
    canvas.page.keyboard.press("Control+v")
    canvas.page.wait_for_selector('[data-op="Exp"]')


def test_find_goes_to_what_was_found(open_page):
    canvas = open_page(small_net(), inputs=INPUTS)
    canvas.root.focus()
    canvas.page.keyboard.press("Control+f")
    canvas.page.get_by_label("Find in the net").fill("sigm")
    canvas.page.get_by_text("1 found").wait_for()
    canvas.page.keyboard.press("Enter")
    canvas.page.wait_for_selector('.selected[data-op="Sigmoid"]')


def test_a_wire_says_what_it_carries(open_page):
    canvas = open_page(small_net(), inputs=INPUTS)
    canvas.node("Relu y").click()
    canvas.page.keyboard.press("w")
    panel = canvas.page.get_by_role("region", name="Wire x")
    panel.get_by_text("(N,4)").wait_for()
    assert "float32" in panel.inner_text()
    assert "Relu y" in panel.inner_text()


def test_keyboard_moves_the_focus_and_boxes(open_page):
    canvas = open_page(small_net(), inputs=INPUTS)
    canvas.node("Relu y").focus()
    canvas.page.keyboard.press("ArrowRight")
    canvas.page.wait_for_function("document.activeElement?.dataset.op === 'Tanh'")
    before = canvas.node("Tanh z").bounding_box()
    canvas.page.keyboard.press("Alt+ArrowDown")
    canvas.page.wait_for_function("document.querySelector('[aria-label=Undo]').title === 'Undo: move'")
    canvas.settle()
    assert canvas.node("Tanh z").bounding_box()["y"] > before["y"] + 5


def test_gradients_are_shown_in_place(open_page):
    canvas = started(open_page)
    lenet(canvas)
    canvas.place("LabelCrossEntropy")
    canvas.page.keyboard.press("Escape")
    canvas.button("Fit").click()
    canvas.drag(
        canvas.port("Input label", "label"), canvas.port("LabelCrossEntropy labelcrossentropy1", "label", "input")
    )
    canvas.page.wait_for_selector(".react-flow__edge[aria-label*='from Input label']")
    canvas.node("LabelCrossEntropy labelcrossentropy1").click()
    canvas.place("AveragedLoss")
    canvas.button("Add gradients").click()
    canvas.page.wait_for_selector('[data-op="ConvGradient"]')
    canvas.settle()
    assert canvas.page.locator('[data-op="ConvGradient"]').count() == 2
    assert canvas.page.locator('[data-op="ConvGradient"][data-pair]').count() == 2
    canvas.button("Fit").click()
    canvas.page.wait_for_timeout(200)
    canvas.picture("builder-gradients")


def test_hostile_names_are_plain_text(open_page):
    net = core.Net("hostile")
    names = ["<img src=x onerror=alert(1)>", "<script>alert(2)</script>", "a\u202eb", "x" * 10_000, "';alert(3)//"]
    for name in names:
        net.Relu("x", name)
    canvas = open_page(net, inputs=INPUTS)
    assert canvas.types() == ["Relu"] * len(names)
    assert canvas.page.locator("[data-c2lab] img, [data-c2lab] script").count() == 0
    canvas.page.locator("[data-op]").first.click()
    canvas.page.get_by_role("heading", name=names[0]).wait_for()


def test_large_nets_are_drawn_as_a_whole(open_page):
    net = core.Net("large")
    for k in range(600):
        net.Relu(f"b{k}", f"b{k + 1}")
    canvas = open_page(net, inputs={"b0": ("N", 4)}, fold_above=10_000)
    canvas.root.focus()
    canvas.page.keyboard.press("0")
    canvas.page.wait_for_selector(".c2b-overview")
    assert canvas.page.locator("[data-op]").count() == 0
    painted = canvas.page.evaluate(
        """() => { const c = document.querySelector('.c2b-overview');
        return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((value) => value > 0) }"""
    )
    assert painted
    canvas.page.keyboard.press("Control+f")
    canvas.page.get_by_label("Find in the net").fill("b300")
    canvas.page.get_by_text(re.compile("^[1-9][0-9]* found")).wait_for()
    canvas.page.keyboard.press("Enter")
    canvas.page.wait_for_selector('.selected[data-op="Relu"]')


def test_groups_open_and_close(open_page):
    model = model_helper.ModelHelper("scoped")
    for block in ("one", "two"):
        with core.NameScope(block):
            for k in range(4):
                model.net.Relu("x" if k == 0 else f"r{k - 1}", f"r{k}")
    canvas = open_page(model)
    for block in ("one", "two"):
        canvas.builder.do("collapse", path=block, collapsed=True)
    canvas.push()
    groups = canvas.page.locator('[data-kind="group"]')
    canvas.page.wait_for_function("document.querySelectorAll('[data-kind=group]').length === 2")
    groups.first.dblclick()
    canvas.page.wait_for_function("document.querySelectorAll('[data-op=Relu]').length === 4")
    canvas.page.get_by_role("button", name=re.compile("▾")).first.click()
    canvas.page.wait_for_function("document.querySelectorAll('[data-op=Relu]').length === 0")


def test_looking_only(open_page):
    canvas = open_page(small_net(), inputs=INPUTS, readonly=True)
    assert canvas.page.get_by_role("searchbox").count() == 0
    assert canvas.button("Undo").count() == 0
    canvas.node("Tanh z").click()
    canvas.page.keyboard.press("Delete")
    canvas.page.get_by_role("alert").filter(has_text="looking only").wait_for()
    assert canvas.types() == ["Relu", "Sigmoid", "Tanh"]


def test_theme_follows_the_host(open_page):
    canvas = open_page()
    paper = "getComputedStyle(document.querySelector('[data-c2lab]')).backgroundColor"
    light = canvas.page.evaluate(paper)
    canvas.page.evaluate("document.body.setAttribute('data-jp-theme-light', 'false')")
    assert canvas.page.evaluate(paper) != light
    canvas.page.evaluate("document.body.removeAttribute('data-jp-theme-light')")
    canvas.page.emulate_media(color_scheme="dark")
    assert canvas.page.evaluate(paper) != light
    canvas.page.emulate_media(color_scheme="light")
    assert canvas.page.evaluate(paper) == light
