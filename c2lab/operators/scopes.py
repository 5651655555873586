"""Scopes: nets that run with blobs of their own, and keep them for the way back."""

from __future__ import annotations

import numpy as np

from c2lab.errors import BadArgument, BadValue
from c2lab.operators.definition import host_operator
from c2lab.operators.subnets import BoundBlobs, Scopes, run_net
from c2lab.proto import caffe2_pb2


@host_operator("CreateScope", outputs="scope", gradient="refused")
def create_scope():
    """A place where ``Do`` operators keep their scopes.

    Outputs:
        scope: The scopes, none at first.
    Example:
        >>> run("CreateScope")
        scope = b'scope, a C++ native class of type caffe2::detail::WorkspaceStack.'
    """
    return Scopes()


@host_operator("HasScope", outputs="has_scope", gradient="refused")
def has_scope(scope):
    """Whether a scope waits for its way back.

    Inputs:
        scope: What ``CreateScope`` made.
    Outputs:
        has_scope: One bool, (1,).
    Example:
        >>> from c2lab.operators.subnets import Scopes
        >>> run("HasScope", scope=Scopes())
        has_scope = [False]
    """
    return np.array([bool(_scopes(scope).entered)])


def _scopes(value) -> Scopes:
    if not isinstance(value, Scopes):
        raise BadValue(f"expected scopes made by CreateScope, got {getattr(value, 'type_name', type(value).__name__)}")
    return value


@host_operator("Do", outputs="*outputs", inplace="*", gradient="not implemented")
def do(
    *inputs,
    net: caffe2_pb2.NetDef,
    inner_blobs: tuple[str, ...] = (),
    outer_blobs_idx: tuple[int, ...] = (),
    saved_fwd_blobs: tuple[str, ...] = (),
    reuse_workspace: bool = False,
    copy_external_blobs: bool = False,
    op,
    workspace,
    state,
    num_outputs: int,
):
    """Runs a net in a scope of its own: its blobs are not those around it, but for the ones bound to them.

    Each run enters a new scope, which stays for the gradient operator; that one runs its net in the scope
    entered last, and leaves it.

    Inputs:
        inputs: The blobs outside that the net reads, and last the scopes.
    Args:
        net: The net.
        inner_blobs: Names in the net that stand for blobs outside.
        outer_blobs_idx: For each of them the position of the blob outside among inputs and then outputs,
            the scopes counted too.
        saved_fwd_blobs: In a gradient operator: what it reads of the scope.
        reuse_workspace: Runs in the scope entered last, where there is one.
        copy_external_blobs: Not supported.
    Outputs:
        outputs: The blobs outside that the net writes, and last the scopes.
    Example:
        >>> from c2lab.operators.subnets import Scopes
        >>> from c2lab.proto import caffe2_pb2
        >>> net = caffe2_pb2.NetDef()
        >>> _ = net.op.add(type="Negative", input=["in"], output=["local"])
        >>> _ = net.op.add(type="Exp", input=["local"], output=["out"])
        >>> run("Do", outputs=1, inputs=[np.float32([0]), Scopes()], net=net,
        ...     inner_blobs=["in", "out"], outer_blobs_idx=[0, 2])
        outputs_0 = [1.]
    """
    scopes = _scopes(inputs[-1])
    if copy_external_blobs:
        raise BadArgument("copy_external_blobs is not supported; leave it out, blobs outside are then bound")
    names = [*op.input, *op.output]
    if len(inner_blobs) != len(outer_blobs_idx) or any(not 0 <= k < len(names) for k in outer_blobs_idx):
        raise BadArgument(
            f"inner_blobs {list(inner_blobs)} and outer_blobs_idx {list(outer_blobs_idx)} must be equally many, and "
            f"the positions below {len(names)}, the number of inputs and outputs"
        )
    bindings = {inner: names[k] for inner, k in zip(inner_blobs, outer_blobs_idx, strict=True)}
    if op.is_gradient_op:
        if not scopes.entered:
            raise BadValue("there is no scope to go back in; each forward run is gone back through once")
        forward = scopes.entered.pop()
        missing = [name for name in saved_fwd_blobs if name not in forward]
        if missing:
            raise BadValue(f"the scope of the forward run has no blobs {missing}")
        scope = BoundBlobs(forward.own, workspace.blobs, forward.bindings | bindings)
    elif reuse_workspace and scopes.entered:
        last = scopes.entered.pop()
        scope = BoundBlobs(last.own, workspace.blobs, bindings)
        scopes.entered.append(scope)
    else:
        scope = BoundBlobs({}, workspace.blobs, bindings)
        scopes.entered.append(scope)
    inner = state.setdefault("inner", workspace.within(scope))
    inner.blobs = scope
    if "net" in state:
        for name in (*state["net"].graph.reads, *state["net"].graph.writes):
            if name not in scope:
                inner.clear(name)
    run_net(net, "net", inner, state)
    return (None,) * num_outputs
