from c2lab.builder.commands import COMMANDS, LOOKING
from tests.builder.canvases import lenet


def test_the_protocol_is_complete():
    assert set(COMMANDS) >= {
        "add", "connect", "would_connect", "disconnect", "remove", "move", "rename", "rename_operator", "set_argument",
        "form", "set_device", "set_scope", "collapse", "comment", "align", "layout", "duplicate", "copy", "paste",
        "undo", "redo", "select", "accepting", "add_gradients", "remove_gradients", "add_optimizer", "optimizers",
        "cost", "code", "export", "open", "feed", "run", "peek", "train", "find", "explain", "palette", "facts",
    }  # fmt: skip
    assert set(COMMANDS) >= LOOKING
    assert all(command.__doc__ for command in COMMANDS.values())


def test_every_command_survives_an_empty_message():
    canvas = lenet()
    before = canvas.document
    for name in sorted(set(COMMANDS) - {"layout", "undo", "add_gradients", "run", "train", "remove_gradients"}):
        canvas.handle({"command": name})
    assert canvas.document.net == before.net
