import numpy as np
import pytest

from c2lab.errors import BadArgument, DamagedFile
from c2lab.training import kept_data


def test_the_same_arrays_are_kept_once(tmp_path):
    arrays = {"x": np.arange(6.0).reshape(2, 3), "y": np.array([1, 2])}
    name = kept_data.save(tmp_path, arrays)
    assert kept_data.save(tmp_path, dict(reversed(arrays.items()))) == name
    assert kept_data.save(tmp_path, {**arrays, "y": np.array([1, 3])}) != name
    assert len(list((tmp_path / ".data").iterdir())) == 2
    found = kept_data.load(tmp_path, {"kept": name})
    assert all(np.array_equal(found[key], value) for key, value in arrays.items())


def test_large_ones_are_not(tmp_path, monkeypatch):
    monkeypatch.setattr(kept_data, "LARGEST", 10)
    assert kept_data.save(tmp_path, {"x": np.zeros(10)}) is None
    with pytest.raises(BadArgument, match="give them again"):
        kept_data.load(tmp_path, {"kept": None})


def test_damage_is_told(tmp_path):
    name = kept_data.save(tmp_path, {"x": np.zeros(10)})
    (tmp_path / ".data" / f"{name}.npz").write_bytes(b"half")
    with pytest.raises(DamagedFile):
        kept_data.load(tmp_path, {"kept": name})
