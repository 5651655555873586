"""RMSProp."""

from __future__ import annotations

from typing import Any

from c2lab.nets.net import Net
from c2lab.optimizers.base import Optimizer
from c2lab.parameters.info import ParameterInfo


class RmsPropOptimizer(Optimizer):
    """``w -= alpha * g / sqrt(average of g^2 + epsilon)`` (Tieleman and Hinton 2012).

    Args:
        alpha: The learning rate before the policy.
        decay: How much of the average of squares is kept.
        momentum: How much of the last step is kept.
        epsilon: Keeps the step finite.
        policy: The learning rate policy, whose arguments are ``kwargs``.
        engine: Passed on to the operator.
    """

    def __init__(
        self,
        alpha: float = 0.01,
        decay: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-5,
        policy: str = "fixed",
        engine: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self.alpha = alpha
        self.decay = decay
        self.momentum = momentum
        self.epsilon = epsilon
        self.policy = policy
        self.engine = engine
        self.init_kwargs = kwargs

    def _run(self, net: Net, param_init_net: Net, param_info: ParameterInfo) -> None:
        if self.alpha <= 0:
            raise AssertionError(f"Expect a positive learning rate, got {self.alpha}")
        self._refuse_sparse(param_info)
        param, grad = param_info.blob, param_info.grad
        one = self._one(param_init_net)
        lr, _ = self.build_lr(net, param_init_net, -self.alpha, policy=self.policy, **self.init_kwargs)
        step = param_init_net.ConstantFill([param], f"{param}_grad_o", values=0.0)
        squares = param_init_net.ConstantFill([param], f"{param}_mean_squares", values=0.0)
        momentum = param_init_net.ConstantFill([param], f"{param}_momentum", values=0.0)
        self._aux_params.local.extend([squares, momentum])
        # The step is made at rate 1; the rate, and the momentum blob, are used once more to take it.
        net.RmsProp(
            [grad, squares, momentum, one],
            [step, squares, momentum],
            decay=float(self.decay),
            momentum=float(self.momentum),
            epsilon=float(self.epsilon),
            engine=self.engine,
        )
        net.MomentumSGDUpdate([step, momentum, lr, param], [step, momentum, param])
