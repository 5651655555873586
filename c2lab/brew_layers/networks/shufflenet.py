"""ShuffleNet, version 2 (arXiv 1807.11164): grouped convolutions with shuffled channels, for small devices."""

from __future__ import annotations

from typing import Any

from c2lab import brew
from c2lab.nets.blobs import BlobReference

_MSRA = ("MSRAFill", {})
# Channels after the first convolution, of the three stages, and of the last convolution.
_WIDTHS = {
    "0.5x": [24, 48, 96, 192, 1024],
    "1.0x": [24, 116, 232, 464, 1024],
    "1.5x": [24, 176, 352, 704, 1024],
    "2.0x": [24, 244, 488, 976, 2048],
}


class ShuffleNetV2Builder:
    """Adds a ShuffleNet to a model with ``create``.

    Args:
        model: The model.
        data: Pictures ``(N, channels, height, width)``.
        num_input_channels, num_labels: Channels of the pictures, and number of classes.
        num_groups: Groups that the channels are shuffled among.
        width: ``"0.5x"``, ``"1.0x"``, ``"1.5x"`` or ``"2.0x"``.
        is_test: Whether the net predicts.
        detection: Whether units see more of the picture, to find objects in it.
        bn_epsilon: Of the batch normalizations.
    """

    def __init__(
        self,
        model: Any,
        data: Any,
        num_input_channels: int,
        num_labels: int,
        num_groups: int = 2,
        width: str = "1.0x",
        is_test: bool = False,
        detection: bool = False,
        bn_epsilon: float = 1e-5,
    ) -> None:
        if width not in _WIDTHS:
            raise ValueError(f"There is no ShuffleNet of width {width!r}; there are {', '.join(_WIDTHS)}.")
        self.model = model
        self.prev_blob = data
        self.num_input_channels = num_input_channels
        self.num_labels = num_labels
        self.num_groups = num_groups
        self.is_test = is_test
        self.detection = detection
        self.bn_epsilon = bn_epsilon
        self.output_channels = _WIDTHS[width]
        self.stage_repeats = [3, 7, 3]
        self.last_out: BlobReference | None = None

    def create(self) -> None:
        """Adds the network; its scores are ``last_out``."""
        channels = self.output_channels[0]
        self.prev_blob = brew.conv(
            self.model,
            self.prev_blob,
            "stage1_conv",
            self.num_input_channels,
            channels,
            weight_init=_MSRA,
            kernel=3,
            stride=2,
        )
        self.prev_blob = brew.max_pool(self.model, self.prev_blob, "stage1_pool", kernel=3, stride=2)
        stages = zip(self.output_channels[1:4], self.stage_repeats, strict=True)
        for stage, (out_channels, repeats) in enumerate(stages, start=2):
            self.add_spatial_ds_unit(f"stage{stage}_stride2", channels, out_channels)
            channels = out_channels
            for repeat in range(1, repeats + 1):
                self.add_basic_unit(f"stage{stage}_stride1_repeat{repeat}", channels)

        last = self.output_channels[4]
        self.last_conv = brew.conv(self.model, self.prev_blob, "conv5", channels, last, kernel=1)
        self.avg_pool = brew.average_pool(self.model, self.last_conv, "avg_pool", kernel=7)
        self.last_out = brew.fc(self.model, self.avg_pool, f"last_out_L{self.num_labels}", last, self.num_labels)

    def _joined(self, right: Any, left: Any, prefix: str) -> None:
        joined = brew.concat(self.model, [right, left], prefix + "_concat")
        self.prev_blob = self.model.net.ChannelShuffle(joined, prefix + "_ch_shuffle", group=self.num_groups, kernel=1)

    def add_spatial_ds_unit(self, prefix: str, in_channels: int, out_channels: int, stride: int = 2) -> None:
        """A unit that halves height and width: both branches see all channels."""
        left = right = self.prev_blob
        half = out_channels // 2
        if self.detection:
            left = self.add_detection_unit(left, prefix + "_left_detection", in_channels, in_channels)
        left = self.add_dwconv3x3_bn(left, prefix + "left_dwconv", in_channels, stride)
        left = self.add_conv1x1_bn(left, prefix + "_left_conv1", in_channels, half)

        if self.detection:
            right = self.add_detection_unit(right, prefix + "_right_detection", in_channels, in_channels)
        right = self.add_conv1x1_bn(right, prefix + "_right_conv1", in_channels, half)
        right = self.add_dwconv3x3_bn(right, prefix + "_right_dwconv", half, stride)
        right = self.add_conv1x1_bn(right, prefix + "_right_conv2", half, half)
        self._joined(right, left, prefix)

    def add_basic_unit(self, prefix: str, in_channels: int, stride: int = 1) -> None:
        """A unit whose left half of the channels passes through."""
        half = in_channels // 2
        left, right = self.model.net.Split(self.prev_blob, [prefix + "_left", prefix + "_right"])
        if self.detection:
            right = self.add_detection_unit(right, prefix + "_right_detection", half, half)
        right = self.add_conv1x1_bn(right, prefix + "_right_conv1", half, half)
        right = self.add_dwconv3x3_bn(right, prefix + "_right_dwconv", half, stride)
        right = self.add_conv1x1_bn(right, prefix + "_right_conv2", half, half)
        self._joined(right, left, prefix)

    def _normalized(self, blob: Any, name: Any, channels: int) -> BlobReference:
        return brew.spatial_bn(self.model, blob, name, channels, epsilon=self.bn_epsilon, is_test=self.is_test)

    def add_detection_unit(
        self, prev_blob: Any, prefix: str, in_channels: int, out_channels: int, kernel: int = 3, pad: int = 1
    ) -> BlobReference:
        """A depthwise convolution, normalized."""
        blob = brew.conv(
            self.model,
            prev_blob,
            prefix + "_conv",
            in_channels,
            out_channels,
            kernel=kernel,
            weight_init=_MSRA,
            group=in_channels,
            pad=pad,
        )
        return self._normalized(blob, prefix + "_bn", out_channels)

    def add_conv1x1_bn(self, prev_blob: Any, blob: str, in_channels: int, out_channels: int) -> BlobReference:
        """A 1x1 convolution, normalized and rectified."""
        conv = brew.conv(self.model, prev_blob, blob, in_channels, out_channels, kernel=1, weight_init=_MSRA)
        normal = self._normalized(conv, conv + "_bn", out_channels)
        return brew.relu(self.model, normal, normal)

    def add_dwconv3x3_bn(self, prev_blob: Any, blob: str, channels: int, stride: int) -> BlobReference:
        """A depthwise 3x3 convolution, normalized."""
        conv = brew.conv(
            self.model,
            prev_blob,
            blob,
            channels,
            channels,
            kernel=3,
            weight_init=_MSRA,
            stride=stride,
            group=channels,
            pad=1,
        )
        return self._normalized(conv, conv + "_bn", channels)


def create_shufflenet(
    model: Any,
    data: Any,
    num_input_channels: int,
    num_labels: int,
    label: Any = None,
    is_test: bool = False,
    no_loss: bool = False,
) -> Any:
    """ShuffleNet of width 1.0x.

    Returns:
        The scores with ``no_loss``; probabilities and loss with ``label``; else the probabilities.
    """
    builder = ShuffleNetV2Builder(model, data, num_input_channels, num_labels, is_test=is_test)
    builder.create()
    if no_loss:
        return builder.last_out
    if label is not None:
        return model.SoftmaxWithLoss([builder.last_out, label], ["softmax", "loss"])
    return brew.softmax(model, builder.last_out, "softmax")
