"""Adding an optimizer to all parameters of a model, on the devices where they live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from c2lab.nets.blobs import BlobReference
from c2lab.nets.devices import DeviceOption, InferBlobDevices
from c2lab.nets.scopes import DeviceScope, NameScope
from c2lab.operators.gradients import GradientSlice
from c2lab.optimizers.base import Optimizer
from c2lab.parameters.info import ParameterInfo
from c2lab.proto import caffe2_pb2

LEARNING_RATE_INJECTION = "lr_injection"

Devices = Mapping[str, caffe2_pb2.DeviceOption]


def get_param_device(
    param_name: str,
    grad: Any,
    param_to_device: Devices | None = None,
    default_device: caffe2_pb2.DeviceOption | None = None,
) -> caffe2_pb2.DeviceOption:
    """Where a parameter lives, or where its gradient does if no operator writes the parameter.

    Raises:
        AssertionError: No operator touches either, and there is no default.
    """
    parts = (grad.values, grad.indices) if isinstance(grad, GradientSlice) else (grad,)
    for name in (param_name, *map(str, parts)):
        device = (param_to_device or {}).get(name)
        if device is not None:
            return device
    if default_device is None:
        raise AssertionError(f"Cannot infer device for {param_name}: no op creates it")
    return default_device


def _devices(model: Any) -> dict[str, caffe2_pb2.DeviceOption]:
    """The device of each blob; where the init net fills a blob counts most."""
    return {**InferBlobDevices(model.net), **InferBlobDevices(model.param_init_net)}


def _norm_ratio(
    model: Any, params: Sequence[ParameterInfo], devices: Devices, max_gradient_norm: float
) -> BlobReference:
    """What gradients are multiplied by so that all of them together are no longer than ``max_gradient_norm``."""
    with NameScope("norm_clipped_grad_update"):
        squares = []
        for k, param in enumerate(params):
            with DeviceScope(get_param_device(param.name, param.grad, devices)):
                grad = param.grad.values if isinstance(param.grad, GradientSlice) else param.grad
                square = model.net.SumSqrElements(grad, f"grad_{k}_squared_sum")
                squares.append(model.net.EnsureCPUOutput(square))
        with DeviceScope(DeviceOption(caffe2_pb2.PROTO_CPU)):
            total = model.net.Sum(squares, "grad_squared_full_sum")
            norm = model.net.Pow(total, "global_norm", exponent=0.5)
            limit = model.param_init_net.ConstantFill([], "clip_norm", shape=[], value=float(max_gradient_norm))
            larger = model.net.Max([norm, limit], "max_norm")
            return model.net.Div([limit, larger], "norm_ratio")


def build(
    model: Any,
    optimizer: Optimizer,
    weights_only: bool = False,
    use_param_info_optim: bool = True,
    max_gradient_norm: float | None = None,
    allow_lr_injection: bool = False,
) -> Optimizer:
    """Adds the updates of all parameters that have a gradient; call it after ``AddGradientOperators``.

    Args:
        model: The model.
        optimizer: The optimizer.
        weights_only: Whether only weights are updated, and no biases.
        use_param_info_optim: Whether a parameter's own optimizer wins over this one.
        max_gradient_norm: The length that all gradients together are cut to, or none.
        allow_lr_injection: Whether the blob ``lr_injection`` multiplies the learning rate.

    Returns:
        The optimizer.
    """
    devices = _devices(model)
    model.Validate()
    params = [param for param in model.GetOptimizationParamInfo() if not weights_only or param.blob in model.weights]
    multiplier = None
    if max_gradient_norm is not None:
        multiplier = _norm_ratio(model, params, devices, max_gradient_norm)
    if allow_lr_injection:
        injection: Any = LEARNING_RATE_INJECTION
        if not model.net.BlobIsDefined(LEARNING_RATE_INJECTION):
            injection = model.param_init_net.ConstantFill([], LEARNING_RATE_INJECTION, shape=[1], value=1.0)
        if multiplier is None:
            multiplier = injection
        else:
            multiplier = model.net.Mul([multiplier, injection], "lr_multiplier", broadcast=1)
    optimizer.add_lr_multiplier(multiplier)

    for param in params:
        own = param.optimizer if use_param_info_optim else None
        with DeviceScope(get_param_device(param.name, param.grad, devices)):
            (own or optimizer)(model.net, model.param_init_net, param)
    return optimizer
