"""Takes the README's pictures of the net builder.

Needs Chromium and ``pip install -e ".[test]"``:  python -m docs.take_builder_pictures
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import c2lab as c2
from c2lab import brew, model_helper, workspace
from c2lab.brew_layers.networks.lenet import create_lenet
from c2lab.brew_layers.networks.resnet import create_resnet50
from tests.widgets.canvas_page import CanvasPage, chromium

IMAGES = Path(__file__).with_name("images")


def lenet() -> Any:
    """LeNet with its loss."""
    model = model_helper.ModelHelper("lenet")
    softmax = brew.softmax(model, create_lenet(model, "data", 1, 10), "softmax")
    model.AveragedLoss(model.LabelCrossEntropy([softmax, "label"], "cost"), "loss")
    return model


def resnet() -> Any:
    """ResNet-50, folded along its stages."""
    model = model_helper.ModelHelper("resnet50")
    create_resnet50(model, "data", 3, 1000, is_test=True)
    return model


def main() -> None:
    """Opens a builder for each picture, does what it shows, and takes it."""
    inputs = {"data": ("N", 1, 28, 28), "label": (("N",), "int32")}
    with chromium() as browser:
        _take(browser, "builder", lenet(), inputs, _chosen, light=True)
        _take(browser, "builder-gradients", lenet(), inputs, _gradients, light=False)
        _take(browser, "builder-cost", resnet(), {"data": (1, 3, 224, 224)}, _cost, light=True)


def _take(
    browser: Any, name: str, thing: Any, inputs: dict[str, Any], act: Callable[[CanvasPage], None], *, light: bool
) -> None:
    workspace.ResetWorkspace()
    page = browser.new_context(viewport={"width": 1280, "height": 600}, device_scale_factor=1).new_page()
    canvas = CanvasPage(page, c2.build(thing, inputs=inputs))
    canvas.open(light=light)
    act(canvas)
    canvas.settle()
    page.wait_for_timeout(600)
    canvas.root.screenshot(path=IMAGES / f"{name}.png")


def _chosen(canvas: CanvasPage) -> None:
    canvas.page.locator("[data-op=Conv]").first.click()


def _gradients(canvas: CanvasPage) -> None:
    canvas.button("Add gradients").click()
    canvas.page.wait_for_selector("[data-op=FCGradient]")
    canvas.button("Fit").click()


def _cost(canvas: CanvasPage) -> None:
    canvas.button("Cost").click()


if __name__ == "__main__":
    main()
