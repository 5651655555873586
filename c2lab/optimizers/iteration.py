"""The counter of training steps, of which a net has one."""

from __future__ import annotations

from typing import Any

from c2lab.nets.blobs import BlobReference
from c2lab.nets.devices import DeviceOption
from c2lab.nets.net import Net
from c2lab.nets.scopes import DeviceScope
from c2lab.proto import caffe2_pb2

OPTIMIZER_ITERATION_NAME = "optimizer_iteration"
ITERATION_MUTEX_NAME = "iteration_mutex"


def BuildUniqueMutexIter(
    init_net: Net, net: Net, iter: Any = None, iter_mutex: Any = None, iter_val: int = 0
) -> BlobReference:
    """The counter of ``net``, made if there is none yet; it goes up by one each time the net runs.

    Args:
        init_net: Fills the counter and makes its mutex.
        net: Counts.
        iter, iter_mutex: Other names than ``optimizer_iteration`` and ``iteration_mutex``.
        iter_val: Where to start.

    Example:
        >>> init_net, net = Net("iteration_init"), Net("iteration_example")
        >>> BuildUniqueMutexIter(init_net, net)
        BlobReference("optimizer_iteration")
    """
    name = iter if iter is not None else OPTIMIZER_ITERATION_NAME
    if init_net.BlobIsDefined(name):
        return init_net.GetBlobRef(name)
    on_cpu = DeviceOption(caffe2_pb2.PROTO_CPU, extra_info=["device_type_override:cpu"])
    with DeviceScope(on_cpu):
        iteration = init_net.ConstantFill([], name, shape=[1], value=iter_val, dtype=caffe2_pb2.TensorProto.INT64)
        mutex = init_net.CreateMutex([], [iter_mutex if iter_mutex is not None else ITERATION_MUTEX_NAME])
        net.AtomicIter([mutex, iteration], [iteration])
    return iteration
