"""Stochastic gradient descent, with momentum where wanted."""

from __future__ import annotations

from typing import Any

from c2lab.nets.net import Net
from c2lab.operators.gradients import GradientSlice
from c2lab.optimizers.base import Optimizer
from c2lab.parameters.info import ParameterInfo


class SgdOptimizer(Optimizer):
    """``w -= lr * g``; with momentum ``m = momentum * m + lr * g`` and ``w -= m``.

    Args:
        base_learning_rate: The learning rate before the policy; with 0 parameters stay as they are.
        policy: The learning rate policy, whose arguments are ``kwargs``.
        momentum: How much of the last step is kept.
        nesterov: Whether momentum looks one step ahead.
        sparse_dedup_aggregator: How rows that a sparse gradient has twice are joined: ``"sum"``, ``"mean"``.
        lars: The offset of layer-wise rates (LARS, arXiv 1708.03888), or none.
    """

    _rate = "base_learning_rate"

    def __init__(
        self,
        base_learning_rate: float = 0.01,
        policy: str = "fixed",
        momentum: float = 0.0,
        nesterov: bool = True,
        sparse_dedup_aggregator: str | None = None,
        lars: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self.base_learning_rate = base_learning_rate
        self.policy = policy
        self.momentum = momentum
        self.nesterov = nesterov
        self.sparse_dedup_aggregator = sparse_dedup_aggregator
        self.lars = lars
        self.init_kwargs = kwargs

    def _learns(self) -> bool:
        """Whether there is a rate to learn with."""
        if self.base_learning_rate < 0:
            raise AssertionError(f"Expect positive base learning rate, got {self.base_learning_rate}")
        return self.base_learning_rate > 0

    def _positive_lr(self, net: Net, param_init_net: Net) -> Any:
        """The rate for the operators that subtract their step."""
        rate = -self.base_learning_rate
        return self.build_lr(net, param_init_net, rate, policy=self.policy, **self.init_kwargs)[0]

    def _run(self, net: Net, param_init_net: Net, param_info: ParameterInfo) -> None:
        if not self._learns():
            return
        param, grad = param_info.blob, param_info.grad
        self._apply_lars(net, param_init_net, param_info, self.lars)
        if self.momentum:
            lr = self._positive_lr(net, param_init_net)
        else:
            # WeightedSum adds, so the rate is negative.
            rate = self.base_learning_rate
            lr, _ = self.build_lr(net, param_init_net, rate, policy=self.policy, **self.init_kwargs)
        one = self._one(param_init_net, with_node=True)
        self._aux_params.shared.append(one)
        if isinstance(grad, GradientSlice):
            grad = self.dedup(net, self.sparse_dedup_aggregator, grad)

        if self.momentum > 0:
            momentum = self._keep(param_init_net, param, "_momentum")
            arguments = {"momentum": float(self.momentum), "nesterov": self.nesterov}
            if isinstance(grad, GradientSlice):
                inputs, outputs = [grad.values, momentum, lr, param, grad.indices], [grad.values, momentum, param]
                net.SparseMomentumSGDUpdate(inputs, outputs, **arguments)
            else:
                net.MomentumSGDUpdate([grad, momentum, lr, param], [grad, momentum, param], **arguments)
        elif isinstance(grad, GradientSlice):
            net.ScatterWeightedSum([param, one, grad.indices, grad.values, lr], param)
        else:
            net.WeightedSum([param, one, grad, lr], param)
