"""Regularizers: penalties on parameters in the loss, and bounds that hold after each update."""

from __future__ import annotations

from c2lab.optimizers.bounds import (
    BoundedGradientProjection,
    ConstantNorm,
    LogBarrier,
    MaxNorm,
    SparseL1Norm,
    SparseL2Norm,
    SparseLpNorm,
)
from c2lab.optimizers.penalties import (
    ElasticNet,
    ElasticNetL1NormTrimmed,
    GroupL1Norm,
    L0ApproxNorm,
    L1Norm,
    L1NormTrimmed,
    L2Norm,
    LpNorm,
)
from c2lab.optimizers.regularization import RegularizationBy, Regularizer

__all__ = [
    "BoundedGradientProjection",
    "ConstantNorm",
    "ElasticNet",
    "ElasticNetL1NormTrimmed",
    "GroupL1Norm",
    "L0ApproxNorm",
    "L1Norm",
    "L1NormTrimmed",
    "L2Norm",
    "LogBarrier",
    "LpNorm",
    "MaxNorm",
    "RegularizationBy",
    "Regularizer",
    "SparseL1Norm",
    "SparseL2Norm",
    "SparseLpNorm",
]
