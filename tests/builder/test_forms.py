import json

import pytest

from c2lab.builder.forms import least, operator_form, plain_value, read_value
from c2lab.graph.document import EditRefused
from c2lab.operators import registry
from c2lab.operators.schema import ArgumentSpec
from c2lab.proto.arguments import make_argument
from tests.builder.canvases import session


def test_every_operator_has_a_form():
    for operator in registry.all_operators():
        canvas = session()
        canvas.net.Proto().op.add(type=operator.type)
        canvas.take_over()
        form = operator_form("n", canvas.document, canvas.document.ids[0])
        assert sorted(field["name"] for field in form["fields"]) == sorted(operator.arguments)
        json.dumps(form, allow_nan=False)


def test_what_most_people_set_comes_first():
    canvas = session({"command": "add", "type": "Conv"})
    form = operator_form("n", canvas.document, canvas.document.ids[0])
    names = [field["name"] for field in form["fields"]]
    assert names[:3] == ["kernel", "stride", "pad"]
    assert "filter" in form["doc"]
    assert form["inputs"][0]["doc"]
    assert [field["choices"] for field in form["fields"] if field["name"] == "order"] == [["NCHW", "NHWC"]]


def test_an_unknown_operator_has_a_form_too():
    canvas = session()
    canvas.net.Proto().op.add(type="NobodyKnows").arg.append(make_argument("shape", [1, 2]))
    canvas.take_over()
    form = operator_form("n", canvas.document, canvas.document.ids[0])
    assert form["known"] is False
    assert [(field["name"], field["kind"], field["value"]) for field in form["fields"]] == [("shape", "ints", [1, 2])]


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        ("int", "7", 7), ("int", 7.0, 7), ("float", "1e-3", 0.001), ("float", 2, 2.0), ("bool", "true", True),
        ("bool", 0, False), ("ints", "[1, 2 3]", [1, 2, 3]), ("ints", 5, [5]), ("floats", "0.5,1", [0.5, 1.0]),
        ("strs", ["a", "b"], ["a", "b"]), ("str", "x'\"<", "x'\"<"), ("any", 3, 3), ("any", [1, 2], [1, 2]),
    ],
)  # fmt: skip
def test_what_people_write_is_read(kind, written, value):
    assert read_value("a", ArgumentSpec("a", kind, None), written, None) == value


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("int", "seven"), ("int", None), ("int", True), ("int", float("nan")), ("int", float("inf")), ("float", "x"),
        ("float", []), ("bool", "maybe"), ("ints", "1,x"), ("str", 5), ("any", {}), ("any", [1, "a"]), ("net", "x"),
        ("tensor", "x"), ("ints", "1," * 100_001),
    ],
)  # fmt: skip
def test_what_is_no_value_is_refused(kind, written):
    with pytest.raises(EditRefused):
        read_value("a", ArgumentSpec("a", kind, None), written, None)


def test_an_argument_without_a_schema_keeps_its_type():
    assert read_value("a", None, "5", make_argument("a", 1.5)) == 5.0
    assert read_value("a", None, "5 6", make_argument("a", [1])) == [5, 6]


def test_plain_values_and_limits():
    assert plain_value([b"a", (1, float("inf")), None, object])[:2] == ["a", [1, "inf"]]
    assert least("kernel") == 1
    assert least("pad") == 0
    assert least("alpha") is None
