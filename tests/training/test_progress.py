import io

import pytest

from c2lab.training import progress
from c2lab.training.progress import Progress, progress_line


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 0.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def test_the_line_tells_how_far_how_fast_how_well_and_how_long():
    assert progress_line(100, 400, 64, 0.1, 0.96875, 10.0).endswith(
        "25 %  640 samples/s  loss 0.1000  accuracy 0.9688  30 s left"
    )
    assert progress_line(1, 1000, 64, 2.3, 0.1, 1.0).endswith("16 min 39 s left")


def test_a_terminal_is_drawn_over(clock):
    terminal = Terminal()
    bar = Progress(3, 64, terminal)
    for done in (1, 2, 3):
        clock.now += 1
        bar.show(done, 1.0, 0.5)
    assert terminal.getvalue().count("\r") == 3
    assert terminal.getvalue().count("\n") == 1


def test_a_file_gets_few_lines_and_the_last(clock):
    file = io.StringIO()
    bar = Progress(100, 64, file)
    for done in range(1, 101):
        clock.now += 0.25
        bar.show(done, 1.0, 0.5)
    lines = file.getvalue().splitlines()
    assert len(lines) == 3
    assert "100 %" in lines[-1]
    assert "\r" not in file.getvalue()
