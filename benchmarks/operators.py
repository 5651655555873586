"""Sixty operators at a typical size, forward and with gradient, against the plain JAX expression.

``python -m benchmarks.operators [--only TYPE ...] [--rounds N] [--json FILE]`` prints a line an operator: the
time of c2lab's compiled one-operator net and its ratio to ``jax.jit`` of the expression; the same for forward
and gradient together (``jax.vjp``); and, where PyTorch is installed, JAX's time over PyTorch's.  Contestants take
turns; ratios are medians over the turns.  Results are compared before anything is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["C2LAB_CACHE"] = "0"

import jax
import numpy as np

from benchmarks.operator_table import CASES, Case
from benchmarks.timing import interleaved, ratio
from c2lab import core, workspace

WANTED = 1.1
JAX_IS_SLOW = 1.5


def forward_program(case: Case) -> tuple[Callable[..., Any], list[Any]]:
    """c2lab's compiled function of the operator alone, and its arguments."""
    net = core.Net(case.type)
    outputs = [f"Y{number}" for number in range(case.outputs)]
    net.Proto().op.add().CopyFrom(core.CreateOperator(case.type, case.names, outputs, **case.arguments))
    return _compiled(case, net, outputs[: case.compared])


def gradient_program(case: Case, flow: np.ndarray) -> tuple[Callable[..., Any], list[Any]]:
    """c2lab's compiled function of the operator and its gradient operators."""
    net = core.Net(case.type)
    outputs = [f"Y{number}" for number in range(case.outputs)]
    net.Proto().op.add().CopyFrom(core.CreateOperator(case.type, case.names, outputs, **case.arguments))
    workspace.FeedBlob("flow", flow)
    gradients = net.AddGradientOperators({case.flows_from: "flow"})
    return _compiled(case, net, [str(gradients[name]) for name in case.differentiated])


def _compiled(case: Case, net: Any, wanted: list[str]) -> tuple[Callable[..., Any], list[Any]]:
    net.AddExternalOutput(*wanted)
    for name, value in case.values.items():
        workspace.FeedBlob(name, value)
    workspace.CreateNet(net, True)
    blobs = workspace.current().blobs
    executable = workspace.current().nets[net.Name()][1]
    steps = executable.lean.steps
    if len(steps) != 1:
        raise SystemExit(f"{case.type} is cut into {len(steps)} pieces; it has no place in this table")
    (step,) = steps
    step.donate = ()  # the arguments are used again and again
    step.prepare(blobs)
    order = [step.output_names.index(name) for name in wanted]
    arguments = [blobs[name] for name in step.input_names]
    call = step.compiled.call

    def program(*values: Any) -> list[Any]:
        results = call(*values)
        return [results[place] for place in order]

    return program, arguments


def compare(case: Case, rounds: int) -> dict[str, Any]:
    """The figures of one operator."""
    workspace.ResetWorkspace()
    values = [jax.device_put(value) for value in case.values.values()]
    expression = jax.jit(lambda *values: jax.tree.leaves(case.expression(*values)))
    result: dict[str, Any] = {"operator": case.label}
    ours, arguments = forward_program(case)
    _agree(case, ours(*arguments), expression(*values))
    result |= _timed(
        "forward", {"c2lab": lambda: ours(*arguments), "jax": lambda: expression(*values)} | _torch(case, False), rounds
    )
    if not case.differentiated:
        return result
    shaped = jax.tree.leaves(case.expression(*values))[case.outputs_order]
    flow = np.random.default_rng(1).normal(size=shaped.shape).astype(shaped.dtype)
    places = [list(case.values).index(name) for name in case.differentiated]

    @jax.jit
    def differentiated(flow: Any, *values: Any) -> Any:
        def of_some(*some: Any) -> Any:
            all_values = list(values)
            for place, value in zip(places, some, strict=True):
                all_values[place] = value
            return jax.tree.leaves(case.expression(*all_values))[case.outputs_order]

        return jax.vjp(of_some, *(values[place] for place in places))[1](flow)

    flow_there = jax.device_put(flow)
    back, back_arguments = gradient_program(case, flow)
    _agree(case, back(*back_arguments), differentiated(flow_there, *values))
    contestants = {"c2lab": lambda: back(*back_arguments), "jax": lambda: differentiated(flow_there, *values)}
    return result | _timed("gradient", contestants | _torch(case, True), rounds)


def _torch(case: Case, gradient: bool) -> dict[str, Callable[[], Any]]:
    """PyTorch's own, where it is installed and the table says how."""
    if case.torch is None:
        return {}
    try:
        import torch
    except ImportError:
        return {}
    tensors = {name: torch.from_numpy(np.array(value)) for name, value in case.values.items()}
    if not gradient:
        return {"torch": lambda: case.torch(torch, *tensors.values())}
    for name in case.differentiated:
        tensors[name].requires_grad_(True)
    wanted = [tensors[name] for name in case.differentiated]

    def there_and_back() -> Any:
        return torch.autograd.grad(case.torch(torch, *tensors.values()).sum(), wanted)

    return {"torch": there_and_back}


def _timed(kind: str, contestants: dict[str, Callable[[], Any]], rounds: int) -> dict[str, Any]:
    waiting = {name: (lambda call=call: jax.block_until_ready(call())) for name, call in contestants.items()}
    times = interleaved(waiting, rounds, budget=5.0)
    figures: dict[str, Any] = {
        f"{kind} ms": 1e3 * statistics.median(times["c2lab"]),
        f"{kind}, c2lab / jax": ratio(times, "c2lab", "jax"),
    }
    if "torch" in times:
        figures[f"{kind}, jax / torch"] = ratio(times, "jax", "torch")
    return figures


def _agree(case: Case, ours: list[Any], theirs: list[Any]) -> None:
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-3, atol=2e-3, err_msg=case.label)


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.operators", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="TYPE", default=None)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there")
    options = parser.parse_args()
    results = []
    print(f"{'':34}{'forward':>10}{'ratio':>7}{'+ gradient':>12}{'ratio':>7}{'JAX / PyTorch':>15}", flush=True)
    for case in CASES:
        if options.only is None or case.type in options.only:
            results.append(compare(case, options.rounds))
            print(_row(results[-1]), flush=True)
    for kind in ("forward", "gradient"):
        over = [r["operator"] for r in results if r.get(f"{kind}, c2lab / jax", 0) > WANTED]
        print(f"\n{kind}: {len(over)} over {WANTED} times the JAX expression: {', '.join(over) or 'none'}")
        slow = [r["operator"] for r in results if r.get(f"{kind}, jax / torch", 0) > JAX_IS_SLOW]
        if any(f"{kind}, jax / torch" in r for r in results):
            print(f"{kind}: JAX takes over {JAX_IS_SLOW} times PyTorch's time for: {', '.join(slow) or 'none'}")
    if options.json:
        options.json.write_text(json.dumps({"operators": results, "processors": os.cpu_count()}, indent=2) + "\n")


def _row(result: dict[str, Any]) -> str:
    line = f"{result['operator']:34}{result['forward ms']:7.3f} ms{result['forward, c2lab / jax']:7.2f}"
    if "gradient ms" in result:
        line += f"{result['gradient ms']:9.3f} ms{result['gradient, c2lab / jax']:7.2f}"
    else:
        line += " " * 19
    torch = [result[f"{kind}, jax / torch"] for kind in ("forward", "gradient") if f"{kind}, jax / torch" in result]
    return line + "".join(f"{figure:8.2f}" for figure in torch)


if __name__ == "__main__":
    main()
