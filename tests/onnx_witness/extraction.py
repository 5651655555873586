"""Writes ``cases.npz`` out of the ``onnx`` package: ``python -m tests.onnx_witness.extraction``.

Only cases of one operator, of the types that ``nets.py`` translates, with tensors of modest size, are kept.
The package is needed for this only; the tests read the file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.onnx_witness.nets import TRANSLATIONS

MOST_ELEMENTS = 8_000


def _attribute(onnx: Any, attribute: Any) -> Any:
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode()
    if hasattr(value, "SerializeToString"):
        raise ValueError("holds a tensor or a graph")
    return [v.decode() if isinstance(v, bytes) else v for v in value] if isinstance(value, (list, tuple)) else value


def main() -> None:
    """Collects the cases and writes the file."""
    import onnx  # type: ignore[import-not-found]
    from onnx.backend.test.case.node import collect_testcases  # type: ignore[import-not-found]

    index: list[dict[str, Any]] = []
    arrays: dict[str, np.ndarray] = {}
    for case in sorted(collect_testcases(None), key=lambda case: case.name):
        nodes = case.model.graph.node
        if len(nodes) != 1 or nodes[0].op_type not in TRANSLATIONS or nodes[0].domain:
            continue
        (node,) = nodes
        given, wanted = case.data_sets[0]
        tensors = [np.asarray(a) for a in (*given, *wanted) if isinstance(a, (np.ndarray, np.generic))]
        known = all(a.dtype.kind in "fiub" and a.dtype.name != "bfloat16" for a in tensors)
        if len(tensors) != len(given) + len(wanted) or not known or sum(a.size for a in tensors) > MOST_ELEMENTS:
            continue
        try:
            attributes = {a.name: _attribute(onnx, a) for a in node.attribute}
        except ValueError:
            continue
        rest = iter(given)
        entry: dict[str, Any] = {"name": case.name, "type": node.op_type, "attributes": attributes}
        for side, names, values in (("inputs", node.input, rest), ("outputs", node.output, iter(wanted))):
            entry[side] = []
            for k, name in enumerate(names):
                key = f"{len(index)}{side[0]}{k}" if name else None
                if key:
                    arrays[key] = np.asarray(next(values))
                entry[side].append(key)
        index.append(entry)
    path = Path(__file__).with_name("cases.npz")
    arrays["index"] = np.frombuffer(json.dumps({"version": onnx.__version__, "cases": index}).encode(), np.uint8)
    np.savez_compressed(path, **arrays)
    print(f"{len(index)} cases, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
