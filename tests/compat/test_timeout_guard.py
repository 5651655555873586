"""What takes too long ends the process."""

from __future__ import annotations

import subprocess
import sys

from c2lab.compat.timeout_guard import CompleteInTimeOrDie


def test_quick_blocks_go_on():
    with CompleteInTimeOrDie(60):
        done = True
    assert done


def ended(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_slow_blocks_end_the_process():
    code = (
        "import time\nfrom c2lab.compat.timeout_guard import CompleteInTimeOrDie\n"
        "with CompleteInTimeOrDie(0.2):\n    time.sleep(30)"
    )
    done = ended(code)
    assert done.returncode == 1
    assert "did not finish in time" in done.stderr
    assert "time.sleep" in done.stderr or "most recent call first" in done.stderr


def test_a_process_may_end_itself():
    load = "import time\nfrom c2lab.compat.timeout_guard import EuthanizeIfNecessary\n"
    code = load + "EuthanizeIfNecessary(0.2)\ntime.sleep(30)"
    assert ended(code).returncode == 0
