"""What cannot be compiled with its branches and loops runs on the host, and gives what it should."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.backend.fallback import FallbackStep
from c2lab.backend.region_nodes import RegionRefused
from c2lab.errors import BadValue, C2LabError, MissingBlob
from c2lab.workspace import Workspace
from tests.backend.region_nets import net_of, op, run_net

X = np.float32([1, 2, 3])


def fell_back(executable):
    return [step._host_program is not None for step in executable.observable.steps if isinstance(step, FallbackStep)]


@pytest.mark.parametrize("condition", [True, False])
def test_branches_of_different_shapes(condition):
    net = net_of(
        op("Add", ["a", "a"], ["x"]),
        op("If", ["c", "x"], ["y"], then_net=net_of(op("Exp", ["x"], ["y"])),
           else_net=net_of(op("SumElements", ["x"], ["y"]))),
        op("Negative", ["y"], ["z"]),
        op("Dropout", ["x"], ["kept", "mask"], ratio=0.5, is_test=0),
    )  # fmt: skip
    workspace, executable = run_net(net, {"a": X, "c": np.array(condition)}, runs=2)
    assert fell_back(executable) == [True]
    y = np.exp(2 * X) if condition else np.sum(2 * X)
    np.testing.assert_allclose(workspace["z"], -y, rtol=1e-6)
    assert workspace["kept"].shape == (3,)


def test_a_loop_that_grows():
    body = net_of(
        op("Concat", ["x", "x"], ["x2", "split"], axis=0), op("Copy", ["x2"], ["x"]), op("Add", ["i", "one"], ["i"])
    )
    net = net_of(
        op("While", ["c", "x", "i", "one"], ["x", "i"], loop_net=body, cond_net=net_of(op("LT", ["i", "n"], ["c"]))),
        op("SumElements", ["x"], ["sum"]),
    )
    feeds = {"x": X, "i": np.int64([0]), "one": np.int64([1]), "n": np.int64([3]), "c": np.array([True])}
    workspace, executable = run_net(net, feeds, runs=2)
    assert fell_back(executable) == [True]
    assert workspace["sum"] == 8 * X.sum()
    np.testing.assert_array_equal(workspace["split"], [12, 12])


def test_text_and_blobs_that_hold_nothing_yet():
    net = net_of(op("If", ["c", "x"], ["y"], then_net=net_of(op("Copy", ["x"], ["y"]))))
    workspace, executable = run_net(net, {"c": np.array(True), "x": np.array([b"a", b"b"], object)})
    assert fell_back(executable) == [True]
    assert list(workspace["y"]) == [b"a", b"b"]
    workspace, executable = run_net(net, {"c": np.array(True), "x": X})
    assert fell_back(executable) == [True]  # y is nothing before the first run
    np.testing.assert_array_equal(workspace["y"], X)


def test_shapes_that_change_from_run_to_run():
    net = net_of(op("If", ["c", "x", "y"], ["y"], then_net=net_of(op("Copy", ["x"], ["y"]))))
    workspace = Workspace()
    for name, value in {"c": np.array(True), "x": X, "y": X}.items():
        workspace.feed(name, value)
    executable = workspace.executable(net)
    executable.run(workspace.blobs)
    assert fell_back(executable) == [False]
    workspace.feed("x", np.float32([5]))
    executable.run(workspace.blobs)
    assert fell_back(executable) == [True]
    np.testing.assert_array_equal(workspace["y"], [5])


def test_errors_are_those_of_the_host():
    exponential = net_of(op("Exp", ["x"], ["y"]))
    net = net_of(op("If", ["c", "x"], ["y"], then_net=exponential, else_net=exponential))
    with pytest.raises(BadValue, match=r"condition c is float32\[3\]; it must hold one bool"):
        run_net(net, {"c": X, "x": X})
    mismatched = net_of(op("MatMul", ["x", "x"], ["y"], trans_a=0), name="mismatched_inside")
    net = net_of(op("If", ["c", "x"], ["y"], then_net=mismatched, else_net=exponential))
    with pytest.raises(C2LabError, match=r"MatMul \(operator 0 of net \"mismatched_inside\"\)"):
        run_net(net, {"c": np.array(True), "x": X})
    run_net(net, {"c": np.array(False), "x": X})
    with pytest.raises(MissingBlob, match="non-existing input blob: w"):
        run_net(net_of(op("If", ["c", "w"], ["y"], then_net=exponential)), {"c": np.array(True)})


def test_a_failing_net_puts_everything_back_on_the_host_too():
    failing = net_of(op("Negative", ["x"], ["x"]), op("Gather", ["x", "rows"], ["y"]))
    net = net_of(op("Add", ["x", "x"], ["x"]),
                 op("If", ["c", "x", "rows"], ["y", "x"], then_net=failing))  # fmt: skip
    workspace = Workspace()
    feeds = {"c": np.array(True), "x": X, "rows": np.int32([9])}
    for name, value in feeds.items():
        workspace.feed(name, value)
    executable = workspace.executable(net)
    with pytest.raises(BadValue, match="out of DATA bounds"):
        executable.run(workspace.blobs)
    assert fell_back(executable) == [True]
    np.testing.assert_array_equal(workspace["x"], X)


class Refusing:
    """A step that cannot be compiled, or fails for another reason."""

    def __init__(self, error):
        self.error, self.runs = error, 0

    def run(self, blobs, base, run):
        self.runs += 1
        if self.error:
            raise self.error

    prepare = lambda self, blobs: self.run(blobs, 0, 0)  # noqa: E731


def test_it_falls_back_once_and_only_for_what_was_refused():
    compiled, host = Refusing(RegionRefused("shapes")), Refusing(None)
    step = FallbackStep(compiled, lambda: host)
    step.prepare({})
    step.run({}, 0, 0)
    step.run({}, 0, 1)
    assert (compiled.runs, host.runs) == (1, 2)
    step = FallbackStep(Refusing(BadValue("labels")), lambda: host)
    with pytest.raises(BadValue, match="labels"):
        step.run({}, 0, 0)
