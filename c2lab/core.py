"""Caffe2's ``core``: nets, operators, blobs, scopes. Builds NetDefs, runs nothing.

    >>> from c2lab import core
    >>> net = core.Net("core_example")
    >>> y = net.Relu("x", "y")

The parts live in ``c2lab.nets``; this module only gives them their old names.
"""

from __future__ import annotations

from c2lab.graph.backward import OpSSA
from c2lab.nets.blobs import BlobReference, ScopedBlobReference, ScopedName
from c2lab.nets.creation import (
    CreateOperator,
    IsOperator,
    IsOperatorWithEngine,
    RefreshRegisteredOperators,
    SetEnginePref,
    SetGlobalEnginePref,
    SetOpEnginePref,
    SetPerOpEnginePref,
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

__all__ = [
    "IR",
    "BlobReference",
    "CreateOperator",
    "CurrentDeviceScope",
    "CurrentNameScope",
    "DeviceOption",
    "DeviceScope",
    "EmptyDeviceScope",
    "EmptyNameScope",
    "ExecutionStep",
    "GetIndexFromGradientList",
    "GradientRegistry",
    "GradientSlice",
    "InferBlobDevices",
    "InferOpBlobDevices",
    "InferOpBlobDevicesAsDict",
    "InferOpDeviceAsBlobDevices",
    "IsGPUDeviceType",
    "IsOperator",
    "IsOperatorWithEngine",
    "NameScope",
    "Net",
    "OpSSA",
    "Plan",
    "RefreshRegisteredOperators",
    "ScopedBlobReference",
    "ScopedName",
    "SetEnginePref",
    "SetGlobalEnginePref",
    "SetOpEnginePref",
    "SetPerOpEnginePref",
    "add_nets_in_order",
    "caffe2_pb2",
    "device_equal",
    "device_option_equal",
    "execution_step",
    "get_net_name",
    "scoped_execution_step",
    "to_execution_step",
]
