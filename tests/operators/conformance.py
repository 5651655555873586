"""How much of what was recorded of the original passes: ``python -m tests.operators.conformance`` writes the table.

The table stands in ``docs/conformance.md``: recorded types and calls by family, and each call that differs.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from c2lab.operators import registry
from tests.operators.recorded_cases import BOUNDS, read_cases, recorded_types, run_case
from tests.operators.test_recorded import BOUNDS_BY_TYPE, KNOWN_DIFFERENCES

TARGET = Path(__file__).parents[2] / "docs" / "conformance.md"


def main() -> None:
    """Repeats every recorded call and writes the table."""
    calls: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])  # types, types whole, calls, passed
    differing: list[str] = []
    absent: list[str] = []
    for type in recorded_types():
        operator = registry.get(type)
        if operator is None:
            absent.append(type)
            continue
        row = calls[operator.family]
        cases = read_cases(type)
        passed = 0
        for case in cases:
            try:
                run_case(case, BOUNDS_BY_TYPE.get(type, BOUNDS))
                passed += 1
            except Exception as error:
                reason = KNOWN_DIFFERENCES.get((type, case.number)) or str(error).strip().splitlines()[0]
                differing.append(f"- {case.name}: {reason}")
        row[0] += 1
        row[1] += passed == len(cases)
        row[2] += len(cases)
        row[3] += passed
    TARGET.write_text("\n".join(_page(calls, differing, absent)) + "\n")
    print(f"{TARGET.name}: {sum(r[3] for r in calls.values())} of {sum(r[2] for r in calls.values())} calls")


def _page(calls: dict[str, list[int]], differing: list[str], absent: list[str]) -> list[str]:
    total = [sum(row[i] for row in calls.values()) for i in range(4)]
    lines = [
        "# Conformance",
        "",
        "Calls of Caffe2 1.8.1's operators were recorded with their answers (`tests/recorded/`): shapes, types, values",
        "and gradients. This table says how many of them c2lab answers alike (float32: 1e-4 relative and 1e-5 absolute",
        "unless `tests/operators/test_recorded.py` argues for more; integers and shapes exactly). It is written by",
        "`python -m tests.operators.conformance`.",
        "",
        "| family | recorded types | all calls alike | calls | alike |",
        "|---|---|---|---|---|",
        *(f"| {family} | {r[0]} | {r[1]} | {r[2]} | {r[3]} |" for family, r in sorted(calls.items())),
        f"| **all** | **{total[0]}** | **{total[1]}** | **{total[2]}** | **{total[3]}** |",
        "",
    ]
    if differing:
        lines += ["## Calls that differ", "", *differing, ""]
    if absent:
        lines += ["## Recorded types that c2lab does not have", "", ", ".join(absent) + ".", ""]
    return lines


if __name__ == "__main__":
    main()
