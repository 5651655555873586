"""What regularizers share: where they act, and the operators that several of them add."""

from __future__ import annotations

from typing import Any

from c2lab.nets.blobs import BlobReference
from c2lab.nets.net import Net
from c2lab.operators.gradients import GradientSlice


class RegularizationBy:
    """Where a regularizer acts."""

    AFTER_OPTIMIZER = "after_optimizer"
    ON_LOSS = "on_loss"


class Regularizer:
    """Adds to a net what keeps one parameter in bounds.

    A kind of regularizer says what it adds to the loss (``_run_on_loss`` returns the blob of the penalty), what it
    does after the optimizer (``_run_after_optimizer``), or both.
    """

    def __init__(self) -> None:
        self.kEpsilon = 1e-9

    def __call__(
        self, net: Net, param_init_net: Net, param: BlobReference, grad: Any = None, by: str | None = None
    ) -> BlobReference | None:
        """Adds the operators.

        Args:
            net: Gets them.
            param_init_net: Gets the fills of what they keep.
            param: The parameter.
            grad: Its gradient, for what is done after the optimizer.
            by: A value of ``RegularizationBy``.

        Returns:
            The penalty, for ``ON_LOSS``.
        """
        if not isinstance(param, BlobReference):
            raise AssertionError(f"A parameter is a BlobReference, not {param!r}.")
        if by == RegularizationBy.ON_LOSS:
            return self._run_on_loss(net, param_init_net, param, grad)
        if by == RegularizationBy.AFTER_OPTIMIZER:
            return self._run_after_optimizer(net, param_init_net, param, grad)
        raise AssertionError(
            f'Regularizer of type {type(self).__name__} is called with invalid by={by}; it is "on_loss" or '
            '"after_optimizer".'
        )

    def _run_on_loss(
        self, net: Net, param_init_net: Net, param: BlobReference, grad: Any = None
    ) -> BlobReference | None:
        return None

    def _run_after_optimizer(self, net: Net, param_init_net: Net, param: BlobReference, grad: Any) -> None:
        return None

    @staticmethod
    def _strength(reg_lambda: float) -> float:
        if reg_lambda < 0:
            raise AssertionError(f"factor ahead of regularization should be 0 or positive, not {reg_lambda}")
        return reg_lambda

    def _feature_grouping(self, param: BlobReference, net: Net) -> BlobReference:
        """The length of each column of the parameter."""
        squares = net.Mul([param, param], [net.NextScopedBlob("param_mul")])
        sums = net.ReduceFrontSum([squares], [net.NextScopedBlob("param_reduced")])
        return net.Pow([sums], [net.NextScopedBlob("grouped_feature_weight_vec")], exponent=0.5)

    def _scaled_norm(self, net: Net, param: BlobReference, output: BlobReference, p: int, scale: float) -> None:
        """``output = scale * |param|_p^p``."""
        net.LpNorm([param], [output], p=p)
        net.Scale([output], [output], scale=float(scale))

    def _trimmed_l1(self, net: Net, param: BlobReference, output: BlobReference, k: int, scale: float) -> None:
        """``output``: ``scale`` times the sum of all but the ``k`` largest absolute values of each row."""
        sizes = net.Abs([param], [net.NextScopedBlob("abs")])
        total = net.SumElements([sizes], [net.NextScopedBlob("sum_abs")], average=False)
        outputs = [net.NextScopedBlob(name) for name in ("topk", "id", "flat_id")]
        largest, _, _ = net.TopK([sizes], outputs, k=k)
        spared = net.SumElements([largest], [net.NextScopedBlob("topk_sum")], average=False)
        net.Sub([total, spared], [output])
        net.Scale([output], [output], scale=float(scale))

    def _ensure_clipped(
        self,
        net: Net,
        param: BlobReference,
        grad: Any = None,
        min: float | None = None,
        max: float | None = None,
        open_range: bool = False,
        left_open: bool = False,
        right_open: bool = False,
    ) -> None:
        """Puts the parameter, or the rows that a sparse gradient touched, back into a range."""
        if min is not None and (open_range or left_open):
            min += self.kEpsilon
        if max is not None and (open_range or right_open):
            max -= self.kEpsilon
        sparse = isinstance(grad, GradientSlice)
        bounds = {"min": min, "max": max}
        net.EnsureClipped(
            [param, grad.indices, grad.values] if sparse else [param],
            [param],
            **{name: float(bound) for name, bound in bounds.items() if bound is not None},
        )
