"""STORM."""

from __future__ import annotations

from typing import Any

from c2lab.nets.net import Net
from c2lab.operators.gradients import GradientSlice
from c2lab.optimizers.base import Optimizer
from c2lab.parameters.info import ParameterInfo


class StormOptimizer(Optimizer):
    """Recursive momentum with a rate that falls as gradients add up (arXiv 1905.10018).

    Args:
        lr: The learning rate before the policy; with 0 parameters stay as they are.
        momentum: Called c in the paper.
        beta: Called w in the paper.
        grad_sq_init: The first sum of squared gradients.
        policy: The learning rate policy, whose arguments are ``kwargs``.
        sparse_dedup_aggregator: How rows that a sparse gradient has twice are joined.
        lars: The offset of layer-wise rates, or none.
    """

    _rate = "lr"

    def __init__(
        self,
        lr: float = 0.1,
        momentum: float = 10.0,
        beta: float = 0.1,
        grad_sq_init: float = 0.01,
        policy: str = "fixed",
        sparse_dedup_aggregator: str | None = None,
        lars: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self.lr = lr
        self.momentum = momentum
        self.beta = beta
        self.grad_sq_init = grad_sq_init
        self.policy = policy
        self.sparse_dedup_aggregator = sparse_dedup_aggregator
        self.lars = lars
        self.init_kwargs = kwargs

    def _run(self, net: Net, param_init_net: Net, param_info: ParameterInfo) -> None:
        if self.lr <= 0:
            return
        param, grad = param_info.blob, param_info.grad
        self._apply_lars(net, param_init_net, param_info, self.lars)
        lr, _ = self.build_lr(net, param_init_net, self.lr, policy=self.policy, **self.init_kwargs)
        moment = self._keep(param_init_net, param, "_moment")
        squares = param_init_net.ConstantFill([], f"{param}_grad_sq_sum", shape=[1], value=float(self.grad_sq_init))
        self._aux_params.local.append(squares)
        outputs = [param, moment, squares]
        arguments = {"momentum": float(self.momentum), "beta": float(self.beta)}
        if isinstance(grad, GradientSlice):
            grad = self.dedup(net, self.sparse_dedup_aggregator, grad)
            net.SparseStorm([param, moment, squares, grad.values, grad.indices, lr], outputs, **arguments)
        else:
            net.Storm([param, moment, squares, grad, lr], outputs, **arguments)
