"""A progress line for the terminal: how far, how fast, how well, how long still."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any, TextIO

WIDTH = 24
_EVERY = 0.1  # seconds between two drawings on a terminal
_EVERY_IN_A_FILE = 10.0  # seconds between two lines where the output is no terminal


class Progress:
    """Draws over one line of a terminal; in a file or pipe it writes a line now and then.

    Args:
        iterations: How many there will be.
        batch_size: Samples in each.
        stream: Where to draw; standard error by default, so that results can be piped.
    """

    def __init__(self, iterations: int, batch_size: int, stream: TextIO | None = None) -> None:
        self.iterations = iterations
        self.batch_size = batch_size
        self.stream = stream or sys.stderr
        self._redraws = self.stream.isatty()
        self._start = self._drawn = time.monotonic()

    def show(self, done: int, loss: float, accuracy: float) -> None:
        """Draws the state after ``done`` iterations, if it is time to."""
        now = time.monotonic()
        pause = _EVERY if self._redraws else _EVERY_IN_A_FILE
        if now - self._drawn < pause and done < self.iterations:
            return
        self._drawn = now
        line = progress_line(done, self.iterations, self.batch_size, loss, accuracy, now - self._start)
        ending = "\n" if done == self.iterations or not self._redraws else ""
        self.stream.write(("\r\x1b[K" if self._redraws else "") + line + ending)
        self.stream.flush()


def progress_line(done: int, iterations: int, batch_size: int, loss: float, accuracy: float, seconds: float) -> str:
    """The text of the line.

    Example:
        >>> progress_line(50, 200, 64, 0.25, 0.9375, 2.0)
        '██████                    25 %  1,600 samples/s  loss 0.2500  accuracy 0.9375  6 s left'
    """
    share = done / iterations
    bar = ("█" * round(share * WIDTH)).ljust(WIDTH)
    rate = done * batch_size / seconds if seconds > 0 else 0.0
    left = seconds / done * (iterations - done) if done else 0.0
    return (
        f"{bar} {share:4.0%}".replace("%", " %")
        + f"  {rate:,.0f} samples/s  loss {loss:.4f}  accuracy {accuracy:.4f}  {_duration(left)} left"
    )


def _duration(seconds: float) -> str:
    seconds = round(seconds)
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min {seconds % 60:02d} s"


def follow(run: Any, stream: TextIO | None = None) -> Any:
    """Waits for a run, with a progress bar; Ctrl-C stops it after the running step, and is then passed on.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed; the run has ended, and all its blobs are of one step.
        BaseException: What made the run fail.
    """
    to: TextIO = stream or sys.stderr
    redraws = to.isatty()
    drawn, pause = time.monotonic(), _EVERY if redraws else _EVERY_IN_A_FILE
    try:
        while not run.wait(0.05):
            if time.monotonic() - drawn >= pause:
                drawn = time.monotonic()
                _draw(run, to, redraws)
        _draw(run, to, redraws, ending="\n")
    except KeyboardInterrupt:
        run.stop()
        run.wait()
        _draw(run, to, redraws, ending="\n")
        raise
    return run


def _draw(run: Any, stream: TextIO, redraws: bool, ending: str = "") -> None:
    line = run_line(run.steps_done, run.steps_planned, run.figures(), run.metrics)
    stream.write(("\r\x1b[K" if redraws else "") + line + (ending or ("" if redraws else "\n")))
    stream.flush()


def run_line(done: int, planned: int | None, figures: Mapping[str, Any], metrics: Mapping[str, float]) -> str:
    """The line of a run.

    Example:
        >>> run_line(50, 200, {"samples_a_second": 640.0, "seconds_left": 15.0}, {"loss": 0.25, "seconds": 5.0})
        '██████                    25 %  640 samples/s  loss 0.25  15 s left'
    """
    share = f"step {done:,}" if not planned else ("█" * round(done / planned * WIDTH)).ljust(WIDTH)
    percent = f" {done / planned:4.0%}".replace("%", " %") if planned else ""
    shown = "".join(
        f"  {name} {value:.4g}" for name, value in metrics.items() if name not in ("seconds", "epoch", "rate")
    )
    left = figures["seconds_left"]
    rest = f"  {_duration(left)} left" if left else ""
    return f"{share}{percent}  {figures['samples_a_second']:,.0f} samples/s{shown}{rest}"
