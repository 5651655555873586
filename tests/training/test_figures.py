from types import SimpleNamespace

import numpy as np
import pytest

from c2lab.training import figures
from c2lab.training.history import History


def run(name="a", rows=200, factor=1.0):
    history = History(["loss", "accuracy", "rate", "epoch", "seconds"])
    for k in range(rows):
        history.add([factor / (k + 1), k / rows, 0.1, 1, k])
    history.tested(100, {"test_loss": 0.5})
    history.markers.append((50, "rate 0.1"))
    return SimpleNamespace(name=name, history=history)


def test_a_picture_for_each_metric_and_nothing_else():
    figure = figures.curves([run()])
    assert [ax.get_title() for ax in figure.axes] == ["loss", "accuracy", "rate"]
    loss, _, rate = figure.axes
    assert rate.get_yscale() == "log"
    raw, bold, tests, marker = loss.get_lines()
    assert raw.get_ydata()[0] == 1.0
    assert bold.get_ydata() == pytest.approx(figures.smoothed(raw.get_ydata(), 0.9))
    assert (tests.get_xdata(), tests.get_ydata()) == ((100,), (0.5,))
    assert list(marker.get_xdata()) == [50, 50]


def test_runs_over_each_other_are_told_apart():
    (loss,) = figures.curves([run("first"), run("second", factor=2)], ["loss"]).axes
    assert [text.get_text() for text in loss.get_legend().get_texts()] == ["first", "second"]


def test_long_curves_are_thinned_and_empty_ones_drawn():
    (loss,) = figures.curves([run(rows=100_000)], ["loss"]).axes
    assert len(loss.get_lines()[0].get_xdata()) <= 1500
    assert figures.curves([]).axes


@pytest.mark.parametrize(("format", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_files(format, start):
    content = figures.as_bytes(figures.curves([run()]), format)
    assert content.startswith(start)
    if format == "svg":
        assert content == figures.as_bytes(figures.curves([run()]), format)


def test_averages_pass_over_what_is_no_number():
    assert figures.smoothed(np.array([1.0, np.nan, 1.0]), 0.5)[2] == 1.0
