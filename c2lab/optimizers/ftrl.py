"""Follow the regularized leader."""

from __future__ import annotations

from c2lab.nets.net import Net
from c2lab.operators.gradients import GradientSlice
from c2lab.optimizers.base import Optimizer
from c2lab.parameters.info import ParameterInfo


class FtrlOptimizer(Optimizer):
    """FTRL-proximal (McMahan et al. 2013), which sets small parameters to 0. It has no learning rate policy.

    Args:
        alpha: The learning rate; with 0 parameters stay as they are.
        beta: Smooths the first steps.
        lambda1, lambda2: Strengths of the L1 and of the L2 penalty.
        sparse_dedup_aggregator: How rows that a sparse gradient has twice are joined.
        engine: Passed on to the operators.
    """

    _suffix = "_ftrl_nz"

    def __init__(
        self,
        alpha: float = 0.01,
        beta: float = 1e-4,
        lambda1: float = 0,
        lambda2: float = 0,
        sparse_dedup_aggregator: str | None = None,
        engine: str | None = "",
    ) -> None:
        super().__init__()
        self.alpha = alpha
        self.beta = beta
        self.lambda1 = lambda1
        self.lambda2 = lambda2
        self.sparse_dedup_aggregator = sparse_dedup_aggregator
        self.engine = engine

    def _run(self, net: Net, param_init_net: Net, param_info: ParameterInfo) -> None:
        if self.alpha <= 0:
            return
        param = param_info.blob
        state = param_init_net.ConstantFill([param], str(param) + self._suffix, extra_shape=[2], value=0.0)
        self._aux_params.local.append(state)
        arguments = {name: float(getattr(self, name)) for name in ("alpha", "beta", "lambda1", "lambda2")}
        self._update(net, param_info, state, {"engine": self.engine, **arguments})

    def _update(self, net: Net, param_info: ParameterInfo, state: object, arguments: dict[str, object]) -> None:
        param, grad = param_info.blob, param_info.grad
        if isinstance(grad, GradientSlice):
            grad = self.dedup(net, self.sparse_dedup_aggregator, grad)
            net.SparseFtrl([param, state, grad.indices, grad.values], [param, state], **arguments)
        else:
            net.Ftrl([param, state, grad], [param, state], **arguments)


class GFtrlOptimizer(FtrlOptimizer):
    """FTRL with a group penalty: whole columns of a parameter become 0.

    Args:
        alpha, beta, lambda1, lambda2, sparse_dedup_aggregator, engine: As for ``FtrlOptimizer``.
    """

    _suffix = "_gftrl_nz"

    def _update(self, net: Net, param_info: ParameterInfo, state: object, arguments: dict[str, object]) -> None:
        self._refuse_sparse(param_info)
        param = param_info.blob
        net.GFtrl([param, state, param_info.grad], [param, state], **arguments)
