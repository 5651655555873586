"""The distributions of random fillers, and that seeds repeat them."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import BadArgument, BadValue, ShapeMismatch
from c2lab.proto import caffe2_pb2
from c2lab.workspace import Workspace
from tests.operators.calls import call, operator_def

T = caffe2_pb2.TensorProto


def draw(type, count=100_000, **arguments):
    return call(type, shape=[count], **arguments).astype(np.float64)


def test_gaussian_draws():
    drawn = draw("GaussianFill", mean=2.0, std=3.0)
    assert abs(drawn.mean() - 2) < 4 * 3 / np.sqrt(drawn.size)
    assert abs(drawn.std() - 3) < 0.03
    assert abs(((drawn - 2) ** 3).mean()) < 1.0
    assert call("GaussianFill", shape=[2]).dtype == np.float32


def test_uniform_draws():
    drawn = draw("UniformFill", min=-1.0, max=3.0)
    assert drawn.min() >= -1
    assert drawn.max() <= 3
    assert abs(drawn.mean() - 1) < 0.02
    assert abs(drawn.var() - 16 / 12) < 0.02
    by_default = draw("UniformFill")
    assert by_default.min() >= 0
    assert by_default.max() <= 1


def test_uniform_whole_numbers_include_both_ends():
    drawn = draw("UniformIntFill", min=-2, max=3)
    values, counts = np.unique(drawn, return_counts=True)
    assert values.tolist() == [-2, -1, 0, 1, 2, 3]
    assert (abs(counts / drawn.size - 1 / 6) < 0.01).all()
    edge = call("UniformIntFill", shape=[4], min=2**31 - 1, max=2**31 - 1)
    assert (edge == 2**31 - 1).all()
    assert edge.dtype == np.int32


def test_bounds_as_inputs():
    shape = np.zeros(1000, np.float32)
    drawn = call("UniformFill", shape, np.float32([4]), np.float32([5]))
    assert drawn.shape == (1000,)
    assert drawn.min() >= 4
    assert drawn.max() <= 5
    one = call("UniformIntFill", np.zeros((3, 2), np.float32), np.int32([5]), np.int32([5]))
    assert one.tolist() == [[5, 5]] * 3
    with pytest.raises(BadArgument, match="leave out"):
        call("UniformFill", shape, np.float32([4]), np.float32([5]), min=0.0)


@pytest.mark.parametrize(("type", "kind"), [("UniformFill", np.float32), ("UniformIntFill", np.int32)])
@pytest.mark.parametrize("as_shape", [False, True])
def test_between_inputs_in_the_wrong_order_lies_nothing(type, kind, as_shape):
    shape = np.int64([3, 2]) if as_shape else np.zeros((3, 2), np.float32)
    drawn = call(type, shape, kind([5]), kind([4]), input_as_shape=as_shape)
    assert drawn.shape == (0, 2)
    assert drawn.dtype == kind
    with pytest.raises(BadArgument, match="min must not be above max"):
        call(type, shape=[3], min=kind(2).item(), max=kind(1).item())


def test_xavier_and_msra_scale_with_the_layer():
    xavier = call("XavierFill", shape=[1000, 100]).astype(np.float64)
    bound = np.sqrt(3 / 100)
    assert abs(xavier).max() <= bound
    assert abs(xavier).max() > 0.99 * bound
    assert abs(xavier.std() - bound / np.sqrt(3)) < 1e-3
    msra = call("MSRAFill", shape=[1000, 100]).astype(np.float64)
    assert abs(msra.std() - np.sqrt(2 / 1000)) < 1e-3
    convolution = call("MSRAFill", shape=[128, 64, 5, 5]).astype(np.float64)
    assert abs(convolution.std() - np.sqrt(2 / (128 * 25))) < 1e-3
    with pytest.raises(ShapeMismatch):
        call("MSRAFill", shape=[5])


def test_different_draws_avoid_what_they_should():
    drawn = call("UniqueUniformFill", np.zeros(90, np.float32), np.int32(np.arange(10)), min=0, max=99)
    assert sorted(drawn.tolist()) == list(range(10, 100))
    huge = call("UniqueUniformFill", shape=[1000], min=0, max=2**40, dtype=T.INT64)
    assert len(set(huge.tolist())) == 1000
    assert huge.dtype == np.int64
    with pytest.raises(BadValue, match="only 90"):
        call("UniqueUniformFill", np.zeros(91, np.float32), np.int32(np.arange(10)), min=0, max=99)


def test_weighted_sample_follows_the_weights():
    weights = np.tile(np.float32([1, 0, 3]), (100_000, 1))
    values = np.tile(np.float32([10, 20, 30]), (100_000, 1))
    positions, picked = call("WeightedSample", weights, values, outputs=2)
    assert positions.shape == (100_000, 1)
    assert abs((positions == 2).mean() - 0.75) < 0.01
    assert not (positions == 1).any()
    np.testing.assert_array_equal(picked, np.float32([10, 20, 30])[positions])


def test_multi_sampling_follows_the_steps():
    drawn = call("WeightedMultiSampling", np.float32([0.25, 0.25, 1.0]), num_samples=100_000)
    assert abs((drawn == 0).mean() - 0.25) < 0.01
    assert not (drawn == 1).any()
    shaped = call("WeightedMultiSampling", np.float32([1.0]), np.zeros((2, 3), np.float32))
    assert shaped.shape == (2, 3)


def test_a_seed_repeats_and_a_second_run_does_not():
    op = operator_def("GaussianFill", 0, shape=[5])
    op.device_option.random_seed = 7
    net = caffe2_pb2.NetDef(name="draws", op=[op])
    drawn = []
    for _ in range(2):
        workspace = Workspace("seeded")
        workspace.create(net)
        for _ in range(2):
            workspace.run("draws")
            drawn.append(workspace.fetch("O0"))
    np.testing.assert_array_equal(drawn[0], drawn[2])
    np.testing.assert_array_equal(drawn[1], drawn[3])
    assert (drawn[0] != drawn[1]).all()
