"""Pictures as bytes: decoded, brought to size, cut out, coloured.

A picture is (H, W, C) uint8, with its colours in the order blue, green, red, as the original has them.
"""

from __future__ import annotations

import io
from typing import Any, NamedTuple

import numpy as np

from c2lab.errors import BadValue, DamagedFile, NotSupported

# Main directions of the colours of natural pictures (blue, green, red by row), and how far each reaches
# (Krizhevsky et al., "ImageNet classification with deep convolutional neural networks", 2012), for colours 0 to 255.
COLOR_DIRECTIONS = np.float32(
    [[-144.7125, 183.396, 102.2295], [-148.104, -1.1475, -207.57], [-148.818, -177.174, 107.1765]]
)
COLOR_REACH = np.float32([0.2175, 0.0188, 0.0045])
_GREY = np.float32([0.114, 0.587, 0.299])  # how bright blue, green and red look


class Box(NamedTuple):
    """A part of a picture."""

    ymin: int
    xmin: int
    height: int
    width: int


def decoded(content: bytes, channels: int, where: str = "") -> np.ndarray:
    """A picture file (JPEG, PNG, ...) as a picture of 1 or 3 channels; Pillow reads it.

    Raises:
        DamagedFile: The bytes are no picture.
        NotSupported: Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError:
        raise NotSupported("pictures are decoded by Pillow, which is not installed: pip install pillow") from None
    try:
        with Image.open(io.BytesIO(content)) as image:
            pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    except (OSError, ValueError, SyntaxError) as error:
        raise DamagedFile(f"{where}{len(content)} bytes are no picture that Pillow can read: {error}") from error
    return pixels[:, :, None] if channels == 1 else pixels[:, :, ::-1]


def with_channels(picture: np.ndarray, channels: int) -> np.ndarray:
    """A picture as grey or in colours."""
    if picture.shape[2] == channels:
        return picture
    if channels == 3:
        return np.repeat(picture, 3, axis=2)
    return np.rint(picture @ _GREY).astype(np.uint8)[:, :, None]


def part(picture: np.ndarray, box: Box, where: str = "") -> np.ndarray:
    """What a box cuts out.

    Raises:
        BadValue: The box is not within the picture.
    """
    height, width = picture.shape[:2]
    if box.height < 1 or box.width < 1 or box.ymin + box.height > height or box.xmin + box.width > width:
        raise BadValue(f"{where}the bounding box {tuple(box)} is not within the picture of {height} x {width}")
    return picture[box.ymin : box.ymin + box.height, box.xmin : box.xmin + box.width]


def _areas(size: int, made: int) -> np.ndarray:
    """How much of each old pixel lies in each new one: (made, size), rows that add up to 1."""
    step = size / made
    begin = np.arange(made)[:, None] * step
    old = np.arange(size)[None]
    return np.clip(np.minimum(begin + step, old + 1) - np.maximum(begin, old), 0, 1) / step


def _between(size: int, made: int) -> np.ndarray:
    """Where a picture grows: new pixels that lie across the border of two old ones mix them."""
    first = np.floor(np.arange(made) * (size / made)).astype(int)
    share = (np.arange(made) + 1) - (first + 1) * (made / size)
    share = np.where(share <= 0, 0, share - np.floor(share))
    share = np.where(first >= size - 1, 0, share)
    first = np.minimum(first, size - 1)
    weights = np.zeros((made, size))
    weights[np.arange(made), first] = 1 - share
    weights[np.arange(made), np.minimum(first + 1, size - 1)] += share
    return weights


def resized(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """A picture of another size, by the areas that its pixels cover."""
    shrinks = picture.shape[0] >= height and picture.shape[1] >= width
    rule = _areas if shrinks else _between
    rows, columns = (
        rule(old, new).astype(np.float32) for old, new in zip(picture.shape, (height, width), strict=False)
    )
    flat = rows @ picture.reshape(picture.shape[0], -1).astype(np.float32)
    mixed = columns @ flat.reshape(height, picture.shape[1], -1)
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def sizes_at_shortest(height: int, width: int, shortest: int) -> tuple[int, int]:
    """Height and width, in proportion, of a picture whose shorter side is to be ``shortest``."""
    if height > width:
        return int(np.float32(height) * np.float32(shortest) / np.float32(width)), shortest
    return shortest, int(np.float32(width) * np.float32(shortest) / np.float32(height))


def random_part(picture: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray | None:
    """A random part of random area (8 % and more) and proportions (3:4 to 4:3), as ``size`` x ``size``.

    None where ten tries give no part that lies in the picture and is large enough.
    """
    height, width = picture.shape[:2]
    for _ in range(10):
        area = height * width * rng.uniform(0.08, 1)
        ratio = rng.uniform(3 / 4, 4 / 3)
        tall, wide = round((area * ratio) ** 0.5), round((area / ratio) ** 0.5)
        if rng.random() < 0.5:
            tall, wide = wide, tall
        if size <= tall <= height and size <= wide <= width:
            y, x = rng.integers(0, height - tall + 1), rng.integers(0, width - wide + 1)
            return resized(picture[y : y + tall, x : x + wide], size, size)
    return None


def cut_out(picture: np.ndarray, size: int, rng: np.random.Generator | None) -> np.ndarray:
    """A square of ``size``: anywhere, or in the middle without ``rng``."""
    rest = [old - size for old in picture.shape[:2]]
    y, x = (n // 2 for n in rest) if rng is None else (int(rng.integers(0, n + 1)) for n in rest)
    return picture[y : y + size, x : x + size]


def jittered(picture: Any, reach: dict[str, float], rng: np.random.Generator) -> Any:
    """A float32 picture with another saturation, brightness and contrast, in random order.

    Args:
        picture: (H, W, 3).
        reach: By name how far the factor of each may be from 1.
        rng: Draws the order and the factors.
    """
    for name in rng.permutation(sorted(reach)):
        factor = np.float32(1 + rng.uniform(-reach[name], reach[name]))
        if name == "brightness":
            picture = picture * factor
        else:
            grey = (picture @ _GREY)[..., None]
            picture = picture * factor + (grey if name == "saturation" else grey.mean()) * (1 - factor)
    return picture


def lighted(picture: Any, deviation: float, rng: np.random.Generator) -> Any:
    """A float32 picture under light of a slightly other colour."""
    amounts = rng.normal(0, deviation, 3).astype(np.float32)
    return picture + COLOR_DIRECTIONS @ (COLOR_REACH * amounts)
