"""What is printed, summed up, counted and stopped."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import BadArgument, BadValue, TypeMismatch
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument
from c2lab.workspace import Workspace
from tests.operators.calls import call, wiring


@pytest.fixture
def workspace(tmp_path):
    return Workspace("printing", root_folder=str(tmp_path))


def net(type, inputs, outputs=(), **arguments):
    op = caffe2_pb2.OperatorDef(type=type, input=inputs, output=outputs)
    op.arg.extend(make_argument(name, value) for name, value in arguments.items())
    return caffe2_pb2.NetDef(name="net", op=[op])


def test_print_every_second_run(workspace, capsys):
    workspace.feed("x", np.float32([[1, 2.5]]))
    workspace.create(net("Print", ["x"], every_n=2))
    workspace.run("net", 3)
    assert capsys.readouterr().out == "Tensor x of type float. Dims: (1,2,): 1.0,2.5\n" * 2
    with pytest.raises(BadArgument, match="every_n"):
        workspace.run_once(net("Print", ["x"], every_n=0))


def test_print_is_limited_and_goes_to_a_file(workspace, tmp_path, capsys):
    workspace.feed("a/x", np.arange(5000))
    workspace.run_once(net("Print", ["a/x"], to_file=1))
    workspace.run_once(net("Print", ["a/x"], to_file=1, limit=2))
    first, second = (tmp_path / "a_x.log").read_text().splitlines()
    assert first.count(",") == 1 + 1000
    assert second == "Tensor a/x of type long. Dims: (5000,): 0,1,..."
    assert capsys.readouterr().out == ""
    workspace.feed("s", "some text")
    workspace.run_once(net("Print", ["s"]))
    assert capsys.readouterr().out == "s: some text\n"


def test_summarize(workspace, tmp_path):
    data = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
    want = [data.min(), data.max(), data.mean(), data.std(ddof=1)]
    np.testing.assert_allclose(call("Summarize", data), want, rtol=1e-5)
    assert call("Summarize", np.float32([3])).tolist() == [3, 3, 3, 0]
    workspace.feed("x", data)
    workspace.run_once(net("Summarize", ["x"], to_file=1))
    np.testing.assert_allclose([float(v) for v in (tmp_path / "x.summary").read_text().split()], want, rtol=1e-5)
    with pytest.raises(TypeMismatch):
        call("Summarize", np.int32([3]))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_no_numbers_stop_the_net(workspace, bad):
    np.testing.assert_array_equal(call("NanCheck", np.float32([1, 2])), [1, 2])
    with pytest.raises(BadValue, match="NaN or infinite"):
        call("NanCheck", np.float32([1, bad]))
    workspace.feed("x", np.float32([1, bad]))
    with pytest.raises(BadValue, match="NaN or infinite"):
        workspace.run_once(net("EnforceFinite", ["x"]))
    workspace.feed("x", np.float32([1, 2]))
    workspace.run_once(net("EnforceFinite", ["x"]))
    assert wiring("NanCheck", 1) == ([("NanCheck", ["GO0"], ["I0_grad"])], ["I0_grad"])


@pytest.mark.parametrize("dtype", [np.bool_, np.int32, np.int64])
def test_assert(workspace, dtype):
    workspace.feed("x", np.ones((2, 2), dtype))
    workspace.run_once(net("Assert", ["x"], error_msg="the batch is empty"))
    workspace.feed("x", np.zeros((2, 2), dtype))
    with pytest.raises(BadValue, match="the batch is empty"):
        workspace.run_once(net("Assert", ["x"], error_msg="the batch is empty"))


def test_accumulated_histogram_over_the_runs_of_a_net(workspace):
    workspace.feed("x", np.zeros(1, np.float32))
    workspace.create(net("AccumulateHistogram", ["x"], ["now", "all"], lower_bound=0.0, upper_bound=1.0, num_buckets=4))
    total = np.zeros(6, np.int64)
    for seed in range(3):
        values = np.random.default_rng(seed).normal(size=100).astype(np.float32)
        workspace.feed("x", values)
        workspace.run("net")
        inside, _ = np.histogram(values[values < 1], bins=[0, 0.25, 0.5, 0.75, 1])
        want = [(values < 0).sum(), *inside, (values >= 1).sum()]
        total += want
        assert workspace.fetch("now").tolist() == want
        assert workspace.fetch("all").tolist() == total.tolist()


def test_histograms_agree_with_numpy():
    values = np.random.default_rng(0).normal(size=(2, 500)).astype(np.float32)
    edges = [-1.0, -0.5, 0.0, 2.0]
    inside = values[(values >= -1) & (values < 2)]
    want, _ = np.histogram(inside, bins=np.float32(edges))
    np.testing.assert_array_equal(call("Histogram", values[0], values[1], bin_edges=edges), want)
    found, counts = call("SelfBinningHistogram", values[0], values[1], outputs=2, num_bins=8)
    want, _ = np.histogram(values, bins=found)
    np.testing.assert_array_equal(counts, [*want, 0])
    np.testing.assert_allclose(found[[0, -1]], [values.min(), values.min() + 1.0001 * np.ptp(values)], rtol=1e-5)
    found, counts = call("SelfBinningHistogram", values, outputs=2, num_bins=8, bin_spacing="logarithmic", abs=True)
    assert counts.sum() == values.size
    np.testing.assert_allclose(np.diff(np.log(found)), np.diff(np.log(found))[0], rtol=1e-3)
    with pytest.raises(BadArgument, match="each above the one before"):
        call("Histogram", values, bin_edges=[1.0, 0.0])
    with pytest.raises(BadArgument, match="bin_spacing"):
        call("SelfBinningHistogram", values, outputs=2, num_bins=2, bin_spacing="odd")
