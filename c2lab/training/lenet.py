"""LeNet: the small convolutional net that reads handwriting, built with brew."""

from __future__ import annotations

from typing import Any

from c2lab import brew, core, model_helper, optimizer

CLASSES = 10
MOMENTUM = 0.9


def add_lenet(model: model_helper.ModelHelper, data: Any) -> core.BlobReference:
    """Adds LeNet's layers to a model; returns the probabilities of the ten digits.

    Args:
        model: The model that gains the layers and their parameters.
        data: Pictures (N, 1, 28, 28).
    """
    conv1 = brew.conv(model, data, "conv1", dim_in=1, dim_out=20, kernel=5)
    pool1 = brew.max_pool(model, conv1, "pool1", kernel=2, stride=2)
    conv2 = brew.conv(model, pool1, "conv2", dim_in=20, dim_out=50, kernel=5)
    pool2 = brew.max_pool(model, conv2, "pool2", kernel=2, stride=2)
    fc3 = brew.fc(model, pool2, "fc3", dim_in=50 * 4 * 4, dim_out=500)
    relu3 = brew.relu(model, fc3, "relu3")
    pred = brew.fc(model, relu3, "pred", dim_in=500, dim_out=CLASSES)
    return brew.softmax(model, pred, "softmax")


def training_model(learning_rate: float, iterations: int, name: str = "lenet_train") -> model_helper.ModelHelper:
    """A model that learns: feed ``data`` and ``label``, run it, fetch ``loss`` and ``accuracy``.

    Args:
        learning_rate: At the first iteration; it falls in a straight line from there.
        iterations: When it has fallen to nothing.
        name: Of the net.
    """
    model = model_helper.ModelHelper(name=name, arg_scope={"order": "NCHW"})
    softmax = add_lenet(model, "data")
    cross_entropy = model.LabelCrossEntropy([softmax, "label"], "cross_entropy")
    loss = model.AveragedLoss(cross_entropy, "loss")
    brew.accuracy(model, [softmax, "label"], "accuracy")
    model.AddGradientOperators([loss])
    optimizer.build_sgd(
        model, base_learning_rate=learning_rate, policy="poly", power=1.0, max_iter=iterations, momentum=MOMENTUM
    )
    return model


def predicting_model(name: str = "lenet") -> model_helper.ModelHelper:
    """The same layers over the same parameters, without training: ``data`` in, ``softmax`` out."""
    model = model_helper.ModelHelper(name=name, arg_scope={"order": "NCHW"}, init_params=False)
    model.net.AddExternalOutput(add_lenet(model, "data"))
    return model
