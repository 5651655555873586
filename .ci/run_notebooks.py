"""Runs every notebook of a folder as Binder would, in fresh kernels, and watches time and memory."""

import resource
import subprocess
import sys
import time
from pathlib import Path

LONGEST = 600  # seconds for one notebook
LARGEST = 1.5 * 2**30  # bytes of memory at run time

for notebook in sorted(Path(sys.argv[1]).glob("*.ipynb")):
    start = time.monotonic()
    subprocess.run(["jupyter", "execute", f"--timeout={LONGEST}", str(notebook)], check=True, timeout=LONGEST)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    print(f"{notebook.name}: {time.monotonic() - start:.0f} s, at most {peak / 2**20:.0f} MiB so far", flush=True)
    if peak > LARGEST:
        sys.exit(f"{notebook} took {peak / 2**30:.2f} GiB; Binder has 1.5 GiB")
