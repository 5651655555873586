"""Gradients against finite differences: ``GradientChecker`` for operators, ``NetGradientChecker`` for nets."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from c2lab import core, workspace
from c2lab.errors import BadArgument
from c2lab.operators import registry
from c2lab.proto import caffe2_pb2


class GradientCheckFailed(AssertionError):
    """The gradient operators and the finite differences disagree."""


def getGradientForOp(op: caffe2_pb2.OperatorDef) -> tuple[list[caffe2_pb2.OperatorDef], list[Any]]:
    """The gradient operators of ``op``, each output's gradient being called ``<output>_grad``."""
    ops, gradients = core.GradientRegistry.GetGradientForOp(op, [name + "_grad" for name in op.output])
    return ops, list(gradients)


def _sparse_to_dense(gradient: core.GradientSlice, like: np.ndarray, workspace_fetch: Any) -> np.ndarray:
    dense = np.zeros_like(like)
    indices = np.asarray(workspace_fetch(str(gradient.indices))).ravel()
    values = np.asarray(workspace_fetch(str(gradient.values)))
    np.add.at(dense, indices, values.reshape(len(indices), *like.shape[1:]))
    return dense


class GradientChecker:
    """Compares the gradient operators of one operator with central finite differences.

    The loss is ``sum(output ** 2) / 2`` over ``outputs_with_grads``.

    Args:
        stepsize: The step of the finite differences.
        threshold: The largest difference allowed, absolute and relative (both are granted).
        device_option: Where the operators run.
        workspace_name: The workspace they run in.
        input_device_options: Where inputs are fed, by name.
    """

    def __init__(
        self,
        stepsize: float,
        threshold: float,
        device_option: caffe2_pb2.DeviceOption | None = None,
        workspace_name: str = "gradient_check",
        input_device_options: Mapping[str, caffe2_pb2.DeviceOption] | None = None,
    ) -> None:
        self._stepsize = stepsize
        self._threshold = threshold
        self._device_option = device_option or caffe2_pb2.DeviceOption()
        self._workspace_name = workspace_name
        self._input_device_options = dict(input_device_options or {})

    def GetLossAndGrad(
        self,
        op: caffe2_pb2.OperatorDef,
        grad_ops: Sequence[caffe2_pb2.OperatorDef],
        inputs: Sequence[np.ndarray],
        input_names: Sequence[str],
        input_to_check: int,
        grad_name: Any,
        outputs_with_grads: Iterable[int],
    ) -> tuple[float, np.ndarray]:
        """The loss and the gradient of one input, by the operators."""
        for name, value in zip(input_names, inputs, strict=False):
            workspace.FeedBlob(name, value, device_option=self._input_device_options.get(name, self._device_option))
        workspace.RunOperatorOnce(op)
        loss = 0.0
        for index in outputs_with_grads:
            name = op.output[index]
            value = workspace.FetchBlob(name)
            loss += _half_square(value)
            workspace.FeedBlob(name + "_grad", value)
        workspace.RunOperatorsOnce(grad_ops)
        if isinstance(grad_name, core.GradientSlice):
            gradient = _sparse_to_dense(grad_name, np.asarray(inputs[input_to_check]), workspace.FetchBlob)
        else:
            gradient = workspace.FetchBlob(str(grad_name))
        return loss, gradient

    def CheckSimple(
        self,
        op: caffe2_pb2.OperatorDef,
        inputs: Sequence[np.ndarray],
        input_to_check: int,
        outputs_with_grads: Sequence[int],
        grad_ops: Any = None,
        input_device_options: Mapping[str, caffe2_pb2.DeviceOption] | None = None,
        ensure_outputs_are_inferred: bool = False,
    ) -> tuple[bool, np.ndarray, np.ndarray]:
        """Checks the gradient of one input.

        Returns:
            Whether all differences are within the threshold, the gradient by the operators, and the
            one by finite differences.
        """
        self._input_device_options.update(input_device_options or {})
        if self._device_option.SerializeToString():
            op.device_option.CopyFrom(self._device_option)
        if grad_ops is None:
            ops, names = getGradientForOp(op)
            grad_name = names[input_to_check]
        else:
            ops = list(grad_ops)
            grad_name = op.input[input_to_check] + "_grad"
        if grad_name is None:
            raise BadArgument(f"{op.type} gives its input {input_to_check} no gradient; check another input")
        held = [np.array(value) for value in inputs]
        with workspace.WorkspaceGuard(self._workspace_name):
            workspace.ResetWorkspace()
            _, gradient = self.GetLossAndGrad(op, ops, held, op.input, input_to_check, grad_name, outputs_with_grads)
            if ensure_outputs_are_inferred:
                _check_inferred(op, held)
            estimate = self._estimate(op, held, input_to_check, outputs_with_grads)
            workspace.ResetWorkspace()
        gradient = np.asarray(gradient).reshape(estimate.shape)
        fine = bool(np.allclose(gradient, estimate, atol=self._threshold, rtol=self._threshold))
        return fine, gradient, estimate

    def _estimate(
        self, op: caffe2_pb2.OperatorDef, inputs: Sequence[np.ndarray], input_to_check: int, outputs: Sequence[int]
    ) -> np.ndarray:
        """The gradient of one input by central finite differences."""
        # What the operator overwrites must be fed again each time; the other inputs are there already.
        again = [k for k, name in enumerate(op.input) if name in op.output and k != input_to_check]
        run = _repeatedly(op)

        def loss(moved: np.ndarray) -> float:
            for position, value in ((input_to_check, moved), *((k, inputs[k]) for k in again)):
                name = op.input[position]
                workspace.FeedBlob(name, value, device_option=self._input_device_options.get(name, self._device_option))
            run()
            return sum(_half_square(workspace.FetchBlob(op.output[k])) for k in outputs)

        for name, value in zip(op.input, inputs, strict=False):
            workspace.FeedBlob(name, value, device_option=self._input_device_options.get(name, self._device_option))
        estimate = np.zeros(inputs[input_to_check].shape, np.float32)
        for position in np.ndindex(estimate.shape):
            moved = inputs[input_to_check].copy()
            moved[position] += self._stepsize
            above = loss(moved)
            moved[position] = inputs[input_to_check][position] - self._stepsize
            estimate[position] = (above - loss(moved)) / (2 * self._stepsize)
        return estimate


def _half_square(value: np.ndarray) -> float:
    return float(np.sum(np.asarray(value, np.float64) ** 2)) / 2


def _repeatedly(op: caffe2_pb2.OperatorDef) -> Callable[[], object]:
    """Runs an operator again and again: as one net, or anew each time where a net would go on from run to run."""
    if registry.find(op.type).reserved & {"rng", "state"}:
        return lambda: workspace.RunOperatorOnce(op)
    net = caffe2_pb2.NetDef(name="gradient_check", op=[op])
    workspace.CreateNet(net, overwrite=True)
    return lambda: workspace.RunNet(net.name)


def _check_inferred(op: caffe2_pb2.OperatorDef, inputs: Sequence[np.ndarray]) -> None:
    net = caffe2_pb2.NetDef(op=[op])
    shapes, _ = workspace.InferShapesAndTypes(
        [net],
        {name: value.shape for name, value in zip(op.input, inputs, strict=False)},
        nets_proto=True,
        blob_types={n: workspace.DATA_TYPES[str(v.dtype)] for n, v in zip(op.input, inputs, strict=False)},
    )
    for name in op.output:
        if name in shapes:
            want = list(workspace.FetchBlob(name).shape)
            if shapes[name] != want:
                raise GradientCheckFailed(f"{op.type}: {name} was inferred as {shapes[name]} and is {want}")


class NetGradientChecker:
    """Compares gradients of whole nets, with each other or with finite differences."""

    @staticmethod
    def CompareNets(
        nets: Sequence[core.Net],
        outputs: Sequence[Sequence[str]],
        outputs_with_grad_ids: Sequence[int],
        inputs_with_grads: Sequence[str],
        input_values: Mapping[str, np.ndarray] | None = None,
        threshold: float = 0.0000001,
        print_net_images: bool = False,
    ) -> None:
        """Demands that nets with the same inputs give the same outputs and gradients.

        Raises:
            AssertionError: Two nets differ by more than ``threshold``.
        """
        found = []
        for net, names in zip(nets, outputs, strict=True):
            copy = net.Clone(net.Name() + "_compared")
            made = copy.AddGradientOperators([names[i] for i in outputs_with_grad_ids])
            grads = {str(blob): gradient for blob, gradient in made.items()}
            values = _run_net(
                copy, input_values or {}, [*names, *(str(grads[str(name)]) for name in inputs_with_grads)]
            )
            found.append(values)
        for other in found[1:]:
            for mine, theirs in zip(found[0], other, strict=True):
                np.testing.assert_allclose(mine, theirs, rtol=threshold, atol=threshold)

    @staticmethod
    def Check(
        net: core.Net,
        outputs_with_grad: Sequence[str],
        input_values: Mapping[str, np.ndarray],
        input_to_check: str,
        step_size: float = 0.0001,
        threshold: float = 0.05,
        print_net: bool = True,
    ) -> None:
        """Demands that the gradient of ``input_to_check`` agrees with finite differences.

        Raises:
            AssertionError: It differs by more than ``threshold``.
        """
        copy = net.Clone(net.Name() + "_checked")
        grads = copy.AddGradientOperators(list(outputs_with_grad))
        if str(input_to_check) not in {str(k) for k in grads}:
            raise AssertionError(f"{input_to_check} has no gradient in net {net.Name()}")
        grad_name = next(v for k, v in grads.items() if str(k) == str(input_to_check))
        value = np.array(input_values[input_to_check])

        def loss_at(moved: np.ndarray) -> float:
            fed = {**input_values, input_to_check: moved}
            return sum(float(np.sum(v, dtype=np.float64)) for v in _run_net(net, fed, outputs_with_grad))

        with workspace.WorkspaceGuard("net_gradient_check"):
            workspace.ResetWorkspace()
            for name, fed in input_values.items():
                workspace.FeedBlob(name, fed)
            workspace.RunNetOnce(copy)
            if isinstance(grad_name, core.GradientSlice):
                gradient = _sparse_to_dense(grad_name, value, workspace.FetchBlob)
            else:
                gradient = workspace.FetchBlob(str(grad_name))
        estimate = np.zeros(value.shape, np.float64)
        for position in np.ndindex(value.shape):
            plus, minus = value.copy(), value.copy()
            plus[position] += step_size
            minus[position] -= step_size
            estimate[position] = (loss_at(plus) - loss_at(minus)) / (2 * step_size)
        np.testing.assert_allclose(gradient, estimate, rtol=threshold, atol=threshold)


def _run_net(net: core.Net, values: Mapping[str, np.ndarray], names: Iterable[Any]) -> list[np.ndarray]:
    with workspace.WorkspaceGuard(f"net_gradient_check_{os.getpid()}"):
        workspace.ResetWorkspace()
        for name, value in values.items():
            workspace.FeedBlob(name, value)
        workspace.RunNetOnce(net)
        found = [workspace.FetchBlob(str(name)) for name in names]
        workspace.ResetWorkspace()
    return found
