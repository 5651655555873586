"""What can be put on a canvas: operators by family, layers, blocks, templates and inputs."""

from __future__ import annotations

from c2lab.builder.inputs import INPUTS
from c2lab.builder.layers import layer_entries
from c2lab.builder.palette_entry import Entry
from c2lab.builder.pieces import piece_entries
from c2lab.operators import registry
from c2lab.operators.definition import Operator
from c2lab.operators.page import read_page

_pages: dict[int, tuple[Operator, Entry]] = {}


def operator_entry(operator: Operator) -> Entry:
    """The entry of an operator, with the words of its documentation."""
    known = _pages.get(id(operator))
    if known is not None and known[0] is operator:
        return known[1]
    page = read_page(operator)
    slots = " ".join(slot.name for slot in (*operator.inputs, *operator.outputs))
    words = " ".join([operator.type, page.summary, page.body, slots, *operator.arguments]).lower()
    gradient = bool(operator.gradient_of) or operator.type.endswith("Gradient")
    entry = Entry(operator.type, "operator", operator.family, page.summary, words[:600], gradient)
    _pages[id(operator)] = (operator, entry)
    return entry


def entries() -> list[Entry]:
    """Everything, in the order in which the palette lists it: inputs, layers, blocks, templates, operators."""
    operators = sorted(map(operator_entry, registry.all_operators()), key=lambda e: (e.gradient, e.family, e.type))
    inputs = [Entry(name, "input", "inputs", kind.summary, f"{name} input {kind.summary}".lower())
              for name, kind in INPUTS.items()]  # fmt: skip
    return [*inputs, *layer_entries(), *piece_entries(), *operators]
