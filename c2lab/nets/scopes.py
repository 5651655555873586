"""Name and device scopes: what the ``with`` blocks around a line of code say about the operators it adds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from c2lab.proto import caffe2_pb2

SEPARATOR = "/"


class _Current(threading.local):
    """The scopes of one thread."""

    name: str = ""
    device: caffe2_pb2.DeviceOption | None = None


_current = _Current()


def CurrentNameScope() -> str:
    """The prefix of names in this thread: ``""``, or one that ends in a slash."""
    return _current.name


def CurrentDeviceScope() -> caffe2_pb2.DeviceOption | None:
    """The device of operators in this thread, or ``None`` outside of every ``DeviceScope``."""
    return _current.device


@contextmanager
def _name(scope: str) -> Iterator[None]:
    before, _current.name = _current.name, scope
    try:
        yield
    finally:
        changed = _current.name != scope
        _current.name = before
        if changed:
            raise AssertionError("The name scope was changed by something other than a NameScope block.")


@contextmanager
def _device(scope: caffe2_pb2.DeviceOption | None) -> Iterator[None]:
    before, _current.device = _current.device, scope
    try:
        yield
    finally:
        changed = _current.device is not scope
        _current.device = before
        if changed:
            raise AssertionError("The device scope was changed by something other than a DeviceScope block.")


@contextmanager
def NameScope(prefix: str | None, reset: bool = False) -> Iterator[None]:
    """Puts ``prefix/`` in front of the names that are given as text.

    Args:
        prefix: The name of the scope; an empty one adds nothing.
        reset: Whether this scope replaces the ones around it.

    Example:
        >>> with NameScope("a"), NameScope("b"):
        ...     CurrentNameScope()
        'a/b/'
    """
    if not isinstance(prefix, str | None):
        raise AssertionError(f"NameScope takes a string, not {prefix!r}.")
    prefix = prefix + SEPARATOR if prefix else ""
    with _name(prefix if reset else _current.name + prefix):
        yield


@contextmanager
def DeviceScope(scope: caffe2_pb2.DeviceOption | None, node_name: str | None = None) -> Iterator[None]:
    """Places the operators of the block on a device, unless they name one themselves.

    A scope inside another one keeps the outer ``node_name`` and adds to its ``extra_info``.
    """
    # Old scripts write 0 where only the node's name matters.
    if scope and not isinstance(scope, caffe2_pb2.DeviceOption):
        raise AssertionError(f"DeviceScope takes a DeviceOption, not {scope!r}; core.DeviceOption(...) makes one.")
    if not scope and not node_name:
        raise AssertionError("DeviceScope needs a device, a node_name, or both.")
    inner = caffe2_pb2.DeviceOption()
    if scope:
        inner.CopyFrom(scope)
    if node_name:
        inner.node_name = node_name
    outer = _current.device
    if outer is not None:
        if outer.HasField("node_name") and not inner.HasField("node_name"):
            inner.node_name = outer.node_name
        inner.extra_info.extend(outer.extra_info)
        inner.extra_info.sort()
    with _device(inner):
        yield


@contextmanager
def EmptyNameScope() -> Iterator[None]:
    """Leaves every name scope for the length of the block."""
    with _name(""):
        yield


@contextmanager
def EmptyDeviceScope() -> Iterator[None]:
    """Leaves every device scope for the length of the block."""
    with _device(None):
        yield
