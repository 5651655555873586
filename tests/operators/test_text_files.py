"""Text files: columns by type, passes and what is no line of the file."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import BadArgument, DamagedFile, SchemaError
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument
from c2lab.workspace import Workspace


def op(type, inputs=(), outputs=(), **arguments):
    made = caffe2_pb2.OperatorDef(type=type, input=inputs, output=outputs)
    made.arg.extend(make_argument(name, value) for name, value in arguments.items())
    return made


def test_text_files(tmp_path):
    T = caffe2_pb2.TensorProto
    path = tmp_path / "table.tsv"
    path.write_text("cat\t0.5\t1\ndog\t1.5\t2\nfox\t2.5\t3\n")
    held = Workspace("text")
    made = op("CreateTextFileReader", [], ["r"], filename=str(path), num_passes=2,
              field_types=[T.STRING, T.FLOAT, T.INT64])  # fmt: skip
    held.run_operator(made)
    seen = []
    for _ in range(5):
        held.run_operator(op("TextFileReaderRead", ["r"], ["word", "x", "n"], batch_size=2))
        seen.append(held.fetch("n").tolist())
    assert seen == [[1, 2], [3, 1], [2, 3], [], []]
    assert held.fetch("x").dtype == np.float32
    held.run_operator(made)
    held.run_operator(op("TextFileReaderRead", ["r"], ["word", "x", "n"], batch_size=2))
    assert held.fetch("word").tolist() == [b"cat", b"dog"]
    state = held["r"].state()
    held.run_operator(made)
    held["r"].restore(state)
    held.run_operator(op("TextFileReaderRead", ["r"], ["word", "x", "n"]))
    assert held.fetch("word").tolist() == [b"fox"]
    path.write_text("cat\t0.5\n")
    held.run_operator(made)
    with pytest.raises(DamagedFile, match=r"table.tsv line 1"):
        held.run_operator(op("TextFileReaderRead", ["r"], ["word", "x", "n"]))
    with pytest.raises(SchemaError, match="3 columns"):
        held.run_operator(op("TextFileReaderRead", ["r"], ["word"]))
    with pytest.raises(BadArgument, match="field_types"):
        held.run_operator(op("CreateTextFileReader", [], ["r"], filename=str(path), field_types=[99]))
