"""``resume``: a run goes on where it was stopped, interrupted or killed, bit for bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from c2lab import workspace
from c2lab.errors import BadArgument, DamagedFile
from c2lab.predictor import files
from c2lab.training import checkpoints, kept_data, run_folder, sources
from c2lab.training.evaluating import Evaluator
from c2lab.training.preparing import TrainingNets
from c2lab.training.progress import follow
from c2lab.training.run import Settings, TrainingRun, running
from c2lab.training.start import named_arrays, named_set, source_of
from c2lab.training.stepping import Stepper
from c2lab.training.stopping import EarlyStopping


def resume(
    run: TrainingRun | str | Path,
    data: Any = None,
    *,
    evaluate: Any = None,
    transform: sources.Transform | None = None,
    callbacks: Sequence[Any] | None = None,
    epochs: int | None = None,
    steps: int | None = None,
    step: int | None = None,
    block: bool = False,
) -> TrainingRun:
    """Goes on with a run from its latest checkpoint; the numbers are those of a run that never ended.

    Args:
        run: A run that has ended, or the folder of one, or that folder's name.
        data: The data, where the folder cannot tell: arrays above 64 MiB, Python iterables.
        evaluate: The test data, likewise.
        transform: What changes batches, where the run had such a function.
        callbacks: As in ``train``; those of ``run`` where it is a run of this process.
        epochs, steps: How long now; as before where left out.
        step: Goes back to the checkpoint of this step, or the last one before it.
        block: Wait for the end, with a progress bar.

    Raises:
        FileNotFoundError: There is no such folder, or no checkpoint in it.
        BadArgument: The data is missing, or is not what the run was trained on.
    """
    earlier = run if isinstance(run, TrainingRun) else None
    folder = _folder(run)
    if any(other.folder is not None and other.folder.resolve() == folder.resolve() for other in running()):
        raise BadArgument(f"{folder.name} is still running; stop it first, or let a paused one go on with run.go()")
    config = run_folder.read_config(folder)
    nets = _nets(folder, config["nets"])
    found = checkpoints.latest(folder / run_folder.CHECKPOINTS, before=step)
    if found is None:
        raise FileNotFoundError(f"{folder / run_folder.CHECKPOINTS} holds no whole checkpoint")
    settings = Settings(**config["settings"])
    if epochs is not None or steps is not None:
        settings.epochs, settings.steps = epochs, steps
    current = workspace.current()
    stepper = Stepper(nets, {**current.blobs, **found.arrays}, settings.seed)
    if earlier is not None:
        transform = transform or getattr(earlier.source, "transform", None)
        callbacks = earlier.callbacks if callbacks is None else callbacks
    if config["data"].get("transformed") and transform is None:
        raise BadArgument("the run changed its batches by a function; give it again: resume(..., transform=...)")
    notes = settings.notes
    data, evaluate = _data(folder, config, data, evaluate, earlier)
    source = source_of(
        data, nets, current, batch=settings.batch, seed=settings.seed, shuffle=bool(notes.get("shuffle", True)),
        transform=transform,
    )  # fmt: skip
    _same_data(config["data"], source.described())
    evaluator = None
    if evaluate is not None:
        evaluator = Evaluator(nets, named_arrays(evaluate, nets, current), settings.batch)
    history = run_folder.read_history(folder)
    history.cut(found.step)
    history.fill(found.step)
    early = config["early_stopping"]
    going = TrainingRun(
        settings, stepper, source, evaluator=evaluator, folder=folder, callbacks=callbacks or (),
        early=EarlyStopping(**early) if early else None, target=current, history=history,
    )  # fmt: skip
    going.restore(found)
    assert going.keeper is not None
    going.keeper.folder.rewrite()
    going.keeper.folder.event("resumed", step=found.step)
    _forget(folder / run_folder.CHECKPOINTS, found.step)
    going.start()
    return follow(going) if block else going


def _folder(run: TrainingRun | str | Path) -> Path:
    if isinstance(run, TrainingRun):
        if run.folder is None:
            raise BadArgument(f"{run.name} was not kept, so there is nothing to resume from; start runs with keep=True")
        return run.folder
    folder = Path(run)
    for place in (folder, run_folder.root() / folder):
        if (place / run_folder.CONFIG).is_file():
            return place
    raise FileNotFoundError(f"neither {folder} nor {run_folder.root() / folder} is the folder of a run")


def _nets(folder: Path, roles: Mapping[str, Any]) -> TrainingNets:
    update = folder / "update_net.pb"
    try:
        return TrainingNets(
            init=files.read_net(folder / "init_net.pb"),
            step=files.read_net(folder / "train_net.pb"),
            update=files.read_net(update) if update.is_file() else None,
            forward=files.read_net(folder / "test_net.pb"),
            **roles,
        )
    except TypeError as problem:
        raise DamagedFile(f"{folder / run_folder.CONFIG} is not what a run writes: {problem}") from problem


def _data(
    folder: Path, config: Mapping[str, Any], data: Any, evaluate: Any, earlier: TrainingRun | None
) -> tuple[Any, Any]:
    """The data as it was given, from the earlier run, from its name, or from the folder."""
    kind = config["data"]["kind"]
    if data is None and earlier is not None and isinstance(earlier.source, sources.Arrays):
        data = earlier.source.arrays
    if evaluate is None and earlier is not None and earlier.evaluator is not None:
        evaluate = earlier.evaluator.data.arrays
    if data is None and config["settings"]["notes"].get("data_set"):
        data = config["settings"]["notes"]["data_set"]
    if data is None and kind == "arrays":
        data = kept_data.load(folder.parent, config["data"])
    if data is None and kind == "net":
        init = folder / "data_init_net.pb"
        net = files.read_net(folder / "data_net.pb")
        data = (files.read_net(init), net) if init.is_file() else net
    if data is None and kind == "iterable":
        raise BadArgument("the run's data was a Python object; give it again: resume(run, data)")
    if evaluate is None and config["evaluation"] and not isinstance(data, str):
        evaluate = kept_data.load(folder.parent, config["evaluation"])
    return named_set(data, evaluate)


def _same_data(then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    for name, facts in then.get("arrays", {}).items():
        given = now.get("arrays", {}).get(name)
        if given != facts:
            raise BadArgument(
                f"the run was trained on other data: {name} was {facts}, now it is {given}. "
                "Start a new run with start=... to go on with other data"
            )


def _forget(folder: Path, step: int) -> None:
    """Checkpoints of steps that will be made anew."""
    for path in checkpoints.all_in(folder):
        if path.name > checkpoints.path_of(folder, step).name:
            path.unlink(missing_ok=True)
