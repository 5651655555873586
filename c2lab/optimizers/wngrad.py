"""WNGrad."""

from __future__ import annotations

from typing import Any

from c2lab.nets.net import Net
from c2lab.operators.gradients import GradientSlice
from c2lab.optimizers.base import Optimizer
from c2lab.parameters.info import ParameterInfo


class WngradOptimizer(Optimizer):
    """``w -= alpha * g / (b + epsilon)`` with ``b += |g|^2 / (b + epsilon)`` (arXiv 1803.02865).

    Args:
        alpha: The learning rate before the policy; with 0 parameters stay as they are.
        epsilon: Keeps the step finite.
        policy: The learning rate policy, whose arguments are ``kwargs``.
        sparse_dedup_aggregator: How rows that a sparse gradient has twice are joined.
        engine: Passed on to the operators.
        moment_init: The first ``b``.
        lars: The offset of layer-wise rates, or none.
        output_effective_lr: Whether ``<grad>_effective_lr`` is written.
        output_effective_lr_and_update: Whether ``<grad>_update`` is written, too.
    """

    def __init__(
        self,
        alpha: float = 1.0,
        epsilon: float = 1e-9,
        policy: str = "fixed",
        sparse_dedup_aggregator: str | None = None,
        engine: str = "",
        moment_init: float = 100.0,
        lars: float | None = None,
        output_effective_lr: bool = False,
        output_effective_lr_and_update: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self.alpha = alpha
        self.epsilon = epsilon
        self.policy = policy
        self.sparse_dedup_aggregator = sparse_dedup_aggregator
        self.engine = engine
        self.moment_init = moment_init
        self.lars = lars
        self.output_effective_lr = output_effective_lr
        self.output_effective_lr_and_update = output_effective_lr_and_update
        self.init_kwargs = kwargs

    def _run(self, net: Net, param_init_net: Net, param_info: ParameterInfo) -> None:
        if self.alpha <= 0:
            return
        param, grad = param_info.blob, param_info.grad
        self._apply_lars(net, param_init_net, param_info, self.lars)
        lr, _ = self.build_lr(net, param_init_net, self.alpha, policy=self.policy, **self.init_kwargs)
        moment = param_init_net.ConstantFill([], f"{param}_moment", shape=[1], value=float(self.moment_init))
        self._aux_params.local.append(moment)
        outputs: list[Any] = [param, moment]
        arguments = {"epsilon": float(self.epsilon), "engine": self.engine}
        if isinstance(grad, GradientSlice):
            grad = self.dedup(net, self.sparse_dedup_aggregator, grad)
            net.SparseWngrad([param, moment, grad.indices, grad.values, lr], outputs, **arguments)
            return
        if self.output_effective_lr or self.output_effective_lr_and_update:
            outputs.append(f"{grad}_effective_lr")
        if self.output_effective_lr_and_update:
            outputs.append(f"{grad}_update")
        net.Wngrad([param, moment, grad, lr], outputs, **arguments)
