"""ONNX operators as small nets of ours, where both mean the same: what the translations share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument

DATA_TYPES = {1: 1, 2: 6, 3: 7, 5: 9, 6: 2, 7: 10, 9: 5, 10: 12, 11: 13}  # ONNX's numbers to Caffe2's


class LeftOut(Exception):
    """A case that asks for what the original does not have; the text is the reason."""


class Translation:
    """A net in the making: inputs as blobs ``i0``, ``i1``, ..., attributes by name."""

    def __init__(self, arrays: Sequence[np.ndarray | None], attributes: dict[str, Any], outputs: int) -> None:
        self.arrays = arrays
        self.attributes = attributes
        self.outputs = outputs
        self.net = caffe2_pb2.NetDef(name="case")
        self.blobs = {f"i{k}": array for k, array in enumerate(arrays) if array is not None}
        self._made = 0

    def __getitem__(self, position: int) -> str:
        return f"i{position}"

    def has(self, position: int) -> bool:
        """Whether an optional input is there."""
        return position < len(self.arrays) and self.arrays[position] is not None

    def array(self, position: int) -> np.ndarray:
        """The values of an input, for what is an argument of ours."""
        found = self.arrays[position]
        assert found is not None
        return found

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute."""
        return self.attributes.get(name, default)

    def feed(self, array: np.ndarray) -> str:
        """A blob with values of ours."""
        self._made += 1
        name = f"c{self._made}"
        self.blobs[name] = array
        return name

    def op(self, type: str, inputs: Sequence[str], outputs: int = 1, **arguments: Any) -> Any:
        """Adds an operator; the name of its output, or the names."""
        names = []
        for _ in range(outputs):
            self._made += 1
            names.append(f"m{self._made}")
        op = self.net.op.add(type=type, input=inputs, output=names)
        op.arg.extend(make_argument(name, value) for name, value in arguments.items() if value is not None)
        return names[0] if outputs == 1 else names

    def only(self, condition: bool, reason: str) -> None:
        """Leaves the case out unless the condition holds."""
        if not condition:
            raise LeftOut(reason)


TRANSLATIONS: dict[str, Callable[[Translation], list[str]]] = {}


def translates(*types: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Registers the translation of some types of operator."""

    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        for type in types:
            TRANSLATIONS[type] = lambda t, type=type: _listed(function(t, type))
        return function

    return wrap


def _listed(made: Any) -> list[str]:
    return list(made) if isinstance(made, (list, tuple)) else [made]
