import errno
import os
import signal
import subprocess
import sys
import textwrap

import ml_dtypes
import numpy as np
import pytest

from c2lab.errors import DamagedFile
from c2lab.training import checkpoints
from c2lab.training.checkpoints import Checkpoint


def sample(step=3):
    arrays = {
        "w": np.arange(6, dtype=np.float32).reshape(2, 3), "n": np.array(5, np.int64),
        "half": np.ones(3, ml_dtypes.bfloat16), "none": np.zeros((0, 2), np.float32),
    }  # fmt: skip
    return Checkpoint(step, arrays, {"epoch": 1, "nested": {"a": [1, 2]}})


def test_everything_comes_back(tmp_path):
    checkpoints.write(tmp_path / "c", sample())
    found = checkpoints.read(tmp_path / "c")
    assert (found.step, found.facts) == (3, sample().facts)
    for name, value in sample().arrays.items():
        assert found.arrays[name].dtype == value.dtype
        assert np.array_equal(found.arrays[name], value)


def test_every_damage_is_found(tmp_path):
    path = tmp_path / "c"
    checkpoints.write(path, sample())
    whole = path.read_bytes()
    for length in [*range(0, len(whole), 17), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(DamagedFile):
            checkpoints.read(path)
    for position in range(0, len(whole), 13):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        with pytest.raises(DamagedFile):
            checkpoints.read(path)


def test_the_newest_whole_one_is_taken(tmp_path):
    for step in (1, 2, 3):
        checkpoints.write(checkpoints.path_of(tmp_path, step), sample(step))
    assert checkpoints.latest(tmp_path).step == 3
    assert checkpoints.latest(tmp_path, before=2).step == 2
    checkpoints.path_of(tmp_path, 3).write_bytes(b"half")
    assert checkpoints.latest(tmp_path).step == 2
    assert checkpoints.latest(tmp_path / "nowhere") is None


def test_old_ones_go_pinned_ones_stay(tmp_path):
    told = []
    writer = checkpoints.Writer(tmp_path, 2, written=lambda path: told.append(path.name))
    writer.save(sample(1), pinned=True)
    for step in range(2, 6):
        assert writer.save(sample(step)).wait(30)
    writer.close()
    assert [path.name for path in checkpoints.all_in(tmp_path)] == [
        checkpoints.path_of(tmp_path, step).name for step in (1, 4, 5)
    ]
    assert len(told) == 5


def test_a_full_disk_leaves_the_last_one_whole(tmp_path, monkeypatch):
    failures = []
    writer = checkpoints.Writer(tmp_path, failed=failures.append)
    assert writer.save(sample(1)).wait(30)

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert writer.save(sample(2)).wait(30)
    assert failures[0].errno == errno.ENOSPC
    assert checkpoints.latest(tmp_path).step == 1
    assert writer.save(sample(3)).wait(30)
    writer.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        checkpoints.path_of(tmp_path, step).name for step in (1, 3)
    ]


def test_killed_while_saving_nothing_acknowledged_is_lost(tmp_path):
    code = """
        import sys
        from pathlib import Path
        import numpy as np
        from c2lab.training import checkpoints
        for step in range(1, 10_000):
            arrays = {"w": np.full((512, 512), step, np.float32)}
            path = checkpoints.path_of(Path(sys.argv[1]), step)
            checkpoints.write(path, checkpoints.Checkpoint(step, arrays, {}))
            print(step, flush=True)
    """
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        command = [sys.executable, "-c", textwrap.dedent(code), str(folder)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for _ in range(3 + 2 * number):
            acknowledged = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        acknowledged = max([acknowledged, *map(int, process.stdout.read().split())])
        process.stdout.close()
        process.wait()
        found = checkpoints.latest(folder)
        assert found.step >= acknowledged
        assert (found.arrays["w"] == found.step).all()
