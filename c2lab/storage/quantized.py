"""Quantized tensors: whole numbers that stand for real ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from c2lab.errors import TypeMismatch


class Int8Tensor(NamedTuple):
    """A quantized tensor as users feed and fetch it: real values are ``scale * (data - zero_point)``."""

    data: Any
    scale: float
    zero_point: int


class Quantization(NamedTuple):
    """What the numbers of a quantized tensor mean: number ``q`` stands for ``scale * (q - zero_point)``."""

    scale: float
    zero_point: int


@dataclass(frozen=True, eq=False)
class QuantizedTensor:
    """What a blob holds that is quantized: uint8 (or int32, for a bias) numbers with scale and zero point.

    Example:
        >>> print(QuantizedTensor(np.uint8([127, 129]), 0.5, 128))
        [127 129] (scale 0.5, zero point 128)
    """

    data: Any
    scale: float
    zero_point: int

    type_name = "caffe2::int8::Int8TensorCPU"

    @property
    def quantization(self) -> Quantization:
        """Scale and zero point."""
        return Quantization(self.scale, self.zero_point)

    @property
    def shape(self) -> tuple[Any, ...]:
        """The sizes of the numbers."""
        return self.data.shape

    @property
    def ndim(self) -> int:
        """How many dimensions there are."""
        return self.data.ndim

    @property
    def dtype(self) -> Any:
        """The type of the numbers."""
        return self.data.dtype

    @property
    def nbytes(self) -> int:
        """The bytes that the numbers take."""
        return self.data.nbytes

    def with_data(self, data: Any) -> QuantizedTensor:
        """Other numbers of the same meaning."""
        return QuantizedTensor(data, self.scale, self.zero_point)

    def real_values(self) -> np.ndarray:
        """What the numbers stand for, float32."""
        away = np.asarray(self.data).astype(np.int32) - np.int32(self.zero_point)
        return away.astype(np.float32) * np.float32(self.scale)

    def __str__(self) -> str:
        return f"{self.data} (scale {self.scale:g}, zero point {self.zero_point})"


def quantized_tensor(data: Any, scale: float, zero_point: int) -> QuantizedTensor:
    """A quantized tensor of values that come from outside.

    Raises:
        TypeMismatch: ``data`` is neither uint8 nor int32.
    """
    data = np.array(data, copy=True, order="C")
    if data.dtype not in (np.uint8, np.int32):
        raise TypeMismatch(f"the data of an Int8Tensor is {data.dtype}; it must be uint8, or int32 for a bias")
    return QuantizedTensor(data, float(np.float32(scale)), int(zero_point))
