"""Caffe2's ``core``: nets, operators, blobs, scopes, gradients. Builds NetDefs, runs nothing.

    >>> from c2lab import core
    >>> net = core.Net("core_example")
    >>> y = net.Relu("x", "y")
    >>> net.AddGradientOperators([y])["x"]
    BlobReference("x_grad")

The parts live in ``c2lab.nets`` and ``c2lab.plan``; this module gives them their old names.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from c2lab.graph.backward import OpSSA
from c2lab.nets import scopes as scope
from c2lab.nets.blobs import BlobReference, ScopedBlobReference, ScopedName
from c2lab.nets.cloning import (
    clone_and_bind_net,
    control_op_remap,
    recurrent_network_op_remap,
    remap_input,
    remap_proto,
)
from c2lab.nets.creation import (
    CreateOperator,
    CreatePythonOperator,
    IsOperator,
    IsOperatorWithEngine,
    RefreshRegisteredOperators,
    SetEnginePref,
    SetGlobalEnginePref,
    SetOpEnginePref,
    SetPerOpEnginePref,
    operator_types,
)
from c2lab.nets.device_copies import (
    InjectCrossDeviceCopies,
    InjectDeviceCopiesAmongNets,
    InjectDeviceCopiesAmongNetsWithoutB2D,
    RemapEntry,
    copy_func_between_devices,
    update_placeholder_op_output,
)
from c2lab.nets.devices import (
    DeviceOption,
    InferBlobDevices,
    InferOpBlobDevices,
    InferOpBlobDevicesAsDict,
    InferOpDeviceAsBlobDevices,
    IsGPUDeviceType,
    device_equal,
    device_option_equal,
)
from c2lab.nets.gradients import IR, GetIndexFromGradientList, GradientRegistry
from c2lab.nets.net import Net
from c2lab.nets.scopes import (
    CurrentDeviceScope,
    CurrentNameScope,
    DeviceScope,
    EmptyDeviceScope,
    EmptyNameScope,
    NameScope,
)
from c2lab.nets.ssa import get_op_ids_in_path, get_output_producers, get_ssa, get_undefined_blobs
from c2lab.operators.gradients import GradientSlice
from c2lab.plan import (
    ExecutionStep,
    Plan,
    add_nets_in_order,
    execution_step,
    get_net_name,
    scoped_execution_step,
    to_execution_step,
)
from c2lab.proto import caffe2_pb2


class DataType:
    """Element types of tensors, by name: ``DataType.FLOAT`` is ``TensorProto.FLOAT``."""


for _name, _number in caffe2_pb2.TensorProto.DataType.items():
    setattr(DataType, _name, _number)

_global_init_args: list[str] = []


def GlobalInit(args: Sequence[str]) -> None:
    """Takes the flags of the original's start-up (``["caffe2", "--caffe2_log_level=0"]``) and keeps them.

    XLA needs none of them, so they have no effect.
    """
    _global_init_args.extend(args[1:])


def GetGlobalInitArgs() -> list[str]:
    """The flags that ``GlobalInit`` was called with so far."""
    return list(_global_init_args)


def output_to_list(op_output: Any) -> list[Any]:
    """What an operator method returned, as a list: nothing, one reference, or several."""
    if op_output is None:
        return []
    return list(op_output) if isinstance(op_output, list | tuple) else [op_output]


def __getattr__(name: str) -> Any:
    if name == "C":
        return importlib.import_module("c2lab.workspace").C
    if name == "workspace":  # old scripts say core.workspace
        return importlib.import_module("c2lab.workspace")
    if name == "_REGISTERED_OPERATORS":
        return operator_types()
    raise AttributeError(f"module c2lab.core has no attribute {name}")


__all__ = [
    "IR",
    "BlobReference",
    "CreateOperator",
    "CreatePythonOperator",
    "CurrentDeviceScope",
    "CurrentNameScope",
    "DataType",
    "DeviceOption",
    "DeviceScope",
    "EmptyDeviceScope",
    "EmptyNameScope",
    "ExecutionStep",
    "GetGlobalInitArgs",
    "GetIndexFromGradientList",
    "GlobalInit",
    "GradientRegistry",
    "GradientSlice",
    "InferBlobDevices",
    "InferOpBlobDevices",
    "InferOpBlobDevicesAsDict",
    "InferOpDeviceAsBlobDevices",
    "InjectCrossDeviceCopies",
    "InjectDeviceCopiesAmongNets",
    "InjectDeviceCopiesAmongNetsWithoutB2D",
    "IsGPUDeviceType",
    "IsOperator",
    "IsOperatorWithEngine",
    "NameScope",
    "Net",
    "OpSSA",
    "Plan",
    "RefreshRegisteredOperators",
    "RemapEntry",
    "ScopedBlobReference",
    "ScopedName",
    "SetEnginePref",
    "SetGlobalEnginePref",
    "SetOpEnginePref",
    "SetPerOpEnginePref",
    "add_nets_in_order",
    "clone_and_bind_net",
    "control_op_remap",
    "copy_func_between_devices",
    "device_equal",
    "device_option_equal",
    "execution_step",
    "get_net_name",
    "get_op_ids_in_path",
    "get_output_producers",
    "get_ssa",
    "get_undefined_blobs",
    "output_to_list",
    "recurrent_network_op_remap",
    "remap_input",
    "remap_proto",
    "scope",
    "scoped_execution_step",
    "to_execution_step",
    "update_placeholder_op_output",
]
