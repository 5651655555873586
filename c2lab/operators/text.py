"""Text: comparing, cutting and joining strings, byte by byte."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from c2lab.errors import BadArgument
from c2lab.operators.checks import require_shape
from c2lab.operators.definition import host_operator

TEXT = {"strings": "object"}


def _each(strings: np.ndarray, function: Callable[[bytes], Any], kind: Any) -> np.ndarray:
    result = np.empty(strings.shape, kind)
    flat = result.reshape(-1)
    for place, text in enumerate(strings.reshape(-1)):
        flat[place] = function(text)
    return flat.reshape(strings.shape)


def _require_length(length: int) -> None:
    if length < 0:
        raise BadArgument(f"length is {length}; it must be 0 or more")


@host_operator("StringPrefix", outputs="prefixes", gradient="refused", types=TEXT)
def string_prefix(strings, *, length: int = 3):
    """The first bytes of each string.

    Inputs:
        strings: Text of any shape.
    Args:
        length: How many bytes; a shorter string stays as it is.
    Outputs:
        prefixes: Same shape.
    Example:
        >>> run("StringPrefix", strings=np.array([b"garden", b"go"], object))
        prefixes = [b'gar' b'go']
    """
    _require_length(length)
    return _each(strings, lambda text: text[:length], object)


@host_operator("StringSuffix", outputs="suffixes", gradient="refused", types=TEXT)
def string_suffix(strings, *, length: int = 3):
    """The last bytes of each string.

    Inputs:
        strings: Text of any shape.
    Args:
        length: How many bytes; a shorter string stays as it is.
    Outputs:
        suffixes: Same shape.
    Example:
        >>> run("StringSuffix", strings=np.array([b"garden", b"go"], object))
        suffixes = [b'den' b'go']
    """
    _require_length(length)
    return _each(strings, lambda text: text[max(len(text) - length, 0) :], object)


@host_operator("StringStartsWith", outputs="bools", gradient="refused", types=TEXT)
def string_starts_with(strings, *, prefix: bytes = b""):
    """Whether each string begins with a given one.

    Inputs:
        strings: Text of any shape.
    Args:
        prefix: What they are to begin with.
    Outputs:
        bools: bool, same shape.
    Example:
        >>> run("StringStartsWith", strings=np.array([b"garden", b"go"], object), prefix="ga")
        bools = [ True False]
    """
    return _each(strings, lambda text: text.startswith(prefix), bool)


@host_operator("StringEndsWith", outputs="bools", gradient="refused", types=TEXT)
def string_ends_with(strings, *, suffix: bytes = b""):
    """Whether each string ends with a given one.

    Inputs:
        strings: Text of any shape.
    Args:
        suffix: What they are to end with.
    Outputs:
        bools: bool, same shape.
    Example:
        >>> run("StringEndsWith", strings=np.array([b"garden", b"go"], object), suffix="en")
        bools = [ True False]
    """
    return _each(strings, lambda text: text.endswith(suffix), bool)


@host_operator("StringEquals", outputs="bools", gradient="refused", types=TEXT)
def string_equals(strings, *, text: bytes = b""):
    """Whether each string is a given one.

    Inputs:
        strings: Text of any shape.
    Args:
        text: What they are to be.
    Outputs:
        bools: bool, same shape.
    Example:
        >>> run("StringEquals", strings=np.array([b"garden", b"go"], object), text="go")
        bools = [False  True]
    """
    return _each(strings, lambda held: held == text, bool)


def _written(value: Any) -> bytes:
    """A value as text: numbers with up to six digits, truth as 1 and 0."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, (bool, np.bool_, int, np.integer)):
        return str(int(value)).encode()
    return f"{float(value):g}".encode()


@host_operator("StringJoin", outputs="strings", gradient="refused")
def string_join(input, *, delimiter: bytes = b",", axis: int = 0):
    """Writes the elements of each row, or of each column, as one string, with a delimiter behind each element.

    Inputs:
        input: Numbers, truth values or text: (N,), where each element is a row, or (N, D).
    Args:
        delimiter: What stands behind each element, the last one too.
        axis: 0: one string a row; 1: one string a column.
    Outputs:
        strings: Text (N,), or (D,) with axis 1.
    Example:
        >>> run("StringJoin", input=[[1, 2], [3, 4]])
        strings = [b'1,2,' b'3,4,']
    """
    require_shape(input.ndim in (1, 2), f"input is {input.shape}; it must have one or two dimensions")
    if axis not in (0, 1):
        raise BadArgument(f"axis is {axis}; it must be 0 (a string for each row) or 1 (one for each column)")
    table = input if input.ndim == 2 else input[:, None]
    rows = table if axis == 0 else table.T
    result = np.empty(rows.shape[0], object)
    for place, row in enumerate(rows):
        result[place] = b"".join(_written(value) + delimiter for value in row)
    return result
