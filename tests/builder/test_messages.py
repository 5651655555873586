import pytest

from c2lab.builder.messages import number, place, point, text, texts, truth, whole
from c2lab.graph.document import EditRefused


def test_values_of_the_right_type_are_read():
    assert text({"a": "x"}, "a") == "x"
    assert text({}, "a", "default") == "default"
    assert number({"a": 3}, "a") == 3.0
    assert whole({"a": 3.0}, "a") == 3
    assert truth({}, "a", True) is True
    assert texts({"a": ["x", "y", "x"]}, "a") == ["x", "y"]
    assert texts({}, "a") == []
    assert place({"x": 1, "y": 2.25}) == (1.0, 2.2)
    assert place({"x": 1}) is None


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (text, 3), (text, None), (number, "3"), (number, True), (number, float("nan")), (number, float("inf")),
        (whole, 1.5), (whole, 1e300), (truth, 1), (truth, "true"), (texts, "abc"), (texts, [1]), (texts, {"a": 1}),
    ],
)  # fmt: skip
def test_others_are_refused_by_name(read, value):
    with pytest.raises(EditRefused, match="field"):
        read({"field": value}, "field")


def test_texts_have_an_end():
    with pytest.raises(EditRefused, match="10 are the most"):
        text({"a": "x" * 11}, "a", longest=10)


def test_lone_surrogates_become_harmless():
    text({"a": "\ud800"}, "a").encode("utf-8")


def test_places_are_on_the_canvas():
    assert point(1e30, -1e30) == (1e6, -1e6)
    with pytest.raises(EditRefused):
        point("left", 0)
