"""VGG (arXiv 1409.1556): 3x3 convolutions and nothing else, then three fully connected layers."""

from __future__ import annotations

from typing import Any

from c2lab import brew
from c2lab.nets.blobs import BlobReference

# Convolutions in each of the five stages.
_STAGES = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


def create_vgg(
    model: Any,
    data: Any,
    num_input_channels: int = 3,
    num_labels: int = 1000,
    is_test: bool = False,
    num_layers: int = 16,
    image_size: int = 224,
) -> BlobReference:
    """VGG of 11, 13, 16 or 19 layers; returns the scores ``fc8``.

    Args:
        data: Pictures ``(N, channels, image_size, image_size)``.
        num_labels: How many classes there are.
        is_test: Whether the net predicts; dropout is for training only.
        num_layers: Layers with weights.
        image_size: Height and width, a multiple of 32.
    """
    if num_layers not in _STAGES:
        raise ValueError(f"There is no VGG of {num_layers} layers; there are {', '.join(map(str, _STAGES))}.")
    blob, channels = data, num_input_channels
    for stage, (repeats, width) in enumerate(zip(_STAGES[num_layers], (64, 128, 256, 512, 512), strict=True), start=1):
        for number in range(1, repeats + 1):
            name = f"conv{stage}_{number}"
            blob = brew.conv(model, blob, name, channels, width, kernel=3, pad=1, weight_init=("MSRAFill", {}))
            blob, channels = brew.relu(model, blob, blob), width
        blob = brew.max_pool(model, blob, f"pool{stage}", kernel=2, stride=2)
    features = 512 * (image_size // 32) ** 2
    for name in ("fc6", "fc7"):
        blob = brew.fc(model, blob, name, features, 4096)
        blob = brew.relu(model, blob, blob)
        blob, features = brew.dropout(model, blob, name + "_dropout", ratio=0.5, is_test=is_test), 4096
    return brew.fc(model, blob, "fc8", 4096, num_labels)
