"""Writes the operator catalogue: a page for each operator, with its example run, and an index by family.

``python docs/catalogue.py [FOLDER]`` (default ``docs/operators``).
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

from c2lab.eager import run
from c2lab.operators import registry
from c2lab.operators.page import markdown, read_page


def main(folder: Path) -> None:
    """Writes all pages into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    families: dict[str, list[str]] = defaultdict(list)
    for operator in registry.all_operators():
        if operator.gradient_of:
            continue
        page = read_page(operator)
        names: dict[str, object] = {"run": run}
        results = [_result(example.source, names) for example in page.examples]
        (folder / f"{operator.type}.md").write_text(markdown(operator, results))
        families[operator.family].append(f"- [{operator.type}]({operator.type}.md): {page.summary}")
    index = ["# Operators", ""]
    for family in sorted(families):
        index += [f"## {family.replace('_', ' ')}", "", *families[family], ""]
    (folder / "README.md").write_text("\n".join(index))
    print(f"{sum(map(len, families.values()))} operators in {folder}")


def _result(source: str, names: dict[str, object]) -> str:
    try:
        return repr(eval(source, names))
    except SyntaxError:
        exec(source, names)
        return ""


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "operators")
