"""Regularizers that put parameters back into bounds after each update."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from c2lab.nets.blobs import BlobReference
from c2lab.nets.net import Net
from c2lab.operators.gradients import GradientSlice
from c2lab.optimizers.iteration import BuildUniqueMutexIter
from c2lab.optimizers.regularization import Regularizer


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
