"""Sequences against plain loops."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.eager import run
from c2lab.errors import C2LabError
from c2lab.operators.gradients import make_gradient
from c2lab.proto import caffe2_pb2

RANDOM = np.random.default_rng(3)


def padded(data, lengths, before, after, start, end):
    parts, at = [], 0
    for length in lengths:
        parts += [start] * before + list(data[at : at + length]) + [end] * after
        at += length
    return np.array(parts, data.dtype).reshape(-1, *data.shape[1:])


@pytest.mark.parametrize("before", [0, 2])
@pytest.mark.parametrize("after", [-1, 1])
@pytest.mark.parametrize("lengths", [[3, 0, 2], [1], [0, 0]])
@pytest.mark.parametrize("row", [(), (2,), (2, 3)])
def test_padding_goes_on_and_comes_off(before, after, lengths, row):
    data = RANDOM.normal(size=(sum(lengths), *row)).astype(np.float32)
    start, end = (RANDOM.normal(size=row).astype(np.float32) for _ in range(2))
    widths = {"padding_width": before, "end_padding_width": after}
    behind = before if after < 0 else after
    made = run("AddPadding", outputs=2, data_in=data, lengths=lengths, start_padding=start, end_padding=end, **widths)
    np.testing.assert_array_equal(made["data"], padded(data, lengths, before, behind, start, end))
    np.testing.assert_array_equal(made["lengths"], np.array(lengths) + before + behind)
    back = run("RemovePadding", outputs=2, data_in=made["data"], lengths=made["lengths"], **widths)
    np.testing.assert_array_equal(back["data"], data)
    np.testing.assert_array_equal(back["lengths"], lengths)
    if before + behind:
        sums = run("GatherPadding", outputs=2, data_in=made["data"], lengths=made["lengths"], **widths)
        np.testing.assert_allclose(sums["padding_sum"], start * before * len(lengths), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(sums["end_padding_sum"], end * behind * len(lengths), rtol=1e-5, atol=1e-6)


def test_lengths_must_add_up():
    with pytest.raises(C2LabError, match="lengths must add up to 3"):
        run("AddPadding", data_in=[1.0, 2.0, 3.0], lengths=[2])
    with pytest.raises(C2LabError, match="shorter than its padding"):
        run("RemovePadding", data_in=[1.0, 2.0], lengths=[1, 1], padding_width=1)


@pytest.mark.parametrize(("inputs", "types"), [(1, ["RemovePadding"]), (2, ["RemovePadding"]),
                                               (4, ["RemovePadding", "GatherPadding"])])  # fmt: skip
def test_padding_gradient_operators(inputs, types):
    names = ["x", "lengths", "start", "end"][:inputs]
    backward = make_gradient(caffe2_pb2.OperatorDef(type="AddPadding", input=names, output=["y", "long"]), ["dy", None])
    assert [op.type for op in backward.ops] == types
    assert list(backward.ops[0].input) == (["dy", "long"] if inputs > 1 else ["dy"])


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_each_sequence_is_reversed(dtype):
    data = RANDOM.normal(size=(5, 3, 2)).astype(np.float32)
    lengths = np.array([5, 0, 3], dtype)
    want = data.copy()
    for n, length in enumerate(lengths):
        want[:length, n] = data[:length, n][::-1]
    np.testing.assert_array_equal(run("ReversePackedSegs", data=data, lengths=lengths)["Y"], want)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "bool"])
def test_packed_batches_unpack_again(dtype):
    values = (RANDOM.normal(size=(6, 2)) * 3).astype(dtype)
    lengths = [3, 0, 1, 2]
    packed = run("PackRNNSequence", values=values, lengths=lengths)["output"]
    want = np.zeros((3, 4, 2), dtype)
    at = 0
    for n, length in enumerate(lengths):
        want[:length, n] = values[at : at + length]
        at += length
    np.testing.assert_array_equal(packed, want)
    np.testing.assert_array_equal(run("UnpackRNNSequence", values=packed, lengths=lengths)["output"], values)


def test_behind_the_end_is_zero():
    X = RANDOM.normal(size=(4, 3, 2)).astype(np.float32)
    want = X.copy()
    want[2:, 1] = 0
    want[:, 2] = 0
    np.testing.assert_array_equal(run("VariableLengthSequencePadding", X=X, lengths=[4, 2, 0])["Y"], want)


def test_empty_samples_get_a_row():
    made = run("PadEmptySamples", outputs=3, lengths=[0, 2, 0],
               features=[np.float32([[1, 2], [3, 4]]), np.array([b"a", b"b"], object)])  # fmt: skip
    np.testing.assert_array_equal(next(iter(made.values())), [1, 2, 1])
    values = list(made.values())
    np.testing.assert_array_equal(values[1], [[0, 0], [1, 2], [3, 4], [0, 0]])
    assert list(values[2]) == [b"", b"a", b"b", b""]


@pytest.mark.parametrize("size", [1, 4, 7])
def test_waves_of_positions(size):
    positions = RANDOM.integers(0, 50, (3, 2)).astype(np.int64)
    made = run("SinusoidPositionEncoding", positions=positions, embedding_size=size, alpha=100.0, amplitude=2.0)
    angle = positions[..., None] / 100.0 ** (np.arange(size) / size)
    want = 2 * np.where(np.arange(size) % 2 == 0, np.sin(angle), np.cos(angle))
    np.testing.assert_allclose(made["output"], want, rtol=1e-4, atol=2e-5)
