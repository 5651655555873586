import numpy as np
import pytest

from c2lab.builder.inputs import INPUTS, given_values, place_input, said_inputs
from c2lab.graph.canvas import InputShape
from c2lab.graph.document import empty_document
from c2lab.graph.scene import scene_of


def test_inputs_are_placed_below_each_other():
    document, placed = place_input(empty_document("n"), INPUTS["digits"], (10.0, 20.0))
    assert list(document.outside().values()) == ["data", "label"]
    assert [document.canvas.positions[node] for node in placed] == [(10.0, 20.0), (10.0, 80.0)]
    assert document.canvas.inputs["data"] == InputShape(("N", 1, 28, 28))


def test_a_second_input_has_names_of_its_own():
    document, _ = place_input(empty_document("n"), INPUTS["digits"], None)
    document, _ = place_input(document, INPUTS["digits"], None)
    assert list(document.outside().values()) == ["data", "label", "data_1", "label_1"]
    assert len(scene_of(document)["nodes"]) == 4


def test_shapes_are_said_in_several_ways():
    assert said_inputs({"a": (2, 3), "b": (("N", 4), "int32"), "c": np.zeros((5,), np.int64)}) == {
        "a": InputShape((2, 3)), "b": InputShape(("N", 4), "int32"), "c": InputShape((5,), "int64"),
    }  # fmt: skip
    assert said_inputs(None) == {}


def test_arrays_are_values_and_shapes_are_not():
    found = given_values({"a": (2, 3), "b": (("N", 4), "int32"), "c": np.int64([5])})
    assert {blob: value.tolist() for blob, value in found.items()} == {"c": [5]}


@pytest.mark.parametrize("given", ["abc", 3, [1.5], ((2, 3), "complex64")])
def test_what_is_no_shape_is_an_error(given):
    with pytest.raises(ValueError, match="'x'"):
        said_inputs({"x": given})
