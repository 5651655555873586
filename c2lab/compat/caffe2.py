"""``install()``: from then on ``import caffe2.python.core`` and its kin give c2lab.

Every old module name stands in one table. A module that is one of ours *is* that module
(``caffe2.python.core is c2lab.core``); the rest are put together of names that live elsewhere.
Names that are not in the table are left to whoever else extends ``caffe2.python.__path__``.
"""

from __future__ import annotations

import importlib
import sys

from c2lab.compat.finder import OldNames, Target
from c2lab.compat.old_modules import MODULES

PACKAGES = (
    "caffe2",
    "caffe2.proto",
    "caffe2.python",
    "caffe2.python.helpers",
    "caffe2.python.modeling",
    "caffe2.python.models",
    "caffe2.python.predictor",
)

_finder: OldNames | None = None


def install() -> None:
    """Makes the old names importable in this process; calling it again changes nothing.

    Example:
        >>> install()
        >>> from caffe2.python import core
        >>> core.__name__
        'c2lab.core'
    """
    global _finder
    if _finder is not None and _finder in sys.meta_path:
        return
    table: dict[str, Target] = dict(MODULES)
    _finder = OldNames(PACKAGES, table)
    sys.meta_path.insert(0, _finder)
    for package in PACKAGES:
        importlib.import_module(package)


def uninstall() -> None:
    """Takes the old names back; modules that were imported under them stay with whoever holds them."""
    global _finder
    if _finder is not None:
        sys.meta_path.remove(_finder)
        for name in [n for n in sys.modules if n == "caffe2" or n.startswith("caffe2.")]:
            del sys.modules[name]
        _finder = None
