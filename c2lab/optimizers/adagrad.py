"""Adagrad."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from c2lab.errors import NotSupported
from c2lab.nets.blobs import BlobReference
from c2lab.nets.net import Net
from c2lab.operators.gradients import GradientSlice
from c2lab.optimizers.base import Optimizer
from c2lab.optimizers.iteration import BuildUniqueMutexIter
from c2lab.parameters.info import ParameterInfo
from c2lab.parameters.shapes import filled_by_row, shape_of
from c2lab.proto import caffe2_pb2

logger = logging.getLogger(__name__)


class AdagradOptimizer(Optimizer):
    """``h = decay * h + g^2``, ``w -= alpha * g / (sqrt(h) + epsilon)`` (Duchi, Hazan, Singer 2011).

    Args:
        alpha: The learning rate before the policy; with 0 parameters stay as they are.
        epsilon: Keeps the step finite.
        decay: How much of the sum of squares is kept, 1 for all; sparse gradients need 1.
        weight_decay: What part of the parameter is added to its gradient; vectors are left alone.
        policy: The learning rate policy, whose arguments are ``kwargs``.
        sparse_dedup_aggregator: How rows that a sparse gradient has twice are joined.
        rowWise: Whether a row of the parameter shares one sum of squares; for sparse gradients.
        engine: Passed on to the operators.
        lars: The offset of layer-wise rates, or none.
        output_effective_lr: Whether ``<grad>_effective_lr`` is written.
        output_effective_lr_and_update: Whether ``<grad>_update`` is written, too.
        weight_scale: An object with ``stepsize``, ``upper_bound_iter``, ``scale`` and ``to_aux``, which scales the
            parameter (and its state) every few steps.
        counter_halflife: Half-life, in steps, of the counters of how often each row was seen; none if negative.
        pruning_options, swa_options, ema_options: Not there: their operators were never part of a release.
    """

    def __init__(
        self,
        alpha: float = 0.01,
        epsilon: float = 1e-4,
        decay: float = 1,
        weight_decay: float = 0.0,
        policy: str = "fixed",
        sparse_dedup_aggregator: str | None = None,
        rowWise: bool = False,
        engine: str = "",
        lars: float | None = None,
        output_effective_lr: bool = False,
        output_effective_lr_and_update: bool = False,
        pruning_options: Mapping[str, Any] | None = None,
        swa_options: Mapping[str, Any] | None = None,
        ema_options: Mapping[str, Any] | None = None,
        weight_scale: Any = None,
        counter_halflife: int = -1,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        for name, operator, options in (
            ("pruning_options", "MaskedAdagrad", pruning_options),
            ("swa_options", "SWA", swa_options),
            ("ema_options", "EMA", ema_options),
        ):
            if options:
                raise NotSupported(f"{name} needs the operator {operator}, which is not registered; leave it out.")
        self.alpha = alpha
        self.epsilon = epsilon
        self.decay = decay
        self.weight_decay = float(weight_decay)
        self.policy = policy
        self.sparse_dedup_aggregator = sparse_dedup_aggregator
        self.rowWise = rowWise
        self.engine = engine
        self.lars = lars
        self.output_effective_lr = output_effective_lr
        self.output_effective_lr_and_update = output_effective_lr_and_update
        self.weight_scale = weight_scale
        self.counter_halflife = counter_halflife
        self.init_kwargs = kwargs

    def _run(self, net: Net, param_init_net: Net, param_info: ParameterInfo) -> None:
        if self.alpha <= 0:
            return
        param, grad = param_info.blob, param_info.grad
        sparse = isinstance(grad, GradientSlice)
        if self.lars is not None and not sparse and self.weight_decay:
            raise AssertionError("weight decay is not implemented for LARS yet")
        if self.rowWise and not sparse:
            raise AssertionError(f"rowWise is for sparse gradients; the one of {param_info.name} is dense.")
        self._apply_lars(net, param_init_net, param_info, self.lars)
        lr, iteration = self.build_lr(net, param_init_net, self.alpha, policy=self.policy, **self.init_kwargs)
        if self.rowWise:
            squares = filled_by_row(param_init_net, param_info, "_avg_squared_sum")
            self._aux_params.local.append(squares)
        else:
            squares = self._keep(param_init_net, param, "_squared_sum")

        arguments: dict[str, Any] = {"epsilon": float(self.epsilon), "engine": self.engine}
        shape = shape_of(param_init_net, param_info)
        if self.weight_decay > 0:
            if shape is not None and len(shape) == 1:
                logger.info("%s is a vector and does not decay.", param)
            else:
                arguments["weight_decay"] = self.weight_decay
        if sparse:
            self._update_rows(net, param_init_net, param_info, squares, lr, arguments)
        else:
            outputs: list[Any] = [param, squares]
            if self.output_effective_lr or self.output_effective_lr_and_update:
                outputs.append(f"{grad}_effective_lr")
            if self.output_effective_lr_and_update:
                outputs.append(f"{grad}_update")
            net.Adagrad([param, squares, grad, lr], outputs, decay=float(self.decay), **arguments)
        if self.weight_scale:
            for blob in [param, squares] if self.weight_scale.to_aux else [param]:
                net.WeightScale(
                    [blob, iteration],
                    [blob],
                    stepsize=self.weight_scale.stepsize,
                    upper_bound_iter=self.weight_scale.upper_bound_iter,
                    scale=float(self.weight_scale.scale),
                )

    def _update_rows(
        self,
        net: Net,
        param_init_net: Net,
        param_info: ParameterInfo,
        squares: BlobReference,
        lr: BlobReference,
        arguments: dict[str, Any],
    ) -> None:
        if self.decay != 1:
            raise AssertionError("Decay is not implemented for SparseAdagrad and must be set to 1")
        param = param_info.blob
        grad = self.dedup(net, self.sparse_dedup_aggregator, param_info.grad)
        inputs = [param, squares, grad.indices, grad.values, lr]
        if self.counter_halflife <= 0:
            update = net.RowWiseSparseAdagrad if self.rowWise else net.SparseAdagrad
            update(inputs, [param, squares], **arguments)
            return
        tensor = caffe2_pb2.TensorProto
        counter = filled_by_row(param_init_net, param_info, "_update_counter", dtype=tensor.DOUBLE)
        seen = filled_by_row(param_init_net, param_info, "_prev_update_iter", value=0, dtype=tensor.INT64)
        self._aux_params.local.extend([counter, seen])
        if self.rowWise:
            inputs.append(counter)
            if "weight_decay" in arguments:
                arguments["counter_halflife"] = self.counter_halflife
        update = net.RowWiseSparseAdagrad if self.rowWise else net.SparseAdagrad
        update(inputs, [param, squares], **arguments)
        iteration = BuildUniqueMutexIter(param_init_net, net)
        net.RowWiseCounter(
            [seen, counter, grad.indices, iteration], [seen, counter], counter_halflife=self.counter_halflife
        )
