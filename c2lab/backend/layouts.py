"""Channels last inside a compiled segment: what the user's net calls NCHW runs as NHWC where that is faster.

XLA's convolutions on the CPU read and write channels-last images with fewer cache misses.  In a
segment with many of them, images stay channels last from one operator to the next; a value is
turned back only where an operator wants it as written, or where it leaves the segment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from c2lab.graph.ir import Node

# Nets with fewer convolutions (LeNet) gain nothing: their images are small, and turning them costs.
FEWEST_CONVOLUTIONS = 8


@dataclass(frozen=True)
class ImageRule:
    """Which inputs and outputs of an operator are images or filters, by position.

    ``ordered`` operators take the argument ``order``; the others do the same in any layout, as
    long as all their inputs have one shape.
    """

    images: tuple[int, ...] = (0,)
    filters: tuple[int, ...] = ()
    made_images: tuple[int, ...] = (0,)
    made_filters: tuple[int, ...] = ()
    ordered: bool = True


_ELEMENTWISE = ImageRule(ordered=False)

RULES: dict[str, ImageRule] = {
    "Conv": ImageRule(filters=(1,)),
    "ConvGradient": ImageRule(images=(0, 2), filters=(1,), made_images=(-1,), made_filters=(0,)),
    "MaxPool": ImageRule(),
    "MaxPoolGradient": ImageRule(images=(0, 1, 2)),
    "AveragePool": ImageRule(),
    "AveragePoolGradient": ImageRule(images=(0, 1, 2)),
    "Concat": ImageRule(),
    "SpatialBN": ImageRule(),
    "SpatialBNGradient": ImageRule(images=(0, 2)),
    **dict.fromkeys(
        ("Relu", "ReluGradient", "Sigmoid", "SigmoidGradient", "Tanh", "TanhGradient", "LeakyRelu",
         "LeakyReluGradient", "Elu", "EluGradient", "Sum", "Copy"),
        _ELEMENTWISE,
    ),
}  # fmt: skip


class ChannelsLast:
    """An image ``(N, C, H, W)`` that is held as ``(N, H, W, C)``."""

    def __init__(self, turned: Any) -> None:
        self.turned = turned
        self._as_written: Any = None

    @property
    def as_written(self) -> Any:
        """The image as the net means it: ``(N, C, H, W)``."""
        if self._as_written is None:
            self._as_written = jnp.transpose(self.turned, (0, 3, 1, 2))
        return self._as_written


def as_written(value: Any) -> Any:
    """A value as the net means it, whatever the layout it is held in."""
    return value.as_written if isinstance(value, ChannelsLast) else value


def pays(nodes: Sequence[Node], platform: str) -> bool:
    """Whether channels last is worth it in this segment: many plain 2-D convolutions, on a CPU."""
    convolutions = sum(node.op.type == "Conv" and node.arguments.get("order") == "NCHW" for node in nodes)
    return platform == "cpu" and convolutions >= FEWEST_CONVOLUTIONS


def _turn(image: Any) -> Any:
    return image.turned if isinstance(image, ChannelsLast) else jnp.transpose(image, (0, 2, 3, 1))


def call_channels_last(node: Node, values: Sequence[Any], reserved: dict[str, Any]) -> tuple[Any, ...] | None:
    """The outputs of ``node`` on channels-last images, or ``None`` where it must run as written."""
    rule = RULES.get(node.op.type)
    if rule is None:
        return None
    if node.op.type == "Concat":
        return _joined(node, values, reserved)
    if not rule.ordered:
        return _elementwise(node, values, reserved)
    if node.arguments.get("order") != "NCHW" or any(as_shape(values[i]) is None for i in rule.images):
        return None
    if len(rule.images) == 1 and not rule.filters and not isinstance(values[0], ChannelsLast):
        return None  # nothing upstream is channels last: no reason to begin here
    turned: list[Any] = [as_written(value) if i not in rule.images else None for i, value in enumerate(values)]
    for i in rule.images:
        turned[i] = _turn(values[i])
    for i in rule.filters:
        if turned[i].ndim != 4:
            return None
        turned[i] = jnp.transpose(turned[i], (0, 2, 3, 1))
    count = len(node.outputs)
    arguments = {**node.arguments, "order": "NHWC"}
    results = list(node.operator.call(turned, arguments, num_outputs=count, **reserved))
    for i in rule.made_filters:
        results[i] = jnp.transpose(results[i], (0, 3, 1, 2))
    for i in rule.made_images:
        position = i % count
        # ConvGradient may leave dX out; then its last output is the filter's or the bias's.
        if position not in rule.made_filters and results[position].ndim == 4:
            results[position] = ChannelsLast(results[position])
    return tuple(results)


def _elementwise(node: Node, values: Sequence[Any], reserved: dict[str, Any]) -> tuple[Any, ...] | None:
    shapes = [as_shape(value) for value in values]
    if not any(isinstance(value, ChannelsLast) for value in values) or None in shapes or len(set(shapes)) != 1:
        return None
    results = node.operator.call(
        [_turn(value) for value in values], node.arguments, num_outputs=len(node.outputs), **reserved
    )
    return tuple(ChannelsLast(result) for result in results)


def _joined(node: Node, values: Sequence[Any], reserved: dict[str, Any]) -> tuple[Any, ...] | None:
    """``Concat`` along the channels, any number of images."""
    along_channels = node.arguments["axis"] in (None, 1) and node.arguments["order"] == "NCHW"
    images = all(as_shape(value) is not None for value in values)
    if not along_channels or not images or node.arguments["add_axis"]:
        return None
    if not any(isinstance(value, ChannelsLast) for value in values):
        return None
    arguments = {**node.arguments, "axis": 3}
    joined, *rest = node.operator.call(
        [_turn(value) for value in values], arguments, num_outputs=len(node.outputs), **reserved
    )
    return (ChannelsLast(joined), *rest)


def as_shape(value: Any) -> tuple[int, ...] | None:
    """The shape ``(N, C, H, W)`` of an image, or ``None`` for what is none."""
    if isinstance(value, ChannelsLast):
        n, h, w, c = value.turned.shape
        return n, c, h, w
    shape = getattr(value, "shape", ())
    return tuple(shape) if len(shape) == 4 else None
