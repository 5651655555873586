"""What a box of a picture says: its texts, shortened, and how large they make it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from c2lab.graph.lettering import shorten, text_width
from c2lab.graph.view import ViewNode

STACK = 6
"""How far the cards under a group's box stick out."""


@dataclass(frozen=True)
class Box:
    """A box as it is drawn: its size, and its texts, shortened."""

    width: float
    height: float
    title: str
    subtitle: str
    lines: tuple[str, ...]
    pills: tuple[tuple[str, str, float], ...]  # shown, full, width


def box_of(node: ViewNode, shapes: Mapping[str, str], made: Sequence[str]) -> Box:
    """The box of a node.

    Args:
        node: An operator, an input or a group.
        shapes: Shapes as text, by blob name.
        made: Outputs that no line carries on; they are pills on the box.
    """
    if node.kind == "input":
        title = shorten(node.type, 24)
        return Box(text_width(title, 13, bold=True) + 28, 27, title, "", (), ())
    if node.kind == "group":
        title = shorten(node.type, 26)
        kinds = [f"{number} {shorten(kind, 20)}" for kind, number in node.arguments[:3]]
        lines = (node.name, ", ".join(kinds) + (", …" if len(node.arguments) > 3 else ""))
        width = max(text_width(title, 13, bold=True), *(text_width(line, 11) for line in lines)) + 40
        return Box(width + STACK, 60 + STACK, title, "", lines, ())
    title, subtitle = shorten(node.type, 26), shorten(node.name, 16)
    pairs = [f"{shorten(key, 14)} {shorten(value, 16)}" for key, value in node.essential_arguments]
    line = " · ".join(pairs[:3]) + (" · …" if len(pairs) > 3 else "")
    pills = _pills(node, shapes, made)
    lines = (shorten(line, 44),) if line else ()
    head = text_width(title, 13, bold=True) + (text_width(subtitle, 11) + 14 if subtitle else 0)
    inner = max(62.0, head, *(text_width(text, 11) for text in lines), sum(width + 5 for _, _, width in pills))
    return Box(inner + 31, 31 + 15 * len(lines) + (20 if pills else 0), title, subtitle, lines, pills)


def _pills(node: ViewNode, shapes: Mapping[str, str], made: Sequence[str]) -> tuple[tuple[str, str, float], ...]:
    """Parameters that are read, then by-products that are made (with an arrow): shown, full text, width."""
    # An update shows what it updates; the moments, the rate and the like are in its title.
    learned = [name for name in node.parameters if f"{name}_grad" in node.inputs]
    read = learned if node.update and learned else node.parameters
    names = [(name, "") for name in read] + [(name, "→ ") for name in made]
    pills = []
    for name, arrow in names[:3] if len(names) > 4 else names:
        shown = arrow + shorten(name.rsplit("/", 1)[-1], 14)
        pills.append((shown, f"{arrow}{name} {shapes.get(name, '')}".strip(), text_width(shown, 11) + 14))
    if len(names) > 4:
        more = f"+{len(names) - 3}"
        pills.append((more, ", ".join(name for name, _ in names[3:]), text_width(more, 11) + 14))
    return tuple(pills)


def hover_text(node: ViewNode, known: Mapping[str, str]) -> str:
    """Everything that the box leaves out, for whoever points at it."""

    def listed(names: tuple[str, ...]) -> str:
        return ", ".join(f"{name} ({known[name]})" if name in known else name for name in names[:30])

    if node.kind == "input":
        return f"{node.type} comes from outside of this net {known.get(node.type, '')}".strip()
    lines = [f"{node.type} {node.name}".strip()]
    if node.kind == "group":
        return "\n".join(lines + [f"{kind}: {number}" for kind, number in node.arguments])
    lines += [f"{key} = {value}" for key, value in node.arguments]
    if node.inputs:
        lines.append(f"reads {listed(node.inputs)}")
    if node.outputs:
        lines.append(f"writes {listed(node.outputs)}")
    return "\n".join(lines)
