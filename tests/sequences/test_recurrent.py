"""Recurrent operators made of a net of one step."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core
from c2lab.errors import NotSupported
from c2lab.nets.net import Net
from c2lab.proto import caffe2_pb2
from c2lab.sequences.recurrent import recurrent_net, retrieve_step_blobs, set_rnn_executor_config
from c2lab.workspace import FeedBlob, FetchBlob, ResetWorkspace, RunNetOnce

X = np.float32([[[1.0]], [[2.0]], [[3.0]]])


def running_sum(step_ops, **options):
    """A net whose state starts with ``first``; ``step_ops`` adds what happens at a step."""
    ResetWorkspace()
    FeedBlob("x", X)
    FeedBlob("first", np.float32([[10.0]]))
    FeedBlob("w", np.float32([[2.0]]))
    net, step = Net("outer"), Net("step")
    x_t, before = step.AddExternalInputs("x_t", "before")
    after = step_ops(step, x_t, before)
    step.AddExternalOutput(after)
    outputs = recurrent_net(net, step, [(x_t, core.BlobReference("x"))], [(before, core.BlobReference("first"))],
                            {before: after}, scope="s", **options)  # fmt: skip
    return net, outputs


def test_names_and_values():
    net, outputs = running_sum(lambda step, x_t, before: step.Add([x_t, before], "after"))
    assert [str(name) for name in outputs] == ["after_all", "after_last"]
    op = net.Proto().op[0]
    assert list(op.input) == ["x", "first"]
    assert list(op.output) == ["after_all", "after_last", "s/step_workspaces"]
    RunNetOnce(net)
    np.testing.assert_array_equal(FetchBlob("after_all").ravel(), [11, 13, 16])
    np.testing.assert_array_equal(FetchBlob("after_last").ravel(), [16])


@pytest.mark.parametrize("flowing", [(0,), (1,), (0, 1)])
def test_a_gradient_that_is_passed_on_reaches_every_step(flowing):
    # Sum hands its gradient on under the name that it came in.
    net, outputs = running_sum(lambda step, x_t, before: step.Sum([x_t, before], "after"), outputs_with_grads=flowing)
    loss = net.SumElements(net.Concat([outputs[k] for k in flowing], 2, axis=0)[0], "loss")
    gradients = net.AddGradientOperators([loss])
    RunNetOnce(net)
    want = (np.array([3, 2, 1]) if 0 in flowing else 0) + (1 if 1 in flowing else 0)
    np.testing.assert_array_equal(FetchBlob(gradients["x"]).ravel(), np.broadcast_to(want, 3))
    np.testing.assert_array_equal(FetchBlob(gradients["first"]).ravel(), [np.broadcast_to(want, 3)[0]])


def test_parameters_and_what_is_computed_again():
    def step_ops(step, x_t, before):
        scaled = step.Mul([before, core.BlobReference("w")], "scaled", broadcast=1)
        return step.Tanh(step.Add([scaled, x_t], "sum"), "after")

    found = []
    for recompute in (None, ["scaled", "sum"]):
        net, outputs = running_sum(step_ops, recompute_blobs_on_backward=recompute)
        op = net.Proto().op[0]
        assert list(next(a.ints for a in op.arg if a.name == "param")) == [2]
        back = next(a.n for a in op.arg if a.name == "backward_step_net")
        assert ([inner.type for inner in back.op][:2] == ["Mul", "Add"]) == (recompute is not None)
        gradients = net.AddGradientOperators([net.SumElements(outputs[0], "loss")])
        RunNetOnce(net)
        found.append([FetchBlob(gradients[name]) for name in ("x", "first", "w")])
    for first, second in zip(*found, strict=True):
        np.testing.assert_array_equal(first, second)
    with pytest.raises(NotSupported, match="recompute all or none"):
        running_sum(lambda step, x_t, before: step.Reshape(
            step.Add([x_t, before], "sum"), ["after", "old"], shape=[1, 1, 1])[0],
            recompute_blobs_on_backward=["after"])  # fmt: skip


def test_one_sequence_only():
    with pytest.raises(NotSupported, match="2 sequences"):
        recurrent_net(Net("a"), Net("b"), [("p", "q"), ("r", "s")], [], {})


def test_blobs_of_steps_can_be_looked_at():
    net, _ = running_sum(lambda step, x_t, before: step.Add([x_t, before], "after"))
    RunNetOnce(net)
    names = retrieve_step_blobs(net, "look")
    assert b"look_after_2" in names
    np.testing.assert_array_equal(FetchBlob("look_after_2").ravel(), [16])
    np.testing.assert_array_equal(FetchBlob("look_before_1").ravel(), [11])


def test_settings_of_threads_are_written_once():
    net, _ = running_sum(lambda step, x_t, before: step.Add([x_t, before], "after"))
    op = net.Proto().op[0]
    set_rnn_executor_config(op, num_threads=1)
    set_rnn_executor_config(op, num_threads=3, max_cuda_streams=2)
    found = [(a.name, a.i) for a in op.arg if a.name.startswith("rnn_executor.")]
    assert sorted(found) == [("rnn_executor.max_cuda_streams", 2), ("rnn_executor.num_threads", 3)]
    RunNetOnce(net)
    np.testing.assert_array_equal(FetchBlob("after_last").ravel(), [16])
    with pytest.raises(AssertionError, match="no recurrent network"):
        set_rnn_executor_config(caffe2_pb2.OperatorDef(type="Relu"))
