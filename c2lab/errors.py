"""The error family: what went wrong, where, and what to do now.

Every error of c2lab is a ``C2LabError``.  Where the original Caffe2 raised one of
Python's own exceptions, ours is a subclass of that one too, so that old ``except``
clauses still hold.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class C2LabError(Exception):
    """An error that knows its place.

    ``place`` is filled in on the way up: the function that fails knows what is
    wrong, the graph knows which operator it was, the net knows the user's line.

    Example:
        >>> error = ShapeMismatch("X is (2, 3) but W is (4, 5)")
        >>> str(error.at('FC "fc1" (operator 3 of net "mnist")'))
        'FC "fc1" (operator 3 of net "mnist"): X is (2, 3) but W is (4, 5)'
    """

    def __init__(self, message: str, *, place: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.place = place

    def at(self, place: str) -> C2LabError:
        """This error, placed (the innermost place wins)."""
        self.place = self.place or place
        return self

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class UnknownOperator(C2LabError, AttributeError, RuntimeError):
    """No operator of this type is registered."""


class SchemaError(C2LabError, RuntimeError):
    """An OperatorDef that its schema does not allow: input or output counts, a missing argument."""


class BadArgument(C2LabError, RuntimeError, ValueError):
    """An argument has the wrong type or a value that the operator does not know."""


class UnsafeInplace(SchemaError):
    """An output overwrites an input where the operator does not allow it, or does not where it must."""


class MissingBlob(C2LabError, RuntimeError):
    """A blob that is not in the workspace."""


class MissingNet(C2LabError, RuntimeError):
    """A net that is not in the workspace."""


class ShapeMismatch(C2LabError, RuntimeError):
    """Shapes that do not fit each other."""


class TypeMismatch(C2LabError, RuntimeError):
    """An element type that the operator does not take (nothing is promoted silently)."""


class QuantizedBlob(C2LabError, RuntimeError, TypeError, AssertionError):
    """A blob is quantized where a plain one was asked for, or the other way round."""


class BadValue(C2LabError, RuntimeError):
    """A value out of range: a label, an index, a length."""


class NoGradient(C2LabError, RuntimeError):
    """A gradient was asked for that does not exist."""


class NotSupported(C2LabError, NotImplementedError):
    """Something of the original that c2lab does not do; the message says what to do instead."""


class DamagedFile(C2LabError, RuntimeError):
    """A file that cannot be read as what it claims to be."""


class HostOperatorFailed(C2LabError, RuntimeError):
    """Something outside of c2lab failed in an operator on the host: a file, or a Python function of the user's."""


class DeviceMissing(C2LabError, RuntimeError):
    """A device that this machine does not have."""


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """A closing sentence with the nearest known names, or nothing.

    Example:
        >>> did_you_mean("Rellu", ["Relu", "Conv"])
        ' Did you mean: Relu?'
    """
    lowered = {choice.lower(): choice for choice in choices}
    near = difflib.get_close_matches(word.lower(), lowered, n=3, cutoff=0.6)
    return f" Did you mean: {', '.join(lowered[name] for name in near)}?" if near else ""


def if_pointer(content: bytes) -> str:
    """A closing sentence where a file is not the model but a Git LFS pointer to it, or nothing.

    Example:
        >>> if_pointer(b"version https://git-lfs.github.com/spec/v1")
        ' It is a Git LFS pointer, not the file itself: fetch that with "git lfs pull".'
    """
    if content.startswith(b"version https://git-lfs"):
        return ' It is a Git LFS pointer, not the file itself: fetch that with "git lfs pull".'
    return ""
