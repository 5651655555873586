"""Residual networks: ResNet (arXiv 1512.03385) and ResNeXt (arXiv 1611.05431)."""

from __future__ import annotations

from typing import Any

from c2lab import brew
from c2lab.nets.blobs import BlobReference

# Blocks in each of the four stages.
_STAGES = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
    200: (3, 24, 36, 3),
}
_MSRA = ("MSRAFill", {})


class ResNetBuilder:
    """Adds residual blocks, one after the other.

    Args:
        model: The model.
        prev_blob: Where the first block begins; afterwards, where the last one ended.
        no_bias: Whether convolutions have no bias.
        is_test: Whether the net predicts.
        bn_epsilon, bn_momentum: Of the batch normalizations.
    """

    def __init__(
        self,
        model: Any,
        prev_blob: Any,
        no_bias: bool | int,
        is_test: bool,
        bn_epsilon: float = 1e-5,
        bn_momentum: float = 0.9,
    ) -> None:
        self.model = model
        self.prev_blob = prev_blob
        self.is_test = is_test
        self.bn_epsilon = bn_epsilon
        self.bn_momentum = bn_momentum
        self.no_bias = 1 if no_bias else 0
        # Names count the blocks, and the layers in a block.
        self.comp_count = 0
        self.comp_idx = 0

    def add_conv(
        self, in_filters: int, out_filters: int, kernel: int, stride: int = 1, group: int = 1, pad: int = 0
    ) -> BlobReference:
        """A convolution."""
        self.comp_idx += 1
        self.prev_blob = brew.conv(
            self.model,
            self.prev_blob,
            f"comp_{self.comp_count}_conv_{self.comp_idx}",
            in_filters,
            out_filters,
            weight_init=_MSRA,
            kernel=kernel,
            stride=stride,
            group=group,
            pad=pad,
            no_bias=self.no_bias,
        )
        return self.prev_blob

    def add_relu(self) -> BlobReference:
        """A rectifier, in place."""
        self.prev_blob = brew.relu(self.model, self.prev_blob, self.prev_blob)
        return self.prev_blob

    def _normalized(self, blob: Any, name: str, num_filters: int) -> BlobReference:
        return brew.spatial_bn(
            self.model,
            blob,
            name,
            num_filters,
            epsilon=self.bn_epsilon,
            momentum=self.bn_momentum,
            is_test=self.is_test,
        )

    def add_spatial_bn(self, num_filters: int) -> BlobReference:
        """A batch normalization."""
        self.prev_blob = self._normalized(self.prev_blob, f"comp_{self.comp_count}_spatbn_{self.comp_idx}", num_filters)
        return self.prev_blob

    def _projected(
        self, shortcut: Any, input_filters: int, output_filters: int, stride: int, spatial_batch_norm: bool
    ) -> BlobReference:
        """The shortcut, with the size and the channels of what it is added to."""
        name = f"shortcut_projection_{self.comp_count}"
        shortcut = brew.conv(
            self.model,
            shortcut,
            name,
            input_filters,
            output_filters,
            weight_init=_MSRA,
            kernel=1,
            stride=stride,
            no_bias=self.no_bias,
        )
        return self._normalized(shortcut, name + "_spatbn", output_filters) if spatial_batch_norm else shortcut

    def _join(self, shortcut: Any, last: Any) -> None:
        """Adds the shortcut, and ends the block."""
        name = f"comp_{self.comp_count}_sum_{self.comp_idx}"
        self.prev_blob = brew.sum(self.model, [shortcut, last], name)
        self.comp_idx += 1
        self.add_relu()
        self.comp_count += 1

    def add_bottleneck(
        self,
        input_filters: int,
        base_filters: int,
        output_filters: int,
        stride: int = 1,
        group: int = 1,
        spatial_batch_norm: bool = True,
    ) -> int:
        """A block of 1x1, 3x3 and 1x1 convolutions; returns its number of output channels.

        Args:
            input_filters, base_filters, output_filters: Channels of the input, in between, and of the output.
            stride, group: Of the 3x3 convolution.
            spatial_batch_norm: Whether every convolution is normalized.
        """
        self.comp_idx = 0
        shortcut = self.prev_blob

        self.add_conv(input_filters, base_filters, kernel=1, stride=1)
        if spatial_batch_norm:
            self.add_spatial_bn(base_filters)
        self.add_relu()
        self.add_conv(base_filters, base_filters, kernel=3, stride=stride, group=group, pad=1)
        if spatial_batch_norm:
            self.add_spatial_bn(base_filters)
        self.add_relu()
        last = self.add_conv(base_filters, output_filters, kernel=1)
        if spatial_batch_norm:
            last = self.add_spatial_bn(output_filters)

        if output_filters != input_filters:
            shortcut = self._projected(shortcut, input_filters, output_filters, stride, spatial_batch_norm)
        self._join(shortcut, last)
        return output_filters

    def add_simple_block(
        self, input_filters: int, num_filters: int, down_sampling: bool = False, spatial_batch_norm: bool = True
    ) -> None:
        """A block of two 3x3 convolutions.

        Args:
            input_filters, num_filters: Channels of the input and of the output.
            down_sampling: Whether height and width are halved.
            spatial_batch_norm: Whether every convolution is normalized.
        """
        self.comp_idx = 0
        shortcut = self.prev_blob
        stride = 2 if down_sampling else 1

        self.add_conv(input_filters, num_filters, kernel=3, stride=stride, pad=1)
        if spatial_batch_norm:
            self.add_spatial_bn(num_filters)
        self.add_relu()
        last = self.add_conv(num_filters, num_filters, kernel=3, pad=1)
        if spatial_batch_norm:
            last = self.add_spatial_bn(num_filters)

        if num_filters != input_filters:
            shortcut = self._projected(shortcut, input_filters, num_filters, stride, spatial_batch_norm)
        self._join(shortcut, last)


def create_resnet_32x32(
    model: Any, data: Any, num_input_channels: int, num_groups: int, num_labels: int, is_test: bool = False
) -> BlobReference:
    """A residual network for pictures of 32x32 pixels; returns the probabilities.

    Args:
        data: Pictures ``(N, channels, 32, 32)``.
        num_groups: Blocks in each half of a stage; the net has ``12 * num_groups + 2`` layers.
        num_labels: How many classes there are.
    """
    brew.conv(model, data, "conv1", num_input_channels, 16, kernel=3, stride=1)
    brew.spatial_bn(model, "conv1", "conv1_spatbn", 16, epsilon=1e-3, is_test=is_test)
    brew.relu(model, "conv1_spatbn", "relu1")

    builder = ResNetBuilder(model, "relu1", no_bias=0, is_test=is_test)
    channels = 16
    for stage, filters in enumerate((16, 32, 64)):
        for block in range(2 * num_groups):
            builder.add_simple_block(channels, filters, down_sampling=block == 0 and stage > 0)
            channels = filters

    brew.average_pool(model, builder.prev_blob, "final_avg", kernel=8, stride=1)
    brew.fc(model, "final_avg", "last_out", 64, num_labels)
    return brew.softmax(model, "last_out", "softmax")


def create_resnext(
    model: Any,
    data: Any,
    num_input_channels: int,
    num_labels: int,
    num_layers: int,
    num_groups: int,
    num_width_per_group: int,
    label: Any = None,
    is_test: bool = False,
    no_loss: bool = False,
    no_bias: bool | int = 1,
    conv1_kernel: int = 7,
    conv1_stride: int = 2,
    final_avg_kernel: int = 7,
    log: Any = None,
    bn_epsilon: float = 1e-5,
    bn_momentum: float = 0.9,
) -> Any:
    """A residual network whose 3x3 convolutions go over groups of channels.

    Args:
        data: Pictures ``(N, channels, height, width)``.
        num_labels: How many classes there are.
        num_layers: 18, 34, 50, 101, 152 or 200.
        num_groups, num_width_per_group: Groups in the first stage, and channels of each.
        label: The labels, for a net that trains.
        no_loss: Whether to end with the scores.
        no_bias: Whether convolutions have no bias.
        conv1_kernel, conv1_stride, final_avg_kernel: For pictures of other sizes than 224x224.

    Returns:
        Probabilities and loss with ``label``; the scores with ``no_loss``; else the probabilities.
    """
    if num_layers not in _STAGES:
        raise ValueError(f"There is no ResNeXt of {num_layers} layers; there are {', '.join(map(str, _STAGES))}.")
    filters = [64, 64, 128, 256, 512] if num_layers in (18, 34) else [64, 256, 512, 1024, 2048]

    conv = brew.conv(
        model,
        data,
        "conv1",
        num_input_channels,
        filters[0],
        weight_init=_MSRA,
        kernel=conv1_kernel,
        stride=conv1_stride,
        pad=3,
        no_bias=no_bias,
    )
    normal = brew.spatial_bn(
        model, conv, "conv1_spatbn_relu", filters[0], epsilon=bn_epsilon, momentum=bn_momentum, is_test=is_test
    )
    rectified = brew.relu(model, normal, normal)
    pooled = brew.max_pool(model, rectified, "pool1", kernel=3, stride=2, pad=1)

    builder = ResNetBuilder(
        model, pooled, no_bias=no_bias, is_test=is_test, bn_epsilon=bn_epsilon, bn_momentum=bn_momentum
    )
    inner = num_groups * num_width_per_group
    for stage, blocks in enumerate(_STAGES[num_layers]):
        channels = filters[stage]
        for block in range(blocks):
            stride = 2 if block == 0 and stage > 0 else 1
            channels = builder.add_bottleneck(channels, inner, filters[stage + 1], stride=stride, group=num_groups)
        inner *= 2

    average = brew.average_pool(
        model, builder.prev_blob, "final_avg", kernel=final_avg_kernel, stride=1, global_pooling=True
    )
    scores = brew.fc(model, average, f"last_out_L{num_labels}", filters[-1], num_labels)
    if no_loss:
        return scores
    if label is not None:
        return model.SoftmaxWithLoss([scores, label], ["softmax", "loss"])
    return brew.softmax(model, scores, "softmax")


def create_resnet50(
    model: Any,
    data: Any,
    num_input_channels: int,
    num_labels: int,
    label: Any = None,
    is_test: bool = False,
    no_loss: bool = False,
    no_bias: bool | int = 0,
    conv1_kernel: int = 7,
    conv1_stride: int = 2,
    final_avg_kernel: int = 7,
) -> Any:
    """ResNet of 50 layers; arguments and result as for ``create_resnext``."""
    return create_resnext(
        model,
        data,
        num_input_channels,
        num_labels,
        num_layers=50,
        num_groups=1,
        num_width_per_group=64,
        label=label,
        is_test=is_test,
        no_loss=no_loss,
        no_bias=no_bias,
        conv1_kernel=conv1_kernel,
        conv1_stride=conv1_stride,
        final_avg_kernel=final_avg_kernel,
    )
