"""The demo: LeNet learns to read handwriting, in the terminal."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from c2lab import workspace
from c2lab.data import DigitSet, digits, mnist
from c2lab.graph import drawing
from c2lab.graph.view import NetView
from c2lab.predictor import files, mobile_exporter
from c2lab.training import lenet
from c2lab.training.batches import padded_pieces, shuffled
from c2lab.training.progress import Progress
from c2lab.training.record import Record

NAME = "lenet"
BATCH = 64
TEST_BATCH = 360


class Recipe(NamedTuple):
    """How to train on one data set."""

    epochs: int
    learning_rate: float
    shift: int


RECIPES = {
    "digits": Recipe(epochs=10, learning_rate=0.05, shift=2),
    "mnist": Recipe(epochs=5, learning_rate=0.05, shift=0),
}


class Accuracies(NamedTuple):
    """Share of pictures that are read rightly."""

    train: float
    test: float


def run(
    out: str | os.PathLike[str],
    data: str = "digits",
    data_dir: str | os.PathLike[str] | None = None,
    epochs: int | None = None,
    seed: int = 0,
) -> Accuracies:
    """Trains LeNet, prints how well it reads, and writes the model and its curves into ``out``.

    Args:
        out: Folder, made if it is not there; other files in it stay.
        data: "digits" (in the package) or "mnist".
        data_dir: Folder of MNIST's files.
        epochs: Passes over the training pictures; each data set has its own default.
        seed: Decides everything random; the same seed gives the same numbers on one machine.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)  # before the work, so that a wrong folder costs no training
    recipe = RECIPES[data]
    epochs = epochs or recipe.epochs
    pictures = digits.load() if data == "digits" else mnist.load(data_dir)

    workspace.ResetWorkspace()
    workspace.current().seed(seed)
    predictor, record = _train(pictures, recipe, epochs, seed)
    accuracies = Accuracies(
        accuracy(predictor, pictures.train_images, pictures.train_labels),
        accuracy(predictor, pictures.test_images, pictures.test_labels),
    )
    _write(out, predictor, record)
    print(f"written: {out}")
    print(f"train accuracy: {accuracies.train:.4f}")
    print(f"test accuracy: {accuracies.test:.4f}")
    return accuracies


def _train(pictures: DigitSet, recipe: Recipe, epochs: int, seed: int):
    """Trains in the current workspace; returns the predicting model and the record."""
    iterations = epochs * (len(pictures.train_images) // BATCH)
    trainer = lenet.training_model(recipe.learning_rate, iterations)
    predictor = lenet.predicting_model(NAME)
    workspace.FeedBlob("data", pictures.train_images[:BATCH])
    workspace.FeedBlob("label", pictures.train_labels[:BATCH])
    workspace.RunNetOnce(trainer.param_init_net)
    workspace.CreateNet(trainer.net)
    workspace.CreateNet(predictor.net)

    random = np.random.RandomState(seed)
    record = Record()
    progress = Progress(iterations, BATCH)
    for epoch in range(1, epochs + 1):
        for images, labels in shuffled(pictures.train_images, pictures.train_labels, BATCH, random, recipe.shift):
            workspace.FeedBlob("data", images)
            workspace.FeedBlob("label", labels)
            workspace.RunNet(trainer.net)
            loss, right = (float(workspace.FetchBlob(name)) for name in ("loss", "accuracy"))
            record.add(epoch, loss, right)
            progress.show(len(record.rows), loss, right)
        record.tested(accuracy(predictor, pictures.test_images, pictures.test_labels))
    return predictor, record


def accuracy(predictor, images: np.ndarray, labels: np.ndarray) -> float:
    """Share of the pictures that the model, in the current workspace, reads rightly."""
    guesses = []
    for piece, real in padded_pieces(images, TEST_BATCH):
        workspace.FeedBlob("data", piece)
        workspace.RunNet(predictor.net)
        guesses.append(workspace.FetchBlob("softmax")[:real].argmax(axis=1))
    return float(np.mean(np.concatenate(guesses) == labels))


def _view(predict_net, parameters) -> NetView:
    """The net with the shapes of the last test batch, whose size may be any N."""
    shapes = {
        name: "×".join(["N", *map(str, blob.shape[1:])]) if blob.shape[:1] == (TEST_BATCH,) else blob
        for name, blob in workspace.current().blobs.items()
        if hasattr(blob, "shape")
    }
    return NetView.of(predict_net, parameters={str(name) for name in parameters}, shapes=shapes)


def _write(out: Path, predictor, record: Record) -> None:
    init_net, predict_net = mobile_exporter.Export(workspace, predictor.net, predictor.GetParams())
    predict_net.name = NAME  # a second run in one process would be called lenet_1
    files.save(out, init_net, predict_net)
    files.write_whole(out / "metrics.csv", record.csv().encode())
    files.write_whole(out / "net.svg", drawing.draw(_view(predict_net, predictor.GetParams())).encode())
    try:
        for format in ("svg", "png"):
            files.write_whole(out / f"curves.{format}", record.curves(format))
    except ImportError:
        print('no curves: they need matplotlib (pip install "c2lab[lab]")', file=sys.stderr)
