import numpy as np
import pytest

from c2lab.errors import BadArgument, BadValue, ShapeMismatch
from tests.operators.calls import call, gradients, wiring

rng = np.random.default_rng(43)


def packed(lengths, rows, width, pad=0):
    """One segment at a time."""
    block = np.full((len(lengths), width, *rows.shape[1:]), pad, rows.dtype)
    for k, part in enumerate(np.split(rows, np.cumsum(lengths)[:-1])):
        block[k, : len(part)] = part[:width]
    return block


@pytest.mark.parametrize("type", [np.int32, np.int64])
@pytest.mark.parametrize("shape", [(), (3,)])
@pytest.mark.parametrize("width", [None, 4, 2])
def test_pack_and_unpack(type, shape, width):
    lengths, rows = type([2, 0, 3]), rng.normal(size=(5, *shape)).astype(np.float32)
    told = {} if width is None else {"max_length": width}
    want = packed(lengths, rows, width or 3)
    block, present = call("PackSegments", lengths, rows, outputs=2, return_presence_mask=True, **told)
    np.testing.assert_array_equal(block, want)
    np.testing.assert_array_equal(present, np.arange(width or 3) < lengths[:, None])
    assert present.dtype == bool
    if width == 2:  # what was cut off is gone
        rows = rows[[0, 1, 2, 3]]
    np.testing.assert_array_equal(call("UnpackSegments", lengths, want, **told), rows)


@pytest.mark.parametrize("told", [{}, {"max_length": 4}], ids=str)
def test_each_is_the_gradient_of_the_other(told):
    lengths, rows = np.int32([1, 4, 0]), rng.normal(size=(5, 2)).astype(np.float32)
    block = rng.normal(size=(3, 4, 2)).astype(np.float32)
    np.testing.assert_array_equal(
        gradients("PackSegments", [lengths, rows], [block], **told)[1], np.concatenate([block[0, :1], block[1]])
    )
    np.testing.assert_array_equal(
        gradients("UnpackSegments", [lengths, block], [rows], **told)[1], packed(lengths, rows, 4)
    )


def test_padding():
    rows = np.float32([1, 2, 3])
    got = call("PackSegments", np.int32([1, 2]), rows, pad_minf=True)
    np.testing.assert_array_equal(got, packed([1, 2], rows, 2, -np.inf))
    text = np.array([b"a", b"bc", b"d"], object)
    assert call("PackSegments", np.int32([1, 2]), text).tolist() == [[b"a", b""], [b"bc", b"d"]]


@pytest.mark.parametrize("type", [np.int32, np.int64])
def test_batches_dense_and_sparse(type):
    lengths, indices = type([2, 0, 3]), type([3, 0, 1, 2, 0])
    row = np.repeat(np.arange(3), lengths)
    values, dense = rng.normal(size=5).astype(np.float32), rng.normal(size=(3, 4)).astype(np.float32)
    spread = np.zeros_like(dense)
    for r, c, value in zip(row, indices, values, strict=True):
        spread[r, c] = value
    np.testing.assert_array_equal(call("BatchDenseToSparse", lengths, indices, dense), dense[row, indices])
    np.testing.assert_array_equal(call("BatchSparseToDense", lengths, indices, values, dense_last_dim=4), spread)
    np.testing.assert_array_equal(call("BatchSparseToDense", lengths, indices, values, dense), spread)
    got = call("BatchSparseToDense", lengths, indices, values, dense, default_value=9.0)
    held = np.zeros(dense.shape, bool)
    held[row, indices] = True
    np.testing.assert_array_equal(got, np.where(held, spread, 9))

    got = gradients("BatchDenseToSparse", [lengths, indices, dense], [values])
    np.testing.assert_array_equal(got[2], spread)
    got = gradients("BatchSparseToDense", [lengths, indices, values], [dense], dense_last_dim=4)
    np.testing.assert_array_equal(got[2], dense[row, indices])


def test_refusals():
    rows = np.float32([1, 2, 3])
    with pytest.raises(BadValue, match="must be 3, the number of rows"):
        call("PackSegments", np.int32([1, 1]), rows)
    with pytest.raises(BadArgument, match="no second output"):
        call("PackSegments", np.int32([3]), rows, return_presence_mask=True)
    with pytest.raises(BadArgument, match="no minus infinity"):
        call("PackSegments", np.int32([3]), np.int32([1, 2, 3]), pad_minf=True)
    with pytest.raises(BadValue, match="3 a segment"):
        call("UnpackSegments", np.int32([4]), rows[None])
    with pytest.raises(ShapeMismatch, match="padded to 3"):
        call("UnpackSegments", np.int32([3]), rows[None], max_length=2)
    with pytest.raises(BadValue, match="column outside 0 to 3 - 1"):
        call("BatchDenseToSparse", np.int32([1]), np.int32([3]), rows[None])
    with pytest.raises(BadValue, match="column outside 0 to 2 - 1"):
        call("BatchSparseToDense", np.int32([1]), np.int32([2]), rows[:1], dense_last_dim=2)
    with pytest.raises(BadArgument, match="give dense_last_dim"):
        call("BatchSparseToDense", np.int32([1]), np.int32([2]), rows[:1])


def test_gradient_wiring():
    assert wiring("PackSegments", 2) == ([("UnpackSegments", ["I0", "GO0"], ["I1_grad"])], [None, "I1_grad"])
    assert wiring("UnpackSegments", 2) == ([("PackSegments", ["I0", "GO0"], ["I1_grad"])], [None, "I1_grad"])
    step = ("BatchSparseToDense", ["I0", "I1", "GO0", "I2"], ["I2_grad"])
    assert wiring("BatchDenseToSparse", 3) == ([step], [None, None, "I2_grad"])
    step = ("BatchDenseToSparse", ["I0", "I1", "GO0"], ["I2_grad"])
    assert wiring("BatchSparseToDense", 4) == ([step], [None, None, "I2_grad", None])
