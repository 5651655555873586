import errno
import os

import pytest

from c2lab.errors import DamagedFile
from c2lab.predictor import files
from c2lab.proto import caffe2_pb2


@pytest.fixture
def net():
    net = caffe2_pb2.NetDef(name="small", external_input=["x"], external_output=["y"])
    net.op.add(type="Relu", input=["x"], output=["y"])
    return net


def test_a_folder_comes_back(tmp_path, net):
    init = caffe2_pb2.NetDef(name="init")
    files.save(tmp_path / "new" / "model", init, net)
    names = sorted(path.name for path in (tmp_path / "new" / "model").iterdir())
    assert names == ["init_net.pb", "init_net.pbtxt", "predict_net.pb", "predict_net.pbtxt"]
    assert files.load(tmp_path / "new" / "model") == (init, net)
    assert files.read_net(tmp_path / "new" / "model" / "predict_net.pbtxt") == net


def test_text_is_optional_and_other_files_stay(tmp_path, net):
    (tmp_path / "notes").write_text("mine")
    files.save(tmp_path, net, net, text=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["init_net.pb", "notes", "predict_net.pb"]


def test_a_missing_file_is_said_so(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"init_net\.pb"):
        files.load(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("net.pb", b"\xff\xff\xff\xff", "cannot be read as a NetDef"),
        ("net.pb", b"", "holds no net"),
        ("net.pbtxt", b"", "holds no net"),
        ("net.pbtxt", b"op { type: ", "cannot be read as a NetDef"),
        ("net.pbtxt", b"layer { name: 'conv1' }", 'no field named "layer"'),
        ("net.pbtxt", b"\xff\xfe", "cannot be read as a NetDef"),
        ("net.pbtxt", b"op { arg { n { " * 4000, "cannot be read as a NetDef"),
    ],
)
def test_what_is_no_net_is_refused(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DamagedFile, match=message) as raised:
        files.read_net(path)
    assert str(path) in str(raised.value)


def test_a_cut_net_is_refused(tmp_path, net):
    path = tmp_path / "net.pb"
    path.write_bytes(net.SerializeToString()[:-1])
    with pytest.raises(DamagedFile, match="cannot be read as a NetDef"):
        files.read_net(path)


def test_a_net_that_is_too_large_is_not_even_read(tmp_path):
    path = tmp_path / "huge.pb"
    with path.open("wb") as file:
        file.truncate(files.LARGEST_NET + 1)  # sparse: takes no room on disk
    with pytest.raises(DamagedFile, match=r"has 2,147,483,648 bytes"):
        files.read_net(path)


def test_a_full_disk_leaves_the_old_file(tmp_path, net, monkeypatch):
    path = tmp_path / "net.pb"
    files.write_net(path, net)

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        files.write_net(path, caffe2_pb2.NetDef(name="other"))
    assert files.read_net(path) == net
    assert list(tmp_path.iterdir()) == [path]


def test_a_written_file_has_the_usual_mode(tmp_path, net):
    files.write_net(tmp_path / "net.pb", net)
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "net.pb").stat().st_mode == (tmp_path / "plain").stat().st_mode
