"""``optimizer``: adds the updates of a model's parameters to its net.

Call one of the ``build_`` functions after ``AddGradientOperators``::

    model.AddGradientOperators([loss])
    optimizer.build_sgd(model, base_learning_rate=0.1, momentum=0.9, policy="step", stepsize=100, gamma=0.9)

The optimizers themselves are in ``c2lab.optimizers``, one file each.
"""

from __future__ import annotations

from typing import Any

from c2lab.operators import registry
from c2lab.optimizers.adadelta import AdadeltaOptimizer
from c2lab.optimizers.adagrad import AdagradOptimizer
from c2lab.optimizers.adam import AdamOptimizer
from c2lab.optimizers.base import AuxOptimizerParams, Optimizer, reset_optimizer_instance_count
from c2lab.optimizers.building import LEARNING_RATE_INJECTION, build, get_param_device
from c2lab.optimizers.ftrl import FtrlOptimizer, GFtrlOptimizer
from c2lab.optimizers.half_precision_sgd import FP16SgdOptimizer, MultiPrecisionSgdOptimizer
from c2lab.optimizers.rms_prop import RmsPropOptimizer
from c2lab.optimizers.sgd import SgdOptimizer
from c2lab.optimizers.storm import StormOptimizer
from c2lab.optimizers.weight_decay import WeightDecayBuilder
from c2lab.optimizers.wngrad import WngradOptimizer
from c2lab.optimizers.yellowfin import YellowFinOptimizer

__all__ = [
    "AdadeltaOptimizer",
    "AdagradOptimizer",
    "AdamOptimizer",
    "AuxOptimizerParams",
    "FP16SgdOptimizer",
    "FtrlOptimizer",
    "GFtrlOptimizer",
    "MultiPrecisionSgdOptimizer",
    "Optimizer",
    "RmsPropOptimizer",
    "SgdOptimizer",
    "StormOptimizer",
    "WeightDecayBuilder",
    "WngradOptimizer",
    "YellowFinOptimizer",
    "add_weight_decay",
    "build_adadelta",
    "build_adagrad",
    "build_adam",
    "build_fp16_sgd",
    "build_ftrl",
    "build_gftrl",
    "build_multi_precision_sgd",
    "build_rms_prop",
    "build_sgd",
    "build_storm",
    "build_wngrad",
    "build_yellowfin",
    "get_lr_injection",
    "get_param_device",
    "reset_optimizer_instance_count",
    "set_lr_injection",
]


def get_lr_injection() -> Any:
    """The number that multiplies the learning rate, of models built with ``allow_lr_injection``."""
    from c2lab import workspace

    return workspace.FetchBlob(LEARNING_RATE_INJECTION)


def set_lr_injection(lr_injection_value: float) -> None:
    """Multiplies the learning rate of models built with ``allow_lr_injection`` from the next run on."""
    import numpy as np

    from c2lab import workspace

    workspace.FeedBlob(LEARNING_RATE_INJECTION, np.array([float(lr_injection_value)], dtype=np.float32))


def add_weight_decay(model: Any, weight_decay: float) -> None:
    """Adds ``weight_decay * w`` to the gradient of every weight, biases left alone; call it before the optimizer."""
    build(model, WeightDecayBuilder(weight_decay), weights_only=True, use_param_info_optim=False)


def build_sgd(
    model: Any,
    base_learning_rate: float,
    max_gradient_norm: float | None = None,
    allow_lr_injection: bool = False,
    **kwargs: Any,
) -> Optimizer:
    """Stochastic gradient descent; ``kwargs`` are those of ``SgdOptimizer`` (momentum, nesterov, policy, ...).

    Args:
        model: A model whose gradients were added.
        base_learning_rate: The learning rate before the policy.
        max_gradient_norm: The length that all gradients together are cut to, or none.
        allow_lr_injection: Whether ``set_lr_injection`` changes the rate.
    """
    return build(
        model,
        SgdOptimizer(base_learning_rate, **kwargs),
        max_gradient_norm=max_gradient_norm,
        allow_lr_injection=allow_lr_injection,
    )


def build_multi_precision_sgd(
    model: Any,
    base_learning_rate: float,
    max_gradient_norm: float | None = None,
    allow_lr_injection: bool = False,
    **kwargs: Any,
) -> Optimizer:
    """SGD that updates the float32 copies of parameters in half precision."""
    return build(
        model,
        MultiPrecisionSgdOptimizer(base_learning_rate, **kwargs),
        max_gradient_norm=max_gradient_norm,
        allow_lr_injection=allow_lr_injection,
    )


def build_fp16_sgd(model: Any, base_learning_rate: float, **kwargs: Any) -> Optimizer:
    """SGD that updates parameters in half precision."""
    return build(model, FP16SgdOptimizer(base_learning_rate, **kwargs))


def _check_engine(engine: str | None, *types: str) -> None:
    """An engine other than the two known ones must be there."""
    if engine == "SIMD":
        for type in types:
            if registry.get(type) is None:
                raise AssertionError(f"There is no operator {type}.")


def build_ftrl(model: Any, engine: str | None = "SIMD", **kwargs: Any) -> Optimizer:
    """FTRL-proximal; ``kwargs`` are those of ``FtrlOptimizer``."""
    _check_engine(engine, "Ftrl", "SparseFtrl")
    return build(model, FtrlOptimizer(engine=engine, **kwargs))


def build_gftrl(model: Any, engine: str | None = "", **kwargs: Any) -> Optimizer:
    """FTRL with a group penalty; ``kwargs`` are those of ``GFtrlOptimizer``."""
    _check_engine(engine, "GFtrl")
    return build(model, GFtrlOptimizer(engine=engine, **kwargs))


def build_adagrad(
    model: Any,
    base_learning_rate: float,
    parameters: Any = None,
    max_gradient_norm: float | None = None,
    allow_lr_injection: bool = False,
    **kwargs: Any,
) -> Optimizer:
    """Adagrad; ``kwargs`` are those of ``AdagradOptimizer``, ``parameters`` is not looked at."""
    return build(
        model,
        AdagradOptimizer(alpha=base_learning_rate, **kwargs),
        max_gradient_norm=max_gradient_norm,
        allow_lr_injection=allow_lr_injection,
    )


def build_wngrad(
    model: Any,
    base_learning_rate: float,
    parameters: Any = None,
    max_gradient_norm: float | None = None,
    allow_lr_injection: bool = False,
    **kwargs: Any,
) -> Optimizer:
    """WNGrad; ``kwargs`` are those of ``WngradOptimizer``, ``parameters`` is not looked at."""
    return build(
        model,
        WngradOptimizer(alpha=base_learning_rate, **kwargs),
        max_gradient_norm=max_gradient_norm,
        allow_lr_injection=allow_lr_injection,
    )


def build_storm(
    model: Any,
    base_learning_rate: float,
    parameters: Any = None,
    max_gradient_norm: float | None = None,
    allow_lr_injection: bool = False,
    **kwargs: Any,
) -> Optimizer:
    """STORM; ``kwargs`` are those of ``StormOptimizer``, ``parameters`` is not looked at."""
    return build(
        model,
        StormOptimizer(lr=base_learning_rate, **kwargs),
        max_gradient_norm=max_gradient_norm,
        allow_lr_injection=allow_lr_injection,
    )


def build_adadelta(
    model: Any,
    base_learning_rate: float,
    parameters: Any = None,
    max_gradient_norm: float | None = None,
    allow_lr_injection: bool = False,
    **kwargs: Any,
) -> Optimizer:
    """Adadelta; ``kwargs`` are those of ``AdadeltaOptimizer``, ``parameters`` is not looked at."""
    return build(
        model,
        AdadeltaOptimizer(alpha=base_learning_rate, **kwargs),
        max_gradient_norm=max_gradient_norm,
        allow_lr_injection=allow_lr_injection,
    )


def build_adam(
    model: Any,
    base_learning_rate: float,
    max_gradient_norm: float | None = None,
    allow_lr_injection: bool = False,
    **kwargs: Any,
) -> Optimizer:
    """Adam; ``kwargs`` are those of ``AdamOptimizer``."""
    return build(
        model,
        AdamOptimizer(alpha=base_learning_rate, **kwargs),
        max_gradient_norm=max_gradient_norm,
        allow_lr_injection=allow_lr_injection,
    )


def build_yellowfin(model: Any, base_learning_rate: float = 0.1, **kwargs: Any) -> Optimizer:
    """YellowFin; ``kwargs`` are those of ``YellowFinOptimizer``."""
    return build(model, YellowFinOptimizer(alpha=base_learning_rate, **kwargs))


def build_rms_prop(
    model: Any,
    base_learning_rate: float,
    max_gradient_norm: float | None = None,
    allow_lr_injection: bool = False,
    **kwargs: Any,
) -> Optimizer:
    """RMSProp; ``kwargs`` are those of ``RmsPropOptimizer``."""
    return build(
        model,
        RmsPropOptimizer(alpha=base_learning_rate, **kwargs),
        max_gradient_norm=max_gradient_norm,
        allow_lr_injection=allow_lr_injection,
    )
