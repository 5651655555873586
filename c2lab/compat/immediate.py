"""Immediate mode: operators run as they are created, in a workspace of their own."""

from __future__ import annotations

import shutil
import tempfile
from typing import Any

from c2lab import events, workspace

_NAME = "_CAFFE2_IMMEDIATE"
_active = False
_immediate_root_folder = ""


def _stop_listening() -> None:
    """Ends what listens for new operators; replaced at each start."""


def IsImmediate() -> bool:
    """Whether immediate mode is on."""
    return _active


def StartImmediate(i_know: bool = False) -> None:
    """Turns immediate mode on, with an empty workspace and a folder of its own for relative paths."""
    global _active, _immediate_root_folder, _stop_listening
    if _active:
        return
    _active = True
    _immediate_root_folder = tempfile.mkdtemp(prefix="c2lab-immediate-")
    _reset(_immediate_root_folder)
    _stop_listening = events.listen("operator_created", RunOperatorImmediate)


def StopImmediate() -> None:
    """Turns immediate mode off and forgets its blobs and files."""
    global _active, _immediate_root_folder
    if _active:
        _stop_listening()
        _reset(".")
        shutil.rmtree(_immediate_root_folder, ignore_errors=True)
        _immediate_root_folder = ""
        _active = False


def _reset(root_folder: str) -> None:
    with workspace.WorkspaceGuard(_NAME):
        workspace.ResetWorkspace(root_folder)


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
