"""Recurrent networks: a net that runs once a step, with states that go from step to step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from c2lab.errors import BadArgument, BadValue, ShapeMismatch
from c2lab.operators.checks import require, require_shape
from c2lab.operators.definition import host_operator, operator
from c2lab.operators.subnets import BoundBlobs, StepScopes, run_net, shelter, written
from c2lab.proto import caffe2_pb2


def gradient_of(name: str) -> str:
    """The blob whose gradient this is by its name; empty for none."""
    blob, grad, after = name.rpartition("_grad")
    return blob if grad and after in ("", "_from_next") else ""


class Links:
    """Which blobs of a step stand for which rows of blobs outside: row ``t + offset`` at step ``t``."""

    def __init__(
        self, internal: Sequence[str], external: Sequence[str], offset: Sequence[int], window: Sequence[int]
    ) -> None:
        window = window or (1,) * len(internal)
        if not len(internal) == len(external) == len(offset) == len(window):
            raise BadArgument(
                f"links have {len(internal)} internal and {len(external)} external names, {len(offset)} offsets and "
                f"{len(window)} windows; there must be one of each for a link"
            )
        self.links = tuple(zip(internal, external, offset, window, strict=True))

    def read(self, step: int, scope: Any, outside: dict[str, np.ndarray], from_row: int = 0) -> None:
        """Gives a step its rows; ``from_row``: the offset from which on rows are read."""
        for internal, external, offset, window in self.links:
            if offset < from_row:
                continue
            rows = outside[external][step + offset : step + offset + window].copy()
            # A gradient has the shape that the step gave its blob, which may differ from a row of the state.
            base = scope.blobs.get(gradient_of(internal))
            if getattr(base, "size", None) == rows.size:
                rows = rows.reshape(base.shape)
            scope[internal] = rows

    def write(
        self, step: int, scope: Any, outside: dict[str, np.ndarray], names: frozenset[str], to_row: int | None = None
    ) -> None:
        """Takes the rows back that the step wrote; ``to_row``: the offset up to which rows are written."""
        for internal, external, offset, window in self.links:
            if internal in names and (to_row is None or offset <= to_row):
                rows = np.asarray(scope[internal])
                place = outside[external][step + offset : step + offset + window]
                if rows.size != place.size:
                    raise ShapeMismatch(f"{internal} is {rows.shape}; a step of {external} is {place.shape}")
                place[...] = rows.reshape(place.shape)

    def external(self) -> frozenset[str]:
        """The names of the blobs outside."""
        return frozenset(external for _, external, _, _ in self.links)


def _first_state(initial: np.ndarray, steps: int, batch: int, name: str) -> np.ndarray:
    """States of all steps, the first row filled in; one row for the whole batch is repeated."""
    if initial.ndim == 1:
        initial = np.broadcast_to(initial, (batch, initial.shape[0]))
    row = initial.shape[1:] if initial.ndim == 3 else initial.shape
    if initial.ndim > 3 or row[0] != batch:
        raise ShapeMismatch(
            f"the first state of {name} is {initial.shape}; it must be (D,), ({batch}, D) or (1, {batch}, D)"
        )
    states = np.zeros((steps + 1, *row), initial.dtype)
    states[0] = initial.reshape(row)
    return states


@host_operator("RecurrentNetwork", outputs="*outputs")
def recurrent_network(
    X,
    *inputs,
    step_net: caffe2_pb2.NetDef,
    recurrent_states: tuple[str, ...],
    initial_recurrent_state_ids: tuple[int, ...],
    link_internal: tuple[str, ...],
    link_external: tuple[str, ...],
    link_offset: tuple[int, ...],
    link_window: tuple[int, ...] = (),
    alias_src: tuple[str, ...] = (),
    alias_dst: tuple[str, ...] = (),
    alias_offset: tuple[int, ...] = (),
    timestep: str = "timestep",
    op,
    workspace,
    state,
):
    """Runs a net once for each step of a sequence.

    Each step has blobs of its own; through links some of them stand for one row of the sequence or of a
    state. A state has one row more than the sequence has steps: the first one, then what each step left.

    Inputs:
        X: The sequence, (T, N, ...).
        inputs: First states and parameters.
    Args:
        step_net: The net of one step.
        recurrent_states: Names of the states.
        initial_recurrent_state_ids: For each state the input that holds its first row.
        link_internal: Blobs of a step.
        link_external: For each of them the state or input of which it is a row.
        link_offset: For each of them how many rows behind the step's number.
        link_window: For each of them how many rows; one where left out.
        alias_src: States that are given out.
        alias_dst: For each of them the output.
        alias_offset: For each of them the first row given out; from the end where negative.
        timestep: The blob that holds the number of the step.
    Outputs:
        outputs: What the aliases name, and last the blobs of all steps, for the gradient.
    Example:
        >>> from c2lab.proto import caffe2_pb2
        >>> step = caffe2_pb2.NetDef()
        >>> _ = step.op.add(type="Add", input=["x_t", "h_before"], output=["h"])
        >>> run("RecurrentNetwork", outputs=2, X=[[[1.0]], [[2.0]], [[3.0]]], inputs=[np.float32([[[10]]])],
        ...     step_net=step, recurrent_states=["states"], initial_recurrent_state_ids=[1],
        ...     link_internal=["x_t", "h_before", "h"], link_external=["X", "states", "states"],
        ...     link_offset=[0, 0, 1], alias_src=["states"], alias_dst=["outputs_0"],
        ...     alias_offset=[1]).pop("outputs_0").ravel()
        array([11., 13., 16.], dtype=float32)
    """
    links = Links(link_internal, link_external, link_offset, link_window)
    values = (X, *inputs)
    steps, batch = X.shape[0], X.shape[1] if X.ndim > 1 else 1
    outside: dict[str, np.ndarray] = {}
    for name, place in zip(recurrent_states, initial_recurrent_state_ids, strict=True):
        if not 0 <= place < len(values):
            raise BadArgument(f"state {name} begins with input {place}, but there are {len(values)} inputs")
        outside[name] = _first_state(values[place], steps, batch, name)
    for name in links.external() - set(outside):
        outside[name] = np.asarray(workspace[name])
    names = written(step_net)
    kept = StepScopes()
    for step in range(steps):
        scope = BoundBlobs({}, workspace.blobs, {}, sees_outside=True)
        shelter(names, scope)
        inner = _inside(scope, workspace, state)
        inner[timestep] = np.array([step], np.int32)
        links.read(step, inner, outside)
        run_net(step_net, "step_net", inner, state)
        links.write(step, inner, outside, names)
        kept.steps.append(scope)
    for name in recurrent_states:
        workspace[name] = kept.states[name] = outside[name]
    aliases = {dst: outside[src][offset:] for src, dst, offset in zip(alias_src, alias_dst, alias_offset, strict=True)}
    results = [aliases.get(name) for name in op.output[:-1]]
    return (*results, kept)


def _inside(scope: BoundBlobs, workspace: Any, state: dict[str, Any]) -> Any:
    """The workspace of a step's net, over its scope."""
    inner = state.setdefault("inner", workspace.within(scope))
    inner.blobs = scope
    return inner


@recurrent_network.gradient_maker
def _(g):
    flowing = g.argument("outputs_with_grads", (0,))
    parameters = g.argument("param", ()) or ()
    first_states = g.argument("initial_recurrent_state_ids", ()) or ()
    inputs = [*(g.GO(k) for k in flowing), *g.op.input, *g.op.output]
    return [g.define("RecurrentNetworkGradient", inputs, [g.GI(k) for k in (0, *parameters, *first_states)])]


@host_operator("RecurrentNetworkGradient", outputs="*dinputs")
def recurrent_network_gradient(
    *values,
    backward_step_net: caffe2_pb2.NetDef,
    outputs_with_grads: tuple[int, ...],
    recurrent_states: tuple[str, ...],
    initial_recurrent_state_ids: tuple[int, ...],
    backward_link_internal: tuple[str, ...],
    backward_link_external: tuple[str, ...],
    backward_link_offset: tuple[int, ...],
    param: tuple[int, ...] = (),
    param_grads: tuple[str, ...] = (),
    alias_src: tuple[str, ...] = (),
    alias_offset: tuple[int, ...] = (),
    timestep: str = "timestep",
    op,
    workspace,
    state,
):
    """Runs the backward net from the last step to the first, in the blobs that the forward steps left.

    Inputs:
        values: Gradients of outputs (those of ``outputs_with_grads``), then all inputs and all outputs of the
            forward operator.
    Args:
        backward_step_net: The net of one step backward.
        outputs_with_grads: The outputs whose gradients flow in.
        recurrent_states: As in the forward operator.
        initial_recurrent_state_ids: As in the forward operator.
        backward_link_internal: Gradients in a step.
        backward_link_external: For each of them the gradient of which it is a row.
        backward_link_offset: For each of them how many rows behind the step's number.
        param: Inputs that are parameters.
        param_grads: For each of them the blob in a step that holds its gradient.
        alias_src: As in the forward operator.
        alias_offset: As in the forward operator.
        timestep: As in the forward operator.
    Outputs:
        dinputs: Gradients of the sequence, the parameters and the first states.
    Example:
        >>> run("RecurrentNetworkGradient", outputs=0, values=[])
        Traceback (most recent call last):
        c2lab.errors.SchemaError: ...
    """
    count = len(outputs_with_grads)
    kept = values[-1]
    if not isinstance(kept, StepScopes):
        raise BadValue("the last input must be the blobs of all steps, which RecurrentNetwork gives as its last output")
    inputs, names = values[count:], op.input[count:]
    steps = len(kept.steps)
    links = Links(backward_link_internal, backward_link_external, backward_link_offset, ())
    dX = np.zeros_like(inputs[0])
    outside = {f"{names[0]}_grad": dX}
    flows: dict[str, list[np.ndarray]] = {name: [] for name in recurrent_states}
    for name in recurrent_states:
        dstates = outside[f"{name}_grad"] = np.zeros_like(kept.states[name])
        for place, (src, offset) in enumerate(zip(alias_src, alias_offset, strict=True)):
            if src != name or place not in outputs_with_grads:
                continue
            flow = values[outputs_with_grads.index(place)]
            if offset < 0:
                dstates[offset:] += flow.reshape(dstates[offset:].shape)
            else:
                flows[name].append(flow)
    unknown = links.external() - set(outside)
    if unknown:
        raise BadArgument(
            f"backward links lead to {sorted(unknown)}, which are gradients of no state and not of {names[0]}"
        )
    # What comes from the step after may be handed on as it is.
    made = written(backward_step_net) | {internal for internal, _, offset, _ in links.links if offset > 0}
    wanted = tuple(param_grads) or tuple(f"{names[k]}_grad" for k in param)
    totals = [np.zeros_like(inputs[k]) for k in param]
    for step in reversed(range(steps)):
        for name, flowing in flows.items():
            for flow in flowing:
                outside[f"{name}_grad"][step + 1] += flow[step]
        scope = kept.steps[step]
        scope.outside = workspace.blobs
        for name in wanted:
            scope.own.pop(name, None)
        shelter(made, scope)
        inner = _inside(scope, workspace, state)
        inner[timestep] = np.array([step], np.int32)
        links.read(step, inner, outside, from_row=1)
        run_net(backward_step_net, "backward_step_net", inner, state)
        links.write(step, inner, outside, made, to_row=0)
        for total, name in zip(totals, wanted, strict=True):
            if name in made:
                total += np.asarray(inner[name]).reshape(total.shape)
    first = []
    for name, place in zip(recurrent_states, initial_recurrent_state_ids, strict=True):
        row, like = outside[f"{name}_grad"][0], inputs[place]
        first.append((row.sum(axis=0) if like.ndim == 1 else row).reshape(like.shape))
    return (dX, *totals, *first)


@host_operator("RecurrentNetworkBlobFetcher", outputs="blob_names", gradient="refused")
def recurrent_network_blob_fetcher(scopes, *, prefix: str = "rnn", workspace):
    """Copies the blobs of all steps of a recurrent network out, as ``<prefix>_<blob>_<step>``.

    Inputs:
        scopes: The last output of ``RecurrentNetwork``.
    Args:
        prefix: What the names begin with.
    Outputs:
        blob_names: The names of the copies, strings (N,).
    Example:
        >>> from c2lab.operators.subnets import BoundBlobs, StepScopes
        >>> scopes = StepScopes()
        >>> scopes.steps.append(BoundBlobs({"h": np.float32([1])}, {}, {}))
        >>> run("RecurrentNetworkBlobFetcher", scopes=scopes)
        blob_names = [b'rnn_h_0']
    """
    names = []
    for step, scope in enumerate(scopes.steps):
        for name, value in sorted(scope.own.items()):
            if hasattr(value, "dtype"):
                workspace[f"{prefix}_{name}_{step}"] = np.array(value)
                names.append(f"{prefix}_{name}_{step}".encode())
    return np.array(names, object)


@operator(
    "rnn_internal_apply_link",
    outputs="internal, external_out",
    inplace="external -> external_out, external => external_out",
)
def apply_link(timestep, external, *, offset: int, window: int):
    """Rows of a sequence or of a state, for one step of a recurrent network.

    ``internal = external[t + offset : t + offset + window]``

    Inputs:
        timestep: The number of the step, one int32.
        external: The sequence or state, (T, ...).
    Args:
        offset: How many rows behind the step's number.
        window: How many rows.
    Outputs:
        internal: The rows, (window, ...).
        external_out: The same as external, in its place.
    Example:
        >>> run("rnn_internal_apply_link", timestep=[1], external=[[1.0], [2.0], [3.0]], offset=1, window=1)
        internal = [[3.]]
        external = [[1.]
         [2.]
         [3.]]
    """
    require_shape(timestep.size == 1, f"timestep is {timestep.shape}; it must be one number")
    require_shape(window > 0, f"window is {window}; it must be 1 or more")
    first = jnp.reshape(timestep, ()).astype(jnp.int32) + offset
    within = (first >= 0) & (first + window <= external.shape[0])
    require(within, f"the link leads to rows outside of the {external.shape[0]} of external")
    return jax.lax.dynamic_slice_in_dim(external, first, window), external
