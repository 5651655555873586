"""A recurrent net against a plain loop, and its gradient against finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core
from c2lab.errors import C2LabError
from c2lab.operators.gradients import make_gradient
from c2lab.proto import caffe2_pb2
from c2lab.workspace import Workspace

RANDOM = np.random.default_rng(7)
T, N, D = 4, 3, 2
LINKS = {
    "recurrent_states": ["states"],
    "initial_recurrent_state_ids": [1],
    "link_internal": ["h_before", "h", "x_t"],
    "link_external": ["states", "states", "x"],
    "link_offset": [0, 1, 0],
    "alias_src": ["states", "states"],
    "alias_dst": ["all", "last"],
    "alias_offset": [1, -1],
}


def net_of(*ops):
    net = caffe2_pb2.NetDef()
    net.op.extend(ops)
    return net


def elman(flowing):
    """``h = tanh(h_before W' + b + x)``, with its backward net."""
    step = net_of(
        core.CreateOperator("FC", ["h_before", "W", "b"], ["p"]),
        core.CreateOperator("Sum", ["p", "x_t"], ["s"]),
        core.CreateOperator("Tanh", ["s"], ["h"]),
    )
    back = net_of(
        core.CreateOperator("TanhGradient", ["h", "h_grad"], ["x_t_grad"]),
        core.CreateOperator("FCGradient", ["h_before", "W", "x_t_grad"], ["W_grad", "b_grad", "h_before_grad"]),
    )
    for net in (step, back):
        for op in net.op:
            if op.type.startswith("FC"):
                op.arg.add(name="axis", i=2)
    return core.CreateOperator(
        "RecurrentNetwork", ["x", "h0", "W", "b"], ["all", "last", "scopes"], step_net=step, backward_step_net=back,
        param=[2, 3], param_grads=["W_grad", "b_grad"], outputs_with_grads=flowing,
        backward_link_internal=["h_grad", "h_before_grad", "x_t_grad"],
        backward_link_external=["states_grad", "states_grad", "x_grad"], backward_link_offset=[1, 0, 0], **LINKS,
    )  # fmt: skip


def loop(x, h0, W, b):
    h, rows = np.broadcast_to(h0.reshape(-1, D), (N, D)), []
    for x_t in x:
        h = np.tanh(h @ W.T + b + x_t)
        rows.append(h)
    return np.stack(rows), h[None]


def values(first_shape):
    shapes = {"x": (T, N, D), "h0": first_shape, "W": (D, D), "b": (D,)}
    return {name: RANDOM.normal(size=shape) for name, shape in shapes.items()}


@pytest.mark.parametrize("first_shape", [(1, N, D), (N, D), (D,)])
@pytest.mark.parametrize("flowing", [[0, 1], [0], [1]])
def test_elman_net_and_its_gradient(first_shape, flowing):
    blobs = values(first_shape)
    op = elman(flowing)
    workspace = Workspace()
    for name, value in blobs.items():
        workspace.feed(name, value.astype(np.float32))
    workspace.run_operator(op)
    want = loop(**blobs)
    np.testing.assert_allclose(workspace["all"], want[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(workspace["last"], want[1], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(workspace["states"][1:], want[0], rtol=1e-4, atol=1e-5)
    weights = [RANDOM.normal(size=y.shape) if k in flowing else np.zeros(y.shape) for k, y in enumerate(want)]
    seeds = ["all_grad" if 0 in flowing else None, "last_grad" if 1 in flowing else None, None]
    workspace.feed("all_grad", weights[0].astype(np.float32))
    workspace.feed("last_grad", weights[1].astype(np.float32))
    backward = make_gradient(op, seeds)
    (gradient,) = backward.ops
    assert list(gradient.input) == [*(seeds[k] for k in flowing), *op.input, *op.output]
    assert list(gradient.output) == ["x_grad", "W_grad", "b_grad", "h0_grad"]
    workspace.run_operator(gradient)
    for name, value in blobs.items():
        slope = np.zeros_like(value)
        for index in np.ndindex(value.shape):
            ends = []
            for sign in (1, -1):
                moved = value.copy()
                moved[index] += sign * 1e-5
                ends.append(sum((w * y).sum() for w, y in zip(weights, loop(**(blobs | {name: moved})), strict=True)))
            slope[index] = (ends[0] - ends[1]) / 2e-5
        np.testing.assert_allclose(workspace[f"{name}_grad"], slope, rtol=1e-3, atol=1e-4, err_msg=name)


def test_a_step_writes_no_blob_around_it_and_can_be_looked_into():
    workspace = Workspace()
    step = net_of(
        core.CreateOperator("Add", ["x_t", "h_before"], ["h"]),
        core.CreateOperator("Add", ["kept", "h"], ["kept"], broadcast=1),
    )
    step.op[1].arg.add(name="unused", i=1)
    workspace.feed("x", np.ones((2, 1, 1), np.float32))
    workspace.feed("h0", np.zeros((1, 1, 1), np.float32))
    workspace.feed("kept", np.float32([[[5]]]))
    workspace.run_operator(
        core.CreateOperator("RecurrentNetwork", ["x", "h0"], ["all", "last", "scopes"], step_net=step, **LINKS)
    )
    np.testing.assert_array_equal(workspace["kept"], [[[5]]])
    np.testing.assert_array_equal(workspace["last"], [[[2]]])
    workspace.run_operator(core.CreateOperator("RecurrentNetworkBlobFetcher", ["scopes"], ["names"], prefix="p"))
    assert b"p_kept_1" in list(workspace["names"])
    np.testing.assert_array_equal(workspace["p_kept_1"], [[[7]]])
    np.testing.assert_array_equal(workspace["p_timestep_1"], [1])


def test_wrong_first_states_and_links_are_told():
    workspace = Workspace()
    for name, value in values((N + 1, D)).items():
        workspace.feed(name, value.astype(np.float32))
    with pytest.raises(C2LabError, match=r"it must be \(D,\), \(3, D\) or \(1, 3, D\)"):
        workspace.run_operator(elman([0]))
    op = core.CreateOperator("RecurrentNetwork", ["x", "h0"], ["all", "scopes"], step_net=net_of(),
                             **(LINKS | {"link_offset": [0]}))  # fmt: skip
    with pytest.raises(C2LabError, match="there must be one of each"):
        workspace.run_operator(op)


def test_a_link_is_rows_of_a_sequence():
    workspace = Workspace()
    rows = np.arange(8, dtype=np.float32).reshape(4, 2)
    workspace.feed("rows", rows)
    workspace.feed("t", np.int32([1]))
    link = core.CreateOperator("rnn_internal_apply_link", ["t", "rows"], ["part", "rows"], offset=1, window=2)
    workspace.run_operator(link)
    np.testing.assert_array_equal(workspace["part"], rows[2:4])
    np.testing.assert_array_equal(workspace["rows"], rows)
    workspace.feed("t", np.int32([2]))
    with pytest.raises(C2LabError, match="outside of the 4"):
        workspace.run_operator(link)
    with pytest.raises(C2LabError):
        workspace.run_operator(
            core.CreateOperator("rnn_internal_apply_link", ["t", "rows"], ["part", "other"], offset=0, window=1)
        )


def test_gradients_that_a_step_hands_on_add_up():
    """``h = h_before + x``: its backward net has no operator at all."""
    links = LINKS | {"alias_src": ["states", "states", "states"], "alias_dst": ["all", "again", "last"],
                     "alias_offset": [1, 1, -1]}  # fmt: skip
    op = core.CreateOperator(
        "RecurrentNetwork", ["x", "h0"], ["all", "again", "last", "scopes"],
        step_net=net_of(core.CreateOperator("Sum", ["x_t", "h_before"], ["h"])), backward_step_net=net_of(), param=[],
        outputs_with_grads=[0, 1, 2], backward_link_internal=["h_grad", "h_grad", "h_grad"],
        backward_link_external=["states_grad", "states_grad", "x_grad"], backward_link_offset=[1, 0, 0], **links,
    )  # fmt: skip
    workspace = Workspace()
    for name, value in {"x": np.ones((3, 1, 1)), "h0": np.ones((1, 1, 1))}.items():
        workspace.feed(name, value.astype(np.float32))
    workspace.run_operator(op)
    seeds = {"all_grad": [[1], [2], [3]], "again_grad": [[10], [20], [30]], "last_grad": [[100]]}
    for name, value in seeds.items():
        workspace.feed(name, np.float32(value)[..., None])
    workspace.run_operator(make_gradient(op, [*seeds, None]).ops[0])
    np.testing.assert_array_equal(workspace["x_grad"].ravel(), [166, 155, 133])
    np.testing.assert_array_equal(workspace["h0_grad"].ravel(), [166])
