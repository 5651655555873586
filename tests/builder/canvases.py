"""Sessions to try commands on, and the commands of random users."""

from __future__ import annotations

import random

from c2lab.builder.layers import LAYERS
from c2lab.builder.session import Session
from c2lab.model_helper import ModelHelper


def session(*messages, **options):
    """A session in which some commands were done."""
    made = Session(ModelHelper("canvas"), **options).closed()
    for message in messages:
        do(made, **message)
    return made


def do(canvas, command, **fields):
    """Does a command that must work; returns the reply."""
    reply = canvas.handle({"command": command, **fields})
    assert reply["ok"], reply
    return reply


def refused(canvas, command, **fields):
    """Does a command that must be refused, and leave everything as it was; returns the reason."""
    before, nets = canvas.document, bytes_of(canvas)
    reply = canvas.handle({"command": command, **fields})
    assert not reply["ok"], reply
    assert canvas.document is before
    assert bytes_of(canvas) == nets
    return reply["error"]


def bytes_of(canvas):
    """The live nets, as bytes."""
    return canvas.net.Proto().SerializeToString(), canvas.model.param_init_net.Proto().SerializeToString()


def lenet(**options):
    """A canvas with LeNet."""
    return session({"command": "add", "kind": "template", "type": "LeNet"}, **options)


def node(canvas, type):
    """The id of the first operator of a type."""
    return next(name for name, op in zip(canvas.document.ids, canvas.document.net.op, strict=True) if op.type == type)


TYPES = ("Relu", "FC", "Sum", "Softmax", "Concat", "Split", "Dropout", "Copy", "SoftmaxWithLoss", "MaxPool")


def random_command(canvas, source: random.Random):
    """What somebody might do next, sensible or not."""
    document = canvas.document
    ids, boxes = list(document.ids), [*document.ids, *document.outside()]
    edges = [
        f"{name}.{k}" for name, op in zip(ids, document.net.op, strict=True) for k, blob in enumerate(op.input) if blob
    ]

    def one(things):
        return source.choice(things) if things else "nothing"

    def some(things):
        return source.sample(things, min(len(things), source.randrange(1, 3)))

    made = source.choice(
        [
            {"command": "add", "type": source.choice(TYPES)},
            {"command": "add", "type": source.choice(TYPES)},
            {"command": "add", "kind": "layer", "type": source.choice(list(LAYERS))},
            {"command": "add", "kind": "layer", "type": source.choice(list(LAYERS))},
            {"command": "add", "kind": "input", "type": source.choice(["digits", "table", "blob"])},
            {"command": "add", "kind": "block", "type": source.choice(["ResNet block", "LSTM"])},
            {"command": "connect", "source": one(boxes), "output": source.randrange(2), "target": one(ids),
             "input": source.randrange(3)},
            {"command": "connect", "source": one(boxes), "output": 0, "target": one(ids), "input": 0},
            {"command": "disconnect", "edge": one(edges)},
            {"command": "remove", "nodes": some(boxes), "heal": source.random() < 0.5},
            {"command": "set_argument", "node": one(boxes),
             "name": source.choice(["kernel", "dim_out", "ratio", "shape", "order"]),
             "value": source.choice([1, 3, "2,3", None, "NHWC", 0.5])},
            {"command": "rename", "blob": one(sorted(document.names())),
             "to": source.choice(["a", "c/d", "<b>x</b>", ""])},
            {"command": "set_scope", "nodes": some(ids), "scope": source.choice(["s", "s/t", ""])},
            {"command": "duplicate", "nodes": some(ids)},
            {"command": "move", "positions": {one(boxes): [source.randrange(500), source.randrange(500)]}},
            {"command": source.choice(["layout", "undo", "redo"])},
            {"command": "comment", "text": "a note", "x": 1, "y": 2},
            {"command": source.choice(["add_gradients", "remove_gradients", "add_optimizer"]), "name": "sgd"},
            {"command": "set_device", "nodes": some(ids), "device": source.choice(["cpu", "gpu:1", ""])},
            {"command": "collapse", "path": source.choice(["s", "s/t"]), "collapsed": source.random() < 0.5},
        ]
    )  # fmt: skip
    if made["command"] == "add" and source.random() < 0.6 and boxes:
        made["from"] = one(boxes)
    elif made["command"] == "add" and source.random() < 0.3 and edges:
        made["splice"] = one(edges)
    return made
