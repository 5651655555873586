"""Control flow: nets inside an operator, and what decides whether they run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from c2lab.errors import BadArgument, UnsafeInplace
from c2lab.operators.definition import host_operator, operator
from c2lab.operators.subnet_gradients import if_gradient, while_gradient
from c2lab.operators.subnets import BoundBlobs, holds, run_net, shelter, written
from c2lab.operators.waiting import Together, current_group
from c2lab.proto import caffe2_pb2


@host_operator("If", outputs="*outputs", inplace="*")
def if_(
    condition,
    *inputs,
    then_net: caffe2_pb2.NetDef,
    else_net: caffe2_pb2.NetDef | None = None,
    op,
    workspace,
    state,
    num_outputs: int,
):
    """Runs one of two nets, as a condition says.

    The nets run on the blobs around them: they read and write these directly, whether named here or not.

    Inputs:
        condition: One bool.
        inputs: The blobs that the nets read, so that readers of the net know.
    Args:
        then_net: Runs where the condition is true.
        else_net: Runs where it is false; nothing does where left out.
    Outputs:
        outputs: The blobs that the nets write.
    Example:
        >>> from c2lab.proto import caffe2_pb2
        >>> net = caffe2_pb2.NetDef()
        >>> _ = net.op.add(type="Negative", input=["inputs_0"], output=["outputs_0"])
        >>> run("If", condition=np.array([True]), inputs=[np.float32([1, 2])], then_net=net)
        outputs_0 = [-1. -2.]
    """
    if holds(condition, op.input[0]):
        run_net(then_net, "then_net", workspace, state)
    elif else_net is not None:
        run_net(else_net, "else_net", workspace, state)
    return (None,) * num_outputs


if_.gradient_maker(if_gradient)


@host_operator("While", outputs="*outputs", inplace="*")
def while_(
    condition,
    *inputs,
    loop_net: caffe2_pb2.NetDef,
    cond_net: caffe2_pb2.NetDef | None = None,
    op,
    workspace,
    state,
    num_outputs: int,
):
    """Runs a net again and again, as long as a condition holds.

    ``run cond_net; stop unless condition; run loop_net; start over``

    The nets run on the blobs around them: they read and write these directly. Without ``cond_net`` the
    loop's own net must change the condition.

    Inputs:
        condition: One bool.
        inputs: The blobs that the nets read.
    Args:
        loop_net: The body.
        cond_net: Computes the condition, before each look at it.
    Outputs:
        outputs: The blobs that the nets write.
    Example:
        >>> from c2lab.proto import caffe2_pb2
        >>> net = caffe2_pb2.NetDef()
        >>> _ = net.op.add(type="Add", input=["inputs_0", "inputs_0"], output=["outputs_0"])
        >>> _ = net.op.add(type="LT", input=["outputs_0", "outputs_0"], output=["condition"])
        >>> run("While", condition=np.array([True]), inputs=[np.float32([1])], loop_net=net)
        outputs_0 = [2.]
    """
    around = current_group()
    rounds = Together(around)  # so that an interrupt, or a failure beside this, ends even an endless loop
    try:
        with rounds:
            while True:
                rounds.require_going()
                if cond_net is not None:
                    run_net(cond_net, "cond_net", workspace, state)
                if not holds(workspace[op.input[0]], op.input[0]):
                    return (None,) * num_outputs
                run_net(loop_net, "loop_net", workspace, state)
    finally:
        if around is not None:
            around.leave(rounds)


while_.gradient_maker(while_gradient)


@host_operator("ONNXWhile", outputs="*outputs", inplace="*")
def onnx_while(
    max_trip_count,
    first_iter_condition,
    *inputs,
    body: caffe2_pb2.NetDef,
    has_trip_count: bool = False,
    has_cond: bool = False,
    save_scopes: bool = False,
    disable_scopes: bool = False,
    num_loop_carried_deps: int = -1,
    workspace,
    state,
    num_outputs: int,
):
    """A loop with blobs that each round hands to the next, and blobs of which each round adds one entry.

    The body's inputs are the round's number, the condition and the carried blobs; its outputs the next
    condition, the carried blobs' next values and the round's entries.

    Inputs:
        max_trip_count: The highest number of rounds, one int64.
        first_iter_condition: The condition of the first round, one bool.
        inputs: First values of the carried blobs.
    Args:
        body: The net of one round.
        has_trip_count: Whether the number of rounds counts.
        has_cond: Whether the condition counts.
        save_scopes: Kept for saved nets; a round's blobs are its own either way.
        disable_scopes: The body writes the blobs around it.
        num_loop_carried_deps: How many blobs are carried; all of the inputs where negative.
    Outputs:
        outputs: Last values of the carried blobs, then the entries of all rounds, stacked.
    Example:
        >>> from c2lab.proto import caffe2_pb2
        >>> body = caffe2_pb2.NetDef(external_input=["i", "go", "a"], external_output=["go", "b", "b"])
        >>> _ = body.op.add(type="Add", input=["a", "a"], output=["b"])
        >>> run("ONNXWhile", outputs=2, max_trip_count=np.int64(3), first_iter_condition=np.array(True),
        ...     inputs=[np.float32([1])], body=body, has_trip_count=True)
        outputs_0 = [8.]
        outputs_1 = [2. 4. 8.]
    """
    carried_count = len(inputs) if num_loop_carried_deps < 0 else num_loop_carried_deps
    round_names, results = list(body.external_input), list(body.external_output)
    if len(round_names) < 2 + carried_count or len(results) < 1 + carried_count:
        raise BadArgument(
            f"body has {len(round_names)} inputs and {len(results)} outputs; with {carried_count} carried blobs it "
            f"needs {2 + carried_count} (number, condition, carried) and at least {1 + carried_count}"
        )
    blobs = workspace.blobs if disable_scopes else BoundBlobs({}, workspace.blobs, {}, sees_outside=True)
    inner = state.setdefault("inner", workspace.within(blobs))
    inner.blobs = blobs
    if isinstance(blobs, BoundBlobs):
        shelter(written(body), blobs)
    carried: Sequence[Any] = inputs[:carried_count]
    entries: list[list[np.ndarray]] = [[] for _ in results[1 + carried_count :]]
    go = holds(first_iter_condition, "first_iter_condition") if has_cond else True
    trips = int(np.asarray(max_trip_count).reshape(())) if has_trip_count else None
    done = 0
    while go and (trips is None or done < trips):
        inner[round_names[0]] = np.array(done, np.int64)
        inner[round_names[1]] = np.array(go)
        for name, value in zip(round_names[2:], carried, strict=False):
            inner[name] = value
        run_net(body, "body", inner, state)
        made = [inner[name] for name in results]
        go = holds(made[0], results[0]) if has_cond else True
        carried = made[1 : 1 + carried_count]
        for entry, value in zip(entries, made[1 + carried_count :], strict=True):
            entry.append(np.array(value))
        done += 1
    stacked = [_stacked(entry) for entry in entries]
    return (*carried, *stacked)[:num_outputs]


def _stacked(entries: list[np.ndarray]) -> np.ndarray:
    """The entries of all rounds below each other; of no round an empty blob."""
    if not entries:
        return np.zeros(0, np.int32)
    return np.concatenate([entry.reshape(1) if entry.ndim == 0 else entry for entry in entries])


@operator("IsEmpty", outputs="is_empty", gradient="refused")
def is_empty(tensor):
    """Whether a blob holds no elements.

    Inputs:
        tensor: Any tensor.
    Outputs:
        is_empty: One bool, without dimensions.
    Example:
        >>> run("IsEmpty", tensor=[1.0, 2.0])
        is_empty = False
    """
    return np.array(tensor.size == 0)


@operator("HasElements", outputs="has_elements", gradient="refused")
def has_elements(X, *more):
    """Whether at least one of several blobs holds elements.

    Inputs:
        X: Any tensor.
        more: Further tensors.
    Outputs:
        has_elements: One bool, without dimensions.
    Example:
        >>> run("HasElements", X=[1.0], more=[])
        has_elements = True
    """
    return np.array(any(value.size > 0 for value in (X, *more)))


@host_operator("GetAllBlobNames", outputs="blob_names")
def get_all_blob_names(*, include_shared: bool = True, workspace):
    """The names of all blobs in the workspace, sorted.

    Args:
        include_shared: Also those that a scope sees of the blobs around it.
    Outputs:
        blob_names: Strings (N,).
    Example:
        >>> run("GetAllBlobNames")
        blob_names = [b'blob_names']
    """
    blobs = workspace.blobs
    names = blobs if include_shared else getattr(blobs, "own", blobs)
    return np.array([name.encode() for name in sorted(names)], object)


@host_operator("Free", outputs="*freed", inplace=[(i, i) for i in range(12)], gradient="refused")
def free(X, *more, op, workspace, num_outputs: int):
    """Empties blobs, so that what they held can go; the names stay.

    Inputs:
        X: A blob.
        more: Further blobs.
    Outputs:
        freed: The very same blobs.
    Example:
        >>> from c2lab.proto import caffe2_pb2
        >>> from c2lab.workspace import Workspace
        >>> workspace = Workspace()
        >>> workspace.feed("x", np.float32([1]))
        >>> workspace.run_operator(caffe2_pb2.OperatorDef(type="Free", input=["x"], output=["x"]))
        >>> workspace["x"]
        uninitialised
    """
    if list(op.input) != list(op.output):
        raise UnsafeInplace(
            f"Free empties its inputs {list(op.input)} and must name them as outputs: {list(op.output)}"
        )
    for name in op.output:
        workspace.clear(name)
    return (None,) * num_outputs
