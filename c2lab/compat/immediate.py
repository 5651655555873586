"""Immediate mode: operators run as they are created, in a workspace of their own."""

from __future__ import annotations

from typing import Any

from c2lab import events, workspace

_NAME = "_CAFFE2_IMMEDIATE"
_active = False


def _stop_listening() -> None:
    """Ends what listens for new operators; replaced at each start."""


def IsImmediate() -> bool:
    """Whether immediate mode is on."""
    return _active


def StartImmediate(i_know: bool = False) -> None:
    """Turns immediate mode on, with an empty workspace."""
    global _active, _stop_listening
    if _active:
        return
    _active = True
    _reset()
    _stop_listening = events.listen("operator_created", RunOperatorImmediate)


def StopImmediate() -> None:
    """Turns immediate mode off and forgets its blobs."""
    global _active
    if _active:
        _stop_listening()
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
