"""What a model knows about each of its parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from c2lab.nets.blobs import BlobReference

if TYPE_CHECKING:
    from c2lab.operators.gradients import GradientSlice


class ParameterTags:
    """What a parameter is for."""

    BIAS = "BIAS"
    WEIGHT = "WEIGHT"
    # Not learned by gradients but computed on the way, like the running mean of a normalization.
    COMPUTED_PARAM = "COMPUTED_PARAM"


class ParameterInfo:
    """A parameter: its blob, its shape and, after the backward pass, its gradient.

    Args:
        param_id: A number, where the one who makes it counts.
        param: The blob.
        key: The field of the input record that it belongs to.
        shape: Its shape, where known.
        length: How many values a sample picks from it.
        grad: Its gradient.
        blob_copy: Copies in other precisions, by data type.

    Example:
        >>> info = ParameterInfo(None, BlobReference("fc_w"), shape=[10, 4])
        >>> info.name, info.size
        ('fc_w', 40)
    """

    def __init__(
        self,
        param_id: int | None,
        param: BlobReference,
        key: Any = None,
        shape: Sequence[int] | None = None,
        length: int | None = None,
        grad: BlobReference | GradientSlice | None = None,
        blob_copy: Mapping[int, BlobReference] | None = None,
    ) -> None:
        if not isinstance(param, BlobReference):
            raise AssertionError(f"A parameter is given as a BlobReference, not as {param!r}.")
        self.param_id = param_id
        self.name = str(param)
        self.blob = param
        self.key = key
        self.shape = shape
        self.size = None if shape is None else math.prod(shape)
        self.length = max(1, length or 1)
        self.grad: Any = grad
        self.blob_copy = blob_copy
        self.regularizer: Any = None
        self._optimizer: Any = None

    @property
    def parameter(self) -> BlobReference:
        """The blob."""
        return self.blob

    @property
    def optimizer(self) -> Any:
        """The parameter's own optimizer, which wins over the one of the whole model."""
        return self._optimizer

    @optimizer.setter
    def optimizer(self, value: Any) -> None:
        if self._optimizer is not None:
            raise AssertionError(f"{self.name} has an optimizer already.")
        self._optimizer = value

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"ParameterInfo({self.name!r}, shape={self.shape}, grad={self.grad})"
