"""Fully connected networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from c2lab import brew
from c2lab.nets.blobs import BlobReference


def create_mlp(
    model: Any,
    data: Any,
    num_input_channels: int,
    num_labels: int,
    is_test: bool = False,
    hidden: Sequence[int] = (128, 64),
) -> BlobReference:
    """Fully connected layers with rectifiers between them; returns the scores ``pred``.

    Args:
        data: Samples; all dimensions after the first are taken as one.
        num_input_channels: Values in a sample.
        num_labels: How many classes there are.
        hidden: Features of each layer in between.
    """
    blob, features = data, num_input_channels
    for number, width in enumerate(hidden, start=1):
        blob = brew.fc(model, blob, f"fc{number}", features, width)
        blob, features = brew.relu(model, blob, blob), width
    return brew.fc(model, blob, "pred", features, num_labels)
