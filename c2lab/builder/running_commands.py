"""Commands that run: feed, run, peek, train."""

from __future__ import annotations

from typing import Any

import numpy as np

from c2lab.builder.feeding import Samples, array_from, sample_inputs
from c2lab.builder.looking import look_at
from c2lab.builder.messages import Message, Reply, text, whole
from c2lab.builder.session import Command, Session
from c2lab.builder.training import Training
from c2lab.graph.canvas import InputShape
from c2lab.graph.document import EditRefused
from c2lab.graph.edit import edge_end
from c2lab.graph.order import wires_of

_MOST_SAMPLES = 4096


def feed(session: Session, message: Message) -> Reply:
    """Gives an input a value: ``base64`` of a file, or ``sample`` with the name of a sample set."""
    runner = runner_of(session)
    blob = text(message, "blob")
    document = session.document
    if blob not in document.outside().values():
        raise EditRefused(f"{blob[:60]!r} is no input of the net")
    if message.get("sample") is not None:
        count = whole(message, "count", 16)
        if not 1 <= count <= _MOST_SAMPLES:
            raise EditRefused(f"count is {count}; it must be 1 to {_MOST_SAMPLES}")
        return {"fed": feed_digits(session, count)}
    value = array_from(text(message, "base64", longest=2**28), document.canvas.inputs.get(blob))
    _require_fits(blob, document.canvas.inputs.get(blob), value)
    runner.feed(blob, value)
    if blob not in document.canvas.inputs and value.ndim:
        known = InputShape(("N", *value.shape[1:]), str(value.dtype))
        session.apply(f"feed {blob[:40]}", document.with_canvas(inputs={**document.canvas.inputs, blob: known}))
    return {"fed": {blob: str(value.shape)}}


def feed_digits(session: Session, count: int) -> dict[str, str]:
    """Feeds a batch of digits into the inputs that they fit into.

    Raises:
        EditRefused: There are none.
    """
    found = sample_inputs(dict(session.document.canvas.inputs))
    if found is None:
        raise EditRefused("digits need an input of shape (N, 1, size, size)")
    pictures, labels, size = found
    samples = session.memory.get(f"samples {size}")
    if samples is None:
        samples = session.memory[f"samples {size}"] = Samples(size)
    images, classes = samples.batch(count)
    runner = runner_of(session)
    runner.feed(pictures, images)
    fed = {pictures: str(images.shape)}
    if labels is not None:
        known = session.document.canvas.inputs[labels]
        runner.feed(labels, classes.astype(known.dtype))
        fed[labels] = str(classes.shape)
    return fed


def _require_fits(blob: str, known: InputShape | None, value: np.ndarray) -> None:
    if value.dtype.kind not in "fiub":
        raise EditRefused(f"values of type {value.dtype} cannot be fed")
    if known is None:
        return
    fits = len(known.shape) == value.ndim and all(
        size == have for size, have in zip(known.shape, value.shape, strict=True) if isinstance(size, int)
    )
    if not fits:
        raise EditRefused(f"{blob[:60]!r} is {known.shape}, but the value is {value.shape}")
    if str(value.dtype) != known.dtype:
        raise EditRefused(f"{blob[:60]!r} is {known.dtype}, but the value is {value.dtype}")


def run(session: Session, message: Message) -> Reply:
    """Runs the net once; digits are fed where nothing was and they fit."""
    runner = runner_of(session)
    document = session.document
    empty = [blob for blob in document.outside().values() if not runner.has(blob)]
    found = sample_inputs(dict(document.canvas.inputs))
    if empty and found is not None and set(empty) <= {found[0], found[1]}:
        feed_digits(session, 16)
    milliseconds = runner.run(document)
    session.memory["ran"] = session.version
    return {"ms": round(milliseconds, 3)}


def peek(session: Session, message: Message) -> Reply:
    """What a wire, an output of an operator, or a parameter held in the last run."""
    runner, document = runner_of(session), session.document
    if message.get("edge") is not None:
        target, slot = edge_end(document, text(message, "edge"))
        reader = document.position(target)
        blob, writer = document.net.op[reader].input[slot], wires_of(document.net.op)[reader][slot]
    elif message.get("node") is not None:
        node, output = text(message, "node"), whole(message, "output", 0)
        outside = document.outside()
        writer = None if node in outside else document.position(node)
        outputs = [outside[node]] if writer is None else list(document.net.op[writer].output)
        if not 0 <= output < len(outputs):
            raise EditRefused(f"there is no output {output}")
        blob = outputs[output]
    else:
        blob, writer = text(message, "blob"), None
        if blob not in document.names():
            raise EditRefused(f"there is no blob {blob[:60]!r}")
        writers = [k for k, op in enumerate(document.net.op) if blob in op.output]
        writer = writers[-1] if writers else None
    found: dict[str, Any] = look_at(runner.value_at(document, writer, blob))
    return {"blob": blob, "stale": session.memory.get("ran") != session.version, **found}


def train(session: Session, message: Message) -> Reply:
    """Starts, stops, pauses or goes on with training in the background."""
    action = text(message, "action", "start", longest=20)
    training: Training | None = session.memory.get("training")
    if action == "start":
        if training is not None and training.running:
            raise EditRefused("training runs already; stop it first")
        steps, batch = whole(message, "steps", 1000), whole(message, "batch", 64)
        if not 1 <= steps <= 10_000_000 or not 1 <= batch <= _MOST_SAMPLES:
            raise EditRefused(f"steps must be 1 to 10,000,000 and batch 1 to {_MOST_SAMPLES}")
        training = Training(session, runner_of(session), steps, batch, feed_digits)
        session.memory["training"] = training
        training.start()
    elif training is None:
        raise EditRefused("nothing is being trained")
    elif action in ("stop", "pause", "go"):
        getattr(training, action)()
    else:
        raise EditRefused(f"training can be started, stopped, paused and gone on with; not {action!r}")
    return {"running": training.running, "step": training.step}


def runner_of(session: Session) -> Any:
    """Who runs nets here.

    Raises:
        EditRefused: Nobody does.
    """
    if session.runner is None:
        raise EditRefused("there is nobody here to run the net")
    return session.runner


COMMANDS: dict[str, Command] = {"feed": feed, "run": run, "peek": peek, "train": train}
