import random
import threading

import pytest

from c2lab import brew, events, origins
from c2lab.builder.session import Session, open_model
from c2lab.core import Net
from c2lab.graph.canvas import InputShape
from c2lab.model_helper import ModelHelper
from c2lab.proto import caffe2_pb2
from tests.builder.canvases import bytes_of, do, lenet, node, random_command, refused, session


def test_1000_random_sequences_go_back_to_the_start():
    source = random.Random(77)
    refusals = 0
    for _ in range(1000):
        canvas = session()
        start = canvas.document
        for _ in range(source.randrange(2, 8)):
            before, nets = canvas.document, bytes_of(canvas)
            reply = canvas.handle(random_command(canvas, source))
            if not reply["ok"]:
                refusals += 1
                assert "Error" not in reply["error"]
                assert canvas.document is before
                assert bytes_of(canvas) == nets
            assert canvas.net.Proto() == canvas.document.written()
            assert len(set(canvas.document.ids)) == len(canvas.document.net.op)
        end, steps = canvas.document, 0
        while canvas.history.undo_label is not None:
            do(canvas, "undo")
            steps += 1
        assert canvas.document.same(start)
        assert not canvas.net.Proto().op
        assert not canvas.model.params
        for _ in range(steps):
            do(canvas, "redo")
        assert canvas.document.same(end)
    assert refusals > 100


def test_changes_by_code_are_steps_of_the_history():
    canvas = session({"command": "add", "type": "Relu"})
    canvas.net.Tanh("relu1", "t")
    assert canvas.take_over()
    assert [op.type for op in canvas.document.net.op] == ["Relu", "Tanh"]
    assert not canvas.take_over()
    do(canvas, "undo")
    assert [op.type for op in canvas.net.Proto().op] == ["Relu"]
    do(canvas, "redo")
    assert [op.type for op in canvas.net.Proto().op] == ["Relu", "Tanh"]


def test_changes_that_no_event_tells_are_found_by_the_next_command():
    canvas = session({"command": "add", "type": "Relu"}, {"command": "add", "type": "Tanh"})
    del canvas.net.Proto().op[0]
    do(canvas, "add", type="Exp")
    assert [op.type for op in canvas.net.Proto().op] == ["Tanh", "Exp"]
    assert canvas.document.ids == ("o1", "o2")


def test_layers_added_by_code_bring_their_parameters():
    canvas = lenet()
    brew.fc(canvas.model, "softmax", "more", 10, 5)
    canvas.take_over()
    assert canvas.document.parameters["more_w"] == "weight"
    do(canvas, "undo")
    assert "more_w" not in map(str, canvas.model.params)
    assert "more_w" not in [op.output[0] for op in canvas.model.param_init_net.Proto().op]


def test_the_model_knows_its_parameters_after_edits():
    canvas = lenet()
    assert len(canvas.model.params) == 8
    assert "conv1_w" in map(str, canvas.model.weights)
    do(canvas, "remove", nodes=[node(canvas, "Conv")], heal=True)
    assert len(canvas.model.params) == 6
    canvas.model.Validate()


def test_a_model_that_was_trained_on_the_canvas_can_be_updated_by_code():
    from c2lab import optimizer

    canvas = lenet()
    do(canvas, "add_gradients")
    optimizer.build_sgd(canvas.model, 0.1)
    assert canvas.take_over()
    assert any(op.type == "LearningRate" for op in canvas.document.net.op)


def test_lines_of_code_move_along_with_operators():
    canvas = session()
    canvas.net.Relu("x", "a")
    canvas.net.Tanh("a", "b")
    canvas.take_over()
    lines = dict(origins.operator_tracebacks[canvas.net.Name()])
    do(canvas, "remove", nodes=[canvas.document.ids[0]])
    assert origins.operator_tracebacks[canvas.net.Name()] == {0: lines[1]}


@pytest.mark.parametrize(
    "message",
    [None, 7, [], {}, {"command": 3}, {"command": "nothing"}, {"command": "add"}, {"command": "add", "type": None},
     {"command": "move"}, {"command": "move", "positions": {"o0": "x"}},
     {"command": "connect", "source": [], "target": {}},
     {"command": "remove", "nodes": "o0"}, {"command": "open", "filename": "x", "base64": 5},
     {"command": "set_argument", "node": "o0", "name": "x", "value": {"a": []}}],
)  # fmt: skip
def test_nonsense_is_answered_and_changes_nothing(message):
    canvas = session({"command": "add", "type": "Relu"})
    before = bytes_of(canvas)
    reply = canvas.handle(message)
    assert reply["ok"] is False
    assert reply["error"]
    assert bytes_of(canvas) == before


def test_replies_carry_the_number_of_the_message():
    assert session().handle({"id": 17, "command": "palette"})["reply"] == 17


def test_a_command_that_fails_half_way_is_taken_back(monkeypatch):
    from c2lab.builder import commands

    def bad(canvas, message):
        canvas.apply("bad", session({"command": "add", "type": "Tanh"}).document)
        raise RuntimeError("in the middle")

    monkeypatch.setitem(commands.COMMANDS, "undo", bad)
    canvas = session({"command": "add", "type": "Relu"})
    assert refused(canvas, "undo") == "RuntimeError: in the middle"
    assert [op.type for op in canvas.net.Proto().op] == ["Relu"]
    assert canvas.history.undo_label == "add Relu"


def test_looking_is_all_that_a_readonly_session_does():
    canvas = session(readonly=True)
    assert "looking only" in refused(canvas, "add", type="Relu")
    do(canvas, "find", text="x")


def test_many_threads_edit_one_net():
    canvas = session()
    replies = []

    def edit():
        for _ in range(10):
            replies.append(canvas.handle({"command": "add", "type": "Relu"}))

    threads = [threading.Thread(target=edit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(reply["ok"] for reply in replies)
    outputs = [op.output[0] for op in canvas.net.Proto().op]
    assert len(set(outputs)) == len(outputs) == 40


def test_listeners_hear_of_operators_of_this_net_only():
    canvas = Session(ModelHelper("heard"))
    heard = []
    canvas.listeners.append(lambda: heard.append(1))
    Net("other").Relu("x", "y")
    canvas.net.Relu("x", "y")
    do(canvas, "add", type="Relu")
    assert heard == [1]
    canvas.close()
    canvas.net.Relu("y", "z")
    assert heard == [1]
    events.emit("operator_added", net=canvas.net, position=0)


def test_what_is_handed_in_is_what_is_edited():
    model, net = ModelHelper("handed"), Net("handed_net")
    assert open_model(model) is model
    assert open_model(net).net is net
    copied = caffe2_pb2.NetDef(name="from_a_file", op=[caffe2_pb2.OperatorDef(type="Relu")])
    assert open_model(copied).net.Proto() == copied
    assert open_model(copied).net.Proto() == copied  # and again, under the same name
    assert open_model(None).net.Proto().name.startswith("net")
    with pytest.raises(TypeError):
        open_model(3)


def test_a_cell_that_is_run_again_moves_the_canvas():
    canvas = lenet()
    relu = node(canvas, "Relu")
    do(canvas, "move", positions={relu: [900, 500]})
    other = lenet()
    do(other, "add", type="Exp", **{"from": node(other, "Relu")})
    canvas.replace(other.model, {"label": InputShape(("N",), "int32")})
    assert [op.type for op in canvas.net.Proto().op].count("Exp") == 1
    assert canvas.document.canvas.positions[relu] == (900.0, 500.0)
    assert canvas.document.net.name == canvas.net.Name()
    do(canvas, "undo")
    assert [op.type for op in canvas.net.Proto().op].count("Exp") == 0
