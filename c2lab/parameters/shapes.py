"""The shapes of parameters, for state that has one value for each of their rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from c2lab.nets.blobs import BlobReference
from c2lab.nets.net import Net
from c2lab.parameters.info import ParameterInfo


def shape_of(init_net: Net, param_info: ParameterInfo) -> Sequence[int] | None:
    """The shape of a parameter, as its layer asked for it or the init net fills it."""
    if param_info.shape is not None:
        return param_info.shape
    for op in init_net.Proto().op:
        if param_info.name in op.output:
            for argument in op.arg:
                if argument.name == "shape":
                    return list(argument.ints)
    return None


def filled_by_row(
    init_net: Net, param_info: ParameterInfo, suffix: str, value: Any = 0.0, **arguments: Any
) -> BlobReference:
    """A blob ``<param><suffix>`` with ``value`` for each row of the parameter."""
    param = param_info.blob
    name = str(param) + suffix
    shape = shape_of(init_net, param_info)
    if shape is not None:
        return init_net.ConstantFill([], name, shape=[shape[0]], value=value, **arguments)
    whole = init_net.Shape(param, f"{param}_shape")
    rows = init_net.Slice([whole], f"{whole}_numrows", starts=[0], ends=[1])
    return init_net.ConstantFill(rows, name, input_as_shape=1, value=value, **arguments)
