"""What all optimizers share: the learning rate, the names of their blobs, the state that they keep."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from c2lab.nets.blobs import BlobReference
from c2lab.nets.devices import DeviceOption, IsGPUDeviceType
from c2lab.nets.net import Net
from c2lab.nets.scopes import CurrentDeviceScope
from c2lab.operators.gradients import GradientSlice
from c2lab.optimizers.iteration import BuildUniqueMutexIter
from c2lab.parameters.info import ParameterInfo
from c2lab.proto import caffe2_pb2

_instance_count: defaultdict[str, int] = defaultdict(int)


def reset_optimizer_instance_count() -> None:
    """Starts the numbers in the names of optimizer blobs at 0 again, as in a new process."""
    _instance_count.clear()


@contextmanager
def counted_from_nought() -> Iterator[None]:
    """Numbers optimizers from 0 inside the block, and goes on afterwards as if there had been none in it."""
    before = dict(_instance_count)
    _instance_count.clear()
    try:
        yield
    finally:
        _instance_count.clear()
        _instance_count.update(before)


class AuxOptimizerParams(NamedTuple):
    """The blobs that an optimizer keeps beside the parameters."""

    local: list[Any]
    shared: list[Any]


class Optimizer:
    """Adds, for one parameter after the other, the operators that update it.

    A kind of optimizer says in ``_run`` what those are. The blobs that several parameters share carry the
    class and a number in their name: ``SgdOptimizer_0_lr_cpu``.
    """

    # The attribute that holds the base learning rate.
    _rate = "alpha"

    def __init__(self) -> None:
        kind = type(self).__name__
        self._aux_params = AuxOptimizerParams(local=[], shared=[])
        self._instance_num = _instance_count[kind]
        _instance_count[kind] += 1
        self._lr_multiplier: Any = None
        self._local_lr_multiplier: Any = None
        self._local_lr_multiplier_on_gpu = False

    def __call__(self, net: Net, param_init_net: Net, param: Any, grad: Any = None) -> None:
        """Adds the update of a parameter.

        Args:
            net: Gets the update.
            param_init_net: Gets the fills of what the optimizer keeps.
            param: A ``ParameterInfo`` with its gradient, or a blob; then ``grad`` is its gradient.
        """
        if grad is None:
            if not isinstance(param, ParameterInfo):
                raise AssertionError(f"Without grad, param must be a ParameterInfo, not {param!r}.")
            if param.grad is None:
                raise AssertionError(f"{param.name} has no gradient; does the loss depend on it?")
            info = param
        else:
            blob = BlobReference(param) if isinstance(param, str) else param
            info = ParameterInfo(param_id=None, param=blob, grad=grad)
        self._run(net, param_init_net, info)

    def _run(self, net: Net, param_init_net: Net, param_info: ParameterInfo) -> None:
        raise NotImplementedError(f"{type(self).__name__} does not say how it updates a parameter.")

    # ---- names ---------------------------------------------------------------------------------

    def get_cpu_blob_name(self, base_str: str, node_name: str = "") -> str:
        """The name of a blob of this optimizer on the CPU."""
        return f"{type(self).__name__}_{self._instance_num}_{base_str}{node_name}_cpu"

    def get_gpu_blob_name(self, base_str: str, gpu_id: int, node_name: str) -> str:
        """The name of a blob of this optimizer on a GPU."""
        return f"{type(self).__name__}_{self._instance_num}_{base_str}{node_name}_gpu{gpu_id}"

    def make_unique_blob_name(self, base_str: str) -> str:
        """A name that belongs to this optimizer and to the current device."""
        device = CurrentDeviceScope()
        if device is None:
            return self.get_cpu_blob_name(base_str)
        if IsGPUDeviceType(device.device_type):
            return self.get_gpu_blob_name(base_str, device.device_id, device.node_name)
        return self.get_cpu_blob_name(base_str, device.node_name)

    @property
    def attributes(self) -> dict[str, Any]:
        """A copy of what this optimizer was made with and keeps."""
        attributes = copy.deepcopy(self.__dict__)
        del attributes["_instance_num"]
        return attributes

    def get_auxiliary_parameters(self) -> AuxOptimizerParams:
        """The blobs that this optimizer keeps: ``local`` ones for each parameter, ``shared`` ones for all."""
        return self._aux_params

    def _keep(self, param_init_net: Net, param: BlobReference, suffix: str, value: float = 0.0) -> BlobReference:
        """A blob ``<param><suffix>`` of the parameter's shape that lasts from step to step."""
        blob = param_init_net.ConstantFill([param], str(param) + suffix, value=value)
        self._aux_params.local.append(blob)
        return blob

    def _one(self, param_init_net: Net, with_node: bool = False) -> BlobReference:
        """The number 1 on the current device."""
        device = CurrentDeviceScope() or DeviceOption(caffe2_pb2.PROTO_CPU)
        name = f"ONE_{device.device_type}_{device.device_id}{device.node_name if with_node else ''}"
        return param_init_net.ConstantFill([], name, shape=[1], value=1.0)

    # ---- the learning rate -----------------------------------------------------------------------

    def build_lr(
        self,
        net: Net,
        param_init_net: Net,
        base_learning_rate: float,
        learning_rate_blob: Any = None,
        policy: str = "fixed",
        iter_val: int = 0,
        **kwargs: Any,
    ) -> tuple[BlobReference, BlobReference]:
        """The blob with **minus** the learning rate of the step, and the step counter.

        Most update operators add ``lr * gradient``, so a rate that descends is negative.

        Args:
            base_learning_rate: The rate before the policy.
            learning_rate_blob: Another name for the blob.
            policy: How the rate changes with the steps.
            iter_val: The first step.
            kwargs: Arguments of the policy: ``stepsize``, ``gamma``, ...
        """
        if learning_rate_blob is None:
            learning_rate_blob = self.make_unique_blob_name("lr")
        iteration = BuildUniqueMutexIter(param_init_net, net, iter_val=iter_val)
        if net.BlobIsDefined(learning_rate_blob):
            lr = net.GetBlobRef(learning_rate_blob)
        else:
            rate = -float(base_learning_rate)
            lr = net.LearningRate([iteration], learning_rate_blob, base_lr=rate, policy=policy, **kwargs)

        if self._lr_multiplier is not None:
            multiplier = net.CopyFromCPUInput(self._lr_multiplier, self.make_unique_blob_name("lr_multiplier"))
            lr = net.Mul([lr, multiplier], self.make_unique_blob_name("scaled_lr"))
        if self._local_lr_multiplier is not None:
            multiplier = self._local_lr_multiplier
            device = CurrentDeviceScope()
            if device is not None and IsGPUDeviceType(device.device_type) and not self._local_lr_multiplier_on_gpu:
                multiplier = net.CopyFromCPUInput(multiplier, self.make_unique_blob_name("local_lr_multiplier"))
            lr = net.Mul([lr, multiplier], self.make_unique_blob_name("local_scaled_lr"))
        return lr, iteration

    def add_lr_multiplier(self, lr_multiplier: Any) -> None:
        """Multiplies the learning rate by a blob from now on; ``None`` ends it."""
        self._lr_multiplier = lr_multiplier

    def _clear_local_lr_multiplier(self) -> None:
        self._local_lr_multiplier = None
        self._local_lr_multiplier_on_gpu = False

    def _add_local_lr_multiplier(self, local_lr_multiplier: Any, is_gpu_blob: bool = False) -> None:
        self._local_lr_multiplier = local_lr_multiplier
        self._local_lr_multiplier_on_gpu = is_gpu_blob

    def scale_learning_rate(self, scale: float) -> None:
        """Multiplies the base learning rate, for what is added from now on."""
        if not hasattr(self, self._rate):
            raise NotImplementedError(f"{type(self).__name__} has no learning rate to scale.")
        setattr(self, self._rate, getattr(self, self._rate) * scale)

    def create_lars_inputs(
        self, param_init_net: Net, weight_decay: float, trust: float, lr_max: float
    ) -> tuple[BlobReference, BlobReference, BlobReference]:
        """The blobs that the operator Lars reads beside parameter and gradient."""
        decay = param_init_net.ConstantFill([], "weight_decay", shape=[1], value=weight_decay)
        trusted = param_init_net.ConstantFill([], "trust", shape=[1], value=trust)
        largest = param_init_net.ConstantFill([], "lr_max", shape=[1], value=lr_max)
        return decay, trusted, largest

    def _apply_lars(self, net: Net, param_init_net: Net, param_info: ParameterInfo, offset: float | None) -> None:
        """Lets the norms of parameter and gradient scale the learning rate of this one parameter."""
        self._clear_local_lr_multiplier()
        if offset is None or isinstance(param_info.grad, GradientSlice):
            return
        if offset < 0:
            raise AssertionError(f"Lars offset must be nonnegative, got {offset}")
        param = param_info.blob
        largest = float(np.finfo(np.float32).max)
        decay, trust, lr_max = self.create_lars_inputs(param_init_net, 0.0, 1.0, largest)
        name = self.make_unique_blob_name(f"{param}_lars")
        inputs = [param, param_info.grad, decay, trust, lr_max]
        multiplier = net.Lars(inputs, name, offset=float(offset), lr_min=0.0)
        device = CurrentDeviceScope()
        on_gpu = device is not None and IsGPUDeviceType(device.device_type)
        self._add_local_lr_multiplier(multiplier, is_gpu_blob=on_gpu)

    # ---- gradients -------------------------------------------------------------------------------

    @staticmethod
    def dedup(net: Net, sparse_dedup_aggregator: str | None, grad: GradientSlice) -> GradientSlice:
        """A sparse gradient in which each row appears once, if an aggregator (``"sum"``, ``"mean"``) says how."""
        if not isinstance(grad, GradientSlice):
            raise AssertionError(f"Dedup only works for sparse gradient, got {grad}")
        if sparse_dedup_aggregator:
            return net.DeduplicateGradientSlices(grad, aggregator=sparse_dedup_aggregator)
        return grad

    def _refuse_sparse(self, param_info: ParameterInfo) -> None:
        if isinstance(param_info.grad, GradientSlice):
            raise AssertionError(
                f"{type(self).__name__} does not support sparse gradients, such as the one of {param_info.name}."
            )
