"""Every command that a canvas may send, by name."""

from __future__ import annotations

from c2lab.builder import arranging, asking, costs, gradients, handing, placing_commands, running_commands, setting
from c2lab.builder.session import Command

COMMANDS: dict[str, Command] = {
    **placing_commands.COMMANDS,
    **setting.COMMANDS,
    **arranging.COMMANDS,
    **asking.COMMANDS,
    **gradients.COMMANDS,
    **handing.COMMANDS,
    **costs.COMMANDS,
    **running_commands.COMMANDS,
}

LOOKING = frozenset(
    {"select", "find", "explain", "form", "code", "cost", "export", "copy", "collapse", "facts", "palette", "peek",
     "would_connect", "accepting", "optimizers", "move", "layout"}
)  # fmt: skip
"""Commands that leave the net as it is."""
