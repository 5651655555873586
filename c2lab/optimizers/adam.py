"""Adam."""

from __future__ import annotations

from typing import Any

from c2lab.nets.net import Net
from c2lab.operators.gradients import GradientSlice
from c2lab.optimizers.base import Optimizer
from c2lab.parameters.info import ParameterInfo
from c2lab.parameters.shapes import filled_by_row


class AdamOptimizer(Optimizer):
    """Steps from bias-corrected averages of the gradient and of its square (arXiv 1412.6980).

    Args:
        alpha: The learning rate before the policy; with 0 parameters stay as they are.
        beta1, beta2: How much of the two averages is kept.
        epsilon: Keeps the step finite; it is added after the square root, and not bias-corrected.
        policy: The learning rate policy, whose arguments are ``kwargs``.
        use_lr_adaption: Whether the rate follows how well the last step agrees with the gradient.
        lr_alpha: How fast it does so.
        normalized_lr_adaption: Whether it goes by the angle, and not by the inner product.
        sparse_dedup_aggregator: How rows that a sparse gradient has twice are joined.
        rowWise: Whether a row of the parameter shares one average of squares; for sparse gradients.
        engine: Kept for old scripts.
        enableRAdam: The rectified variant (arXiv 1908.03265), for sparse gradients.
    """

    def __init__(
        self,
        alpha: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        policy: str = "fixed",
        use_lr_adaption: bool = False,
        lr_alpha: float = 0.01,
        normalized_lr_adaption: bool = True,
        sparse_dedup_aggregator: str | None = None,
        rowWise: bool = False,
        engine: str = "",
        enableRAdam: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self.alpha = alpha
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.policy = policy
        self.use_lr_adaption = use_lr_adaption
        self.lr_alpha = lr_alpha
        self.normalized_lr_adaption = normalized_lr_adaption
        self.sparse_dedup_aggregator = sparse_dedup_aggregator
        self.rowWise = rowWise
        self.engine = engine
        self.enableRAdam = enableRAdam
        self.init_kwargs = kwargs

    def _run(self, net: Net, param_init_net: Net, param_info: ParameterInfo) -> None:
        if self.alpha <= 0:
            return
        param, grad = param_info.blob, param_info.grad
        sparse = isinstance(grad, GradientSlice)
        if self.rowWise and not sparse:
            raise AssertionError(f"rowWise is for sparse gradients; the one of {param_info.name} is dense.")
        if self.rowWise and self.enableRAdam:
            raise AssertionError("Currently, RowWiseSparseAdam is not supported by RAdam!")
        lr, iteration = self.build_lr(net, param_init_net, self.alpha, policy=self.policy, **self.init_kwargs)
        first = param_init_net.ConstantFill([param], param + "_first_moment", value=0.0)
        if self.rowWise:
            second = filled_by_row(param_init_net, param_info, "_avg_second_moment")
        else:
            second = param_init_net.ConstantFill([param], param + "_second_moment", value=0.0)
        self._aux_params.shared.append(iteration)
        self._aux_params.local.extend([first, second])

        outputs: list[Any] = [param, first, second]
        effective = f"{param}_effective_grad"
        if self.use_lr_adaption:
            outputs.append(effective)
        arguments = {name: float(getattr(self, name)) for name in ("beta1", "beta2", "epsilon")}
        if sparse:
            grad = self.dedup(net, self.sparse_dedup_aggregator, grad)
            inputs = [param, first, second, grad.indices, grad.values, lr, iteration]
            if self.rowWise:
                net.RowWiseSparseAdam(inputs, outputs, **arguments)
            else:
                net.SparseAdam(inputs, outputs, **arguments, enableRAdam=self.enableRAdam)
        else:
            net.Adam([param, first, second, grad, lr, iteration], outputs, **arguments)
        if self.use_lr_adaption:
            net.LearningRateAdaption(
                [lr, grad.values if sparse else grad, effective],
                [lr],
                lr_alpha=float(self.lr_alpha),
                normalized_lr_adaption=self.normalized_lr_adaption,
            )
