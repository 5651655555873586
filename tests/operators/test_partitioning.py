import numpy as np
import pytest

from c2lab.errors import BadValue, SchemaError, ShapeMismatch
from tests.operators.calls import call, gradients, wiring

rng = np.random.default_rng(44)


@pytest.mark.parametrize("type", [np.int32, np.int64])
@pytest.mark.parametrize("pack", [0, 1])
@pytest.mark.parametrize("shards", [2, 3])
def test_partition(type, pack, shards):
    keys = rng.integers(0, 20, size=(2, 4)).astype(type)
    rows, more = rng.normal(size=(2, 4, 3)).astype(np.float32), rng.integers(0, 9, size=(2, 4))
    got = call("Partition", keys, rows, more, outputs=3 * shards, pack_first_input=pack)
    for number in range(shards):
        mine = keys % shards == number
        want = [keys[mine] // shards if pack else keys[mine], rows[mine], more[mine]]
        for part, expected in zip(got[3 * number :], want, strict=False):
            np.testing.assert_array_equal(part, expected)
            assert part.dtype == expected.dtype


@pytest.mark.parametrize("pack", [0, 1])
def test_lengths_partition(pack):
    lengths, keys = np.int32([3, 0, 2]), np.int64([4, 7, 2, 9, 5])
    rows = rng.normal(size=(5, 2)).astype(np.float32)
    got = call("LengthsPartition", lengths, keys, rows, outputs=6, pack_first_input=pack)
    for number in range(2):
        mine = keys % 2 == number
        want_lengths = [part.sum() for part in np.split(mine, np.cumsum(lengths)[:-1])]
        got_lengths, got_keys, got_rows = got[3 * number : 3 * number + 3]
        np.testing.assert_array_equal(got_lengths, want_lengths)
        assert got_lengths.dtype == np.int32
        np.testing.assert_array_equal(got_keys, keys[mine] // 2 if pack else keys[mine])
        np.testing.assert_array_equal(got_rows, rows[mine])


@pytest.mark.parametrize("type", [np.int32, np.int64])
@pytest.mark.parametrize("size", [(8,), (2, 4), (0,)], ids=str)
def test_gather_brings_back_what_partition_dealt_out(type, size):
    keys = rng.integers(0, 20, size=size).astype(type)
    rows, slope = rng.normal(size=(2, *size, 3)).astype(np.float32)
    shards = call("Partition", keys, rows, outputs=6)[1::2]
    np.testing.assert_array_equal(call("GatherByKey", keys, *shards), rows)
    none, *dshards = gradients("GatherByKey", [keys, *shards], [slope])
    assert none is None
    for number, dshard in enumerate(dshards):
        np.testing.assert_array_equal(dshard, slope[keys % 3 == number])


def test_refusals():
    keys, rows = np.int32([0, 1, 2]), np.float32([1, 2, 3])
    with pytest.raises(SchemaError, match="2 inputs makes 2 outputs a shard, but 3 are named"):
        call("Partition", keys, rows, outputs=3)
    with pytest.raises(ShapeMismatch, match="start with the shape of the keys"):
        call("Partition", keys, rows[:2], outputs=4)
    with pytest.raises(ShapeMismatch, match="must be int32 or int64"):
        call("Partition", rows, keys, outputs=4)
    with pytest.raises(BadValue, match="must be 3, the number of rows"):
        call("LengthsPartition", np.int32([1, 1]), keys, outputs=4)
    with pytest.raises(BadValue, match=r"the shards hold \[1, 2\] rows"):
        call("GatherByKey", keys, rows[:1], rows[1:])
    with pytest.raises(ShapeMismatch, match="must have one shape"):
        call("GatherByKey", keys, rows[:2], rows[2:, None])


def test_gradient_wiring():
    step = ("Partition", ["I0", "GO0"], ["_I1_grad_keys", "I1_grad", "_I2_grad_keys", "I2_grad"])
    assert wiring("GatherByKey", 3) == ([step], [None, "I1_grad", "I2_grad"])
    for type in ("Partition", "LengthsPartition"):
        assert wiring(type, 2, 4) == ([], [None, None])
