"""Adadelta."""

from __future__ import annotations

from typing import Any

from c2lab.nets.net import Net
from c2lab.operators.gradients import GradientSlice
from c2lab.optimizers.base import Optimizer
from c2lab.parameters.info import ParameterInfo


class AdadeltaOptimizer(Optimizer):
    """Steps as large, on average, as the last ones (arXiv 1212.5701).

    Args:
        alpha: The learning rate before the policy; with 0 parameters stay as they are.
        epsilon: Keeps the step finite.
        decay: How much of both averages is kept.
        policy: The learning rate policy, whose arguments are ``kwargs``.
        sparse_dedup_aggregator: How rows that a sparse gradient has twice are joined.
        engine: Passed on to the operators.
    """

    def __init__(
        self,
        alpha: float = 0.01,
        epsilon: float = 1e-4,
        decay: float = 0.95,
        policy: str = "fixed",
        sparse_dedup_aggregator: str | None = None,
        engine: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self.alpha = alpha
        self.epsilon = epsilon
        self.decay = decay
        self.policy = policy
        self.sparse_dedup_aggregator = sparse_dedup_aggregator
        self.engine = engine
        self.init_kwargs = kwargs

    def _run(self, net: Net, param_init_net: Net, param_info: ParameterInfo) -> None:
        if self.alpha <= 0:
            return
        param, grad = param_info.blob, param_info.grad
        lr, _ = self.build_lr(net, param_init_net, self.alpha, policy=self.policy, **self.init_kwargs)
        squares = self._keep(param_init_net, param, "_squared_moment")
        steps = self._keep(param_init_net, param, "_squared_moment_update")
        outputs = [param, squares, steps]
        arguments = {"epsilon": float(self.epsilon), "decay": float(self.decay), "engine": self.engine}
        if isinstance(grad, GradientSlice):
            grad = self.dedup(net, self.sparse_dedup_aggregator, grad)
            net.SparseAdadelta([*outputs, grad.indices, grad.values, lr], outputs, **arguments)
        else:
            net.Adadelta([*outputs, grad, lr], outputs, **arguments)
