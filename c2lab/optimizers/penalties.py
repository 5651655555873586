"""Regularizers that add a penalty to the loss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from c2lab.nets.blobs import BlobReference
from c2lab.nets.net import Net
from c2lab.optimizers.regularization import Regularizer


class L1Norm(Regularizer):
    """``reg_lambda * |w|_1``."""

    def __init__(self, reg_lambda: float) -> None:
        super().__init__()
        self.reg_lambda = self._strength(reg_lambda)

    def _run_on_loss(self, net: Net, param_init_net: Net, param: BlobReference, grad: Any = None) -> BlobReference:
        output = net.NextScopedBlob(param + "_l1_regularization")
        self._scaled_norm(net, param, output, 1, self.reg_lambda)
        return output


class LpNorm(Regularizer):
    """``reg_lambda * |v|_p``, where ``v`` holds the lengths of the columns of the parameter."""

    def __init__(self, reg_lambda: float, p_value: float = 0.5) -> None:
        super().__init__()
        if reg_lambda <= 0:
            raise AssertionError(f"factor ahead of regularization should be greater than 0, not {reg_lambda}")
        if p_value <= 0:
            raise AssertionError(f"p_value factor should be greater than 0, not {p_value}")
        self.p_value = p_value
        self.reg_lambda = reg_lambda

    def _run_on_loss(self, net: Net, param_init_net: Net, param: BlobReference, grad: Any = None) -> BlobReference:
        output = net.NextScopedBlob(param + "_dense_feature_regularization")
        columns = self._feature_grouping(param, net)
        raised = net.Pow([columns], [net.NextScopedBlob("lp_vec_raised")], exponent=float(self.p_value))
        summed = net.ReduceFrontSum([raised], [net.NextScopedBlob("lp_vec_summed")])
        norm = net.Pow([summed], [net.NextScopedBlob("lp_vec")], exponent=1.0 / self.p_value)
        net.Scale([norm], [output], scale=float(self.reg_lambda))
        return output


class L0ApproxNorm(Regularizer):
    """About ``reg_lambda`` times the number of columns that are not 0.

    Args:
        reg_lambda: The strength.
        alpha: The length from which on a column counts in full.
        budget: How many columns are free.
    """

    def __init__(self, reg_lambda: float, alpha: float = 0.01, budget: float = 0) -> None:
        super().__init__()
        if alpha <= 0:
            raise AssertionError(f"alpha factor should be a positive value, not {alpha}")
        if budget < 0:
            raise AssertionError(f"budget factor should be greater than or equal to 0, not {budget}")
        self.reg_lambda = self._strength(reg_lambda)
        self.alpha = alpha
        self.budget = float(budget)

    def _run_on_loss(self, net: Net, param_init_net: Net, param: BlobReference, grad: Any = None) -> BlobReference:
        output = net.NextScopedBlob(param + "_dense_feature_regularization")
        columns = self._feature_grouping(param, net)
        sizes = net.Abs([columns], [net.NextScopedBlob("l0_abs")])
        cut = net.Clip([sizes], [net.NextScopedBlob("l0_min")], max=float(self.alpha))
        summed = net.ReduceFrontSum([cut], [net.NextScopedBlob("l0_summed")])
        norm = net.Scale([summed], [net.NextScopedBlob("l0_norm")], scale=1.0 / self.alpha)
        if self.budget:
            free = net.ConstantFill([], "budget", shape=[1], value=self.budget)
            over = net.Sub([norm, free], [net.NextScopedBlob("l0_budget")])
            norm = net.Relu([over], [net.NextScopedBlob("relu_l0_sub_budget")])
        net.Scale([norm], [output], scale=float(self.reg_lambda))
        return output


def _check_k(k: int) -> int:
    if not isinstance(k, int) or k < 1:
        raise AssertionError(f"k should be an int that is at least 1, not {k!r}")
    return k


class L1NormTrimmed(Regularizer):
    """The L1 norm of all but the ``k`` largest values (the trimmed lasso, arXiv 1708.04527)."""

    def __init__(self, reg_lambda: float, k: int) -> None:
        super().__init__()
        self.reg_lambda = self._strength(reg_lambda)
        self.k = _check_k(k)

    def _run_on_loss(self, net: Net, param_init_net: Net, param: BlobReference, grad: Any = None) -> BlobReference:
        output = net.NextScopedBlob(param + "_l1_trimmed_regularization")
        self._trimmed_l1(net, param, output, self.k, self.reg_lambda)
        return output


class L2Norm(Regularizer):
    """``reg_lambda * |w|_2^2``."""

    def __init__(self, reg_lambda: float) -> None:
        super().__init__()
        self.reg_lambda = self._strength(reg_lambda)

    def _run_on_loss(self, net: Net, param_init_net: Net, param: BlobReference, grad: Any = None) -> BlobReference:
        output = net.NextScopedBlob(param + "_l2_regularization")
        self._scaled_norm(net, param, output, 2, self.reg_lambda)
        return output


class ElasticNet(Regularizer):
    """``l1 * |w|_1 + l2 * |w|_2^2``."""

    def __init__(self, l1: float, l2: float) -> None:
        super().__init__()
        self.l1 = l1
        self.l2 = l2

    def _run_on_loss(self, net: Net, param_init_net: Net, param: BlobReference, grad: Any = None) -> BlobReference:
        output = net.NextScopedBlob(param + "_elastic_net_regularization")
        square, absolute = net.NextScopedBlob(param + "_l2_blob"), net.NextScopedBlob(param + "_l1_blob")
        self._scaled_norm(net, param, square, 2, self.l2)
        self._scaled_norm(net, param, absolute, 1, self.l1)
        net.Add([absolute, square], [output])
        return output


class ElasticNetL1NormTrimmed(Regularizer):
    """``ElasticNet`` whose L1 part spares the ``k`` largest values."""

    def __init__(self, l1: float, l2: float, k: int) -> None:
        super().__init__()
        self.l1 = l1
        self.l2 = l2
        self.k = _check_k(k)

    def _run_on_loss(self, net: Net, param_init_net: Net, param: BlobReference, grad: Any = None) -> BlobReference:
        output = net.NextScopedBlob(param + "_elastic_net_l1_trimmed_regularization")
        square = net.NextScopedBlob(param + "_l2_blob")
        self._scaled_norm(net, param, square, 2, self.l2)
        absolute = net.NextScopedBlob(param + "_l1_blob")
        self._trimmed_l1(net, param, absolute, self.k, self.l1)
        net.Add([absolute, square], [output])
        return output


class GroupL1Norm(Regularizer):
    """``reg_lambda`` times the sum, over groups of columns, of their length times the root of their number.

    It makes whole groups of inputs 0 (Scardapane et al., Neurocomputing 241, 2017).

    Args:
        reg_lambda: The strength.
        groups: How many columns each group has.
        stabilizing_val: Added under the root, whose gradient is large near 0.
    """

    def __init__(self, reg_lambda: float, groups: Sequence[int], stabilizing_val: float = 0) -> None:
        super().__init__()
        if not isinstance(groups, list):
            raise AssertionError(f"groups needs to be a list, not {groups!r}")
        self.reg_lambda = self._strength(reg_lambda)
        self.groups = groups
        self.stabilizing_val = stabilizing_val

    def _run_on_loss(self, net: Net, param_init_net: Net, param: BlobReference, grad: Any = None) -> BlobReference:
        squares = net.Sqr(param)
        columns = net.ReduceSum(squares, axes=[0], keepdims=0)
        lengths = net.GivenTensorIntFill([], 1, shape=[len(self.groups)], values=self.groups)
        sums = net.LengthsSum([columns, lengths])
        if self.stabilizing_val:
            small = net.ConstantFill([], 1, value=float(self.stabilizing_val))
            net.Add([sums, small], [sums], broadcast=1)
        roots = net.Sqrt(sums)
        factors = [math.sqrt(size) * self.reg_lambda for size in self.groups]
        weights = net.GivenTensorFill([], shape=[len(self.groups)], values=factors)
        scaled = net.Mul([roots, weights], ["normalized_l2_norm_scaled"])
        return net.LpNorm(scaled, ["group_l1_nrom"], p=1)
