"""Docstrings as pages."""

from __future__ import annotations

from c2lab.operators import registry
from c2lab.operators.definition import operator
from c2lab.operators.page import describe_default, markdown, read_page
from c2lab.operators.schema import ArgumentSpec


@operator("TestPaged", inplace="X -> Y", gradient="none")
def paged(X, *, alpha: float = 0.5, mode: int | None = None):
    """Does something.

    ``Y = X``

    Inputs:
        X: Values
            of any shape.
    Args:
        alpha: A factor, 1 | 2.
        mode: How.
    Outputs:
        Y: The same.
    Example:
        >>> run("TestPaged", X=[1.0])
        Y = [1.]
    Source:
        A paper, 1999.
    """
    return X


def test_the_parts():
    page = read_page(registry.find("TestPaged"))
    assert page.summary == "Does something."
    assert page.body == "``Y = X``"
    assert page.inputs == {"X": "Values of any shape."}
    assert page.arguments["alpha"] == "A factor, 1 | 2."
    assert page.examples[0].want == "Y = [1.]\n"
    assert page.source == "A paper, 1999."


def test_markdown():
    text = markdown(registry.find("TestPaged"), ["Y = [9.]"])
    assert "| `alpha` | float, default 0.5 | A factor, 1 \\| 2. |" in text
    assert "output 0 may overwrite input 0" in text
    assert "Gradient: none; gradients stop here." in text
    assert "Y = [9.]" in text


def test_defaults_in_words():
    assert describe_default(ArgumentSpec("a", "int")) == "int, required"
    assert describe_default(ArgumentSpec("a", "int", None)) == "int, optional"
