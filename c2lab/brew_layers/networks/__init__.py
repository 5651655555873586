"""Whole networks, each added to a model by one function.

All take ``(model, data, num_input_channels, num_labels, is_test=False)`` and return the scores before the softmax,
with ``is_test=True`` for a net that predicts; further keywords choose among sizes::

    model = ModelHelper("lenet")
    scores = create_lenet(model, "data", num_input_channels=1, num_labels=10)
    softmax, loss = model.SoftmaxWithLoss([scores, "label"], ["softmax", "loss"])

Of the residual networks and ShuffleNet this is ``scores_of("resnet50")``; their own functions keep the arguments and
results that they have in Caffe2.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from c2lab.brew_layers.networks.alexnet import create_alexnet
from c2lab.brew_layers.networks.densenet import create_densenet
from c2lab.brew_layers.networks.googlenet import create_googlenet
from c2lab.brew_layers.networks.lenet import create_lenet
from c2lab.brew_layers.networks.mlp import create_mlp
from c2lab.brew_layers.networks.mobilenet import create_mobilenet
from c2lab.brew_layers.networks.resnet import create_resnet50, create_resnext
from c2lab.brew_layers.networks.shufflenet import create_shufflenet
from c2lab.brew_layers.networks.squeezenet import create_squeezenet
from c2lab.brew_layers.networks.vgg import create_vgg
from c2lab.nets.blobs import BlobReference

# (model, data, num_input_channels, num_labels, is_test=False) -> scores
BUILDERS: dict[str, Callable[..., BlobReference]] = {
    "mlp": create_mlp,
    "lenet": create_lenet,
    "alexnet": create_alexnet,
    "vgg16": functools.partial(create_vgg, num_layers=16),
    "vgg19": functools.partial(create_vgg, num_layers=19),
    "googlenet": create_googlenet,
    "squeezenet": create_squeezenet,
    "resnet50": functools.partial(create_resnet50, no_loss=True, no_bias=1),
    "resnet101": functools.partial(create_resnext, num_layers=101, num_groups=1, num_width_per_group=64, no_loss=True),
    "resnext50": functools.partial(create_resnext, num_layers=50, num_groups=32, num_width_per_group=4, no_loss=True),
    "densenet121": create_densenet,
    "mobilenet": create_mobilenet,
    "shufflenet": functools.partial(create_shufflenet, no_loss=True),
}


def scores_of(name: str) -> Callable[..., Any]:
    """The function that adds the network ``name`` (one of ``BUILDERS``) to a model.

    Raises:
        ValueError: There is none of this name.
    """
    if name not in BUILDERS:
        raise ValueError(f"There is no network {name!r}; there are {', '.join(BUILDERS)}.")
    return BUILDERS[name]
