from __future__ import annotations

import itertools
import math
import os
import time
from pathlib import Path

import pytest

from c2lab.widgets.training_plot import TrainingPlot, smoothed


def filled(points: int = 50, **options) -> TrainingPlot:
    plot = TrainingPlot(live=False, **options)
    for step in range(points):
        plot.add(step, loss=1 / (step + 1), train_accuracy=1 - 1 / (step + 2))
    return plot


def test_losses_and_accuracies_have_panels_of_their_own():
    axes = filled().figure().axes
    assert len(axes) == 2
    assert axes[1].get_ylim()[1] == pytest.approx(1.005)


@pytest.mark.parametrize("points", [0, 1, 5, 50, 5000])
def test_any_number_of_points(points):
    assert "<svg" in filled(points).svg()


def test_broken_values_do_not_stop_the_picture():
    plot = TrainingPlot(live=False)
    for step, value in enumerate([1.0, math.nan, math.inf, 2.0] * 10):
        plot.add(step, loss=value)
    assert "<svg" in plot.svg()


def test_files(tmp_path):
    plot = filled(3)
    assert plot.save(tmp_path / "a.svg").read_text().lstrip().startswith("<?xml")
    assert plot.save(tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert plot.save_csv(tmp_path / "a.csv").read_text().splitlines()[:2] == ["curve,step,value", "loss,0,1.0"]


def test_the_stop_button_ends_the_block_only(capsys):
    with TrainingPlot(live=False) as plot:
        plot.add(7, loss=1.0)
        raise KeyboardInterrupt
    assert plot.stopped
    assert "Stopped after step 7." in capsys.readouterr().out


def test_errors_pass_through():
    with pytest.raises(ZeroDivisionError), TrainingPlot(live=False):
        raise ZeroDivisionError


def test_stop_ends_the_steps():
    seen = []
    with TrainingPlot(live=False) as plot:
        for step in plot.steps(range(100)):
            seen.append(step)
            if step == 3:
                plot.stop()
    assert seen == [0, 1, 2, 3]
    assert plot.stopped


def test_a_notebook_is_drawn_a_few_times_a_second_at_most(monkeypatch):
    shown = []

    class Handle:
        def update(self, picture):
            shown.append(time.monotonic())

    def display(picture, display_id):
        shown.append(time.monotonic())
        return Handle()

    monkeypatch.setattr("IPython.display.display", display)
    plot = TrainingPlot(live=True, rate=4)
    start = time.monotonic()
    step = 0
    while time.monotonic() - start < 1.0:
        plot.add(step, loss=1.0)
        step += 1
    gaps = [later - earlier for earlier, later in itertools.pairwise(shown)]
    assert shown
    assert all(gap >= 0.24 for gap in gaps)
    assert step > 100


def test_running_average():
    values = [value for _, value in smoothed([(i, float(i % 2)) for i in range(200)], 0.95)]
    assert values[-1] == pytest.approx(0.5, abs=0.03)
    assert values[0] == 0.0


def test_the_stop_button_of_a_real_notebook(tmp_path):
    """The kernel is interrupted in the middle of training; the next cell finds everything in order."""
    from jupyter_client.manager import start_new_kernel

    environment = {**os.environ, "IPYTHONDIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
    manager, client = start_new_kernel(kernel_name="python3", env=environment)
    try:
        request = client.execute(
            "import itertools, time\n"
            "from c2lab.widgets.training_plot import TrainingPlot\n"
            "with TrainingPlot() as plot:\n"
            "    for step in plot.steps(itertools.count()):\n"
            "        time.sleep(0.01)\n"
            "        plot.add(step, loss=1 / (step + 1))\n"
        )
        pictures = []
        while not pictures:  # training has begun once the first picture is there
            message = client.get_iopub_msg(timeout=60)
            if message["msg_type"] == "display_data":
                pictures.append(message["content"]["data"])
        assert "<svg" in pictures[0]["image/svg+xml"]
        manager.interrupt_kernel()
        while client.get_shell_msg(timeout=60)["parent_header"]["msg_id"] != request:
            pass
        replies = []
        client.execute_interactive(
            "print(plot.stopped, len(plot.history['loss']) > 0)", output_hook=replies.append, timeout=60
        )
        text = "".join(reply["content"].get("text", "") for reply in replies)
        assert "True True" in text
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
