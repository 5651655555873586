"""All regularizers under one roof."""

from __future__ import annotations

from c2lab.optimizers import regularizers
from c2lab.optimizers.regularization import Regularizer

NAMES = """
BoundedGradientProjection ConstantNorm ElasticNet ElasticNetL1NormTrimmed GroupL1Norm L0ApproxNorm L1Norm
L1NormTrimmed L2Norm LogBarrier LpNorm MaxNorm RegularizationBy Regularizer SparseL1Norm SparseL2Norm SparseLpNorm
"""


def test_every_name_of_the_original_is_there():
    assert sorted(regularizers.__all__) == NAMES.split()
    kinds = [getattr(regularizers, name) for name in NAMES.split() if name != "RegularizationBy"]
    assert all(issubclass(kind, Regularizer) and kind.__doc__ for kind in kinds)
