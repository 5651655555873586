import json
from collections import Counter

from c2lab.builder.palette import entries, operator_entry
from c2lab.operators import registry
from c2lab.operators.definition import operator


def test_the_palette_has_everything():
    kinds = Counter(entry.kind for entry in entries())
    assert kinds["operator"] == len(list(registry.all_operators()))
    assert kinds["template"] == 4
    assert {entry.type for entry in entries() if entry.kind == "block"} == {"ResNet block", "Inception block", "LSTM"}
    assert "conv" in {entry.type for entry in entries() if entry.kind == "layer"}
    json.dumps([entry.told() for entry in entries()])


def test_words_of_the_documentation_are_found():
    found = {entry.type for entry in entries() if "rectifier" in entry.words}
    assert {"Relu", "LeakyRelu"} <= found
    relu = next(entry for entry in entries() if entry.type == "Relu")
    assert relu.family == "activations"
    assert relu.summary


def test_gradient_operators_come_last():
    operators = [entry for entry in entries() if entry.kind == "operator"]
    assert [entry.gradient for entry in operators] == sorted(entry.gradient for entry in operators)


def test_an_operator_that_is_defined_now_is_there_now():
    @operator("PaletteTestTwice")
    def twice(X):
        """Twice as much."""
        return 2 * X

    try:
        assert "PaletteTestTwice" in {entry.type for entry in entries()}

        @operator("PaletteTestTwice")
        def other(X):
            """Another text."""
            return 2 * X

        assert operator_entry(registry.find("PaletteTestTwice")).summary == "Another text."
    finally:
        del registry._operators["PaletteTestTwice"]
