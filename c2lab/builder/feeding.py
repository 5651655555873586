"""Values for inputs: arrays from files, pictures, samples of the digits that travel with the package."""

from __future__ import annotations

import base64
import binascii
import io
from typing import Any

import numpy as np

from c2lab.graph.canvas import InputShape
from c2lab.graph.document import EditRefused

LARGEST = 64 * 2**20
"""Bytes that a value may have."""

_NPY = b"\x93NUMPY"


def array_from(given: str, known: InputShape | None) -> np.ndarray:
    """The array in a ``.npy`` file or a picture, as base64.

    Args:
        given: The file.
        known: What is said of the input; a picture is brought to this size.

    Raises:
        EditRefused: It is too large, damaged, or something else.
    """
    if len(given) > 2 * LARGEST:
        raise EditRefused(f"a value may have {LARGEST >> 20} MiB")
    try:
        data = base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError):
        raise EditRefused("the value did not arrive whole") from None
    if data.startswith(_NPY):
        try:
            # Pickles are programs: such files are refused.
            return np.load(io.BytesIO(data), allow_pickle=False)
        except (ValueError, EOFError, OSError, SyntaxError) as error:
            raise EditRefused(f"the .npy file cannot be read: {str(error)[:200]}") from None
    return _picture(data, known)


def _picture(data: bytes, known: InputShape | None) -> np.ndarray:
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise EditRefused("pictures are read with Pillow, which is not installed; feed a .npy file") from None
    shape = known.shape if known is not None else ("N", 3, 224, 224)
    if len(shape) != 4 or shape[1] not in (1, 3):
        raise EditRefused(f"a picture goes into an input of shape (N, 1 or 3, height, width), not {shape}")
    height, width = (size if isinstance(size, int) else 224 for size in shape[2:])
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > 50_000_000:
                raise EditRefused(f"a picture of {image.width} x {image.height} pixels is too large")
            pixels = np.asarray(image.convert("L" if shape[1] == 1 else "RGB").resize((width, height)), np.float32)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise EditRefused(f"this is neither a .npy file nor a picture: {str(error)[:200]}") from None
    return (pixels.reshape(height, width, -1).transpose(2, 0, 1)[None] / 255).astype(np.float32)


class Samples:
    """Batches of digits for inputs of pictures and labels."""

    def __init__(self, size: int = 28) -> None:
        from c2lab.data.digits import load

        digits = load(size=size)
        self.images, self.labels = digits.train_images, digits.train_labels
        self._random = np.random.RandomState(0)

    def batch(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Some pictures and their labels."""
        chosen = self._random.randint(0, len(self.images), count)
        return self.images[chosen], self.labels[chosen]


def sample_inputs(shapes: dict[str, InputShape]) -> tuple[str, str | None, int] | None:
    """The inputs that digits fit into: pictures, labels, and the pictures' size; ``None`` where there are none.

    Example:
        >>> sample_inputs({"x": InputShape(("N", 1, 28, 28)), "y": InputShape(("N",), "int32")})
        ('x', 'y', 28)
    """
    for blob, known in shapes.items():
        shape: Any = known.shape
        if len(shape) == 4 and shape[1] == 1 and shape[2] == shape[3] and isinstance(shape[2], int) and shape[2] < 257:
            labels = (b for b, k in shapes.items() if len(k.shape) == 1 and k.dtype in ("int32", "int64"))
            return blob, next(labels, None), shape[2]
    return None
