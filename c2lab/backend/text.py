"""Text through operators that only move values: the strings travel as numbers.

Compiled programs know no strings.  ``Copy``, ``Reshape``, ``Concat``, ``Gather`` and their kin do
not look at what they move, so each different string gets a number, the numbers are moved, and
what comes out is looked up again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from c2lab.graph.ir import Graph, Value

# By operator type: which outputs hold moved values (all of them where empty).
MOVES_TEXT: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(
        ("Alias", "AliasWithName", "BatchGather", "BooleanUnmask", "Concat", "Conditional", "Copy", "CopyCPUToGPU",
         "CopyFromCPUInput", "CopyGPUToCPU", "CopyOnDeviceLike", "DepthConcat", "EnsureCPUOutput", "EnsureDense",
         "ExpandDims", "Flatten", "FlattenToVec", "Gather", "GatherByKey", "MergeDim", "NumpyTile", "PackSegments",
         "PrependDim", "Reshape", "ResizeLike", "Slice", "Squeeze", "StopGradient", "Tile", "Transpose", "Where"),
        (0,),
    ),
    **dict.fromkeys(("DepthSplit", "Split", "SplitByLengths"), ()),
}  # fmt: skip

# What looks only at the shapes of what it reads, or at which values are equal, can read text too.
LOOKS_AT_TEXT = frozenset(("EQ", "HasElements", "IsEmpty", "NE", "Shape", "Size"))


def can_read_text(op_type: str) -> bool:
    """Whether strings can travel through an operator as numbers."""
    return op_type in MOVES_TEXT or op_type in LOOKS_AT_TEXT


def moved_outputs(op_type: str, outputs: int) -> Iterable[int]:
    """The positions of the outputs that hold what an operator has moved."""
    if op_type in LOOKS_AT_TEXT:
        return ()
    return MOVES_TEXT[op_type] or range(outputs)


def is_text(value: Any) -> bool:
    """Whether a blob's value is an array of strings."""
    return isinstance(value, np.ndarray) and value.dtype == object


def text_nodes(graph: Graph, blobs: Mapping[str, Any]) -> frozenset[int]:
    """The operators that move text, given what the blobs hold now.

    Text comes from a blob that holds it, or from an operator that runs on the host because it fills text in.
    """
    texts = {Value(name, 0) for name in graph.reads if is_text(blobs.get(name))}
    found: set[int] = set()
    for node in graph.nodes:
        if node.host:
            if not node.operator.host:
                texts.update(node.outputs)
        elif can_read_text(node.op.type) and any(value in texts for value in node.inputs):
            found.add(node.index)
            moved = moved_outputs(node.op.type, len(node.outputs))
            texts.update(node.outputs[i] for i in moved if i < len(node.outputs))
    return frozenset(found)


class TextCode:
    """Strings as numbers and back; what an operator fills up with 0 is the empty string.

    Example:
        >>> code = TextCode([np.array([b"b", b"a", b"b"], object)])
        >>> code.numbers(np.array([b"b", b"a"], object))
        array([2, 1], dtype=int32)
        >>> code.strings(np.int32([1]))
        array([b'a'], dtype=object)
    """

    def __init__(self, arrays: Iterable[np.ndarray]) -> None:
        self.known = [b"", *sorted({item for array in arrays for item in array.flat} - {b""})]
        self._number = {item: number for number, item in enumerate(self.known)}

    def numbers(self, array: np.ndarray) -> np.ndarray:
        """The number of each string."""
        flat = np.fromiter((self._number[item] for item in array.flat), np.int32, array.size)
        return flat.reshape(array.shape)

    def strings(self, numbers: np.ndarray) -> np.ndarray:
        """The string of each number."""
        result = np.empty(numbers.shape, object)
        for index, number in np.ndenumerate(numbers):
            result[index] = self.known[number]
        return result
