import numpy as np
import pytest

from c2lab.errors import SchemaError, ShapeMismatch, TypeMismatch
from c2lab.operators.gradients import make_gradient
from tests.operators.calls import call, gradients, operator_def, wiring

rng = np.random.default_rng(13)


def values(*shape):
    return rng.normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize("count", [1, 3])
def test_concat_and_split_undo_each_other(axis, count):
    parts = []
    for k in range(count):
        shape = [2, 3, 4]
        shape[axis] = k + 1
        parts.append(values(*shape))
    Y, sizes = call("Concat", *parts, outputs=2, axis=axis)
    np.testing.assert_array_equal(Y, np.concatenate(parts, axis=axis))
    assert (sizes.tolist(), sizes.dtype) == ([k + 1 for k in range(count)], np.int32)
    for got, want in zip(gradients("Concat", parts, [Y, None], axis=axis), parts, strict=True):
        np.testing.assert_array_equal(got, want)
    for inputs, arguments in (([Y, sizes], {}), ([Y], {"split": sizes.tolist()})):
        split = call("Split", *inputs, outputs=count, axis=axis, **arguments)
        for got, want in zip([split] if count == 1 else split, parts, strict=True):
            np.testing.assert_array_equal(got, want)
        np.testing.assert_array_equal(gradients("Split", inputs, parts, axis=axis, **arguments)[0], Y)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_add_axis_stacks(axis):
    parts = [values(2, 3) for _ in range(3)]
    Y, sizes = call("Concat", *parts, outputs=2, axis=axis, add_axis=1)
    np.testing.assert_array_equal(Y, np.stack(parts, axis=axis))
    assert sizes.tolist() == [1, 1, 1]
    for got, want in zip(call("Split", Y, outputs=3, axis=axis, add_axis=1), parts, strict=True):
        np.testing.assert_array_equal(got, want)
    for got, want in zip(gradients("Concat", parts, [Y, None], axis=axis, add_axis=1), parts, strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("type", ["Concat", "DepthConcat"])
@pytest.mark.parametrize(("order", "axis"), [(None, 1), ("NCHW", 1), ("NHWC", 3)])
def test_without_an_axis_channels_are_joined(type, order, axis):
    parts = [values(2, 2, 2, 2), values(2, 2, 2, 2)]
    arguments = {"order": order} if order else {}
    Y, _ = call(type, *parts, outputs=2, **arguments)
    np.testing.assert_array_equal(Y, np.concatenate(parts, axis=axis))
    for got, want in zip(call(type.replace("Concat", "Split"), Y, outputs=2, **arguments), parts, strict=True):
        np.testing.assert_array_equal(got, want)


def test_concat_says_what_does_not_fit():
    with pytest.raises(ShapeMismatch, match=r"input 0 is \(2, 3\) but input 1 is \(2, 4\)"):
        call("Concat", values(2, 3), values(2, 4), outputs=2, axis=0)
    with pytest.raises(TypeMismatch, match="Tensor type mismatch"):
        call("Concat", values(2, 3), values(2, 3).astype(np.float64), outputs=2, axis=0)
    with pytest.raises(SchemaError, match="takes 2"):
        call("Concat", values(2, 3), axis=0)


def test_split_says_what_does_not_fit():
    with pytest.raises(ShapeMismatch, match="2 outputs cannot share equally"):
        call("Split", values(3), outputs=2, axis=0)
    with pytest.raises(ShapeMismatch, match="sum to 3"):
        call("Split", values(3), outputs=2, axis=0, split=[1, 1])
    with pytest.raises(ShapeMismatch, match="every part must have size 1"):
        call("Split", values(4), outputs=2, axis=0, add_axis=1)


def test_a_split_with_one_branch_used_concatenates_what_there_is():
    op = operator_def("Split", 1, 3, axis=0)
    made = make_gradient(op, [None, "g", None])
    assert [(o.type, list(o.input), list(o.output)) for o in made.ops] == [
        ("Concat", ["g"], ["I0_grad", "_I0_grad_dims"])
    ]


@pytest.mark.parametrize("axis", [0, 1])
def test_split_by_lengths(axis):
    X = values(6, 6)
    parts = call("SplitByLengths", X, np.int32([1, 1, 4, 0]), outputs=2, axis=axis)
    for got, want in zip(parts, np.split(X, [2], axis=axis), strict=True):
        np.testing.assert_array_equal(got, want)
    made = gradients("SplitByLengths", [X, np.int32([1, 1, 4, 0])], parts, axis=axis)
    np.testing.assert_array_equal(made[0], X)
    scaled = call("SplitByLengths", X, np.int32([1, 2]), outputs=2, axis=axis, use_scaling_lengths=1)
    assert [p.shape[axis] for p in scaled] == [2, 4]
    with pytest.raises(ShapeMismatch, match="sum to 3 but dimension 0 has size 6"):
        call("SplitByLengths", X, np.int32([1, 2]), outputs=2)


@pytest.mark.parametrize("count", [1, 3])
def test_unsafe_coalesce(count):
    parts = [values(k + 1, 2) for k in range(count)]
    *same, joined = call("UnsafeCoalesce", *parts, outputs=count + 1)
    for got, want in zip(same, parts, strict=True):
        np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(joined, np.concatenate([p.reshape(-1) for p in parts]))


def test_unsafe_coalesce_needs_one_output_more():
    with pytest.raises(ShapeMismatch, match="one output more than inputs"):
        call("UnsafeCoalesce", np.ones(2, np.float32), outputs=3)


def test_gradient_wiring():
    for type in ("Concat", "DepthConcat"):
        assert wiring(type, 2, 2) == (
            [("Split", ["GO0", "O1"], ["I0_grad", "I1_grad"])],
            ["I0_grad", "I1_grad"],
        )
    for type, inputs in (("Split", 2), ("DepthSplit", 1), ("SplitByLengths", 2)):
        assert wiring(type, inputs, 2) == (
            [("Concat", ["GO0", "GO1"], ["I0_grad", "_I0_grad_dims"])],
            ["I0_grad", None][:inputs],
        )
    assert wiring("UnsafeCoalesce", 1, 2) == ([], [None])
