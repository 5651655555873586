"""YellowFin."""

from __future__ import annotations

from typing import Any

from c2lab.nets.net import Net
from c2lab.optimizers.base import Optimizer
from c2lab.optimizers.iteration import BuildUniqueMutexIter
from c2lab.parameters.info import ParameterInfo

# How many running numbers the operator keeps beside its averages.
_SCALARS = 5


class YellowFinOptimizer(Optimizer):
    """Momentum that tunes its learning rate and its momentum itself (arXiv 1706.03471).

    Args:
        alpha: The first learning rate.
        mu: The first momentum.
        beta: How much of the running averages is kept.
        curv_win_width: Over how many steps the curvature is looked at.
        zero_debias: Whether averages are corrected for starting at 0.
        epsilon: Keeps the numbers finite.
        policy, sparse_dedup_aggregator: Kept for old scripts.
    """

    def __init__(
        self,
        alpha: float = 0.1,
        mu: float = 0.0,
        beta: float = 0.999,
        curv_win_width: int = 20,
        zero_debias: bool = True,
        epsilon: float = 0.1**6,
        policy: str = "fixed",
        sparse_dedup_aggregator: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self.alpha = alpha
        self.mu = mu
        self.beta = beta
        self.curv_win_width = curv_win_width
        self.zero_debias = zero_debias
        self.epsilon = epsilon
        self.policy = policy
        self.sparse_dedup_aggregator = sparse_dedup_aggregator
        self.init_kwargs = kwargs

    def _run(self, net: Net, param_init_net: Net, param_info: ParameterInfo) -> None:
        if self.alpha <= 0:
            raise AssertionError(f"Expect a positive learning rate, got {self.alpha}")
        self._refuse_sparse(param_info)
        param = param_info.blob

        def filled(suffix: str, width: int, value: float) -> Any:
            return param_init_net.ConstantFill([], param + suffix, shape=[width], value=value)

        def like_param(suffix: str) -> Any:
            return param_init_net.ConstantFill([param], param + suffix, value=0.0)

        moment = like_param("_moment")
        curvatures = filled("_curv_win", self.curv_win_width, 0.0)
        gradients, squares = like_param("_g_avg"), like_param("_g2_avg")
        lr, mu = filled("_lr_avg", 1, float(self.alpha)), filled("_mu_avg", 1, float(self.mu))
        scalars = filled("_scalars_memory", _SCALARS, 0.0)
        iteration = BuildUniqueMutexIter(param_init_net, net, iter_val=0)
        self._aux_params.shared.append(iteration)
        kept = [moment, lr, mu, curvatures, gradients, squares, scalars]
        self._aux_params.local.extend(kept)
        net.YellowFin(
            [param, *kept, param_info.grad, iteration],
            [param, *kept],
            beta=float(self.beta),
            epsilon=float(self.epsilon),
            curv_win_width=self.curv_win_width,
            zero_debias=self.zero_debias,
        )
