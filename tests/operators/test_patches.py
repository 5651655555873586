"""Patches and blocks: cut and put together again."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import BadArgument, ShapeMismatch
from tests.operators.calls import call, gradients, wiring

RANDOM = np.random.default_rng(13)


def draw(*shape):
    return RANDOM.normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("order", ["NCHW", "NHWC"])
@pytest.mark.parametrize(("kernel", "stride", "dilation", "pad"), [(1, 1, 1, 0), (3, 2, 1, 1), (2, 3, 2, 2)])
def test_patches_make_a_convolution_a_product(order, kernel, stride, dilation, pad):
    X = draw(2, 3, 9, 8)
    W = draw(4, 3, kernel, kernel)
    turn = (lambda values: np.moveaxis(values, 1, -1)) if order == "NHWC" else np.asarray
    arguments = {"kernel": kernel, "stride": stride, "dilation": dilation, "pad": pad, "order": order}
    columns = call("Im2Col", turn(X), **arguments)
    rows = turn(W).reshape(4, -1)
    product = (
        np.einsum("ok,nkyx->noyx", rows, columns) if order == "NCHW" else np.einsum("ok,nyxk->nyxo", rows, columns)
    )
    np.testing.assert_allclose(product, call("Conv", turn(X), turn(W), **arguments), rtol=1e-4, atol=1e-4)
    flow = draw(*columns.shape)
    back = call("Col2Im", flow, turn(X), **arguments)
    np.testing.assert_allclose((back * turn(X)).sum(), (flow * columns).sum(), rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(gradients("Im2Col", [turn(X)], [flow], **arguments)[0], back)


def test_patches_are_wired_as_in_the_original():
    assert wiring("Im2Col", 1, kernel=2) == ([("Col2Im", ["GO0", "I0"], ["I0_grad"])], ["I0_grad"])
    assert wiring("Col2Im", 2, kernel=2) == ([("Im2Col", ["GO0"], ["I0_grad"])], ["I0_grad", None])


def test_patches_of_another_image_are_an_error():
    with pytest.raises(ShapeMismatch, match=r"has patches of \(1, 4, 2, 2\)"):
        call("Col2Im", draw(1, 4, 3, 3), draw(1, 1, 3, 3), kernel=2)


@pytest.mark.parametrize(("size", "pads"), [(1, (0, 0, 0, 0)), (2, (0, 0, 0, 0)), (2, (1, 1, 1, 1)), (3, (1, 2, 1, 0))])
def test_blocks(size, pads):
    top, left, bottom, right = pads
    X = draw(2, 3, 4, 4)
    arguments = {"block_size": size, "pad_t": top, "pad_l": left, "pad_b": bottom, "pad_r": right}
    Y = call("SpaceToBatch", X, **arguments)
    padded = np.pad(X, ((0, 0), (0, 0), (top, bottom), (left, right)))
    for i in range(size):
        for j in range(size):
            part = Y[(i * size + j) * 2 : (i * size + j + 1) * 2]
            np.testing.assert_array_equal(part, padded[:, :, i::size, j::size])
    np.testing.assert_array_equal(call("BatchToSpace", Y, **arguments), X)
    dY = draw(*Y.shape)
    np.testing.assert_array_equal(
        gradients("SpaceToBatch", [X], [dY], **arguments)[0], call("BatchToSpace", dY, **arguments)
    )


def test_blocks_are_wired_as_in_the_original():
    assert wiring("SpaceToBatch", 1)[0] == [("BatchToSpace", ["GO0"], ["I0_grad"])]
    assert wiring("BatchToSpace", 1)[0] == [("SpaceToBatch", ["GO0"], ["I0_grad"])]


def test_mistakes_of_blocks_are_named():
    with pytest.raises(ShapeMismatch, match="both must be multiples of block_size 2"):
        call("SpaceToBatch", draw(1, 1, 3, 4))
    with pytest.raises(ShapeMismatch, match=r"it must be \(N \* 4, C, H, W\)"):
        call("BatchToSpace", draw(3, 1, 2, 2))
    with pytest.raises(BadArgument, match="must be one of 'NCHW'"):
        call("SpaceToBatch", draw(1, 2, 2, 1), order="NHWC")
