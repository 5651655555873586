import numpy as np
import pytest

from c2lab.errors import BadArgument, NoGradient, SchemaError, ShapeMismatch
from tests.operators.calls import call, gradients, operator_def, wiring

rng = np.random.default_rng(12)


def values(*shape):
    return rng.normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(
    ("shape", "got"),
    [
        ([2, 12], (2, 12)),
        ([-1, 8], (3, 8)),
        ([0, -1], (2, 12)),
        ([4, 0, 2], (4, 3, 2)),
        ([24], (24,)),
        ([0, 0, 0], (2, 3, 4)),
    ],
)
@pytest.mark.parametrize("as_input", [None, np.int32, np.int64])
def test_reshape(shape, got, as_input):
    X = values(2, 3, 4)
    inputs = [X] if as_input is None else [X, np.array(shape, as_input)]
    arguments = {"shape": shape} if as_input is None else {}
    Y, old = call("Reshape", *inputs, outputs=2, **arguments)
    np.testing.assert_array_equal(Y, X.reshape(got))
    np.testing.assert_array_equal(old, [2, 3, 4])
    assert old.dtype == (as_input or np.int64)
    made = gradients("Reshape", inputs, [Y * 2, None], **arguments)
    np.testing.assert_array_equal(made[0], X * 2)


def test_reshape_in_place_and_of_other_types():
    X = np.arange(4, dtype=np.int64)
    Y, old = call("Reshape", X, outputs=2, inplace=True, shape=[2, 2])
    np.testing.assert_array_equal(Y, [[0, 1], [2, 3]])
    assert Y.dtype == np.int64
    assert old.tolist() == [4]


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ([-1, -1], "more than one -1"),
        ([5, -1], "whole number: 24 / 5"),
        ([5, 5], "holds 25; both must be the same number"),
        ([-2, 12], "holds -2"),
    ],
)
def test_reshape_says_what_does_not_fit(shape, message):
    with pytest.raises(ShapeMismatch, match=message):
        call("Reshape", values(2, 3, 4), outputs=2, shape=shape)


@pytest.mark.parametrize(
    ("sizes", "shape", "got"),
    [((0,), [1, -1], (1, 0)), ((0,), [0, -1], (0, 0)), ((2, 0), [-1, 0], (0, 0)), ((1, 0), [0], (0,))],
)
def test_reshape_of_nothing(sizes, shape, got):
    Y, _ = call("Reshape", np.zeros(sizes, np.float32), outputs=2, shape=shape)
    assert Y.shape == got
    with pytest.raises(ShapeMismatch, match="without values"):
        call("Reshape", np.zeros(sizes, np.float32), outputs=2, shape=[2, 3])


def test_reshape_needs_two_outputs_and_a_shape():
    with pytest.raises(SchemaError, match="takes 2"):
        call("Reshape", values(2), shape=[2])
    with pytest.raises(SchemaError, match="told no shape"):
        call("Reshape", values(2), outputs=2)


@pytest.mark.parametrize("axis", [0, 1, 2, 3, -1])
def test_flatten(axis):
    X = values(2, 3, 4)
    Y = call("Flatten", X, axis=axis)
    cut = axis + 3 if axis < 0 else axis
    np.testing.assert_array_equal(Y, X.reshape(int(np.prod(X.shape[:cut])), -1))
    np.testing.assert_array_equal(gradients("Flatten", [X], [Y], axis=axis)[0], X)


def test_flatten_to_vec_and_resize_like():
    X = values(2, 3)
    np.testing.assert_array_equal(call("FlattenToVec", X), X.reshape(-1))
    np.testing.assert_array_equal(gradients("FlattenToVec", [X], [X.reshape(-1)])[0], X)
    np.testing.assert_array_equal(call("ResizeLike", X, values(3, 2)), X.reshape(3, 2))
    with pytest.raises(ShapeMismatch, match="same number of values"):
        call("ResizeLike", X, values(4))


@pytest.mark.parametrize("dims", [[0], [1], [2], [0, 2], [0, 1, 4], [3, 3]])
def test_expand_dims_and_squeeze_undo_each_other(dims):
    X = values(2, 3, 4)
    Y = call("ExpandDims", X, dims=dims)
    want = X
    for dim in sorted(set(dims)):
        want = np.expand_dims(want, dim)
    np.testing.assert_array_equal(Y, want)
    np.testing.assert_array_equal(call("Squeeze", Y, dims=dims), X)
    np.testing.assert_array_equal(gradients("ExpandDims", [X], [Y], dims=dims)[0], X)
    np.testing.assert_array_equal(gradients("Squeeze", [Y], [X], dims=dims)[0], Y)


def test_dims_that_do_not_exist_are_errors():
    with pytest.raises(ShapeMismatch, match="dimension 1 must exist and have size 1"):
        call("Squeeze", values(1, 2), dims=[1])
    with pytest.raises(ShapeMismatch, match="would leave a gap"):
        call("ExpandDims", values(2), dims=[3])
    with pytest.raises(BadArgument, match="none of them negative"):
        call("ExpandDims", values(2), dims=[-1])


def test_prepend_dim_and_merge_dim_undo_each_other():
    X = values(6, 2)
    Y = call("PrependDim", X, dim_size=3)
    np.testing.assert_array_equal(Y, X.reshape(3, 2, 2))
    np.testing.assert_array_equal(call("MergeDim", Y), X)
    np.testing.assert_array_equal(gradients("PrependDim", [X], [Y], dim_size=3)[0], X)
    with pytest.raises(ShapeMismatch, match="divisible by dim_size"):
        call("PrependDim", X, dim_size=4)


def test_shape_and_size():
    X = values(2, 3, 4)
    shape, size = call("Shape", X), call("Size", X)
    assert (shape.tolist(), shape.dtype) == ([2, 3, 4], np.int64)
    assert call("Shape", X, axes=[2, 0]).tolist() == [4, 2]
    assert (int(size), size.shape, size.dtype) == (24, (), np.int64)
    assert call("Shape", np.float32(1)).shape == (0,)
    with pytest.raises(ShapeMismatch, match="each must be 0 to 2"):
        call("Shape", X, axes=[3])


def test_lengths_to_shape():
    assert call("LengthsToShape", np.int32([4, 4, 4])).tolist() == [3, 4]
    with pytest.raises(ShapeMismatch, match="one and the same length"):
        call("LengthsToShape", np.int32([4, 3]))


@pytest.mark.parametrize("axes", [None, [0, 1, 2], [2, 0, 1], [1, 2, 0]])
def test_transpose(axes):
    X = values(2, 3, 4)
    arguments = {"axes": axes} if axes else {}
    Y = call("Transpose", X, **arguments)
    np.testing.assert_array_equal(Y, X.transpose(axes))
    np.testing.assert_array_equal(gradients("Transpose", [X], [Y], **arguments)[0], X)


def test_transpose_refuses_axes_that_are_no_permutation():
    with pytest.raises(BadArgument, match="must name each of 0 to 1 once"):
        call("Transpose", values(2, 3), axes=[0, 0])


@pytest.mark.parametrize("order", ["NCHW", "NHWC"])
@pytest.mark.parametrize("group", [1, 2, 3, 6])
def test_channel_shuffle(group, order):
    X = values(2, 6, 3, 2) if order == "NCHW" else values(2, 3, 2, 6)
    axis = 1 if order == "NCHW" else 3
    places = np.arange(6).reshape(group, -1).T.reshape(-1)
    Y = call("ChannelShuffle", X, group=group, order=order)
    np.testing.assert_array_equal(Y, np.take(X, places, axis=axis))
    np.testing.assert_array_equal(gradients("ChannelShuffle", [X], [Y], group=group, order=order)[0], X)


def test_gradient_wiring():
    assert wiring("Reshape", 2, 2) == (
        [("Reshape", ["GO0", "O1"], ["I0_grad", "_I0_grad_dims"])],
        ["I0_grad", None],
    )
    for type in ("Flatten", "FlattenToVec"):
        assert wiring(type, 1) == ([("ResizeLike", ["GO0", "I0"], ["I0_grad"])], ["I0_grad"])
    assert wiring("ExpandDims", 1)[0] == [("Squeeze", ["GO0"], ["I0_grad"])]
    assert wiring("Squeeze", 1)[0] == [("ExpandDims", ["GO0"], ["I0_grad"])]
    assert wiring("PrependDim", 1)[0] == [("MergeDim", ["GO0"], ["I0_grad"])]
    assert wiring("Transpose", 1)[0] == [("Transpose", ["GO0"], ["I0_grad"])]
    assert wiring("ChannelShuffle", 1)[0] == [("ChannelShuffleGradient", ["GO0"], ["I0_grad"])]
    assert wiring("Size", 1) == ([], [None])
    for type in ("Shape", "ResizeLike", "LengthsToShape"):
        with pytest.raises(NoGradient):
            wiring(type, len(operator_def(type, 2 if type == "ResizeLike" else 1).input))
