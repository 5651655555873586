"""Nets that answer: parameters in a workspace of their own, inputs in, outputs out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from c2lab.backend.workspaces import Workspace
from c2lab.errors import BadArgument
from c2lab.proto import caffe2_pb2


class NetPredictor:
    """A net with its parameters in a workspace of its own.

    Args:
        init_net: Fills the parameters.
        predict_net: Reads inputs and parameters, names its results as ``external_output``.

    Example:
        >>> relu = caffe2_pb2.NetDef(name="p", external_input=["x"], external_output=["y"])
        >>> _ = relu.op.add(type="Relu", input=["x"], output=["y"])
        >>> NetPredictor(caffe2_pb2.NetDef(), relu).run([np.float32([-1, 1])])
        [array([0., 1.], dtype=float32)]
    """

    def __init__(self, init_net: caffe2_pb2.NetDef, predict_net: caffe2_pb2.NetDef) -> None:
        self._workspace = Workspace("predictor")
        self._workspace.run_once(init_net)
        initialised = set(self._workspace.blobs)
        self._net = caffe2_pb2.NetDef()
        self._net.CopyFrom(predict_net)
        made = {name for op in init_net.op for name in op.output}
        self._inputs = [name for name in self._net.external_input if name not in made]
        self._all_inputs = set(self._net.external_input)
        self._outputs = list(self._net.external_output)
        self._executable = self._workspace.executable(self._net, [*self._inputs, *initialised])

    def run(self, inputs: Any) -> list[np.ndarray]:
        """Runs the net on a list of arrays (in order of the net's free inputs) or a dictionary by name.

        Returns:
            The external outputs, in order.

        Raises:
            BadArgument: Too many inputs, or a name that is no input of the net.
        """
        workspace = self._workspace
        if isinstance(inputs, Mapping):
            for name, value in inputs.items():
                key = str(name)
                if key not in self._all_inputs:
                    raise BadArgument(f'"{key}" is no input of net "{self._net.name}"; its inputs are {self._inputs}')
                workspace.feed(key, np.asarray(value))
        else:
            names = self._inputs or list(self._net.external_input)
            if len(inputs) > len(names):
                raise BadArgument(
                    f'{len(inputs)} inputs given to net "{self._net.name}", which takes {len(names)}: {names}'
                )
            for name, value in zip(names, inputs, strict=False):
                workspace.feed(name, np.asarray(value))
        if self._outputs:
            self._executable.lean.run(workspace.blobs, self._executable.random_base, self._executable.runs)
            self._executable.runs += 1
        else:
            self._executable.run(workspace.blobs)
        return [workspace.fetch(name) for name in self._outputs]
