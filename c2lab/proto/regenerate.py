"""Writes ``caffe2.binpb`` and the typed stubs from the ``.proto`` files.

Needs ``grpcio-tools`` and ``mypy-protobuf``.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    """Compile every ``.proto`` beside this file."""
    from grpc_tools import protoc  # a development tool, imported where it is used

    with tempfile.TemporaryDirectory() as folder:
        sources = Path(folder) / "caffe2" / "proto"
        sources.mkdir(parents=True)
        for proto in HERE.glob("*.proto"):
            shutil.copy(proto, sources)
        files = sorted(str(p.relative_to(folder)) for p in sources.glob("*.proto"))
        status = protoc.main(
            [
                "protoc",
                f"-I{folder}",
                f"--descriptor_set_out={HERE / 'caffe2.binpb'}",
                f"--mypy_out={folder}",
                *files,
            ]
        )
        if status:
            raise SystemExit(status)
        for stub in sources.glob("*_pb2.pyi"):
            (HERE / stub.name).write_text(_stub(stub.name, stub.read_text()))


def _stub(name: str, text: str) -> str:
    """A stub for our package, in which enum values are plain ints, as they are when the code runs."""
    text = text.replace("caffe2.proto", "c2lab.proto").replace("import caffe2\n", "")
    text = text.replace('_typing.NewType("ValueType", _builtins.int)', "_builtins.int")
    if name == "caffe2_pb2.pyi":
        devices = sorted(set(re.findall(r"^    PROTO_(\w+):", text, re.MULTILINE)))
        text += "\n# The device types without their prefix.\n" + "".join(f"{device}: int\n" for device in devices)
    return text


if __name__ == "__main__":
    main()
