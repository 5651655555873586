"""LeNet (LeCun, Bottou, Bengio, Haffner 1998), which reads handwriting."""

from __future__ import annotations

from typing import Any

from c2lab import brew
from c2lab.nets.blobs import BlobReference


def create_lenet(
    model: Any,
    data: Any,
    num_input_channels: int = 1,
    num_labels: int = 10,
    is_test: bool = False,
    image_size: int = 28,
) -> BlobReference:
    """Two convolutions, two pools and two fully connected layers; returns the scores ``pred``.

    Args:
        data: Pictures ``(N, channels, image_size, image_size)``.
        num_labels: How many classes there are.
        image_size: Height and width.
    """
    conv1 = brew.conv(model, data, "conv1", num_input_channels, 20, kernel=5)
    pool1 = brew.max_pool(model, conv1, "pool1", kernel=2, stride=2)
    conv2 = brew.conv(model, pool1, "conv2", 20, 50, kernel=5)
    pool2 = brew.max_pool(model, conv2, "pool2", kernel=2, stride=2)
    side = ((image_size - 4) // 2 - 4) // 2
    fc3 = brew.fc(model, pool2, "fc3", 50 * side * side, 500)
    fc3 = brew.relu(model, fc3, fc3)
    return brew.fc(model, fc3, "pred", 500, num_labels)
