"""The panels below and beside the canvas, by mouse: each button is pressed where a hand would press it."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("playwright.sync_api", reason="the browser tests drive Chromium with Playwright")

from c2lab import brew, core, workspace
from c2lab.model_helper import ModelHelper
from tests.widgets.canvas_page import CHROMIUM, INPUTS, lenet, small_net, started

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine"),
]


def digits_net(open_page):
    """A small classifier of the digits, made by code."""
    model = ModelHelper("digits_net")
    softmax = brew.softmax(model, brew.fc(model, "data", "fc1", 784, 10), "softmax")
    model.AveragedLoss(model.LabelCrossEntropy([softmax, "label"], "cost"), "loss")
    return open_page(model, inputs={"data": ("N", 1, 28, 28), "label": (("N",), "int32")})


def test_run_and_look_at_a_wire(open_page):
    net = core.Net("looked_at")
    net.Scale("seen_x", "seen_y", scale=2.0)
    net.Relu("seen_y", "seen_z")
    canvas = open_page(net, inputs={"seen_x": np.float32([[-1, 3, 0.5, 8]])})
    canvas.button("Run").click()
    canvas.page.get_by_text("Ran in").wait_for()
    np.testing.assert_array_equal(workspace.FetchBlob("seen_z"), [[0, 6, 1, 16]])
    canvas.node("Relu seen_z").click()
    canvas.page.keyboard.press("w")
    panel = canvas.page.get_by_role("region", name="Wire seen_y")
    panel.get_by_role("definition").get_by_text("16", exact=True).first.wait_for()
    assert "-2" in panel.inner_text()
    canvas.picture("builder-peek")


def test_train_from_the_canvas(open_page):
    canvas = digits_net(open_page)
    canvas.button("Train").click()
    canvas.page.get_by_label("steps").fill("30")
    canvas.button("Start").click()
    canvas.page.get_by_role("alert").get_by_text("add an optimizer first").wait_for()
    canvas.button("Optimizer").click()
    canvas.button("Add optimizer").click()
    canvas.page.wait_for_selector("[data-op=FCGradient]")
    canvas.button("Train").click()
    canvas.page.get_by_label("steps").fill("30")
    canvas.button("Start").click()
    done = canvas.page.get_by_text("step 30 of 30")
    end = time.monotonic() + 60
    while not done.is_visible() and time.monotonic() < end:
        canvas.page.wait_for_timeout(100)
        canvas.push()
    assert "loss" in done.inner_text()
    canvas.picture("builder-train")


def test_an_optimizer_is_added(open_page):
    canvas = digits_net(open_page)
    canvas.button("Add gradients").click()
    canvas.page.wait_for_selector("[data-op=FCGradient]")
    canvas.button("Optimizer").click()
    canvas.button("Adam").click()
    canvas.button("Add optimizer").click()
    canvas.page.wait_for_selector("[data-op=Adam]")
    assert "Adam" in {op.type for op in canvas.builder.net.Proto().op}
    canvas.button("Undo").click()
    canvas.page.wait_for_function("document.querySelector('[data-op=Adam]') === null")


def test_every_export_is_a_file(open_page):
    canvas = open_page(small_net(), inputs=INPUTS)
    for kind, begin in {
        "Python": b"from c2lab",
        "pbtxt": b"name:",
        "SVG": b"<svg",
        "PNG": b"\x89PNG",
        "pb": b"",
    }.items():
        canvas.button("Export").click()
        with canvas.page.expect_download() as found:
            canvas.page.get_by_role("menuitem", name=kind, exact=True).click()
        data = Path(found.value.path()).read_bytes()
        assert data.startswith(begin), kind
        assert b"Sigmoid" in data or kind == "PNG"


def test_a_file_is_opened(open_page, tmp_path):
    net = core.Net("opened")
    net.Exp("x", "e")
    file = tmp_path / "opened.pbtxt"
    file.write_text(str(net.Proto()))
    canvas = open_page(small_net(), inputs=INPUTS)
    with canvas.page.expect_file_chooser() as chooser:
        canvas.page.get_by_text("Open", exact=True).click()
    chooser.value.set_files(file)
    canvas.page.wait_for_selector("[data-op=Exp]")
    assert canvas.types() == ["Exp"]
    canvas.button("Undo").click()
    canvas.page.wait_for_selector("[data-op=Sigmoid]")


def test_costs_and_code(open_page):
    canvas = started(open_page)
    lenet(canvas)
    canvas.button("Cost").click()
    row = canvas.page.get_by_role("row", name="Conv conv1")
    row.wait_for()
    canvas.button("parameters").click()
    rows = [row.inner_text().split("\t") for row in canvas.page.locator("tbody tr").all()]
    weights = {name: parameters for name, _, _, parameters, *_ in rows}
    assert next(iter(weights)) == "Conv conv2"
    assert weights["Conv conv2"] == "10.0 k"
    assert weights["Softmax softmax1"] == "0"
    canvas.button("Code").click()
    canvas.page.get_by_text("brew.conv(model").first.wait_for()
    canvas.button("Help").click()
    canvas.page.get_by_text("undo, redo").wait_for()
