import json
import random

import pytest

from c2lab.graph import edit
from c2lab.graph.canvas import Comment, InputShape, input_id
from c2lab.graph.document import Document, empty_document
from c2lab.graph.scene import box_name, closed_groups, device_text, ports, scene_of
from c2lab.graph.sources import Source
from c2lab.operators import registry
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument

OperatorDef = caffe2_pb2.OperatorDef


def op(type, inputs, outputs, **arguments):
    arg = [make_argument(name, value) for name, value in arguments.items()]
    return OperatorDef(type=type, input=inputs.split(), output=outputs.split(), arg=arg)


def document(*ops, **fields):
    return Document.of(Source(caffe2_pb2.NetDef(name="n", op=ops, **fields)))


def boxes(scene):
    return {node["name"]: node for node in scene["nodes"]}


def test_boxes_wires_and_pills():
    scene = scene_of(document(op("FC", "x w b", "y"), op("Relu", "y", "y"), op("Copy", "y", "z")))
    assert [(n["kind"], n["type"]) for n in scene["nodes"]] == [
        ("input", "x"), ("operator", "FC"), ("operator", "Relu"), ("operator", "Copy"),
    ]  # fmt: skip
    assert [(e["source"], e["target"], e["input"], e["version"]) for e in scene["edges"]] == [
        (input_id("x"), "o0", 0, 0), ("o0", "o1", 0, 1), ("o1", "o2", 0, 2),
    ]  # fmt: skip
    fc = scene["nodes"][1]
    assert [pill["blob"] for pill in fc["pills"]] == ["w", "b"]
    assert [port["parameter"] for port in fc["inputs"]] == [False, True, True]


def test_boxes_do_not_overlap_and_sizes_hold_the_ports():
    scene = scene_of(document(op("Concat", " ".join(f"x{k}" for k in range(9)), "y old"), op("Relu", "y", "z")))
    for first in scene["nodes"]:
        assert first["w"] > 0
        assert first["h"] > 0
        for second in scene["nodes"]:
            if first is not second:
                apart = (
                    first["x"] + first["w"] <= second["x"] or second["x"] + second["w"] <= first["x"]
                    or first["y"] + first["h"] <= second["y"] or second["y"] + second["h"] <= first["y"]
                )  # fmt: skip
                assert apart
    assert boxes(scene)["y"]["h"] >= 9 * 20


def test_ports_that_are_free():
    made = document(op("FC", "x", "y"), op("Sum", "a b", "s"), op("Relu", "", "r"), op("NobodyKnows", "q", "p"))
    inputs, outputs = ports(made, "o0")
    assert [(port["slot"], port["blob"]) for port in inputs] == [("X", "x"), ("W", None), ("b", None)]
    assert [(port["slot"], port["blob"]) for port in outputs] == [("Y", "y")]
    assert [port["blob"] for port in ports(made, "o1")[0]] == ["a", "b", None]
    assert [port["blob"] for port in ports(made, "o2")[0]] == [None]
    assert [port["blob"] for port in ports(made, "o3")[0]] == ["q"]


def test_incomplete_unknown_and_marked_boxes():
    made = document(op("Conv", "", "c"), op("NobodyKnows", "x", "y"), op("Relu", "x", "z"))
    scene = scene_of(made, marks={"o2": "added"}, pairs={"o2": "o0"})
    assert boxes(scene)["c"]["incomplete"]
    assert not boxes(scene)["z"]["incomplete"]
    assert boxes(scene)["y"]["unknown"]
    assert not boxes(scene)["z"]["unknown"]
    assert (boxes(scene)["z"]["diff"], boxes(scene)["z"]["pair"]) == ("added", "o0")


def test_declared_inputs_and_comments_have_boxes():
    made = document(external_input=["data"]).with_canvas(
        inputs={"data": InputShape(("N", 3))}, comments=(Comment("c0", "a note", 1.0, 2.0),)
    )
    scene = scene_of(made)
    assert boxes(scene)["data"]["arguments"] == [["shape", "N, 3"], ["dtype", "float32"]]
    assert (scene["nodes"][1]["kind"], scene["nodes"][1]["text"], scene["nodes"][1]["x"]) == ("comment", "a note", 1.0)


def test_closed_scopes_merge_their_wires():
    made = document(op("Relu", "x", "s/a"), op("Tanh", "x", "s/b"), op("Sum", "s/a s/b", "y")).with_canvas(
        closed=frozenset({"s"})
    )
    scene = scene_of(made)
    group = next(node for node in scene["nodes"] if node["kind"] == "group")
    assert (group["path"], group["members"], group["collapsed"]) == ("s", 2, True)
    assert closed_groups(made) == {group["id"]: ["o0", "o1"]}
    inside = [(e["source"], e["target"], e["count"]) for e in scene["edges"]]
    assert inside == [(input_id("x"), group["id"], 1), (group["id"], "o2", 1), (group["id"], "o2", 1)]
    assert len({edge["id"] for edge in scene["edges"]}) == 3


def test_open_scopes_have_frames_around_their_boxes():
    (frame,) = scene_of(document(op("Relu", "x", "s/a"), op("Tanh", "s/a", "s/b")))["groups"]
    assert (frame["path"], frame["members"], frame["clear"]) == ("s", ["o0", "o1"], True)


def test_a_large_net_has_few_boxes_at_first():
    made = document(*(op("Relu", f"b{k}", f"b{k + 1}") for k in range(600)))
    assert len(scene_of(made)["nodes"]) <= 61
    assert len(scene_of(made, fold_above=10_000)["nodes"]) == 601


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>", "\u202eabc", "x" * 10_000, "a\nb\x00", "'\"&;"])
def test_hostile_names_are_text(name):
    made = document(OperatorDef(type="Relu", input=[name], output=[name + "y"], name=name))
    scene = json.loads(json.dumps(scene_of(made)))
    assert scene["nodes"][0]["type"] == name
    assert scene["nodes"][1]["name"] == name
    assert all(node["w"] < 400 for node in scene["nodes"])
    assert all(node["id"].isascii() and node["id"].isalnum() for node in scene["nodes"])


def test_names_beyond_all_measure_are_cut():
    scene = scene_of(document(op("Relu", "x" * 100_000, "y")))
    assert len(scene["nodes"][0]["type"]) <= 12_000


def random_net(source):
    """A net of known and unknown operators, some in place, some without wires, in some order."""
    types = [o.type for o in registry.all_operators() if not o.gradient_of]
    net = caffe2_pb2.NetDef(name=f"net{source.randrange(1000)}")
    blobs = ["data", "label", "a/b/c"]
    for k in range(source.randrange(1, 25)):
        made = net.op.add(type=source.choice(types) if source.random() < 0.9 else f"Unknown{k}")
        made.input.extend(source.choice(blobs) for _ in range(source.randrange(4)))
        fresh = [f"{source.choice(['', 's/', 's/t/'])}blob{k}_{j}" for j in range(source.randrange(1, 3))]
        made.output.extend(source.choice(blobs) if source.random() < 0.2 else name for name in fresh)
        blobs.extend(made.output)
        if source.random() < 0.3:
            made.name = source.choice(["n", "<b>", "ä\u202e"])
        if source.random() < 0.5:
            value = source.choice([1, 2.5, "text", [1, 2], [0.5], ["a", "b"]])
            made.arg.append(make_argument(source.choice(["kernel", "shape", "axis", "free"]), value))
    net.external_input.extend(source.sample(["data", "label", "other"], source.randrange(4)))
    net.external_output.extend(source.sample(blobs, source.randrange(2)))
    return net


def without_ids(scene):
    return json.dumps({**scene, "version": 0}, sort_keys=True)


def test_500_random_nets_go_through_the_canvas_unchanged():
    source = random.Random(2024)
    for _ in range(500):
        net = random_net(source)
        opened = Document.of(Source(net))
        assert opened.written() == net
        moved = opened
        if source.random() < 0.7:
            ids = [node["id"] for node in scene_of(opened)["nodes"]]
            moved = opened.with_canvas(
                positions={name: (source.uniform(-500, 500) // 1, source.uniform(0, 500) // 1) for name in ids[::2]},
                comments=(Comment("c0", "note", 3.0, 4.0),),
                closed=frozenset({"s"}),
            )
        if source.random() < 0.5:
            moved = edit.remove(moved, [moved.ids[0]], heal=True)
        written = caffe2_pb2.NetDef.FromString(moved.written().SerializeToString())
        again = Document.of(Source(written), moved.parameters)
        assert again.written() == written
        assert without_ids(scene_of(again)) == without_ids(scene_of(moved))


def test_texts_for_people():
    made = document(op("Relu", "x", "y"))
    assert box_name(made, "o0") == "Relu y"
    assert box_name(made, input_id("x")) == "x"
    assert device_text(caffe2_pb2.DeviceOption(device_type=1, device_id=2)) == "gpu:2"
    assert device_text(None) == ""
    assert scene_of(empty_document("n"))["edges"] == []
