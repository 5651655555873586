"""Libraries of compiled operators, loaded when first needed: noted and ignored, as in ``dyndep``."""

from __future__ import annotations

from collections.abc import Callable

from c2lab.compat import dyndep

_handler: Callable[[Exception], None] | None = None


def RegisterOpsLibrary(name: str) -> None:
    """Notes a library."""
    dyndep.InitOpsLibrary(name)


def SetErrorHandler(handler: Callable[[Exception], None]) -> None:
    """Keeps a handler for failed loads; nothing is loaded, so it is never called."""
    global _handler
    _handler = handler


def GetImportedOpsLibraries() -> set[str]:
    """The libraries that were asked for."""
    return dyndep.GetImportedOpsLibraries()
