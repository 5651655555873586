"""What is in a blob, for eyes: numbers about it, a histogram, a few values, a picture."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import numpy as np

_BINS = 32
_MOST_TILES = 64
_SIDE = 512


def look_at(value: Any) -> dict[str, Any]:
    """Everything a canvas shows of a blob's value.

    Example:
        >>> look_at(np.float32([0, 1]))["stats"]["mean"]
        0.5
    """
    if not isinstance(value, np.ndarray):
        return {"shape": "", "dtype": type(value).__name__, "text": str(value)[:2000], "stats": {}, "histogram": None,
                "image": None}  # fmt: skip
    found: dict[str, Any] = {
        "shape": str(tuple(value.shape)),
        "dtype": str(value.dtype),
        "bytes": int(value.nbytes),
        "text": _text(value),
        "stats": {},
        "histogram": None,
        "image": None,
    }
    if value.dtype.kind in "fiub" and value.size:
        flat = value.reshape(-1).astype(np.float64)
        found["stats"], found["histogram"] = _stats(flat), _histogram(flat)
        tiles = _tiles(value)
        if tiles is not None:
            found["image"] = base64.b64encode(png(tiles)).decode("ascii")
            found["image_size"] = [int(tiles.shape[1]), int(tiles.shape[0])]
    return found


def _text(value: np.ndarray) -> str:
    with np.printoptions(threshold=120, edgeitems=3, linewidth=100, precision=5):
        return str(value)[:4000]


def _stats(flat: np.ndarray) -> dict[str, Any]:
    good = flat[np.isfinite(flat)]
    with np.errstate(over="ignore"):
        numbers = {
            "min": good.min(), "max": good.max(), "mean": good.mean(), "std": good.std(),
            "norm": np.sqrt(np.square(good).sum()),
        } if good.size else {}  # fmt: skip
    found = {name: float(numbers[name]) if name in numbers else None for name in ("min", "max", "mean", "std", "norm")}
    return {
        "count": int(flat.size),
        # What is too large for a number is not told.
        **{name: value if value is None or np.isfinite(value) else None for name, value in found.items()},
        "zeros": float((flat == 0).mean()),
        "nan": int(np.isnan(flat).sum()),
        "infinite": int(np.isinf(flat).sum()),
    }


def _histogram(flat: np.ndarray) -> dict[str, Any] | None:
    good = flat[np.isfinite(flat)]
    if not good.size:
        return None
    low, high = float(good.min()), float(good.max())
    if high - low > 1e300:
        return None
    counts, edges = np.histogram(good, bins=_BINS, range=(low, high) if high > low else (low - 0.5, low + 0.5))
    return {"counts": counts.tolist(), "low": float(edges[0]), "high": float(edges[-1])}


def _tiles(value: np.ndarray) -> np.ndarray | None:
    """Pictures side by side: the samples of a batch of pictures, or the channels of one sample."""
    if value.ndim == 4 and min(value.shape[2:]) >= 2:
        if value.shape[1] in (1, 3):
            tiles = value[:_MOST_TILES].transpose(0, 2, 3, 1)
        else:
            tiles = value[0, :_MOST_TILES, :, :, None]
    elif value.ndim == 3 and min(value.shape[1:]) >= 2:
        tiles = value[:_MOST_TILES, :, :, None]
    elif value.ndim == 2 and min(value.shape) >= 2:
        tiles = value[None, :256, :256, None]
    else:
        return None
    tiles = np.nan_to_num(tiles.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    step = max(1, -(-max(tiles.shape[1:3]) // 256))
    return _grid(tiles[:, ::step, ::step])


def _grid(tiles: np.ndarray) -> np.ndarray:
    low, high = tiles.min(), tiles.max()
    if high - low > 1e300:
        tiles, low, high = np.zeros_like(tiles), 0.0, 0.0
    levels = ((tiles - low) * (255 / (high - low)) if high > low else np.zeros_like(tiles)).astype(np.uint8)
    count, height, width, channels = levels.shape
    columns = max(1, min(count, int(np.ceil(np.sqrt(count * height / width)))))
    rows = -(-count // columns)
    grid = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1, channels), 128, np.uint8)
    for k in range(count):
        top, left = k // columns * (height + 1), k % columns * (width + 1)
        grid[top : top + height, left : left + width] = levels[k]
    scale = max(1, _SIDE // (2 * max(grid.shape[:2])))
    return grid.repeat(scale, 0).repeat(scale, 1)


def png(pixels: np.ndarray) -> bytes:
    """A PNG file of grey (H, W, 1) or colour (H, W, 3) pixels, uint8.

    Example:
        >>> png(np.zeros((2, 2, 1), np.uint8))[:4]
        b'\\x89PNG'
    """
    height, width, channels = pixels.shape

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    lines = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, width * channels)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2 if channels == 3 else 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(lines.tobytes(), 6))
        + chunk(b"IEND", b"")
    )
