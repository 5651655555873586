"""Every recorded call of an implemented operator gives the original's answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from c2lab.operators import registry
from tests.operators.recorded_cases import BOUNDS, read_cases, recorded_types, run_case, shipped_operators

IMPLEMENTED = Path(__file__).with_name("implemented_types.txt")

# Wider bounds (relative, absolute), each with its reason.
BOUNDS_BY_TYPE: dict[str, tuple[float, float]] = {}

# Cases (type, number) that do not pass, each with its reason.
KNOWN_DIFFERENCES: dict[tuple[str, int], str] = {}

TYPES = [type for type in recorded_types() if registry.get(type) is not None]


def test_implemented_types_only_grow():
    """The committed list names what is implemented; nothing on it may disappear."""
    listed = set(IMPLEMENTED.read_text().split())
    present = {operator.type for operator in registry.all_operators()}
    assert listed <= present, f"no longer implemented: {sorted(listed - present)}"
    shipped = {operator.type for operator in shipped_operators()}
    assert shipped <= listed, f"add to {IMPLEMENTED.name}: {sorted(shipped - listed)}"


@pytest.mark.parametrize("type", TYPES)
def test_recorded_calls(type):
    failures = []
    for case in read_cases(type):
        if (type, case.number) in KNOWN_DIFFERENCES:
            continue
        try:
            run_case(case, BOUNDS_BY_TYPE.get(type, BOUNDS))
        except Exception as error:
            failures.append(f"{case.name}: {error}")
    assert not failures, "\n".join(failures)
