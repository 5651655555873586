import numpy as np
import pytest

from c2lab.errors import BadArgument, BadValue, NoGradient, SchemaError, ShapeMismatch
from tests.operators.calls import call, wiring

rng = np.random.default_rng(45)


@pytest.mark.parametrize("type", [np.int32, np.int64])
@pytest.mark.parametrize("ids", [[], [0], [0, 0, 2], [1, 3, 3, 3]], ids=str)
def test_segment_ids(type, ids):
    ids = np.array(ids, type)
    for count, data in [(ids.max(initial=-1) + 1, []), (6, [np.zeros((6, 2), np.float32)])]:
        lengths = np.bincount(ids, minlength=count).astype(np.int32)
        got = call("SegmentIdsToLengths", ids, *data)
        np.testing.assert_array_equal(got, lengths)
        assert got.dtype == np.int32
        got = call("SegmentIdsToRanges", ids, *data)
        np.testing.assert_array_equal(got, np.stack([np.cumsum(lengths) - lengths, lengths], axis=1))
        assert got.dtype == np.int32


@pytest.mark.parametrize("type", [np.int32, np.int64])
@pytest.mark.parametrize("kind", [np.float32, np.int64])
def test_gather_ranges(type, kind):
    data = rng.integers(1, 99, size=7).astype(kind)
    ranges = np.array([[[0, 2], [4, 3]], [[3, 1], [0, 0]], [[0, 0], [0, 0]]], type)
    got, lengths = call("GatherRanges", data, ranges, outputs=2)
    np.testing.assert_array_equal(got, data[[0, 1, 4, 5, 6, 3]])
    np.testing.assert_array_equal(lengths, [5, 1, 0])
    assert got.dtype == kind
    assert lengths.dtype == np.int32


@pytest.mark.parametrize("keyed", [False, True])
def test_gather_ranges_to_dense(keyed):
    data, key = rng.normal(size=8).astype(np.float32), rng.permutation(8).astype(np.int64)
    ranges = np.int32([[[0, 2], [2, 3]], [[6, 2], [0, 0]], [[0, 1], [5, 3]]])
    got = call("GatherRangesToDense", data, ranges, *[key][:keyed], outputs=2, lengths=[2, 3])
    for number, length in enumerate([2, 3]):
        want = np.zeros((3, length), np.float32)
        for row, (start, given) in enumerate(ranges[:, number]):
            if given == length:  # any other range is a row of zeros
                places = sorted(range(start, start + given), key=lambda place: key[place] if keyed else place)
                want[row] = data[places]
        np.testing.assert_array_equal(got[number], want)


def test_segment_one_hot():
    lengths, indices = np.int32([2, 0, 3]), np.int64([0, 3, 1, 1, 2])
    want = np.zeros((3, 4), np.float32)
    want[np.repeat(np.arange(3), lengths), indices] = 1
    got = call("SegmentOneHot", lengths, indices, np.int64([4]))
    np.testing.assert_array_equal(got, want)
    assert got.dtype == np.float32


def test_batch_bucket_one_hot():
    lengths, edges = np.int32([3, 1]), [np.float32([-1, 0, 1]), np.float32([0.5])]
    data = rng.normal(size=(9, 2)).astype(np.float32)
    data[0] = [0, 0.5]  # a value at a boundary belongs below it
    want = [
        np.eye(edge.size + 1)[(column[:, None] > edge).sum(axis=1)] for column, edge in zip(data.T, edges, strict=True)
    ]
    got = call("BatchBucketOneHot", data, lengths, np.concatenate(edges))
    np.testing.assert_array_equal(got, np.concatenate(want, axis=1))
    assert got.dtype == np.float32


def test_refusals():
    data = np.float32([1, 2, 3])
    for type in ("SegmentIdsToLengths", "SegmentIdsToRanges"):
        with pytest.raises(BadValue, match="must be sorted"):
            call(type, np.int32([1, 0]))
        with pytest.raises(BadValue, match="outside 0 to 3 - 1"):
            call(type, np.int32([0, 3]), data)
    with pytest.raises(BadValue, match="outside of DATA, which has 3 values"):
        call("GatherRanges", data, np.int32([[[2, 2]]]), outputs=2)
    with pytest.raises(ShapeMismatch, match=r"must be \(examples, ranges, 2\)"):
        call("GatherRanges", data, np.int32([[2, 2]]), outputs=2)
    with pytest.raises(SchemaError, match="for each of 2 blobs"):
        call("GatherRangesToDense", data, np.int32([[[0, 1]]]), outputs=2, lengths=[1])
    with pytest.raises(BadArgument, match="from 0 to 1"):
        call("GatherRangesToDense", data, np.int32([[[0, 1]]]), lengths=[1], max_empty_ratio=1.5)
    with pytest.raises(BadValue, match="outside 0 to 2 - 1, the size of a row"):
        call("SegmentOneHot", np.int32([1]), np.int64([2]), np.int64([2]))
    with pytest.raises(BadValue, match="every column needs a boundary"):
        call("BatchBucketOneHot", data[None], np.int32([1, 0, 1]), data[:2])
    with pytest.raises(BadValue, match="boundaries of column 0 must be sorted"):
        call("BatchBucketOneHot", data[:1, None], np.int32([3]), data[::-1].copy())


def test_no_gradients():
    assert wiring("GatherRangesToDense", 2, 1, lengths=[1]) == ([], [None, None])
    assert wiring("GatherRanges", 2, 2) == ([], [None, None])
    assert wiring("BatchBucketOneHot", 3, 1) == ([], [None, None, None])
    assert wiring("SegmentOneHot", 3) == ([], [None, None, None])
    for type, inputs, outputs in [
        ("SegmentIdsToLengths", 1, 1),
        ("SegmentIdsToRanges", 1, 1),
    ]:
        with pytest.raises(NoGradient):
            wiring(type, inputs, outputs)
