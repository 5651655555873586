"""The operator catalogue: a page an operator, with its example run, and an index by family."""

from __future__ import annotations

import contextlib
import io
import os
from itertools import groupby
from pathlib import Path

from c2lab.eager import run
from c2lab.operators import page, registry
from c2lab.operators.definition import Operator


def write(folder: str | os.PathLike[str]) -> int:
    """Writes the catalogue as Markdown; returns how many operators it has.

    Args:
        folder: Made if it is not there; ``index.md`` and one file an operator are written into it.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    operators = sorted(registry.all_operators(), key=lambda operator: (operator.family, operator.type))
    for operator in operators:
        (folder / f"{operator.type}.md").write_text(page.markdown(operator, results(operator)), encoding="utf-8")
    (folder / "index.md").write_text(_index(operators), encoding="utf-8")
    return len(operators)


def results(operator: Operator) -> list[str]:
    """What each example of an operator's page gives, run now."""
    names = {"run": run}
    printed = []
    for example in page.read_page(operator).examples:
        with contextlib.redirect_stdout(io.StringIO()) as output:
            # Our own docstrings, nothing from outside; "single" prints a value as a prompt would.
            exec(compile(example.source, operator.type, "single"), names)
        printed.append(output.getvalue())
    return printed


def _index(operators: list[Operator]) -> str:
    lines = ["# Operators", ""]
    for family, members in groupby(operators, key=lambda operator: operator.family):
        lines += [f"## {family.replace('_', ' ').capitalize()}", ""]
        lines += [f"- [{member.type}]({member.type}.md): {page.read_page(member).summary}" for member in members]
        lines.append("")
    return "\n".join(lines)
