"""Small arrays kept beside the runs that were trained on them, once for all of them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from c2lab.errors import BadArgument, DamagedFile
from c2lab.predictor import files

LARGEST = 64 * 2**20
_FOLDER = ".data"


def save(root: Path, arrays: Mapping[str, np.ndarray]) -> str | None:
    """Keeps arrays under a name that follows from their content; ``None`` where they are too large."""
    if sum(array.nbytes for array in arrays.values()) > LARGEST:
        return None
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    name = digest.hexdigest()[:32]
    path = root / _FOLDER / f"{name}.npz"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        content = io.BytesIO()
        np.savez(content, **arrays)  # type: ignore[arg-type] - the stubs take allow_pickle for one of the arrays
        files.write_whole(path, content.getvalue())
    return name


def load(root: Path, described: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The arrays of a run's description.

    Raises:
        BadArgument: They were not kept.
        DamagedFile: The file is damaged.
    """
    name = described.get("kept")
    path = root / _FOLDER / f"{name}.npz"
    if not name or not path.is_file():
        raise BadArgument(
            "the run's arrays were not kept with it (they are above 64 MiB, or its folder was moved); "
            "give them again: resume(run, data, evaluate=...)"
        )
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except (ValueError, OSError, KeyError) as problem:
        raise DamagedFile(f"{path} cannot be read: {problem}") from problem
