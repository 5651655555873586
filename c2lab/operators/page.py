"""The documentation page of an operator, from its definition: one text serves notebook, palette and docs."""

from __future__ import annotations

import doctest
import re
from dataclasses import dataclass, field

from c2lab.operators.definition import Operator
from c2lab.operators.schema import ArgumentSpec, describe_counts

_SECTIONS = ("Inputs", "Args", "Outputs", "Example", "Source")


@dataclass
class Page:
    """The parts of an operator's docstring."""

    summary: str
    body: str = ""
    inputs: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    examples: list[doctest.Example] = field(default_factory=list)
    source: str = ""


def read_page(operator: Operator) -> Page:
    """The parts of an operator's docstring.

    Example:
        >>> from c2lab.operators import registry
        >>> read_page(registry.find("Relu")).inputs["X"]
        'Values of any shape, float32.'
    """
    parts: dict[str, list[str]] = {"": []}
    current = ""
    for line in operator.doc.splitlines():
        heading = line.rstrip()
        if heading.removesuffix(":") in _SECTIONS and heading.endswith(":"):
            current = heading[:-1]
            parts[current] = []
        else:
            parts[current].append(line)
    opening = "\n".join(parts[""]).strip()
    summary, _, body = opening.partition("\n")
    return Page(
        summary=summary,
        body=body.strip(),
        inputs=_entries(parts.get("Inputs", [])),
        arguments=_entries(parts.get("Args", [])),
        outputs=_entries(parts.get("Outputs", [])),
        examples=doctest.DocTestParser().get_examples(_dedent(parts.get("Example", [])) + "\n"),
        source=" ".join(line.strip() for line in parts.get("Source", [])).strip(),
    )


def _dedent(lines: list[str]) -> str:
    return "\n".join(line[4:] if line.startswith("    ") else line for line in lines)


def _entries(lines: list[str]) -> dict[str, str]:
    entries: dict[str, str] = {}
    names: list[str] = []
    for line in lines:
        match = re.match(r"    (\*?[A-Za-z_][\w]*(?:, *\*?[A-Za-z_]\w*)*): ?(.*)", line)
        if match:
            names = [name.strip().lstrip("*") for name in match.group(1).split(",")]
            for name in names:
                entries[name] = match.group(2).strip()
        elif names and line.strip():
            for name in names:
                entries[name] = f"{entries[name]} {line.strip()}".strip()
    return entries


def describe_default(spec: ArgumentSpec) -> str:
    """An argument's type and default in words: ``float, default 0.01``.

    Example:
        >>> describe_default(ArgumentSpec("alpha", "float", 0.01))
        'float, default 0.01'
    """
    if spec.required:
        return f"{spec.kind}, required"
    if spec.default is None:
        return f"{spec.kind}, optional"
    return f"{spec.kind}, default {spec.default!r}"


def markdown(operator: Operator, results: list[str] | None = None) -> str:
    """The page as Markdown.

    Args:
        operator: The operator.
        results: What each example printed when it was run; what the docstring says where left out.
    """
    page = read_page(operator)
    lines = [f"# {operator.type}", "", page.summary, ""]
    if page.body:
        lines += [page.body, ""]
    lines += [
        f"Family: {operator.family}. Inputs: {describe_counts(operator.inputs)}. "
        f"Outputs: {describe_counts(operator.outputs)}.",
        "",
    ]
    for title, names, texts in (
        ("Inputs", [s.name for s in operator.inputs], page.inputs),
        ("Outputs", [s.name for s in operator.outputs], page.outputs),
    ):
        if names:
            lines += [f"## {title}", "", *(f"- `{name}`: {texts.get(name, '')}" for name in names), ""]
    if operator.arguments:
        lines += ["## Arguments", "", "| name | type | meaning |", "|---|---|---|"]
        for spec in operator.arguments.values():
            meaning = page.arguments.get(spec.name, "").replace("|", "\\|")
            if spec.choices:
                meaning += f" One of {', '.join(map(repr, spec.choices))}."
            lines.append(f"| `{spec.name}` | {describe_default(spec)} | {meaning} |")
        lines.append("")
    pairs = sorted(operator.inplace or ())
    if operator.inplace is None:
        lines += ["Every output may overwrite an input.", ""]
    elif pairs or operator.inplace_enforced:
        told = [f"output {o} may overwrite input {i}" for i, o in pairs]
        told += [f"output {o} must overwrite input {i}" for i, o in sorted(operator.inplace_enforced)]
        lines += ["In place: " + "; ".join(told) + ".", ""]
    lines += [f"Gradient: {_GRADIENT[operator.gradient_status]}.", ""]
    if page.examples:
        lines += ["## Example", "", "```python"]
        for number, example in enumerate(page.examples):
            lines += [">>> " + example.source.rstrip().replace("\n", "\n... ")]
            lines += [(results[number] if results else example.want).rstrip()]
        lines += ["```", ""]
    if page.source:
        lines += [f"Source: {page.source}", ""]
    return "\n".join(lines)


_GRADIENT = {
    "maker": "yes, as operators of the net",
    "none": "none; gradients stop here",
    "refused": "asking for it is an error",
    "not implemented": "not implemented, here as in the original",
    "unregistered": "none",
}
