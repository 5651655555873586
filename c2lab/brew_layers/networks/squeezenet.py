"""SqueezeNet 1.1 (arXiv 1602.07360): the accuracy of AlexNet with one fiftieth of its parameters."""

from __future__ import annotations

from typing import Any

from c2lab import brew
from c2lab.nets.blobs import BlobReference

# Channels that a fire module squeezes to, and each of its two branches expands to.
_FIRES = ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))
_POOLED_AFTER = (3, 5)


def create_squeezenet(
    model: Any, data: Any, num_input_channels: int = 3, num_labels: int = 1000, is_test: bool = False
) -> BlobReference:
    """Eight fire modules between two convolutions; returns the scores ``pool10``, ``(N, labels, 1, 1)``.

    Args:
        data: Pictures ``(N, channels, height, width)``.
        num_labels: How many classes there are.
        is_test: Whether the net predicts; dropout is for training only.
    """

    def conv(blob: Any, name: str, channels: tuple[int, int], kernel: int, **window: int) -> BlobReference:
        blob = brew.conv(model, blob, name, *channels, kernel=kernel, **window)
        return brew.relu(model, blob, blob)

    def pool(blob: Any, name: str) -> BlobReference:
        return brew.max_pool(model, blob, name, kernel=3, stride=2)

    blob = pool(conv(data, "conv1", (num_input_channels, 64), 3, stride=2), "pool1")
    channels = 64
    for number, (squeezed, expanded) in enumerate(_FIRES, start=2):
        prefix = f"fire{number}/"
        squeeze = conv(blob, prefix + "squeeze1x1", (channels, squeezed), 1)
        parts = [
            conv(squeeze, prefix + "expand1x1", (squeezed, expanded), 1),
            conv(squeeze, prefix + "expand3x3", (squeezed, expanded), 3, pad=1),
        ]
        blob, channels = brew.concat(model, parts, prefix + "concat"), 2 * expanded
        if number in _POOLED_AFTER:
            blob = pool(blob, f"pool{number}")
    blob = brew.dropout(model, blob, "drop9", ratio=0.5, is_test=is_test)
    blob = conv(blob, "conv10", (channels, num_labels), 1)
    return brew.average_pool(model, blob, "pool10", global_pooling=True)
