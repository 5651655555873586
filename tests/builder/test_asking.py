import pytest

from c2lab.graph.canvas import input_id
from tests.builder.canvases import do, lenet, node, refused, session


def test_what_would_come_of_a_wire():
    canvas = lenet()
    loss = node(canvas, "SoftmaxWithLoss")
    told = do(canvas, "would_connect", source=input_id("label"), output=0, target=loss, input=1)
    assert (told["shape"], told["carries"]) == ("(N,10), ()", "(N) int32")
    assert "int32" in refused(canvas, "would_connect", source=input_id("data"), output=0, target=loss, input=1)
    assert "circle" in refused(canvas, "would_connect", source=loss, output=0, target=node(canvas, "Conv"), input=0)
    (pool,) = do(canvas, "add", type="MaxPool")["placed"]
    told = do(canvas, "would_connect", source=node(canvas, "Conv"), output=0, target=pool, input=0)
    assert told["shape"] == "(N,20,12,12)"
    assert refused(canvas, "would_connect", source=node(canvas, "FC"), output=0, target=pool, input=0)


@pytest.mark.parametrize(
    ("text", "why"),
    [("relu", "operator"), ("conv1_w", "blob"), ("label", "input"), ("kernel=5", "argument"), ("a note", "comment"),
     ("mine", "name")],
)  # fmt: skip
def test_things_are_found_by_what_they_say(text, why):
    canvas = lenet()
    do(canvas, "comment", text="This is A Note", x=0, y=0)
    do(canvas, "rename_operator", node=node(canvas, "SoftmaxWithLoss"), to="Mine")
    found = do(canvas, "find", text=text)["found"]
    assert why in {entry["why"] for entry in found}
    assert do(canvas, "find", text="  ")["found"] == []
    assert do(canvas, "find", text="no such thing")["found"] == []


def test_what_is_in_a_closed_group_is_found_with_its_group():
    canvas = lenet()
    do(canvas, "set_scope", nodes=["o0", "o1"], scope="s")
    do(canvas, "collapse", path="s", collapsed=True)
    told = do(canvas, "find", text="s/conv1")
    assert set(told["group_of"].values()) == set(canvas.groups())


def test_what_a_wire_carries():
    canvas = lenet()
    told = do(canvas, "explain", edge=f"{node(canvas, 'Relu')}.0")
    assert (told["blob"], told["shape"], told["producer"], told["bytes"]) == ("fc3", "(N,500)", "FC fc3", 2000)
    assert told["consumers"] == ["Relu fc3"]
    told = do(canvas, "explain", edge="o0.0")
    assert (told["producer"], told["producer_id"]) == ("from outside", input_id("data"))
    assert "no wire" in refused(canvas, "explain", edge="o0.9")


def test_the_palette_and_facts_are_asked_for():
    canvas = session()
    assert {"type", "kind", "family", "summary", "words", "gradient"} == set(do(canvas, "palette")["entries"][0])
    do(canvas, "facts")
    assert canvas.memory["facts_wanted"]
