import struct
import sys
import types

import numpy as np
import pytest

import c2lab as c2
from c2lab.training import event_files
from tests.training.models import classifier, pictures


def varint(number):
    result = b""
    while number > 127:
        result, number = result + bytes([number & 127 | 128]), number >> 7
    return result + bytes([number])


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def record(step, tag, value, *, tensor=False):
    number = struct.pack("<f", value)
    payload = field(8, b"\x08\x01" + field(5, number)) if tensor else varint(2 << 3 | 5) + number
    content = varint(1 << 3 | 1) + struct.pack("<d", 1.5) + varint(2 << 3) + varint(step)
    content += field(5, field(1, field(1, tag.encode()) + payload))
    return struct.pack("<QI", len(content), 0) + content + bytes(4)


def test_scalars_of_both_kinds(tmp_path):
    parts = [record(k, "loss", 1 / k, tensor=k % 2 == 0) for k in range(1, 300)]
    parts.append(record(200, "test_loss", 0.25))
    (tmp_path / "events.out.tfevents.1.host").write_bytes(b"".join(parts))
    history = event_files.read_history(tmp_path)
    assert history.names == ("loss",)
    assert history.column("loss") == pytest.approx([1 / k for k in range(1, 300)])
    assert history.tests == {"test_loss": [(200, 0.25)]}
    (run,) = c2.runs(tmp_path)
    assert (run.state, len(run.history)) == ("TensorBoard", 299)


def test_files_that_are_cut_off_are_read_as_far_as_they_go(tmp_path):
    content = b"".join(record(k, "loss", 1.0) for k in range(1, 4))
    path = tmp_path / "events.out.tfevents.1.host"
    for length in range(len(content)):
        path.write_bytes(content[:length])
        assert len(event_files.read_history(tmp_path)) == length * 3 // len(content)
    path.write_bytes(struct.pack("<QI", 2**60, 0) + bytes(100))
    assert len(event_files.read_history(tmp_path)) == 0


def test_a_run_is_written_scalar_by_scalar(tmp_path, monkeypatch):
    written = []

    class SummaryWriter:
        def __init__(self, folder):
            self.folder = folder

        def add_scalar(self, tag, value, step):
            written.append((tag, value, step))

        def close(self):
            written.append(self.folder)

    package = types.ModuleType("tensorboardX")
    package.SummaryWriter = SummaryWriter
    monkeypatch.setitem(sys.modules, "tensorboardX", package)
    train, test = pictures()
    run = c2.train(classifier(), train, evaluate=test, epochs=1, keep=False, tensorboard=tmp_path, block=True)
    losses = [value for tag, value, _ in written[:-1] if tag == "loss"]
    assert np.array_equal(losses, run.curve("loss"))
    assert ("test_loss", run.metrics["test_loss"], 22) in written
    assert written[-1] == str(tmp_path)


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    run = c2.train(classifier(), pictures()[0], steps=1, keep=False, tensorboard=True)
    with pytest.raises(ImportError, match="pip install tensorboardX"):
        run.wait(60)
