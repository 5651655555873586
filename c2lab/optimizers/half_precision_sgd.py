"""Stochastic gradient descent for parameters in half precision."""

from __future__ import annotations

from typing import Any

from c2lab.nets.net import Net
from c2lab.optimizers.sgd import SgdOptimizer
from c2lab.parameters.info import ParameterInfo
from c2lab.proto import caffe2_pb2

_FLOAT, _FLOAT16 = caffe2_pb2.TensorProto.FLOAT, caffe2_pb2.TensorProto.FLOAT16


class MultiPrecisionSgdOptimizer(SgdOptimizer):
    """SGD that updates the float32 copy of a parameter and rounds it; a float32 parameter as ``SgdOptimizer`` does.

    Args:
        base_learning_rate, momentum, policy, nesterov, sparse_dedup_aggregator: As for ``SgdOptimizer``.
    """

    def __init__(
        self,
        base_learning_rate: float = 0.1,
        momentum: float = 0.0,
        policy: str = "fixed",
        nesterov: bool = True,
        sparse_dedup_aggregator: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(base_learning_rate, policy, momentum, nesterov, sparse_dedup_aggregator, **kwargs)

    def _run(self, net: Net, param_init_net: Net, param_info: ParameterInfo) -> None:
        if param_info.blob_copy is None:
            super()._run(net, param_init_net, param_info)
            return
        if not self._learns():
            return
        self._refuse_sparse(param_info)
        param, master, grad = param_info.blob, param_info.blob_copy[_FLOAT], param_info.grad
        lr = self._positive_lr(net, param_init_net)
        momentum = param_init_net.ConstantFill(master, str(param) + "_momentum", value=0.0)
        self._aux_params.local.append(momentum)
        grad = net.HalfToFloat(grad, grad + "_fp32")
        net.MomentumSGDUpdate(
            [grad, momentum, lr, master],
            [grad, momentum, master],
            momentum=float(self.momentum),
            nesterov=self.nesterov,
        )
        net.FloatToHalf(master, param)


class FP16SgdOptimizer(SgdOptimizer):
    """SGD with weight decay that updates parameters in half precision.

    Parameters of batch normalizations (``spatbn`` in the name) and those without a copy are updated in float32.

    Args:
        base_learning_rate, momentum, policy, nesterov, sparse_dedup_aggregator: As for ``SgdOptimizer``.
        weight_decay: What part of the parameter is added to its gradient.
    """

    def __init__(
        self,
        base_learning_rate: float = 0.1,
        momentum: float = 0.0,
        policy: str = "fixed",
        nesterov: bool = True,
        weight_decay: float = 0.0001,
        sparse_dedup_aggregator: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(base_learning_rate, policy, momentum, nesterov, sparse_dedup_aggregator, **kwargs)
        self.weight_decay = weight_decay

    def _run(self, net: Net, param_init_net: Net, param_info: ParameterInfo, fp32_update: bool = False) -> None:
        if not self._learns():
            return
        self._refuse_sparse(param_info)
        param = master = param_info.blob
        copies = param_info.blob_copy
        in_float = True
        if copies is not None and not fp32_update and "spatbn" not in str(param):
            in_float = False
            if _FLOAT in copies:
                master = copies[_FLOAT]
            elif _FLOAT16 in copies:
                param = copies[_FLOAT16]
            else:
                raise AssertionError(f"{param_info.name} has a copy neither in float32 nor in half precision.")
        grad = param_info.grad
        lr = self._positive_lr(net, param_init_net)
        momentum_in_float = param_init_net.ConstantFill(master, str(param) + "_momentum_fp32", value=0.0)
        momentum = param_init_net.FloatToHalf(momentum_in_float, str(param) + "_momentum")
        self._aux_params.local.append(momentum)
        update = net.FP32MomentumSGDUpdate if in_float else net.FP16MomentumSGDUpdate
        kept = momentum_in_float if in_float else momentum
        update(
            [grad, kept, lr, param],
            [grad, kept, param],
            momentum=float(self.momentum),
            nesterov=self.nesterov,
            weight_decay=float(self.weight_decay),
        )
