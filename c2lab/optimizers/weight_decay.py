"""Weight decay, added to the gradients before an optimizer uses them."""

from __future__ import annotations

from c2lab.nets.devices import DeviceOption
from c2lab.nets.net import Net
from c2lab.nets.scopes import CurrentDeviceScope
from c2lab.operators.gradients import GradientSlice
from c2lab.optimizers.base import Optimizer
from c2lab.parameters.info import ParameterInfo
from c2lab.proto import caffe2_pb2


class WeightDecayBuilder(Optimizer):
    """``g += weight_decay * w``.

    Args:
        weight_decay: The share of the parameter that is added to its gradient.
    """

    def __init__(self, weight_decay: float) -> None:
        super().__init__()
        self.weight_decay = weight_decay

    def _run(self, net: Net, param_init_net: Net, param_info: ParameterInfo) -> None:
        if isinstance(param_info.grad, GradientSlice):
            raise ValueError(f"Weight decay does not yet support sparse gradients, such as the one of {param_info}.")
        device = CurrentDeviceScope() or DeviceOption(caffe2_pb2.PROTO_CPU)
        one = self._one(param_init_net)
        name = f"wd_{device.device_type}_{device.device_id}"
        decay = param_init_net.ConstantFill([], name, shape=[1], value=float(self.weight_decay))
        net.WeightedSum([param_info.grad, one, param_info.blob, decay], param_info.grad)
