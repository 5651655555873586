import pytest

from c2lab import brew
from c2lab.builder.inputs import INPUTS, place_input
from c2lab.builder.layers import LAYERS, input_sizes, layer_entries, place_layer
from c2lab.graph.document import empty_document
from c2lab.graph.draft import missing_slots
from c2lab.graph.live_shapes import document_shapes, symbol


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_can_be_placed_with_and_without_a_wire(name):
    empty, placed = place_layer(empty_document("n"), LAYERS[name])
    assert placed
    assert missing_slots(empty.net.op[0])
    document, (data, _) = place_input(empty_document("n"), INPUTS["pictures"], None)
    document, placed = place_layer(document, LAYERS[name], source=(data, 0))
    assert document.net.op[0].input[0] == "data"
    if LAYERS[name].reads == 1:
        live = document_shapes(document)
        assert live.problems == {}
        assert live.incomplete == {}
        assert all(name in document.parameters for op in document.init.op for name in op.output)


def test_layers_of_the_palette_are_layers_of_brew():
    for entry in layer_entries():
        assert brew.has_helper(entry.type)
        assert entry.summary


def test_sizes_that_layers_ask_for():
    assert input_sizes((symbol("N"), 3, 4, 5)) == (3, 60)
    assert input_sizes(None) == (1, 1)
    assert input_sizes((symbol("N"), symbol("T"))) == (1, 1)
