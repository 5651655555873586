"""The recorded calls of the original operators, and a way to repeat one here.

``python -m tests.operators.recorded_cases Conv Relu`` prints what passes and what does not.
"""

from __future__ import annotations

import json
import sys
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import text_format

from c2lab.operators import registry
from c2lab.operators.definition import Operator
from c2lab.operators.gradients import GradientSlice, make_gradient
from c2lab.proto import caffe2_pb2
from c2lab.workspace import Workspace

FOLDER = Path(__file__).parents[1] / "recorded"
BOUNDS = (1e-4, 1e-5)  # relative, absolute; BOUNDS_BY_TYPE widens them with a reason

# In place, these overwrite an input whose value their own gradient reads. A net that does it is refused
# ("Gradient operator needs input ... at version 0"), so what was recorded for a lone call has no meaning.
GRADIENT_READS_INPUT = frozenset({"Mul"})


@dataclass
class Case:
    """One recorded call."""

    type: str
    number: int
    op: caffe2_pb2.OperatorDef
    inputs: list[np.ndarray]
    outputs: list[np.ndarray | None]
    output_grads: list[np.ndarray | None]
    input_grads: list[np.ndarray | None]
    random: bool = False
    header: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.type}-{self.number}"


def _strings(array: np.ndarray) -> np.ndarray:
    """Fixed-width byte arrays stand for string blobs, which are object arrays of bytes."""
    return array.astype(object) if array.dtype.kind == "S" else array


def read_cases(type: str) -> list[Case]:
    """Every recorded call of one operator type."""
    with np.load(FOLDER / f"{type}.npz") as stored:
        cases = []
        for k, header in enumerate(json.loads(stored["header"].tobytes())):
            op = text_format.Parse(header["op"], caffe2_pb2.OperatorDef())

            def get(kind: str, count: int, k: int = k) -> list[np.ndarray | None]:
                names = [f"{k}.{kind}.{j}" for j in range(count)]
                return [_strings(stored[name]) if name in stored else None for name in names]

            inputs = get("in", header["inputs"])
            outputs = get("out", header["outputs"])
            cases.append(
                Case(
                    type, k, op, inputs, outputs,  # type: ignore[arg-type] - recorded inputs are all there
                    get("gout", header["outputs"]), get("gin", header["inputs"]),
                    bool(header.get("random")), header,
                )
            )  # fmt: skip
        return cases


def shipped_operators() -> list[Operator]:
    """The operators of the package itself, without those that other tests define."""
    found = []
    for operator in registry.all_operators():
        # The function of an automatic gradient stands in the mechanism, wherever its operator is defined.
        origin = registry.get(operator.gradient_of) or operator if operator.gradient_of else operator
        if origin.function.__module__.startswith("c2lab."):
            found.append(operator)
    return found


def recorded_types() -> list[str]:
    """The recorded operator types."""
    return sorted(path.stem for path in FOLDER.glob("*.npz"))


def execute(op: caffe2_pb2.OperatorDef, blobs: dict[str, Any]) -> None:
    """Runs one operator on numpy blobs, in place, through a workspace."""
    workspace = Workspace("recorded", seed=0)
    for name in op.input:
        if blobs[name] is not None:
            workspace[name] = blobs[name]
    workspace.run_operator(op)
    for name in op.output:
        blobs[name] = workspace[name]


def compare(label: str, got: Any, want: np.ndarray, bounds: tuple[float, float], shape_only: bool = False) -> None:
    """Demands the shape, the type and, within bounds, the values of the original."""
    got = np.asarray(got) if not isinstance(got, np.ndarray) else got
    assert got.shape == want.shape, f"{label}: shape {got.shape}, recorded {want.shape}"
    assert got.dtype == want.dtype, f"{label}: type {got.dtype}, recorded {want.dtype}"
    if shape_only:
        return
    if want.dtype.kind == "f":
        np.testing.assert_allclose(got, want, rtol=bounds[0], atol=bounds[1], err_msg=label)
    else:
        np.testing.assert_array_equal(got, want, err_msg=label)


def run_case(case: Case, bounds: tuple[float, float] = BOUNDS) -> None:
    """Repeats a recorded call, forward and, where recorded, backward; fails where it differs."""
    blobs: dict[str, Any] = dict(zip(case.op.input, case.inputs, strict=True))
    execute(case.op, blobs)
    for j, (name, want) in enumerate(zip(case.op.output, case.outputs, strict=True)):
        if want is not None:
            compare(f"output {j}", blobs[name], want, bounds, shape_only=case.random)
    if not any(g is not None for g in case.output_grads) or case.random:
        return
    if case.type in GRADIENT_READS_INPUT and set(case.op.input) & set(case.op.output):
        return
    seeds: list[str | None] = []
    for j, gradient in enumerate(case.output_grads):
        seeds.append(None if gradient is None else f"{case.op.output[j]}_seed_{j}")
        if gradient is not None:
            blobs[f"{case.op.output[j]}_seed_{j}"] = gradient
    # The gradient reads what the forward operator read and wrote; in place, the input is gone.
    backward = make_gradient(case.op, seeds)
    for op in backward.ops:
        execute(op, blobs)
    for i, want in enumerate(case.input_grads):
        if want is None:
            continue
        name = backward.input_gradients[i]
        assert name is not None, f"input {i} has no gradient"
        if isinstance(name, GradientSlice):
            got = np.zeros_like(want)
            np.add.at(
                got,
                np.asarray(blobs[name.indices]).ravel(),
                np.asarray(blobs[name.values]).reshape(-1, *want.shape[1:]),
            )
        else:
            got = np.asarray(blobs[name])
        compare(f"gradient of input {i}", got, want, bounds)


def main(types: list[str]) -> None:
    for type in types or [t for t in recorded_types() if registry.get(t)]:
        failures = []
        cases = read_cases(type)
        for case in cases:
            try:
                run_case(case)
            except Exception as error:
                failures.append((case, error))
        print(f"{type}: {len(cases) - len(failures)} / {len(cases)}")
        for case, error in failures[:3]:
            shapes = [(x.shape, x.dtype) for x in case.inputs if x is not None]
            print(f"--- {case.name}\n{text_format.MessageToString(case.op)}inputs {shapes}")
            traceback.print_exception(error, limit=-3)


if __name__ == "__main__":
    main(sys.argv[1:])
