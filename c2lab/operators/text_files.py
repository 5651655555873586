"""Text files: columns separated by tabs, read a batch of lines at a time."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from c2lab.errors import BadArgument, DamagedFile, SchemaError
from c2lab.operators.definition import host_operator
from c2lab.operators.values import Opaque
from c2lab.proto import caffe2_pb2

_CONVERT = {
    caffe2_pb2.TensorProto.STRING: (object, bytes),
    caffe2_pb2.TensorProto.FLOAT: (np.float32, float),
    caffe2_pb2.TensorProto.DOUBLE: (np.float64, float),
    caffe2_pb2.TensorProto.INT32: (np.int32, int),
    caffe2_pb2.TensorProto.INT64: (np.int64, int),
}


class TextFileReader(Opaque):
    """A place in a file of lines, which may be read several times over."""

    type_name = "std::unique_ptr<caffe2::TextFileReaderInstance>"

    def __init__(self, filename: str, field_types: tuple[int, ...], num_passes: int) -> None:
        self.filename, self.field_types, self.num_passes = filename, field_types, num_passes
        self.passes, self.line = 0, 0
        self.lock = threading.Lock()
        self._file = open(filename, "rb")  # noqa: SIM115 - open for as long as the reader lives

    def next_line(self) -> bytes | None:
        """The next line, without its end; none after the last pass."""
        while self.passes < self.num_passes or self.num_passes <= 0:
            line = self._file.readline()
            if line:
                self.line += 1
                return line.rstrip(b"\r\n")
            if self.line == 0:
                return None  # an empty file has no lines in any pass
            self.passes, self.line = self.passes + 1, 0
            self._file.seek(0)
        return None

    def state(self) -> dict[str, Any]:
        return {"passes": self.passes, "line": self.line, "offset": self._file.tell()}

    def restore(self, state: dict[str, Any]) -> None:
        self.passes, self.line = int(state["passes"]), int(state["line"])
        self._file.seek(int(state["offset"]))

    def __del__(self) -> None:
        file = getattr(self, "_file", None)
        if file is not None:
            file.close()


@host_operator("CreateTextFileReader", outputs="handler", gradient="none")
def create_text_file_reader(*, filename: str, field_types: tuple[int, ...], num_passes: int = 1):
    """Opens a text file of columns separated by tabs.

    Args:
        filename: The path of the file.
        field_types: The type of each column, as a `TensorProto.DataType` number: STRING, FLOAT, DOUBLE, INT32 or INT64.
        num_passes: How often the file is read through; 0 never ends.
    Outputs:
        handler: The reader, at the first line.
    Example:
        >>> import tempfile
        >>> file = tempfile.NamedTemporaryFile()
        >>> run("CreateTextFileReader", filename=file.name, field_types=[1])
        handler = b'handler, a C++ native class of type std::unique_ptr<caffe2::TextFileReaderInstance>.'
    """
    unknown = sorted(set(field_types) - set(_CONVERT))
    if unknown or not field_types:
        raise BadArgument(
            f"field_types is {field_types}; each must be one of {sorted(_CONVERT)} (TensorProto.DataType)"
        )
    return TextFileReader(filename, field_types, num_passes)


@host_operator("TextFileReaderRead", outputs="*field", gradient="none")
def text_file_reader_read(handler, *, num_outputs: int, batch_size: int = 1):
    """Reads the next lines of a text file; fewer, or none, at its end.

    Inputs:
        handler: A reader, made by CreateTextFileReader.
    Args:
        batch_size: How many lines to read at most.
    Outputs:
        field: The columns, 1-D, one value a line.
    Example:
        >>> import tempfile
        >>> from c2lab.operators.text_files import TextFileReader
        >>> file = tempfile.NamedTemporaryFile()
        >>> written = file.write(b"cat\\t1\\ndog\\t2\\n"), file.flush()
        >>> run("TextFileReaderRead", handler=TextFileReader(file.name, (4, 2), 1), batch_size=5, outputs=2)
        field_0 = [b'cat' b'dog']
        field_1 = [1 2]
    """
    if not isinstance(handler, TextFileReader):
        raise BadArgument("the input must be a reader, made by CreateTextFileReader")
    kinds = [_CONVERT[number] for number in handler.field_types]
    if num_outputs != len(kinds):
        raise SchemaError(f"{handler.filename} has {len(kinds)} columns, but there are {num_outputs} outputs")
    lines: list[tuple[int, bytes]] = []
    with handler.lock:  # several threads may read from one file
        while len(lines) < batch_size and (line := handler.next_line()) is not None:
            lines.append((handler.line, line))
    rows: list[list[Any]] = []
    for number, line in lines:
        cells = line.split(b"\t")
        try:
            rows.append([convert(cell) for (_, convert), cell in zip(kinds, cells, strict=True)])
        except ValueError as error:
            raise DamagedFile(
                f"{handler.filename} line {number}: {line[:80]!r} has not the {len(kinds)} columns "
                f"that field_types names ({error})"
            ) from error
    columns = zip(*rows, strict=True) if rows else [()] * len(kinds)
    filled = []
    for (dtype, _), column in zip(kinds, columns, strict=True):
        array = np.empty(len(rows), dtype)
        array[:] = column
        filled.append(array)
    return filled
