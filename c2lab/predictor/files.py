"""A model as a folder: ``init_net.pb`` makes its parameters, ``predict_net.pb`` predicts.

Files are written beside their place and renamed, so that a full disk or an interrupt
leaves the old file whole; what is read may come from anywhere and is never trusted.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TypeVar

from google.protobuf import text_format
from google.protobuf.message import DecodeError, Message

from c2lab.errors import DamagedFile, if_pointer
from c2lab.proto import caffe2_pb2

M = TypeVar("M", bound=Message)

INIT_NET = "init_net"
PREDICT_NET = "predict_net"
LARGEST_NET = 2**31 - 1  # bytes; protobuf reads no larger message

_TEXT_SUFFIXES = (".pbtxt", ".prototxt", ".txt")


def save(
    folder: str | os.PathLike[str],
    init_net: caffe2_pb2.NetDef,
    predict_net: caffe2_pb2.NetDef,
    text: bool = True,
) -> None:
    """Writes ``init_net.pb`` and ``predict_net.pb``, with ``text`` also both as ``.pbtxt``.

    Args:
        folder: Made if it is not there; other files in it stay.
        init_net: The net that fills the parameters (``mobile_exporter.Export`` makes both).
        predict_net: The net that predicts.
        text: Also write the same as readable text.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, net in ((INIT_NET, init_net), (PREDICT_NET, predict_net)):
        write_net(folder / f"{name}.pb", net)
        if text:
            write_net(folder / f"{name}.pbtxt", net)


def load(folder: str | os.PathLike[str]) -> tuple[caffe2_pb2.NetDef, caffe2_pb2.NetDef]:
    """The init net and the predict net of a folder: what ``workspace.Predictor`` takes.

    Raises:
        FileNotFoundError: The folder lacks one of the two files.
        DamagedFile: A file is no net.
    """
    folder = Path(folder)
    return read_net(folder / f"{INIT_NET}.pb"), read_net(folder / f"{PREDICT_NET}.pb")


def write_net(path: str | os.PathLike[str], net: caffe2_pb2.NetDef) -> None:
    """Writes a net, as text where the name ends in ``.pbtxt``, ``.prototxt`` or ``.txt``."""
    is_text = Path(path).suffix in _TEXT_SUFFIXES
    write_whole(path, text_format.MessageToString(net).encode() if is_text else net.SerializeToString())


def read_net(path: str | os.PathLike[str]) -> caffe2_pb2.NetDef:
    """The net in a ``.pb`` or ``.pbtxt`` file.

    Raises:
        FileNotFoundError: There is no such file.
        DamagedFile: It holds no net, or is too large for one.
    """
    net = read_message(path, caffe2_pb2.NetDef())
    if not (net.op or net.name or net.external_input or net.external_output):
        raise DamagedFile(f"{path} holds no net: it has no operator, no name, no inputs and no outputs")
    return net


def read_message(path: str | os.PathLike[str], message: M) -> M:
    """Fills ``message`` from a file, by the file's suffix as text or as bytes.

    Raises:
        FileNotFoundError: There is no such file.
        DamagedFile: It cannot be read as a message of this kind, or is too large.
    """
    path = Path(path)
    kind = message.DESCRIPTOR.name
    size = path.stat().st_size
    if size > LARGEST_NET:
        raise DamagedFile(f"{path} has {size:,} bytes; a {kind} has at most {LARGEST_NET:,}")
    content = path.read_bytes()
    try:
        if path.suffix in _TEXT_SUFFIXES:
            text_format.Parse(content.decode(), message)
        else:
            message.ParseFromString(content)
    except (DecodeError, UnicodeDecodeError, text_format.ParseError, RecursionError) as problem:
        reason = str(problem).strip().rstrip(".") or type(problem).__name__
        raise DamagedFile(f"{path} cannot be read as a {kind}: {reason}.{if_pointer(content)}") from problem
    return message


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Writes a file so that there is the old content or the new, never half of it."""
    path = Path(path)
    handle, partial = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(partial, _usual_mode(path))
        os.replace(partial, path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def _usual_mode(path: Path) -> int:
    """The mode that ``open`` would have given the file (``mkstemp`` is stricter)."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
