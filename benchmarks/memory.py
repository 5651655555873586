"""The most memory that a process takes for one job: ``python -m benchmarks.memory JOB c2lab|jax`` prints MiB."""

from __future__ import annotations

import resource
import subprocess
import sys

from benchmarks.nets import JOBS, Job

RUNS = 3


def peak_in_a_process(job: Job, contestant: str) -> float:
    """Peak resident MiB of a new process that compiles a job and runs it."""
    command = [sys.executable, "-m", "benchmarks.memory", job.name, contestant]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main(name: str, contestant: str) -> None:
    """Runs the job a few times and prints the peak."""
    from benchmarks import nets, steps

    job = next(job for job in JOBS if job.name == name)
    if contestant == "c2lab":
        executable = nets.create(job)
        run = steps.c2lab_runner(executable, executable.lean)
    else:
        run = steps.jax_runner(job)
    for _ in range(RUNS):
        run()
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB here
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20)


if __name__ == "__main__":
    main(*sys.argv[1:])
