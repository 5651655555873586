"""Loops, branches and conditions: as steps of a plan, and as operators in a net.

>>> from c2lab.control import NetBuilder, ops
>>> with NetBuilder() as builder:
...     with ops.loop(3) as loop:
...         ops.Print(loop.iter(), [])
"""

from c2lab.control.net_builder import NetBuilder
from c2lab.control.operations import ops

__all__ = ["NetBuilder", "ops"]
