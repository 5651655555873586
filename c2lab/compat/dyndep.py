"""Libraries of compiled operators: there are none to load, and a script that asks for one goes on."""

from __future__ import annotations

_asked: set[str] = set()


def InitOpsLibrary(name: str, trigger_lazy: bool = True) -> None:
    """Notes the library and says that it is ignored.

    Compiled operators of the original cannot run here; the operators that c2lab has need no library.
    """
    if name not in _asked:
        _asked.add(name)
        print(f"c2lab: the operator library {name} is ignored; operators are built in, or defined with @c2.operator")


def GetImportedOpsLibraries() -> set[str]:
    """The libraries that were asked for."""
    return set(_asked)
