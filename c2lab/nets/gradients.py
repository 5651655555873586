"""``GradientRegistry``: gradients of operators and nets, with the makers that users register."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from c2lab.errors import C2LabError, NoGradient
from c2lab.graph.accumulation import MARK, ONLY_KEEP_MARK
from c2lab.graph.backward import BackwardPass, differentiate
from c2lab.graph.overwritten import make_safe_gradient
from c2lab.nets.blobs import BlobReference
from c2lab.nets.scopes import CurrentDeviceScope
from c2lab.operators.gradients import GradientSlice
from c2lab.proto import caffe2_pb2

OperatorDef = caffe2_pb2.OperatorDef
UserMaker = Callable[[OperatorDef, list[Any]], tuple[Any, Sequence[Any]]]
Gradients = dict[BlobReference, BlobReference | GradientSlice]


def GetIndexFromGradientList(g_list: Sequence[Any], name: Any) -> int | None:
    """The position of the gradient ``name``, or of the slice that it is a part of; ``None`` where there is none."""
    for index, gradient in enumerate(g_list):
        parts = gradient if isinstance(gradient, GradientSlice) else (gradient,)
        if name in parts:
            return index
    return None


class GradientRegistry:
    """Gradients of operators, and of lists of operators."""

    gradient_registry_: ClassVar[dict[str, UserMaker]] = {}

    @classmethod
    def RegisterGradient(cls, op_type: str) -> Callable[[UserMaker], UserMaker]:
        """Registers ``maker(op, output_gradients) -> (gradient ops, input gradients)`` for a type of operator.

        It comes before the gradient that the operator's definition has, if any.
        """

        def wrap(maker: UserMaker) -> UserMaker:
            cls.gradient_registry_[op_type] = maker
            return maker

        return wrap

    @classmethod
    def GetGradientForOp(
        cls, op: OperatorDef, g_output: Sequence[Any]
    ) -> tuple[list[OperatorDef], Sequence[str | GradientSlice | None]]:
        """The gradient operators of one operator, and the gradient of each of its inputs.

        Args:
            op: The forward operator.
            g_output: By output, the name of its gradient, a ``GradientSlice``, or ``None``.

        Raises:
            NoGradient: There is none to be had.
        """
        maker = cls.gradient_registry_.get(op.type)
        if maker is None:
            given = [g if g is None or isinstance(g, GradientSlice) else str(g) for g in g_output]
            return make_safe_gradient(op, given, partial(differentiate, maker=cls.GetGradientForOp))
        try:
            ops, g_input = maker(op, list(g_output))
        except C2LabError:
            raise
        except Exception as error:
            raise NoGradient(f"Exception when creating gradient for [{op.type}]: {error}.\nOp:\n{op}") from error
        ops = [] if ops is None else [ops] if isinstance(ops, OperatorDef) else list(ops)
        return ops, g_input

    @classmethod
    def GetBackwardPass(
        cls, operators: Iterable[OperatorDef], ys: Sequence[Any] | Mapping[Any, Any], ys_generate_gradient: bool = False
    ) -> tuple[list[OperatorDef], Gradients]:
        """The gradient operators for a list of operators, and the gradient of each blob that has one.

        Args:
            operators: The forward operators, in order.
            ys: The blobs to differentiate; or, by blob, the gradient to start from (``None``: ones).
            ys_generate_gradient: Accepted as in Caffe2, where it has no effect either.
        """
        return IR(operators).GetBackwardPass(ys)


class IR(BackwardPass):
    """A list of forward operators on versioned blobs; see ``c2lab.graph.backward``."""

    IS_AUTO_GEN_SUM_OPS_TAG = MARK
    ONLY_KEEP_IS_AUTO_GEN_SUM_OPS_TAG = ONLY_KEEP_MARK

    def __init__(self, operators: Iterable[OperatorDef], *, net_name: str = "", first_position: int = 0) -> None:
        super().__init__(
            list(operators), GradientRegistry.GetGradientForOp, net_name=net_name, first_position=first_position
        )

    def Play(self, op: OperatorDef) -> None:
        """Adds an operator at the end."""
        self.play(op)

    def GetBackwardPass(self, ys: Sequence[Any] | Mapping[Any, Any]) -> tuple[list[OperatorDef], Gradients]:
        """The gradient operators for ``ys``, and the gradient of each blob that has one."""
        ops, gradients = self.gradients_of(ys, CurrentDeviceScope())
        references: Gradients = {}
        for name, gradient in gradients.items():
            if isinstance(gradient, GradientSlice):
                references[BlobReference(name)] = GradientSlice(*map(BlobReference, gradient))
            else:
                references[BlobReference(name)] = BlobReference(gradient)
        return ops, references
