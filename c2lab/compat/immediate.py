"""Immediate mode: operators run as they are created, in a workspace of their own."""

from __future__ import annotations

from typing import Any

from c2lab import workspace
from c2lab.nets import creation

_NAME = "_CAFFE2_IMMEDIATE"
_active = False
_before = "default"


def IsImmediate() -> bool:
    """Whether immediate mode is on."""
    return _active


def StartImmediate(i_know: bool = False) -> None:
    """Turns immediate mode on, with an empty workspace."""
    global _active
    if _active:
        return
    _active = True
    _reset()
    creation.on_create.append(RunOperatorImmediate)


def StopImmediate() -> None:
    """Turns immediate mode off and forgets its blobs."""
    global _active
    if _active:
        creation.on_create.remove(RunOperatorImmediate)
        _reset()
        _active = False


def _reset() -> None:
    with workspace.WorkspaceGuard(_NAME):
        workspace.ResetWorkspace()


def ImmediateBlobs() -> list[str]:
    """The blobs of the immediate workspace."""
    with workspace.WorkspaceGuard(_NAME):
        return workspace.Blobs()


def RunOperatorImmediate(op: Any) -> None:
    """Runs an operator in the immediate workspace."""
    with workspace.WorkspaceGuard(_NAME):
        workspace.RunOperatorOnce(op)


def FetchImmediate(*args: Any, **kwargs: Any) -> Any:
    """A copy of a blob of the immediate workspace."""
    with workspace.WorkspaceGuard(_NAME):
        return workspace.FetchBlob(*args, **kwargs)


def FeedImmediate(*args: Any, **kwargs: Any) -> bool:
    """Writes a blob of the immediate workspace."""
    with workspace.WorkspaceGuard(_NAME):
        return workspace.FeedBlob(*args, **kwargs)
