"""AlexNet in one column (Krizhevsky, arXiv 1404.5997)."""

from __future__ import annotations

from typing import Any

from c2lab import brew
from c2lab.nets.blobs import BlobReference


def create_alexnet(
    model: Any,
    data: Any,
    num_input_channels: int = 3,
    num_labels: int = 1000,
    is_test: bool = False,
    image_size: int = 224,
) -> BlobReference:
    """Five convolutions and three fully connected layers; returns the scores ``fc8``.

    Args:
        data: Pictures ``(N, channels, image_size, image_size)``.
        num_labels: How many classes there are.
        is_test: Whether the net predicts; dropout is for training only.
        image_size: Height and width.
    """

    def conv(blob: Any, name: str, channels: tuple[int, int], kernel: int, **window: int) -> BlobReference:
        blob = brew.conv(model, blob, name, *channels, kernel=kernel, weight_init=("MSRAFill", {}), **window)
        return brew.relu(model, blob, blob)

    def pool(blob: Any, name: str) -> BlobReference:
        return brew.max_pool(model, blob, name, kernel=3, stride=2)

    def connect(blob: Any, name: str, features: tuple[int, int]) -> BlobReference:
        blob = brew.fc(model, blob, name, *features)
        blob = brew.relu(model, blob, blob)
        return brew.dropout(model, blob, name + "_dropout", ratio=0.5, is_test=is_test)

    blob = pool(conv(data, "conv1", (num_input_channels, 64), 11, stride=4, pad=2), "pool1")
    blob = pool(conv(blob, "conv2", (64, 192), 5, pad=2), "pool2")
    blob = conv(blob, "conv3", (192, 384), 3, pad=1)
    blob = conv(blob, "conv4", (384, 256), 3, pad=1)
    blob = pool(conv(blob, "conv5", (256, 256), 3, pad=1), "pool5")
    side = (image_size + 4 - 11) // 4 + 1
    for _ in range(3):
        side = (side - 3) // 2 + 1
    blob = connect(blob, "fc6", (256 * side * side, 4096))
    blob = connect(blob, "fc7", (4096, 4096))
    return brew.fc(model, blob, "fc8", 4096, num_labels)
