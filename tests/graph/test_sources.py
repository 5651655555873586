from __future__ import annotations

import numpy as np
import pytest
from google.protobuf import text_format

from c2lab import core
from c2lab.errors import DamagedFile
from c2lab.graph.sources import open_file, source_of
from c2lab.proto import caffe2_pb2
from tests.graph import sample_nets


def test_a_net_def_is_taken_as_it_is():
    net = sample_nets.chain(2)
    assert source_of(net).net is net


def test_a_net_is_copied():
    net = core.Net("n")
    net.Relu("x", "y")
    source = source_of(net)
    assert source.net == net.Proto()
    assert source.net is not net.Proto()


def test_anything_else_is_refused():
    with pytest.raises(TypeError, match="got int"):
        source_of(3)


@pytest.mark.parametrize("suffix", [".pb", ".pbtxt"])
@pytest.mark.parametrize("kind", ["net", "plan"])
def test_files(tmp_path, suffix, kind):
    message = sample_nets.classifier()
    if kind == "plan":
        message = caffe2_pb2.PlanDef(name="p", network=[message])
        message.execution_step.add(name="s", network=["classifier"])
    path = tmp_path / f"file{suffix}"
    data = text_format.MessageToString(message).encode() if suffix == ".pbtxt" else message.SerializeToString()
    path.write_bytes(data)
    assert open_file(path) == message


@pytest.mark.parametrize("data", [b"", b"\xff\xff\xff\xff", b"GIF89a not a net at all"])
@pytest.mark.parametrize("suffix", [".pb", ".pbtxt"])
def test_damaged_files(tmp_path, suffix, data):
    path = tmp_path / f"file{suffix}"
    path.write_bytes(data)
    with pytest.raises(DamagedFile, match="neither a net nor a plan"):
        open_file(path)


def test_too_large_files(tmp_path):
    path = tmp_path / "net.pb"
    path.write_bytes(b"x" * 100)
    with pytest.raises(DamagedFile, match="limit"):
        open_file(path, limit=10)


def test_missing_files(tmp_path):
    with pytest.raises(FileNotFoundError):
        open_file(tmp_path / "nothing.pb")


def test_shapes_follow_from_inputs():
    source = source_of(sample_nets.net("n", ("Relu", "x", "y"), ("Softmax", "y", "z")))
    for given in ((2, 3), np.zeros((2, 3), np.float32), ((2, 3), "float32"), ((2, 3), np.float32)):
        shapes = source.shapes({"x": given})
        assert shapes["z"].shape == (2, 3)


def test_a_net_of_unknown_operators_has_only_the_shapes_given():
    source = source_of(sample_nets.net("n", ("NoSuchThing", "x", "y")))
    assert set(source.shapes({"x": (2, 3)})) == {"x"}
