"""``python -m benchmarks [--quick] [--only NET ...] [--json FILE]`` measures c2lab and prints a table.

Every net runs in c2lab (the lean program, and beside it the observable one, which leaves every blob),
hand-written in JAX, and in PyTorch where that is installed. Contestants take turns in one process;
ratios are medians over the turns. Nothing is read from a compile cache on disk.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

os.environ["C2LAB_CACHE"] = "0"  # before c2lab compiles anything: first calls are measured cold


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--only", nargs="+", metavar="NET", help="mlp, lenet, resnet50", default=None)
    parser.add_argument("--no-memory", action="store_true", help="leave the processes that measure memory out")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there")
    options = parser.parse_args()

    from benchmarks import memory, nets, overhead, steps

    jobs = [job for job in nets.JOBS if options.only is None or job.net in options.only]
    rounds, budget = (7, 10.0) if options.quick else (41, 60.0)
    steps.measure(nets.Job("mlp", training=False, batch=1), 1, 0.0)  # JAX's own first call is nobody's
    results = []
    print(_HEAD, flush=True)
    for job in jobs:
        result = steps.measure(job, rounds, budget)
        if not options.no_memory:
            peaks = {name: memory.peak_in_a_process(job, name) for name in ("c2lab", "jax")}
            result["peak MiB"] = peaks
            result["peak, c2lab / jax"] = peaks["c2lab"] / peaks["jax"]
        results.append(result)
        print(_row(result), flush=True)
    tries = 3 if options.quick else 7
    added = overhead.per_call(tries)
    imports = {name: overhead.import_seconds(name, tries) for name in ("c2lab", "c2lab.core", "c2lab.workspace")}
    print(f"\nadded to the compiled function: {added['a call']:.1f} us a call, {added['a blob']:.2f} us a blob")
    print("seconds to import: " + ", ".join(f"{name} {seconds:.2f}" for name, seconds in imports.items()))
    if options.json:
        report = {"jobs": results, "added microseconds": added, "import seconds": imports, "processors": os.cpu_count()}
        options.json.write_text(json.dumps(report, indent=2) + "\n")


_HEAD = f"{'':30}{'c2lab':>9}{'JAX':>9}{'ratio':>7}{'observable':>12}{'ratio':>7}{'torch':>9}{'first':>7}{'memory':>8}"


def _row(result: dict[str, Any]) -> str:
    ms = result["milliseconds"]
    torch = f"{ms['torch']:6.2f} ms" if "torch" in ms else "-"
    memory = f"{result['peak, c2lab / jax']:.2f}" if "peak MiB" in result else "-"
    return (
        f"{result['job']:30}{ms['c2lab']:6.2f} ms{ms['jax']:6.2f} ms{result['c2lab / jax']:7.2f}"
        f"{ms['observable']:9.2f} ms{result['observable / jax']:7.2f}{torch:>9}"
        f"{result['first call, c2lab / jax']:7.2f}{memory:>8}"
    )


if __name__ == "__main__":
    main()
