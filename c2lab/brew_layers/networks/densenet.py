"""DenseNet (arXiv 1608.06993): every layer of a block sees all layers before it."""

from __future__ import annotations

from typing import Any

from c2lab import brew
from c2lab.nets.blobs import BlobReference

# Layers in each of the four blocks.
_BLOCKS = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}


def create_densenet(
    model: Any,
    data: Any,
    num_input_channels: int = 3,
    num_labels: int = 1000,
    is_test: bool = False,
    num_layers: int = 121,
    growth: int = 32,
) -> BlobReference:
    """DenseNet of 121, 169 or 201 layers; returns the scores ``fc6``.

    Args:
        data: Pictures ``(N, channels, height, width)``.
        num_labels: How many classes there are.
        is_test: Whether the net predicts.
        num_layers: Layers with weights.
        growth: Channels that each layer adds.
    """
    if num_layers not in _BLOCKS:
        raise ValueError(f"There is no DenseNet of {num_layers} layers; there are {', '.join(map(str, _BLOCKS))}.")

    def conv(blob: Any, name: str, channels: tuple[int, int], kernel: int, **window: int) -> BlobReference:
        fill = ("MSRAFill", {})
        return brew.conv(model, blob, name, *channels, kernel=kernel, weight_init=fill, no_bias=1, **window)

    def normalized(blob: Any, name: str, channels: int) -> BlobReference:
        blob = brew.spatial_bn(model, blob, name, channels, epsilon=1e-5, momentum=0.9, is_test=is_test)
        return brew.relu(model, blob, blob)

    channels = 2 * growth
    blob = conv(data, "conv1", (num_input_channels, channels), 7, stride=2, pad=3)
    blob = brew.max_pool(model, normalized(blob, "conv1_bn", channels), "pool1", kernel=3, stride=2, pad=1)
    last_block = len(_BLOCKS[num_layers]) + 1
    for block, layers in enumerate(_BLOCKS[num_layers], start=2):
        for layer in range(1, layers + 1):
            name = f"conv{block}_{layer}"
            narrow = conv(normalized(blob, name + "_x1_bn", channels), name + "_x1", (channels, 4 * growth), 1)
            new = conv(normalized(narrow, name + "_x2_bn", 4 * growth), name + "_x2", (4 * growth, growth), 3, pad=1)
            blob, channels = brew.concat(model, [blob, new], name + "_concat"), channels + growth
        blob = normalized(blob, f"conv{block}_blk_bn", channels)
        if block != last_block:
            blob = conv(blob, f"conv{block}_blk", (channels, channels // 2), 1)
            channels //= 2
            blob = brew.average_pool(model, blob, f"pool{block}", kernel=2, stride=2)
    blob = brew.average_pool(model, blob, f"pool{last_block}", global_pooling=True)
    return brew.fc(model, blob, "fc6", channels, num_labels)
