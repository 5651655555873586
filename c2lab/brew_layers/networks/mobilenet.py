"""MobileNet (arXiv 1704.04861): each convolution as one over positions and one over channels."""

from __future__ import annotations

from typing import Any

from c2lab import brew
from c2lab.nets.blobs import BlobReference

# Channels and stride of each pair of convolutions.
_PAIRS = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2),
    (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
)  # fmt: skip


def create_mobilenet(
    model: Any,
    data: Any,
    num_input_channels: int = 3,
    num_labels: int = 1000,
    is_test: bool = False,
    width: float = 1.0,
) -> BlobReference:
    """MobileNet, version 1; returns the scores ``fc7``.

    Args:
        data: Pictures ``(N, channels, height, width)``.
        num_labels: How many classes there are.
        is_test: Whether the net predicts.
        width: Factor on the numbers of channels.
    """

    def conv(blob: Any, name: str, channels: tuple[int, int], kernel: int, **window: int) -> BlobReference:
        fill = ("MSRAFill", {})
        blob = brew.conv(model, blob, name, *channels, kernel=kernel, weight_init=fill, no_bias=1, **window)
        blob = brew.spatial_bn(model, blob, name + "_bn", channels[1], epsilon=1e-5, momentum=0.9, is_test=is_test)
        return brew.relu(model, blob, blob)

    channels = int(32 * width)
    blob = conv(data, "conv1", (num_input_channels, channels), 3, stride=2, pad=1)
    for number, (out, stride) in enumerate(_PAIRS, start=2):
        blob = conv(blob, f"conv{number}_dw", (channels, channels), 3, stride=stride, pad=1, group=channels)
        out = int(out * width)
        blob, channels = conv(blob, f"conv{number}_pw", (channels, out), 1), out
    blob = brew.average_pool(model, blob, "pool6", global_pooling=True)
    return brew.fc(model, blob, "fc7", channels, num_labels)
