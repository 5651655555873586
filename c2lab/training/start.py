"""``train``: a model and data become a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from c2lab import workspace
from c2lab.backend.workspaces import Workspace
from c2lab.data import DigitSet, digits, mnist
from c2lab.errors import BadArgument
from c2lab.proto import caffe2_pb2
from c2lab.training import event_files, hooks, preparing, run_folder, sources
from c2lab.training.evaluating import Evaluator
from c2lab.training.progress import follow
from c2lab.training.run import Settings, TrainingRun
from c2lab.training.stepping import Stepper
from c2lab.training.stopping import EarlyStopping

_SETS = {"digits": digits.load, "mnist": mnist.load}
_EPOCHS = 10
_STEPS = 1000


def train(
    model: Any,
    data: Any = None,
    *,
    epochs: int | None = None,
    steps: int | None = None,
    batch: int = 64,
    optimizer: Any = "sgd",
    rate: float = 0.05,
    loss: str | None = None,
    metrics: Sequence[str] | None = None,
    evaluate: Any = None,
    evaluate_every: int | None = None,
    clip: float | None = None,
    accumulate: int = 1,
    loss_scale: float | None = None,
    precision: str = "float32",
    early_stopping: EarlyStopping | int | None = None,
    callbacks: Sequence[Any] = (),
    seed: int = 0,
    shuffle: bool = True,
    transform: sources.Transform | None = None,
    start: Any = None,
    name: str | None = None,
    keep: bool = True,
    folder: str | Path | None = None,
    checkpoint_every: int | None = None,
    checkpoint_seconds: float | None = 30.0,
    prefetch: int = 2,
    guard: bool = True,
    tensorboard: bool | str | Path = False,
    block: bool = False,
    **options: Any,
) -> TrainingRun:
    """Trains a model in the background, and returns at once.

    The run has its own workspace; when it ends, its blobs are copied to the one that is current now.
    The model is not changed.

    Args:
        model: A ``ModelHelper``, or (init net, net). One that ends in a softmax gets a cross entropy, one
            without gradients gets them, one without updates gets the optimizer.
        data: ``"digits"``, ``"mnist"``; arrays as a tuple in the order in which the net reads them, or as a
            dictionary by blob; a net that reads a database, or (init net, net); a Python iterable of
            batches, a function that returns one, a loader; nothing for a model that reads its data itself.
        epochs: Passes over the data; 10 where neither this nor ``steps`` is given.
        steps: Updates; for data without end 1000 where left out.
        batch: Samples in a batch of arrays.
        optimizer: ``"sgd"``, ``"adam"``, ... or a function that adds one to the model it is given.
        rate: The learning rate that a new optimizer begins with.
        loss: The blob to make small, where it is not clear.
        metrics: Blobs of one number to record beside the loss; every accuracy where left out.
        evaluate: Arrays to test with after each epoch.
        evaluate_every: Test after so many steps instead.
        clip: The length that all gradients together are cut to.
        accumulate: How many batches an update is the mean of.
        loss_scale: What the loss is multiplied by before the gradients; ``run.set_loss_scale`` changes it.
        precision: ``"bfloat16"``: matrices and convolutions compute so, parameters stay float32.
        early_stopping: How many epochs may bring nothing, or ``EarlyStopping(...)``.
        callbacks: Functions of the run, called after each step, or objects with ``on_epoch`` and ``on_end``.
        seed: Decides parameters, order and everything else random.
        shuffle: Whether arrays have a new order in each epoch.
        transform: Changes each batch of arrays: ``transform(batch, random) -> batch``.
        start: A run or a workspace that has parameters to begin with.
        name: Of the run; the model's where left out.
        keep: Whether the run writes a folder; without one it cannot be resumed.
        folder: Where runs are kept; ``C2LAB_RUNS``, else ``runs``, where left out.
        checkpoint_every: Save after so many steps, instead of after epochs and ``checkpoint_seconds``.
        checkpoint_seconds: Save after so long, as well as after each epoch.
        prefetch: How many batches wait ready on the device.
        guard: Whether to stop where a number is none (NaN or infinite), and keep the state before.
        tensorboard: Whether to write event files into the run's folder, or into this one (needs tensorboardX).
        block: Wait for the end, with a progress bar; Ctrl-C stops the run first.
        options: Of the optimizer: ``momentum=0.9``, ``policy="step"``, ``stepsize=1000``, ``gamma=0.1``, ...

    Raises:
        BadArgument: Something does not fit together; the message says what.

    Example:
        >>> from c2lab.training import lenet
        >>> run = train(lenet.training_model(0.05, 100), "digits", steps=1, keep=False, block=True)
        >>> run.state, run.steps_done
        ('done', 1)
    """
    current = workspace.current()
    set_name = data if isinstance(data, str) else None
    data, evaluate = named_set(data, evaluate)
    nets = preparing.prepare(
        model, loss=loss, metrics=metrics, optimizer=optimizer, rate=rate, options=options, clip=clip,
        accumulate=accumulate, loss_scale=loss_scale, precision=precision,
    )  # fmt: skip
    stepper = Stepper(nets, current.blobs, seed, _blobs_of(start))
    source = source_of(data, nets, current, batch=batch, seed=seed, shuffle=shuffle, transform=transform)
    if epochs is None and steps is None:
        epochs, steps = (_EPOCHS, None) if _has_epochs(source) else (None, _STEPS)
    name = name or str(getattr(model, "name", "")) or nets.step.name.rpartition("/")[0]
    settings = Settings(
        name=name, epochs=epochs, steps=steps, batch=batch,
        accumulate=accumulate, seed=seed, guard=guard, evaluate_every=evaluate_every,
        checkpoint_every=checkpoint_every, checkpoint_seconds=checkpoint_seconds, depth=prefetch,
        notes={"base_rate": base_rate(nets), "shuffle": shuffle, "data_set": set_name},
    )  # fmt: skip
    run = TrainingRun(
        settings, stepper, source,
        evaluator=Evaluator(nets, named_arrays(evaluate, nets, current), batch) if evaluate is not None else None,
        folder=run_folder.new_folder(settings.name, Path(folder) if folder else None) if keep else None,
        callbacks=[*callbacks, *_event_writers(tensorboard), *hooks.installed()],
        early=EarlyStopping(patience=early_stopping) if isinstance(early_stopping, int) else early_stopping,
        target=current,
    )  # fmt: skip
    if run.keeper is not None:
        run.keeper.write_start()
    run.start()
    return follow(run) if block else run


def source_of(
    data: Any, nets: preparing.TrainingNets, current: Workspace, *, batch: int, seed: int, shuffle: bool, transform: Any
) -> sources.Source:
    """What gives the batches."""
    if data is None:
        return sources.Itself()
    if _is_net(data) or (isinstance(data, tuple) and len(data) == 2 and all(map(_is_net, data))):
        init, net = (None, data) if _is_net(data) else data
        proto = _proto(net)
        made = [name for op in proto.op for name in op.output]
        names = [name for name in nets.inputs if name in made]
        if not names:
            raise BadArgument(f"the data's net makes {', '.join(made)}; the model reads {', '.join(nets.inputs)}")
        return sources.ReaderNet(proto, _proto(init) if init is not None else None, current.blobs, names, seed=seed)
    if _is_arrays(data):
        arrays = named_arrays(data, nets, current)
        return sources.Arrays(arrays, batch, shuffle=shuffle, seed=seed, transform=transform)
    if hasattr(data, "__iter__") or callable(data):
        return sources.Iterable(data, [name for name in nets.inputs if name not in current.blobs] or nets.inputs)
    raise BadArgument(f"data is {type(data).__name__}; it may be arrays, a net, an iterable or a function of one")


def named_arrays(data: Any, nets: preparing.TrainingNets, current: Workspace) -> dict[str, np.ndarray]:
    """Arrays by the blobs that they are for."""
    if isinstance(data, Mapping):
        return {str(name): np.asarray(value) for name, value in data.items()}
    parts = data if isinstance(data, tuple | list) else (data,)
    names = nets.inputs
    if len(parts) != len(names):
        names = [name for name in names if name not in current.blobs]
    if len(parts) != len(names):
        raise BadArgument(
            f"{len(parts)} arrays were given, but the net takes {len(names)}: {', '.join(names)}; "
            "give that many, or a dictionary by blob"
        )
    return {name: np.asarray(value) for name, value in zip(names, parts, strict=True)}


def base_rate(nets: preparing.TrainingNets) -> float | None:
    """The rate that the first LearningRate operator begins with."""
    for net in (nets.step, nets.update):
        for op in net.op if net is not None else ():
            if op.type == "LearningRate":
                return next((abs(a.f) for a in op.arg if a.name == "base_lr"), None)
    return None


def named_set(data: Any, evaluate: Any) -> tuple[Any, Any]:
    """The arrays of a data set that is named, or that brings its own test data."""
    if isinstance(data, str):
        if data not in _SETS:
            raise BadArgument(f'there is no data set "{data}"; there are {", ".join(_SETS)}')
        data = _SETS[data]()
    if isinstance(data, DigitSet):
        evaluate = (data.test_images, data.test_labels) if evaluate is None else evaluate
        data = (data.train_images, data.train_labels)
    return data, evaluate


def _event_writers(where: bool | str | Path) -> list[event_files.EventWriter]:
    if where is False:
        return []
    return [event_files.EventWriter(None if where is True else where)]


def _has_epochs(source: sources.Source) -> bool:
    return isinstance(source, sources.Arrays | sources.Iterable)


def _is_net(value: Any) -> bool:
    return isinstance(value, caffe2_pb2.NetDef) or hasattr(value, "Proto")


def _proto(net: Any) -> caffe2_pb2.NetDef:
    return net if isinstance(net, caffe2_pb2.NetDef) else net.Proto()


def _is_arrays(data: Any) -> bool:
    parts = list(data.values()) if isinstance(data, Mapping) else data if isinstance(data, tuple) else [data]
    return bool(parts) and all(hasattr(part, "shape") and hasattr(part, "dtype") and part.ndim > 0 for part in parts)


def _blobs_of(start: Any) -> Mapping[str, Any] | None:
    if start is None or isinstance(start, Mapping):
        return start
    if isinstance(start, TrainingRun):
        return start.stepper.blobs
    if hasattr(start, "blobs"):
        return start.blobs
    raise BadArgument(f"start is {type(start).__name__}; it may be a run, a workspace or a dictionary of arrays")
