"""Where the time of a step goes, operator by operator."""

from __future__ import annotations

import html
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import jax

from c2lab.backend.cost import operator_cost
from c2lab.backend.workspaces import Workspace
from c2lab.errors import C2LabError
from c2lab.proto import caffe2_pb2


@dataclass(frozen=True)
class OperatorProfile:
    """One operator.

    Attributes:
        position: In the net.
        type: Of the operator.
        outputs: What it writes.
        milliseconds: A run, on its own.
        flops, bytes: By XLA's count; ``None`` where it has none.
    """

    position: int
    type: str
    outputs: tuple[str, ...]
    milliseconds: float
    flops: int | None
    bytes: int | None


class Profile:
    """A table of operators, the slowest first; a notebook shows it with bars.

    Operators are timed one by one, so what XLA fuses counts for more than in a step.
    """

    def __init__(self, operators: Iterable[OperatorProfile], step_milliseconds: float) -> None:
        self.operators = sorted(operators, key=lambda entry: -entry.milliseconds)
        self.step_milliseconds = step_milliseconds

    def table(self) -> list[dict[str, Any]]:
        """A row an operator."""
        return [asdict(entry) for entry in self.operators]

    def heat(self) -> dict[int, float]:
        """The share of the slowest operator's time, by position: for colouring a net."""
        most = max((entry.milliseconds for entry in self.operators), default=0.0) or 1.0
        return {entry.position: entry.milliseconds / most for entry in self.operators}

    def __repr__(self) -> str:
        lines = [f"a step takes {self.step_milliseconds:.3f} ms; its operators alone:"]
        lines += [
            f"{entry.milliseconds:10.3f} ms  {_short(entry.flops):>8} FLOPs  {_short(entry.bytes):>8} bytes  "
            f"{entry.position:4}  {entry.type} -> {', '.join(entry.outputs)}"
            for entry in self.operators
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        heat = self.heat()
        rows = "".join(
            f"<tr><td>{entry.position}</td><td>{html.escape(entry.type)}</td>"
            f"<td>{html.escape(', '.join(entry.outputs))}</td><td>{entry.milliseconds:.3f}</td>"
            f'<td><div style="background:#c8591b;height:10px;width:{120 * heat[entry.position]:.0f}px"></div></td>'
            f"<td>{_short(entry.flops)}</td><td>{_short(entry.bytes)}</td></tr>"
            for entry in self.operators
        )
        heads = "".join(f"<th>{head}</th>" for head in ("", "operator", "writes", "ms", "", "FLOPs", "bytes"))
        return f"<p>a step takes {self.step_milliseconds:.3f} ms</p><table><tr>{heads}</tr>{rows}</table>"


def profile(nets: Iterable[caffe2_pb2.NetDef], blobs: Mapping[str, Any], *, runs: int = 3) -> Profile:
    """Times each operator on copies of blobs, which stay as they are.

    Args:
        nets: What a step runs, in order.
        blobs: What they find.
        runs: How many runs a time is the mean of, after one that compiles.
    """
    found, total, position = [], 0.0, 0
    for net in nets:
        apart = Workspace("profiling", seed=0)
        apart.blobs.update(blobs)
        whole = apart.executable(net)
        total += _milliseconds(whole, apart.blobs, runs)
        for op in net.op:
            single = caffe2_pb2.NetDef(name=net.name, op=[op], external_output=list(op.output))
            if net.HasField("device_option"):
                single.device_option.CopyFrom(net.device_option)
            try:
                cost = operator_cost(op, apart.blobs)
                flops, size = cost.flops, cost.bytes_read + cost.bytes_written
            except (C2LabError, TypeError, ValueError, NotImplementedError, AttributeError):
                flops = size = None
            spent = _milliseconds(apart.executable(single), apart.blobs, runs)
            found.append(OperatorProfile(position, op.type, tuple(op.output), spent, flops, size))
            position += 1
    return Profile(found, total)


def _milliseconds(executable: Any, blobs: Any, runs: int) -> float:
    _run(executable, blobs)
    started = time.perf_counter()
    for _ in range(runs):
        _run(executable, blobs)
    return (time.perf_counter() - started) * 1000 / runs


def _run(executable: Any, blobs: Any) -> None:
    executable.run_beside(blobs)
    for name in executable.graph.writes:
        if isinstance(blobs.get(name), jax.Array):
            blobs[name].block_until_ready()


def _short(number: int | None) -> str:
    if number is None:
        return "?"
    size = float(number)
    for unit in ("", "K", "M", "G"):
        if size < 1000:
            return f"{size:.3g}{unit}"
        size /= 1000
    return f"{size:.3g}T"
