"""Scopes: nets that run with blobs of their own, and keep them for the way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from c2lab.errors import BadArgument, BadValue
from c2lab.operators.definition import host_operator
from c2lab.operators.subnet_gradients import do_gradient
from c2lab.operators.subnets import BoundBlobs, Scope, Scopes, run_net
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


@host_operator("Do", outputs="*outputs", inplace="*")
def do(
    *inputs,
    net: caffe2_pb2.NetDef,
    inner_blobs: tuple[str, ...] = (),
    outer_blobs_idx: tuple[int, ...] = (),
    saved_fwd_blobs: tuple[str, ...] = (),
    first_values: tuple[str, ...] = (),
    first_values_of: tuple[str, ...] = (),
    reuse_workspace: bool = False,
    copy_external_blobs: bool = False,
    op,
    workspace,
    state,
    num_outputs: int,
):
    """Runs a net in a scope of its own: its blobs are not those around it, but for the ones bound to them.

    Each run enters a new scope, which stays for the gradient operator; that one runs its net in the scope
    entered last, and leaves it. A scope also keeps what the bound blobs held when the run began and ended.

    Inputs:
        inputs: The blobs outside that the net reads, and last the scopes.
    Args:
        net: The net.
        inner_blobs: Names in the net that stand for blobs outside.
        outer_blobs_idx: For each of them the position of the blob outside among inputs and then outputs,
            the scopes counted too.
        saved_fwd_blobs: In a gradient operator: what it reads of the scope, as the forward run left it.
        first_values: In a gradient operator: names in the net for what bound blobs held before the forward run.
        first_values_of: For each of them the name of the bound blob in the forward net.
        reuse_workspace: Runs in the scope entered last, where there is one.
        copy_external_blobs: Kept for saved nets; a scope keeps the bound blobs either way.
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
    names = [*op.input, *op.output]
    if len(inner_blobs) != len(outer_blobs_idx) or any(not 0 <= k < len(names) for k in outer_blobs_idx):
        raise BadArgument(
            f"inner_blobs {list(inner_blobs)} and outer_blobs_idx {list(outer_blobs_idx)} must be equally many, and "
            f"the positions below {len(names)}, the number of inputs and outputs"
        )
    bindings = {inner: names[k] for inner, k in zip(inner_blobs, outer_blobs_idx, strict=True)}
    if op.is_gradient_op:
        firsts = dict(zip(first_values, first_values_of, strict=True))
        scope = _way_back(scopes, workspace, bindings, saved_fwd_blobs, firsts)
    elif reuse_workspace and scopes.entered:
        scope = Scope(scopes.entered.pop().own, workspace.blobs, bindings)
    else:
        scope = Scope({}, workspace.blobs, bindings)
    inner = state.setdefault("inner", workspace.within(scope))
    inner.blobs = scope
    if "net" in state:
        for name in (*state["net"].graph.reads, *state["net"].graph.writes):
            if name not in scope:
                inner.clear(name)
    run_net(net, "net", inner, state)
    if isinstance(scope, Scope):
        scope.last = scope.bound_values()
        scopes.entered.append(scope)
    return (None,) * num_outputs


def _way_back(
    scopes: Scopes, workspace: Any, bindings: dict[str, str], saved: Sequence[str], firsts: dict[str, str]
) -> BoundBlobs:
    """The scope of a gradient operator: that of the forward run, which ends with it."""
    if not scopes.entered:
        raise BadValue("there is no scope to go back in; each forward run is gone back through once")
    forward = scopes.entered.pop()
    missing = [name for name in saved if name not in forward.own and name not in forward.last]
    missing += [name for name in firsts.values() if name not in forward.first]
    if missing:
        raise BadValue(f"the scope of the forward run has no blobs {missing}")
    kept = {name: forward.first[of] for name, of in firsts.items()}
    # A name that the forward run had bound means what it held then, not what it may hold by now.
    now = {inner: outer for inner, outer in bindings.items() if inner not in saved or inner not in forward.last}
    return BoundBlobs({**forward.last, **kept, **forward.own}, workspace.blobs, now)


do.gradient_maker(do_gradient)
