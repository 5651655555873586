"""Normalizers: a normalization as a value, which layers are told to use."""

from __future__ import annotations

from typing import Any


class Normalizer:
    """Adds a normalization of a blob to a model; a kind of normalizer says which in ``_run``."""

    def __call__(self, net: Any, param: Any) -> Any:
        return self._run(net, param)

    def _run(self, net: Any, param: Any) -> Any:
        raise Exception(f"{type(self).__name__} does not say how it normalizes.")


class BatchNormalizer(Normalizer):
    """Batch normalization, for models that have a layer of this name."""

    def __init__(self, momentum: float, scale_init_value: float = 1.0) -> None:
        self._momentum = float(momentum)
        self._scale_init_value = float(scale_init_value)

    def _run(self, net: Any, param: Any) -> Any:
        return net.BatchNormalization(param, momentum=self._momentum, scale_init_value=self._scale_init_value)


class LayerNormalizer(Normalizer):
    """Layer normalization, for models that have a layer of this name."""

    def __init__(self, epsilon: float, use_layer_norm_op: bool = True, scale_init_value: float = 1.0) -> None:
        self._epsilon = float(epsilon)
        self._use_layer_norm_op = use_layer_norm_op
        self._scale_init_value = float(scale_init_value)

    def _run(self, net: Any, param: Any) -> Any:
        return net.LayerNormalization(
            param,
            epsilon=self._epsilon,
            use_layer_norm_op=self._use_layer_norm_op,
            scale_init_value=self._scale_init_value,
        )
