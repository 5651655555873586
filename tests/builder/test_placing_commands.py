import pytest

from c2lab.graph.canvas import input_id
from tests.builder.canvases import do, lenet, node, refused, session

DATA = input_id("data")


def test_lenet_by_commands():
    canvas = session({"command": "add", "kind": "input", "type": "digits"})
    last = DATA
    for kind, type, said in (
        ("layer", "conv", {}), ("layer", "max_pool", {}), ("layer", "conv", {"dim_out": 50}), ("layer", "max_pool", {}),
        ("layer", "fc", {"dim_out": 500}), ("layer", "relu", {}), ("layer", "fc", {}),
        ("operator", "SoftmaxWithLoss", {}),
    ):  # fmt: skip
        (last,) = do(canvas, "add", kind=kind, type=type, **{"from": last})["placed"]
        for name, value in said.items():
            do(canvas, "set_argument", node=last, name=name, value=value)
    do(canvas, "connect", source=input_id("label"), output=0, target=last, input=1)
    from c2lab.builder.facts import facts_of

    facts = facts_of(canvas.document, canvas.version, canvas.scene())
    assert facts["problems"] == []
    assert facts["incomplete"] == {}
    assert [facts["outputs"][name][0] for name in canvas.document.ids] == [
        "(N,20,24,24)", "(N,20,12,12)", "(N,50,8,8)", "(N,50,4,4)", "(N,500)", "(N,500)", "(N,10)", "(N,10)",
    ]  # fmt: skip
    assert facts["totals"]["values"] == 431080


def test_enter_places_one_box_and_one_undo_takes_it_back_with_its_wire():
    canvas = session({"command": "add", "kind": "input", "type": "digits"})
    before = canvas.document
    placed = do(canvas, "add", kind="layer", type="conv", **{"from": {"node": DATA}})["placed"]
    assert len(placed) == 1
    assert len(canvas.model.params) == 2
    do(canvas, "undo")
    assert canvas.document is before
    assert not canvas.net.Proto().op
    assert not canvas.model.params


def test_the_free_output_is_taken():
    canvas = session({"command": "add", "type": "Split"})
    split = canvas.document.ids[0]
    do(canvas, "add", type="Relu", **{"from": split})
    do(canvas, "add", type="Tanh", **{"from": {"node": split}})
    do(canvas, "add", type="Exp", **{"from": {"node": split, "output": 0}})
    first, second = canvas.document.net.op[0].output
    assert {op.type: op.input[0] for op in canvas.document.net.op if op.type != "Split"} == {
        "Relu": first, "Tanh": second, "Exp": first,
    }  # fmt: skip


def test_weights_follow_what_is_spliced_and_removed():
    canvas = lenet()
    fc, pool = (
        node(canvas, "FC"),
        [n for n, op in zip(canvas.document.ids, canvas.document.net.op, strict=False) if op.type == "MaxPool"],
    )
    do(canvas, "remove", nodes=[pool[1]], heal=True)

    def weights():
        return next(list(op.arg[0].ints) for op in canvas.document.init.op if op.output[0] == "fc3_w")

    assert weights() == [500, 50 * 8 * 8]
    do(canvas, "add", kind="layer", type="max_pool", splice=f"{fc}.0")
    assert weights() == [500, 50 * 4 * 4]
    do(canvas, "undo")
    do(canvas, "undo")
    assert weights() == [500, 50 * 4 * 4]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"type": "Rellu"}, "Did you mean: Relu"),
        ({"type": "conv", "kind": "layer", "from": "o9"}, "no box"),
        ({"type": "nothing", "kind": "layer"}, "no layer"),
        ({"type": "nothing", "kind": "block"}, "no block"),
        ({"type": "nothing", "kind": "input"}, "no input"),
        ({"type": "Relu", "kind": "thing"}, "of the kind"),
        ({"type": "Relu", "splice": "o0.7"}, "no wire"),
        ({"type": "ConstantFill", "from": DATA}, "no box|no free input"),
        ({"type": "Relu", "from": {"node": 3}}, "text"),
        ({"type": "Relu", "x": "left", "y": 0}, "number"),
    ],
)
def test_what_cannot_be_placed(fields, why):
    import re

    assert re.search(why, refused(session({"command": "add", "type": "Relu"}), "add", **fields))


def test_groups_are_removed_whole():
    canvas = lenet()
    do(canvas, "set_scope", nodes=[node(canvas, "Conv"), node(canvas, "MaxPool")], scope="s")
    do(canvas, "collapse", path="s", collapsed=True)
    (group,) = canvas.groups()
    do(canvas, "remove", nodes=[group], heal=True)
    assert [op.type for op in canvas.document.net.op][:2] == ["Conv", "MaxPool"]
    assert canvas.document.net.op[0].input[0] == "data"
    assert "nothing to remove" in refused(canvas, "remove", nodes=[])
