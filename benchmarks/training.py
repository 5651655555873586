"""Figures of training runs: what record keeping and the panel cost, memory, interrupts, kills.

``python -m benchmarks.training`` runs a small version of each; flags make them large:
``--steps 20000 --interrupts 200 --kills 100 --points 1000000``.
"""

from __future__ import annotations

import argparse
import gc
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import c2lab as c2
from c2lab import brew, model_helper, workspace
from c2lab.backend.workspaces import Workspace
from c2lab.data import digits
from c2lab.training import checkpoints, lenet
from c2lab.training.history import History
from c2lab.training.run import TrainingRun

_SAVER = """
import sys
from pathlib import Path
import numpy as np
from c2lab.training import checkpoints
for step in range(1, 1_000_000):
    arrays = {"w": np.full((512, 512), step, np.float32)}
    path = checkpoints.path_of(Path(sys.argv[1]), step)
    checkpoints.write(path, checkpoints.Checkpoint(step, arrays, {}))
    for old in checkpoints.all_in(Path(sys.argv[1]))[:-3]:
        old.unlink()
    print(step, flush=True)
"""


def small() -> model_helper.ModelHelper:
    """Two layers over 64 numbers."""
    model = model_helper.ModelHelper("small")
    hidden = brew.relu(model, brew.fc(model, "data", "hidden", dim_in=64, dim_out=16), "rectified")
    hidden = brew.dropout(model, hidden, "dropped", ratio=0.2, is_test=0)
    brew.softmax(model, brew.fc(model, hidden, "scores", dim_in=16, dim_out=10), "softmax")
    return model


def rows() -> tuple[np.ndarray, np.ndarray]:
    """The digits as rows of 64."""
    found = digits.load(size=8)
    return found.train_images.reshape(-1, 64), found.train_labels


def overhead(steps: int) -> None:
    """LeNet at batch 64: the loop by hand and a run, each step of the one next to steps of the other."""
    found = digits.load()
    bare = Workspace("bare", seed=0)
    model = lenet.training_model(0.01, 10**6)
    bare.run_once(model.param_init_net.Proto())
    bare.feed("data", found.train_images[:64])
    bare.feed("label", found.train_labels[:64])
    net = bare.create(model.net.Proto())

    def by_hand(start: int) -> None:
        start = start * 64 % (len(found.train_images) - 64)
        bare.feed("data", found.train_images[start : start + 64])
        bare.feed("label", found.train_labels[start : start + 64])
        net.run(bare.blobs)
        for name in ("loss", "accuracy"):
            float(np.asarray(bare.blobs[name]))

    with tempfile.TemporaryDirectory() as folder:
        run = c2.train(
            model, (found.train_images, found.train_labels), epochs=10**6, folder=folder, callbacks=[_first_pause]
        )
        panel = run.panel()
        run.wait_until(lambda r: r.state == "paused")
        by_hand(0)
        hand, kept = [], []
        block = 5
        for number in range(max(1, steps // block)):
            started = time.perf_counter()
            for k in range(block):
                by_hand(number * block + k)
            hand.append((time.perf_counter() - started) / block)
            until = run.steps_done + block
            started = time.perf_counter()
            run.step(block)
            while run.steps_done < until:
                time.sleep(0.0005)
            kept.append((time.perf_counter() - started) / block)
        panel.close()
        run.stop()
        run.wait()
    ratio = statistics.median(k / h for k, h in zip(kept, hand, strict=True))
    print(
        f"overhead: bare {1000 * statistics.median(hand):.2f} ms a step, run with record and panel "
        f"{1000 * statistics.median(kept):.2f} ms; median ratio of neighbours {ratio:.3f}"
    )


def _first_pause(run: TrainingRun) -> None:
    if run.steps_done == 2:
        run.pause()


def memory(steps: int) -> None:
    """Resident memory after a tenth of the steps, and at the end."""
    seen = {}

    def look(run) -> None:
        if run.steps_done in (steps // 10, steps):
            gc.collect()
            seen[run.steps_done] = _resident()

    with tempfile.TemporaryDirectory() as folder:
        c2.train(small(), rows(), steps=steps, folder=folder, callbacks=[look]).wait()
    first, last = seen[steps // 10], seen[steps]
    print(f"memory: {first / 2**20:.1f} MiB after {steps // 10:,} steps, {last / 2**20:.1f} MiB after {steps:,}; "
          f"{(last - first) / 2**20:+.2f} MiB")  # fmt: skip


def _resident() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def points(count: int) -> None:
    """What so many recorded points take."""
    history = History(["loss", "accuracy", "rate", "epoch", "seconds"])
    gc.collect()
    before = _resident()
    for k in range(count):
        history.add([k, k, k, k, k])
    taken = sum(piece.nbytes for piece in history._pieces)
    print(f"points: {count:,} rows of 5 numbers take {taken / 2**20:.1f} MiB; "
          f"the process grew by {(_resident() - before) / 2**20:.1f} MiB")  # fmt: skip


def interrupts(count: int) -> None:
    """Ctrl-C at random moments in a waiting script; then the run goes on, and is compared with a twin."""
    random = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        run = c2.train(small(), rows(), steps=1, optimizer="adam", rate=0.001, folder=folder, block=True)
        bad = 0
        for _ in range(count):
            signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
            run = c2.resume(run, epochs=10**6)
            signal.setitimer(signal.ITIMER_REAL, float(random.uniform(0.001, 0.08)))
            try:
                while not run.ended:
                    time.sleep(0.001)
            except KeyboardInterrupt:
                run.stop()
                run.wait()
            held = {name: run.fetch(name) for name, value in run.stepper.blobs.items() if hasattr(value, "dtype")}
            bad += held["optimizer_iteration"].item() != run.steps_done or not all(
                np.isfinite(value).all() for value in held.values() if value.dtype.kind == "f"
            )
        last = run.steps_done
        twin = c2.train(small(), rows(), steps=last + 1, optimizer="adam", rate=0.001, keep=False, block=True)
        again = c2.resume(run, steps=last + 1, block=True)
        same = np.array_equal(again.curve("loss"), twin.curve("loss"))
    print(f"interrupts: {count}, {bad} with blobs of different steps; {last + 1} steps equal to the twin: {same}")


def kills(count: int) -> None:
    """SIGKILL at random moments while checkpoints are written one after the other."""
    random = np.random.default_rng(0)
    lost = half = 0
    for _ in range(count):
        with tempfile.TemporaryDirectory() as folder:
            process = subprocess.Popen([sys.executable, "-c", _SAVER, folder], stdout=subprocess.PIPE, text=True)
            assert process.stdout is not None
            acknowledged = int(process.stdout.readline())
            time.sleep(float(random.uniform(0, 0.15)))
            process.kill()
            acknowledged = max([acknowledged, *map(int, process.stdout.read().split())])
            process.wait()
            process.stdout.close()
            found = checkpoints.latest(Path(folder))
            lost += found is None or found.step < acknowledged
            half += found is not None and not (found.arrays["w"] == found.step).all()
    print(f"kills: {count} while saving, {lost} acknowledged checkpoints lost, {half} half files loaded")


def main() -> None:
    """Runs what the flags ask for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--overhead-steps", type=int, default=50)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--interrupts", type=int, default=10)
    parser.add_argument("--kills", type=int, default=5)
    chosen = parser.parse_args()
    workspace.ResetWorkspace()
    overhead(chosen.overhead_steps)
    memory(chosen.steps)
    points(chosen.points)
    interrupts(chosen.interrupts)
    kills(chosen.kills)


if __name__ == "__main__":
    main()
