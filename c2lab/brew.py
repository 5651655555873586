"""``brew``: layers that add their operators to a model, and make their parameters.

    >>> from c2lab import brew
    >>> from c2lab.model_helper import ModelHelper
    >>> model = ModelHelper("brew_example")
    >>> brew.fc(model, "data", "fc1", dim_in=3, dim_out=2)
    BlobReference("fc1")

Arguments that many layers share are written once with ``brew.arg_scope``, or given to the model.
A function of your own becomes ``brew.<its name>`` with ``brew.Register``.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

# The modules are imported under other names so that ``brew.dropout`` is the layer.
from c2lab.brew_layers import activations as _activations
from c2lab.brew_layers import algebra as _algebra
from c2lab.brew_layers import control as _control
from c2lab.brew_layers import convolution as _convolution
from c2lab.brew_layers import dropout as _dropout
from c2lab.brew_layers import elementwise as _elementwise
from c2lab.brew_layers import fully_connected as _fully_connected
from c2lab.brew_layers import inputs as _inputs
from c2lab.brew_layers import joining as _joining
from c2lab.brew_layers import normalization as _normalization
from c2lab.brew_layers import pooling as _pooling
from c2lab.brew_layers import quantization as _quantization
from c2lab.brew_layers import training as _training
from c2lab.brew_layers.argument_scopes import arg_scope, get_current_scope
from c2lab.model_helper import ModelHelper

_registry: dict[str, Callable[..., Any]] = {
    layer.__name__: layer
    for layer in (
        _activations.prelu,
        _activations.relu,
        _activations.tanh,
        _algebra.arg_min,
        _algebra.batch_mat_mul,
        _algebra.mat_mul,
        _algebra.reduce_sum,
        _algebra.sparse_lengths_sum_4bit_rowwise_sparse,
        _algebra.sub,
        _algebra.sum,
        _algebra.transpose,
        _control.cond,
        _control.loop,
        _convolution.conv,
        _convolution.conv_nd,
        _convolution.conv_transpose,
        _convolution.group_conv,
        _convolution.group_conv_deprecated,
        _dropout.dropout,
        _elementwise.elementwise_linear,
        _fully_connected.fc,
        _fully_connected.fc_decomp,
        _fully_connected.fc_prune,
        _fully_connected.fc_sparse,
        _fully_connected.packed_fc,
        _inputs.db_input,
        _inputs.image_input,
        _inputs.video_input,
        _joining.concat,
        _joining.depth_concat,
        _normalization.instance_norm,
        _normalization.layer_norm,
        _normalization.lrn,
        _normalization.moments_with_running_stats,
        _normalization.softmax,
        _normalization.spatial_bn,
        _normalization.spatial_gn,
        _pooling.average_pool,
        _pooling.max_pool,
        _pooling.max_pool_with_index,
        _quantization.fused_8bit_rowwise_quantized_to_float,
        _training.accuracy,
        _training.add_weight_decay,
        _training.iter,
    )
}

__all__ = ["GetRegisteredHelper", "Register", "arg_scope", "has_helper", *_registry]


def Register(helper: Callable[..., Any]) -> None:
    """Makes ``helper(model, ...)`` available as ``brew.<helper's name>``.

    Raises:
        AttributeError: There is a layer of this name already.
    """
    name = helper.__name__
    if name in _registry:
        raise AttributeError(f"Helper {name} already exists. Please change your helper name.")
    _registry[name] = helper


def has_helper(helper_or_helper_name: Callable[..., Any] | str) -> bool:
    """Whether there is a layer of this name, or of this function's name."""
    name = helper_or_helper_name if isinstance(helper_or_helper_name, str) else helper_or_helper_name.__name__
    return name in _registry


def GetRegisteredHelper(helper_name: str) -> Callable[..., Any]:
    """The function behind ``brew.<helper_name>``, which takes no arguments from scopes.

    Raises:
        AttributeError: There is no such layer.
    """
    if helper_name not in _registry:
        raise AttributeError(f"Helper function {helper_name} not registered.")
    return _registry[helper_name]


def _model_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> ModelHelper:
    if args and isinstance(args[0], ModelHelper):
        return args[0]
    if "model" in kwargs:
        return kwargs["model"]
    raise RuntimeError(
        "The first input of helper function should be model. Or you can provide it in kwargs as model=<your_model>."
    )


@functools.cache
def _in_scope(layer: Callable[..., Any]) -> Callable[..., Any]:
    """``layer``, with the arguments of its model and of the ``arg_scope`` blocks around each call."""
    parameters = inspect.signature(layer).parameters
    takes_all = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())

    @functools.wraps(layer)
    def call(*args: Any, **kwargs: Any) -> Any:
        of_model = _model_of(args, kwargs).arg_scope
        arguments = {name: value for name, value in of_model.items() if takes_all or name in parameters}
        arguments |= get_current_scope().get(layer.__name__, {})
        return layer(*args, **(arguments | kwargs))

    return call


def __getattr__(name: str) -> Callable[..., Any]:
    if name.startswith("__"):
        raise AttributeError(name)
    return _in_scope(GetRegisteredHelper(name))


def __dir__() -> list[str]:
    return sorted({*__all__, *_registry})
