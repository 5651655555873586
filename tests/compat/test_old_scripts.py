"""``python -m c2lab run`` on scripts as they were written for the original."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.compat import old_scripts

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("TOY_REGRESSION", ["ITER 100"]),
        ("LENET", ["saved and loaded (16, 10)"]),
        (
            "BASICS",
            [
                "Has X? False",
                "RuntimeError",
                "default ['default']",
                "[]",
                "GaussianFill 0",
                "(100, 100)",
                "['W', 'X', 'Y', 'Z', 'b']",
                "True",
                "[2, 5] True",
            ],
        ),
        ("PYTHON_OPERATOR", ["True (3, 2)", "[[2.0, 2.0], [2.0, 2.0], [2.0, 2.0]]"]),
    ],
)
def test_old_scripts_run_unchanged(tmp_path, script, says):
    (tmp_path / "script.py").write_text(getattr(old_scripts, script))
    done = subprocess.run(
        [sys.executable, "-m", "c2lab", "run", str(tmp_path / "script.py"), str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == says
