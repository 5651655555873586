"""GoogLeNet (arXiv 1409.4842): inception modules that look at four scales at once."""

from __future__ import annotations

from typing import Any

from c2lab import brew
from c2lab.nets.blobs import BlobReference

# Channels of the branches: 1x1; 3x3 reduced and full; 5x5 reduced and full; pooled.
_MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
_POOLED_AFTER = ("3b", "4e")


def create_googlenet(
    model: Any, data: Any, num_input_channels: int = 3, num_labels: int = 1000, is_test: bool = False
) -> BlobReference:
    """GoogLeNet without its auxiliary losses; returns the scores ``loss3/classifier``.

    Args:
        data: Pictures ``(N, channels, height, width)``.
        num_labels: How many classes there are.
        is_test: Whether the net predicts; dropout is for training only.
    """

    def conv(blob: Any, name: str, channels: tuple[int, int], kernel: int, **window: int) -> BlobReference:
        blob = brew.conv(model, blob, name, *channels, kernel=kernel, **window)
        return brew.relu(model, blob, blob)

    def pool(blob: Any, name: str, stride: int = 2) -> BlobReference:
        return brew.max_pool(model, blob, name, kernel=3, stride=stride, pad=1)

    def lrn(blob: Any, name: str) -> BlobReference:
        return brew.lrn(model, blob, name, size=5, alpha=1e-4, beta=0.75, bias=1.0)

    blob = conv(data, "conv1/7x7_s2", (num_input_channels, 64), 7, stride=2, pad=3)
    blob = lrn(pool(blob, "pool1/3x3_s2"), "pool1/norm1")
    blob = conv(blob, "conv2/3x3_reduce", (64, 64), 1)
    blob = conv(blob, "conv2/3x3", (64, 192), 3, pad=1)
    blob, channels = pool(lrn(blob, "conv2/norm2"), "pool2/3x3_s2"), 192
    for module, (one, three_in, three, five_in, five, pooled) in _MODULES.items():
        prefix = f"inception_{module}/"
        reduced3 = conv(blob, prefix + "3x3_reduce", (channels, three_in), 1)
        reduced5 = conv(blob, prefix + "5x5_reduce", (channels, five_in), 1)
        parts = [
            conv(blob, prefix + "1x1", (channels, one), 1),
            conv(reduced3, prefix + "3x3", (three_in, three), 3, pad=1),
            conv(reduced5, prefix + "5x5", (five_in, five), 5, pad=2),
            conv(pool(blob, prefix + "pool", stride=1), prefix + "pool_proj", (channels, pooled), 1),
        ]
        blob, channels = brew.concat(model, parts, prefix + "output"), one + three + five + pooled
        if module in _POOLED_AFTER:
            blob = pool(blob, f"pool{module[0]}/3x3_s2")
    blob = brew.average_pool(model, blob, "pool5/7x7_s1", global_pooling=True)
    blob = brew.dropout(model, blob, "pool5/drop_7x7_s1", ratio=0.4, is_test=is_test)
    return brew.fc(model, blob, "loss3/classifier", channels, num_labels)
