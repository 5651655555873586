"""What a net needs beside its layers to be trained: an iteration counter, accuracy, weight decay."""

from __future__ import annotations

from typing import Any

from c2lab.nets.blobs import BlobReference
from c2lab.nets.devices import DeviceOption
from c2lab.nets.scopes import CurrentDeviceScope, CurrentNameScope
from c2lab.proto import caffe2_pb2


def iter(model: Any, blob_out: Any, **kwargs: Any) -> BlobReference:
    """A counter that starts at 0 and goes up by one each time the net runs."""
    kwargs.pop("device_option", None)
    model.param_init_net.ConstantFill(
        [],
        blob_out,
        shape=[1],
        value=0,
        dtype=caffe2_pb2.TensorProto.INT64,
        device_option=DeviceOption(caffe2_pb2.PROTO_CPU, 0),
        **kwargs,
    )
    return model.net.Iter(blob_out, blob_out, **kwargs)


def accuracy(model: Any, blob_in: Any, blob_out: Any, **kwargs: Any) -> BlobReference:
    """The share of samples whose label is among the ``top_k`` most likely classes.

    Args:
        blob_in: Scores and labels.
        kwargs: ``top_k``, 1 where left out.
    """
    device = kwargs.pop("device_option", None) or CurrentDeviceScope()
    top_k = {"top_k": kwargs["top_k"]} if "top_k" in kwargs else {}
    if device is not None and device.device_type != caffe2_pb2.PROTO_CPU and top_k.get("top_k", 1) > 1:
        scores, labels = (model.net.CopyGPUToCPU(blob, blob + "_host") for blob in blob_in)
        on_cpu = DeviceOption(caffe2_pb2.PROTO_CPU, 0)
        return model.net.Accuracy([scores, labels], blob_out, device_option=on_cpu, **kwargs)
    return model.net.Accuracy(blob_in, blob_out, **top_k)


def add_weight_decay(model: Any, weight_decay: float) -> None:
    """Adds ``weight_decay * w`` to the gradient of every weight of the current scope; biases are left alone.

    Call it after ``AddGradientOperators``.
    """
    if weight_decay <= 0.0:
        return
    scope = CurrentNameScope()
    weights = [w for w in model.weights if not scope or w.GetNameScope() == scope]
    decay = model.param_init_net.ConstantFill([], "wd", shape=[1], value=weight_decay)
    one = model.param_init_net.ConstantFill([], "ONE", shape=[1], value=1.0)
    for weight in weights:
        gradient = model.param_to_grad[weight]
        model.net.WeightedSum([gradient, one, weight, decay], gradient)
