"""Regularizers: penalties on parameters in the loss, and corrections after each update."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from c2lab.nets.blobs import BlobReference
from c2lab.nets.net import Net
from c2lab.operators.gradients import GradientSlice
from c2lab.optimizers.iteration import BuildUniqueMutexIter


class RegularizationBy:
    """Where a regularizer acts."""

    AFTER_OPTIMIZER = "after_optimizer"
    ON_LOSS = "on_loss"


class Regularizer:
    """Adds to a net what keeps one parameter in bounds.

    A kind of regularizer says what it adds to the loss (``_run_on_loss`` returns the blob of the penalty), what it
    does after the optimizer (``_run_after_optimizer``), or both.
    """

    def __init__(self) -> None:
        self.kEpsilon = 1e-9

    def __call__(
        self, net: Net, param_init_net: Net, param: BlobReference, grad: Any = None, by: str | None = None
    ) -> BlobReference | None:
        """Adds the operators.

        Args:
            net: Gets them.
            param_init_net: Gets the fills of what they keep.
            param: The parameter.
            grad: Its gradient, for what is done after the optimizer.
            by: A value of ``RegularizationBy``.

        Returns:
            The penalty, for ``ON_LOSS``.
        """
        if not isinstance(param, BlobReference):
            raise AssertionError(f"A parameter is a BlobReference, not {param!r}.")
        if by == RegularizationBy.ON_LOSS:
            return self._run_on_loss(net, param_init_net, param, grad)
        if by == RegularizationBy.AFTER_OPTIMIZER:
            return self._run_after_optimizer(net, param_init_net, param, grad)
        raise AssertionError(
            f'Regularizer of type {type(self).__name__} is called with invalid by={by}; it is "on_loss" or '
            '"after_optimizer".'
        )

    def _run_on_loss(
        self, net: Net, param_init_net: Net, param: BlobReference, grad: Any = None
    ) -> BlobReference | None:
        return None

    def _run_after_optimizer(self, net: Net, param_init_net: Net, param: BlobReference, grad: Any) -> None:
        return None

    @staticmethod
    def _strength(reg_lambda: float) -> float:
        if reg_lambda < 0:
            raise AssertionError(f"factor ahead of regularization should be 0 or positive, not {reg_lambda}")
        return reg_lambda

    def _feature_grouping(self, param: BlobReference, net: Net) -> BlobReference:
        """The length of each column of the parameter."""
        squares = net.Mul([param, param], [net.NextScopedBlob("param_mul")])
        sums = net.ReduceFrontSum([squares], [net.NextScopedBlob("param_reduced")])
        return net.Pow([sums], [net.NextScopedBlob("grouped_feature_weight_vec")], exponent=0.5)

    def _scaled_norm(self, net: Net, param: BlobReference, output: BlobReference, p: int, scale: float) -> None:
        """``output = scale * |param|_p^p``."""
        net.LpNorm([param], [output], p=p)
        net.Scale([output], [output], scale=float(scale))

    def _trimmed_l1(self, net: Net, param: BlobReference, output: BlobReference, k: int, scale: float) -> None:
        """``output``: ``scale`` times the sum of all but the ``k`` largest absolute values of each row."""
        sizes = net.Abs([param], [net.NextScopedBlob("abs")])
        total = net.SumElements([sizes], [net.NextScopedBlob("sum_abs")], average=False)
        outputs = [net.NextScopedBlob(name) for name in ("topk", "id", "flat_id")]
        largest, _, _ = net.TopK([sizes], outputs, k=k)
        spared = net.SumElements([largest], [net.NextScopedBlob("topk_sum")], average=False)
        net.Sub([total, spared], [output])
        net.Scale([output], [output], scale=float(scale))

    def _ensure_clipped(
        self,
        net: Net,
        param: BlobReference,
        grad: Any = None,
        min: float | None = None,
        max: float | None = None,
        open_range: bool = False,
        left_open: bool = False,
        right_open: bool = False,
    ) -> None:
        """Puts the parameter, or the rows that a sparse gradient touched, back into a range."""
        if min is not None and (open_range or left_open):
            min += self.kEpsilon
        if max is not None and (open_range or right_open):
            max -= self.kEpsilon
        sparse = isinstance(grad, GradientSlice)
        bounds = {"min": min, "max": max}
        net.EnsureClipped(
            [param, grad.indices, grad.values] if sparse else [param],
            [param],
            **{name: float(bound) for name, bound in bounds.items() if bound is not None},
        )


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


class MaxNorm(Regularizer):
    """Shortens the rows that a sparse gradient touched to at most ``norm``."""

    _use_max_norm = True

    def __init__(self, norm: float = 1.0) -> None:
        super().__init__()
        self.norm = norm

    def _run_after_optimizer(self, net: Net, param_init_net: Net, param: BlobReference, grad: Any) -> None:
        if self.norm <= 0:
            raise AssertionError(f"norm should be bigger than 0, not {self.norm}")
        if not isinstance(grad, GradientSlice):
            raise NotImplementedError(f"{type(self).__name__} is not supported for dense parameters")
        net.SparseNormalize(
            [param, grad.indices, grad.values], [param], use_max_norm=self._use_max_norm, norm=float(self.norm)
        )


class ConstantNorm(MaxNorm):
    """Brings the rows that a sparse gradient touched to the length ``norm``."""

    _use_max_norm = False


class SparseLpNorm(Regularizer):
    """Shrinks the rows that a sparse gradient touched, by the L1 or the L2 norm."""

    def __init__(self, p: float, reg_lambda: float) -> None:
        super().__init__()
        if p not in (1.0, 2.0):
            raise AssertionError(f"Sparse Lp regularization only implemented for p = 1.0 and p = 2.0, not {p}")
        if reg_lambda <= 0:
            raise AssertionError(f"factor ahead of regularization should be greater than 0, not {reg_lambda}")
        self.p = float(p)
        self.reg_lambda = reg_lambda

    def _run_after_optimizer(self, net: Net, param_init_net: Net, param: BlobReference, grad: Any) -> None:
        if not isinstance(grad, GradientSlice):
            raise NotImplementedError(f"{type(self).__name__} is not supported for dense parameters")
        inputs = [param, grad.indices, grad.values]
        net.SparseLpRegularizer(inputs, [param], p=self.p, reg_lambda=float(self.reg_lambda))


class SparseL1Norm(SparseLpNorm):
    """``SparseLpNorm`` with the L1 norm."""

    def __init__(self, reg_lambda: float) -> None:
        super().__init__(p=1.0, reg_lambda=reg_lambda)


class SparseL2Norm(SparseLpNorm):
    """``SparseLpNorm`` with the L2 norm."""

    def __init__(self, reg_lambda: float) -> None:
        super().__init__(p=2.0, reg_lambda=reg_lambda)


class LogBarrier(Regularizer):
    """Keeps a parameter positive: ``-reg_lambda * discount * sum(log w)`` in the loss, and clipping after the update.

    Args:
        reg_lambda: The strength.
        discount_policy: How it falls with the steps, like a learning rate.
        discount_options: Arguments of the policy.
    """

    def __init__(
        self,
        reg_lambda: float,
        discount_policy: str = "inv",
        discount_options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if reg_lambda <= 0:
            raise AssertionError(f"factor ahead of regularization should be greater than 0, not {reg_lambda}")
        self.reg_lambda = reg_lambda
        self.discount_policy = discount_policy
        self.discount_options = discount_options or {"gamma": 1.0, "power": 1.0}

    def _run_on_loss(self, net: Net, param_init_net: Net, param: BlobReference, grad: Any = None) -> BlobReference:
        iteration = BuildUniqueMutexIter(param_init_net, net)
        discount = net.NextScopedBlob(param + "_log_barrier_discount")
        net.LearningRate(
            [iteration],
            [discount],
            base_lr=-float(self.reg_lambda),
            policy=self.discount_policy,
            **self.discount_options,
        )
        # The parameter may start, or end up, slightly below 0.
        positive = net.NextScopedBlob(param + "_non_neg")
        net.Clip([param], [positive], min=self.kEpsilon)
        logarithm = net.NextScopedBlob(param + "_log")
        net.Log([positive], [logarithm])
        total = net.NextScopedBlob(param + "_log_sum")
        net.SumElements([logarithm], [total])
        output = net.NextScopedBlob(param + "_log_barrier")
        net.Mul([total, discount], [output], broadcast=1)
        return output

    def _run_after_optimizer(self, net: Net, param_init_net: Net, param: BlobReference, grad: Any) -> None:
        self._ensure_clipped(net, param, grad, min=0, open_range=True)


class BoundedGradientProjection(Regularizer):
    """Puts a parameter back between two bounds after each update.

    Args:
        lb, ub: The bounds; ``None`` for no bound.
        left_open, right_open: Whether the bound itself is outside.
        epsilon: How far a value stays away from an open bound.
    """

    def __init__(
        self,
        lb: float | None = None,
        ub: float | None = None,
        left_open: bool = False,
        right_open: bool = False,
        epsilon: float | None = None,
    ) -> None:
        super().__init__()
        lb = float(lb) if lb is not None else None
        ub = float(ub) if ub is not None else None
        epsilon = float(epsilon) if epsilon is not None else self.kEpsilon
        if epsilon <= 0:
            raise AssertionError(f"Bounded Gradient Projection with invalid eps={epsilon}")
        lowest = None if lb is None else lb + (epsilon if left_open else 0.0)
        highest = None if ub is None else ub - (epsilon if right_open else 0.0)
        if lowest is not None and highest is not None and lowest > highest:
            raise AssertionError(f"Bounded Gradient Projection with invalid bounds: nothing is between {lb} and {ub}.")
        self.left_open = left_open
        self.right_open = right_open
        self.kEpsilon = epsilon
        self.lb = lb
        self.ub = ub

    def _run_after_optimizer(self, net: Net, param_init_net: Net, param: BlobReference, grad: Any) -> None:
        self._ensure_clipped(
            net, param, grad, min=self.lb, max=self.ub, left_open=self.left_open, right_open=self.right_open
        )


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
