"""Pages with a canvas, for the tests that look at one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import c2lab as c2
from tests.widgets.canvas_page import CanvasPage, chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture
def open_page(browser) -> Iterator[Any]:
    """Opens pages; an error or a refused script on one of them fails the test."""
    contexts, errors = [], []

    def opened(thing: Any = None, *, width: int = 1280, **how: Any) -> CanvasPage:
        context = browser.new_context(viewport={"width": width, "height": 640})
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin="http://localhost")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("dialog", lambda dialog: errors.append(f"a dialog: {dialog.message}"))
        canvas = CanvasPage(page, c2.build(thing, **how))
        canvas.open()
        return canvas

    yield opened
    for context in contexts:
        context.close()
    assert not errors
