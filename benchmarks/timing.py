"""Timing that means something on a busy machine: contestants take turns, and ratios are taken turn by turn."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

SHORTEST = 0.005  # seconds that one reading spans at least


def interleaved(contestants: dict[str, Callable[[], None]], rounds: int, budget: float) -> dict[str, list[float]]:
    """Seconds a call of each contestant, round by round; each has run before, and waits for its own result.

    Args:
        contestants: What to call, by name.
        rounds: How often each takes its turn.
        budget: After so many seconds no new round begins, once there were three.
    """
    calls = {name: _calls_in_a_reading(call) for name, call in contestants.items()}
    times: dict[str, list[float]] = {name: [] for name in contestants}
    begin = time.perf_counter()
    for number in range(rounds):
        if number >= 3 and time.perf_counter() - begin > budget:
            break
        # Whoever comes first finds other caches than who comes second: take turns in that as well.
        order = list(contestants)
        for name in order if number % 2 == 0 else reversed(order):
            started = time.perf_counter()
            for _ in range(calls[name]):
                contestants[name]()
            times[name].append((time.perf_counter() - started) / calls[name])
    return times


def _calls_in_a_reading(call: Callable[[], None]) -> int:
    started = time.perf_counter()
    call()
    return max(1, int(SHORTEST / (time.perf_counter() - started)))


def ratio(times: dict[str, list[float]], one: str, other: str) -> float:
    """The median, over the rounds, of the time of ``one`` over that of ``other``."""
    return statistics.median(a / b for a, b in zip(times[one], times[other], strict=True))
