"""The canvas in a plain page, with a real builder behind it: mouse, keyboard, names that automation relies on."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api", reason="the browser tests drive Chromium with Playwright")

from playwright.sync_api import expect

from c2lab import core
from c2lab.graph import palette
from tests.widgets import canvas_page
from tests.widgets.canvas_page import CHROMIUM, INPUTS, STATIC, lenet, middle, small_net, started

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine"),
]

SOURCES = Path(canvas_page.__file__).parents[2] / "c2lab" / "widgets" / "js" / "src"


def test_size_of_the_bundle():
    files = [(STATIC / name).read_bytes() for name in ("net_builder.js", "net_builder.css")]
    assert sum(map(len, files)) <= 600 * 1024
    assert sum(len(gzip.compress(content)) for content in files) <= 190 * 1024


def test_nothing_of_the_bundle_comes_from_elsewhere():
    text = (STATIC / "net_builder.js").read_text() + (STATIC / "net_builder.css").read_text()
    assert "new Worker" not in text
    assert "@import" not in text
    assert not re.search(r"url\((?!['\"]?(data:|#))", text)
    ours = "".join(path.read_text() for path in SOURCES.rglob("*.ts*"))
    assert not re.search(r"innerHTML|dangerously|\beval\(|new Function|https?://", ours)


def test_families_have_the_hues_of_still_pictures():
    told = (SOURCES / "canvas" / "hues.ts").read_text()
    lines = re.findall(r'^  (\w+): "([\w ]+)",$', told, re.MULTILINE)
    assert {family: hue for hue, families in lines for family in families.split()} == palette._HUES


def test_empty_canvas_offers_ways_to_begin(open_page):
    canvas = open_page()
    assert canvas.types() == []
    assert canvas.page.get_by_role("button", name="LeNet").count() == 1
    for name in ("Undo", "Redo", "Layout", "Fit", "Add gradients", "Cost", "Code", "Export", "Run", "Train"):
        assert canvas.button(name).count() == 1, name
    canvas.picture("builder-empty")


def test_enter_places_one_node_and_one_undo_takes_it_back(open_page):
    canvas = started(open_page)
    canvas.place("Conv")
    assert canvas.types() == ["Conv"]
    label = canvas.page.locator("[data-op]").get_attribute("aria-label")
    assert label == "Conv conv1"
    assert canvas.node(label).get_attribute("data-id") == "o0"
    assert next(iter(canvas.builder.net.Proto().op[0].input)) == "data"
    canvas.page.keyboard.press("Escape")
    canvas.button("Undo").click()
    canvas.settle()
    assert canvas.types() == []
    assert len(canvas.builder.net.Proto().op) == 0
    canvas.button("Redo").click()
    canvas.settle()
    assert canvas.types() == ["Conv"]


def test_unconnected_operator_is_in_the_net_and_marked(open_page):
    canvas = open_page()
    canvas.place("Relu")
    assert [op.type for op in canvas.builder.net.Proto().op] == ["Relu"]
    canvas.page.wait_for_selector('[data-op="Relu"][data-incomplete="true"]')


def test_lenet_by_keyboard_alone(open_page):
    canvas = started(open_page)
    lenet(canvas)
    shapes = canvas.page.locator(".react-flow__edge text").all_text_contents()
    assert {"(N,1,28,28)", "(N,20,24,24)", "(N,20,12,12)"} <= set(shapes)
    canvas.picture("builder-lenet")
    canvas.place("LabelCrossEntropy")
    assert canvas.builder.net.Proto().op[-1].input[0] == "softmax1"
    # From the label, over the boxes between, into the free input.
    canvas.page.keyboard.press("Escape")
    canvas.node("Input label").focus()
    canvas.page.keyboard.press("c")
    loss = canvas.node("LabelCrossEntropy labelcrossentropy1").get_attribute("data-id")
    for key in ("ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp"):
        canvas.page.keyboard.press(key)
        canvas.page.wait_for_timeout(150)
        if canvas.page.evaluate("document.activeElement.dataset.id") == loss:
            break
    canvas.page.keyboard.press("Enter")
    canvas.page.wait_for_selector(".react-flow__edge[aria-label*='from Input label to LabelCrossEntropy']")
    assert list(canvas.builder.net.Proto().op[-1].input) == ["softmax1", "label"]


def test_form_of_a_new_layer_takes_the_focus(open_page):
    canvas = started(open_page)
    canvas.place("conv")
    field = canvas.page.get_by_label("dim_out", exact=True)
    canvas.page.wait_for_function("document.activeElement?.dataset.field === 'dim_out'")
    canvas.page.keyboard.type("50")
    canvas.page.keyboard.press("Enter")
    canvas.page.wait_for_function("document.activeElement?.dataset.id === 'o0'")
    expect(field).to_have_value("50")
    canvas.place("max_pool")
    assert "(N,50,24,24)" in canvas.page.locator(".react-flow__edge text").all_text_contents()


def test_fields_send_after_typing_and_refuse_with_the_reason(open_page):
    canvas = started(open_page)
    canvas.place("conv")
    field = canvas.page.get_by_label("kernel", exact=True)
    field.fill("7")
    canvas.page.wait_for_function("document.querySelector('[data-op] .c2b-line')?.textContent.includes('kernel 7')")
    field.fill("0")
    alert = canvas.page.get_by_role("alert").filter(has_text="at least 1")
    alert.wait_for()
    assert {a.name: a.i for a in canvas.builder.net.Proto().op[0].arg}["kernel"] == 7
    field.fill("7x")
    canvas.page.get_by_role("alert").filter(has_text="whole number").wait_for()


def test_error_stands_at_its_cause_and_undo_heals(open_page):
    canvas = started(open_page)
    lenet(canvas)
    canvas.button("Fit").click()
    canvas.node("Conv conv2").click()
    canvas.page.get_by_label("kernel", exact=True).fill("99")
    canvas.page.wait_for_selector('[data-op="Conv"][data-problem="true"]')
    assert canvas.page.locator("[data-problem]").count() == 1
    assert canvas.page.locator(".c2b-grey[data-op]").count() == 5
    alert = canvas.page.locator('[role="alert"]')
    assert "Conv conv2" in alert.first.inner_text()
    canvas.picture("builder-error")
    canvas.page.keyboard.press("Control+z")
    canvas.page.wait_for_selector("[data-problem]", state="detached")
    assert canvas.page.locator(".c2b-grey[data-op]").count() == 0


def test_delete_keeps_the_focus_for_undo(open_page):
    canvas = open_page(small_net(), inputs=INPUTS)
    canvas.node("Tanh z").click()
    canvas.page.keyboard.press("Delete")
    canvas.page.wait_for_selector('[data-op="Tanh"]', state="detached")
    assert canvas.page.evaluate("document.activeElement.dataset.c2lab") == "net-builder"
    canvas.page.keyboard.press("Control+z")
    canvas.page.wait_for_selector('[data-op="Tanh"]')


def test_drag_from_the_palette_onto_the_canvas_and_onto_a_wire(open_page):
    canvas = open_page(small_net(), inputs=INPUTS)
    option = canvas.page.get_by_role("option", name="Exp", exact=True)
    option.scroll_into_view_if_needed()
    pane = canvas.page.locator(".c2b-pane").bounding_box()
    canvas.drag_to(option, pane["x"] + 300, pane["y"] + pane["height"] - 60)
    canvas.page.wait_for_selector('[data-op="Exp"]')
    box = canvas.page.locator('[data-op="Exp"]').bounding_box()
    assert abs(box["y"] - (pane["y"] + pane["height"] - 60)) < 40
    assert not canvas.builder.net.Proto().op[-1].input or len(canvas.builder.net.Proto().op) == 4

    option = canvas.page.get_by_role("option", name="Negative", exact=True)
    option.scroll_into_view_if_needed()
    wire = canvas.page.locator(".react-flow__edge[aria-label*='from Relu y to Tanh z'] .react-flow__edge-interaction")
    frame = wire.bounding_box()
    canvas.drag_to(option, frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2, steps=12, drop=False)
    assert canvas.page.locator(".c2b-lit").count() == 1
    canvas.page.mouse.up()
    canvas.page.wait_for_selector('[data-op="Negative"]')
    ops = {op.type: op for op in canvas.builder.net.Proto().op}
    assert list(ops["Negative"].input) == ["y"]
    assert list(ops["Tanh"].input) == list(ops["Negative"].output)


def test_connecting_by_mouse_tells_the_shape_or_why_not(open_page):
    net = core.Net("two")
    net.Relu("x", "y")
    canvas = open_page(net, inputs={"x": ("N", 4)})
    canvas.place("MatMul")
    target = canvas.port("MatMul matmul1", "A", "input")
    canvas.drag_to(canvas.port("Relu y", "y", "output"), *middle(target), drop=False)
    told = canvas.page.locator(".c2b-would")
    told.wait_for()
    assert "gives" in told.inner_text() or "carries" in told.inner_text()
    canvas.page.mouse.up()
    canvas.page.wait_for_selector(".react-flow__edge[aria-label*='from Relu y to MatMul']")
    canvas.button("Fit").click()
    # An output into an input that leads back to it.
    canvas.drag_to(
        canvas.port("MatMul matmul1", "matmul1", "output"), *middle(canvas.port("Relu y", "X", "input")), drop=False
    )
    canvas.page.wait_for_selector(".c2b-would-not")
    canvas.page.mouse.up()
    canvas.page.get_by_role("alert").first.wait_for()
    assert list(canvas.builder.net.Proto().op[0].input) == ["x"]


def test_letting_go_over_nothing_offers_what_fits(open_page):
    canvas = open_page(small_net(), inputs=INPUTS)
    pane = canvas.page.locator(".c2b-pane").bounding_box()
    canvas.drag_to(canvas.port("Sigmoid w", "w", "output"), pane["x"] + 200, pane["y"] + pane["height"] - 80)
    menu = canvas.page.get_by_role("menu")
    menu.wait_for()
    names = canvas.page.get_by_role("menuitem").all_inner_texts()
    assert any(name.startswith("Softmax") for name in names)
    assert not any(name.startswith("Conv\n") for name in names)
    canvas.picture("builder-menu")
    canvas.page.get_by_role("menuitem", name="Softmax", exact=True).click()
    canvas.page.wait_for_selector('[data-op="Softmax"]')
    assert list(canvas.builder.net.Proto().op[-1].input) == ["w"]


def test_what_code_does_shows_on_the_canvas(open_page):
    canvas = open_page(small_net(), inputs=INPUTS)
    canvas.builder.net.Exp("w", "v")
    canvas.push()
    canvas.page.wait_for_selector('[data-op="Exp"]')
    assert canvas.node("Exp v").count() == 1


def test_moving_a_box_is_one_step(open_page):
    canvas = open_page(small_net(), inputs=INPUTS)
    before = canvas.node("Relu y").bounding_box()
    canvas.drag_to(canvas.node("Relu y"), before["x"] + 100, before["y"] + 180)
    canvas.page.wait_for_function("document.querySelector('[aria-label=Undo]').title === 'Undo: move'")
    canvas.settle()
    after = canvas.node("Relu y").bounding_box()
    assert after["y"] - before["y"] > 100
    canvas.page.keyboard.press("Control+z")
    canvas.page.wait_for_function("document.querySelector('[aria-label=Redo]').title === 'Redo: move'")
    back = canvas.node("Relu y").bounding_box()
    assert abs(back["y"] - before["y"]) < 2
