"""``recurrent_net``: a net of one step becomes one operator over a whole sequence, with its way back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from c2lab import workspace
from c2lab.errors import NotSupported
from c2lab.nets.blobs import BlobReference, ScopedBlobReference
from c2lab.nets.creation import CreateOperator
from c2lab.nets.gradients import GradientRegistry
from c2lab.nets.net import Net
from c2lab.nets.ssa import get_ssa, get_undefined_blobs
from c2lab.operators.gradients import GradientSlice
from c2lab.operators.subnets import StepScopes
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument

Links = list[tuple[str, str, int]]


def recurrent_net(
    net: Net,
    cell_net: Net,
    inputs: Sequence[tuple[Any, Any]],
    initial_cell_inputs: Sequence[tuple[Any, Any]],
    links: Mapping[Any, Any],
    timestep: Any = None,
    scope: str | None = None,
    outputs_with_grads: Sequence[int] = (0,),
    recompute_blobs_on_backward: Iterable[Any] | None = None,
    forward_only: bool = False,
) -> tuple[BlobReference, ...]:
    """Adds an operator that runs ``cell_net`` once for each row of a sequence.

    Args:
        net: The net to add it to.
        cell_net: The net of one step.
        inputs: One pair: the blob in a step, and the sequence (T, ...) whose rows it stands for.
        initial_cell_inputs: For each state its blob at the beginning of a step, and its first value.
        links: For each state the blob that the step leaves for the next one.
        timestep: The blob in a step that holds its number.
        scope: What the names of the states begin with; the name of ``cell_net`` where left out.
        outputs_with_grads: The outputs whose gradients flow back.
        recompute_blobs_on_backward: Blobs of a step that are computed again on the way back, to save memory.
        forward_only: Whether the way back is left out.

    Returns:
        For each state all its values, ``<state>_all`` (T, ...), and the last one, ``<state>_last`` (1, ...).
    """
    if len(inputs) != 1:
        raise NotSupported(f"{len(inputs)} sequences are given; a recurrent net runs over one")
    prefix = scope or cell_net.Name()
    step_inputs, sequences = ([pair[k] for pair in inputs] for k in (0, 1))
    state_inputs, first_values = ([pair[k] for pair in initial_cell_inputs] for k in (0, 1))
    known = {str(blob) for blob in (*step_inputs, *state_inputs, *([timestep] if timestep is not None else ()))}
    references = [BlobReference(name) for name in cell_net.Proto().external_input if name not in known]
    operator_inputs = [*sequences, *first_values, *references]

    forward: Links = []
    states, aliases, outputs = [], [], []
    for before in state_inputs:
        after = links[before]
        state = f"{prefix}/{before}_states"
        states.append(state)
        forward += [(str(before), state, 0), (str(after), state, 1)]
        for ending, offset in (("_all", 1), ("_last", -1)):
            outputs.append(BlobReference(str(after) + ending))
            aliases.append((state, str(outputs[-1]), offset))
    forward += [(str(step), str(sequence), 0) for step, sequence in zip(step_inputs, sequences, strict=True)]

    first_reference = len(sequences) + len(first_values)
    arguments: dict[str, Any] = {
        "alias_src": [source for source, _, _ in aliases],
        "alias_dst": [output for _, output, _ in aliases],
        "alias_offset": [offset for _, _, offset in aliases],
        "recurrent_states": states,
        "initial_recurrent_state_ids": list(range(len(sequences), first_reference)),
        "link_internal": [internal for internal, _, _ in forward],
        "link_external": [external for _, external, _ in forward],
        "link_offset": [offset for _, _, offset in forward],
        "enable_rnn_executor": 1,
        "step_net": _simple(cell_net),
        "timestep": "timestep" if timestep is None else str(timestep),
    }
    if not forward_only:
        recompute = {str(blob) for blob in recompute_blobs_on_backward or ()}
        arriving = _arriving(cell_net.Proto(), [str(blob) for blob in links.values()])
        back, gradients = _backward_net(cell_net, arriving, recompute)
        backward: Links = []
        for before, state in zip(state_inputs, states, strict=True):
            backward.append((arriving[str(links[before])], f"{state}_grad", 1))
            if str(before) in gradients:
                backward.append((str(gradients[str(before)]), f"{state}_grad", 0))
        for step, sequence in zip(step_inputs, sequences, strict=True):
            if str(step) in gradients:
                backward.append((str(gradients[str(step)]), f"{sequence}_grad", 0))
        learned = [k for k, blob in enumerate(references) if str(blob) in gradients]
        arguments |= {
            "param": [k + first_reference for k in learned],
            "backward_link_internal": [internal for internal, _, _ in backward],
            "backward_link_external": [external for _, external, _ in backward],
            "backward_link_offset": [offset for _, _, offset in backward],
            "outputs_with_grads": list(outputs_with_grads),
            "recompute_blobs_on_backward": sorted(recompute),
            "param_grads": [_dense(references[k], gradients) for k in learned],
            "backward_step_net": back.Proto(),
        }
    workspaces = ScopedBlobReference(f"{prefix}/step_workspaces")
    return net.RecurrentNetwork(operator_inputs, [*outputs, workspaces], **arguments)[:-1]


def _simple(net: Net) -> caffe2_pb2.NetDef:
    net.Proto().type = "simple"
    return net.Proto()


def _dense(blob: BlobReference, gradients: Mapping[str, Any]) -> str:
    gradient = gradients[str(blob)]
    if isinstance(gradient, GradientSlice):
        raise NotSupported(
            f"the gradient of {blob} is sparse; a recurrent net adds up dense ones only: take the rows before it"
        )
    return str(gradient)


def _arriving(step: caffe2_pb2.NetDef, states: Iterable[str]) -> dict[str, str]:
    """The gradients that arrive at the states of a step from the next one.

    An output that the step reads itself, as the layer above does, gets a second gradient inside; the two are
    added up under the usual name, so the one that arrives has another.
    """
    read = {name for op in step.op for name in op.input}
    return {name: f"{name}_grad_from_next" if name in read else f"{name}_grad" for name in states}


def _backward_net(cell_net: Net, given: Mapping[str, str], recompute: set[str]) -> tuple[Net, dict[str, Any]]:
    """The net of one step backward, and the gradient in it of each blob that has one."""
    forward = cell_net.Proto()
    operators, gradients = GradientRegistry.GetBackwardPass(forward.op, given)
    back = Net("RecurrentBackwardStep")
    for op in forward.op:
        again = recompute & set(op.output)
        if again:
            if again != set(op.output):
                raise NotSupported(f"{op.type} also writes {sorted(set(op.output) - again)}; recompute all or none")
            back.Proto().op.extend([op])
    back.Proto().op.extend(operators)
    asked = get_undefined_blobs(get_ssa(back)[0])
    made = get_ssa(forward)[1]
    kept = [name for name, version in made.items() if version and name in asked and name not in forward.external_output]
    back.Proto().external_input.extend([*kept, *given.values(), *forward.external_input, *forward.external_output])
    _simple(back)
    return back, {str(name): gradient for name, gradient in gradients.items()}


def set_rnn_executor_config(
    rnn_op: caffe2_pb2.OperatorDef, num_threads: int | None = None, max_cuda_streams: int | None = None
) -> None:
    """Writes how many threads or streams the steps of a recurrent operator may use, in place.

    The steps are compiled here, so neither changes how fast they run.
    """
    if rnn_op.type not in ("RecurrentNetwork", "RecurrentNetworkGradient"):
        raise AssertionError(f"{rnn_op.type} is no recurrent network.")
    wanted = {"rnn_executor.num_threads": num_threads, "rnn_executor.max_cuda_streams": max_cuda_streams}
    for name, value in wanted.items():
        kept = [argument for argument in rnn_op.arg if argument.name != name]
        if value is not None:
            del rnn_op.arg[:]
            rnn_op.arg.extend([*kept, make_argument(name, value)])


def retrieve_step_blobs(net: Net, prefix: str = "rnn") -> list[Any]:
    """Copies the blobs of all steps of a net's recurrent networks to the workspace, after the net has run.

    Args:
        net: The net.
        prefix: What the names of the copies begin with: ``<prefix>_<blob>_<step>``.

    Returns:
        The names of the copies.
    """
    found: list[Any] = []
    for number, op in enumerate((op for op in net.Proto().op if op.type == "RecurrentNetwork"), 1):
        names = f"{prefix}_{number}"
        if not workspace.HasBlob(op.output[-1]) or not isinstance(workspace.FetchBlob(op.output[-1]), StepScopes):
            # Compiled steps leave no blobs; an operator that runs alone does.
            workspace.RunOperatorOnce(op)
        workspace.RunOperatorOnce(
            CreateOperator("RecurrentNetworkBlobFetcher", [BlobReference(op.output[-1])], [names], prefix=prefix)
        )
        found += workspace.FetchBlob(names).tolist()
    return found
