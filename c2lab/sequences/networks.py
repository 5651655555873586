"""Whole recurrent networks in one call: ``LSTM``, ``BasicRNN``, ``MILSTM``, ``LayerNormLSTM`` and kin."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from c2lab import workspace
from c2lab.errors import NotSupported
from c2lab.sequences.cells import BasicRNNCell
from c2lab.sequences.lstm_cells import LayerNormLSTMCell, LayerNormMILSTMCell, LSTMCell, MILSTMCell
from c2lab.sequences.stacked_cells import MultiRNNCell, UnrolledCell


def network(
    cell_class: Any,
    model: Any,
    input_blob: Any,
    seq_lengths: Any,
    initial_states: Sequence[Any] | None,
    dim_in: int,
    dim_out: int | Sequence[int],
    scope: str | None = None,
    outputs_with_grads: Sequence[int] = (0,),
    return_params: bool = False,
    memory_optimization: bool = False,
    forget_bias: float = 0.0,
    forward_only: bool = False,
    drop_states: bool = False,
    return_last_layer_only: bool = True,
    static_rnn_unroll_size: int | None = None,
    **cell_kwargs: Any,
) -> tuple[Any, ...]:
    """Adds a recurrent network of one or more layers of a kind of cell.

    Args:
        cell_class: The kind of cell.
        model: The model.
        input_blob: The sequence (T, N, dim_in).
        seq_lengths: How long each sequence of the batch is, int32 (N,); all T for None.
        initial_states: First states of all layers.
        dim_in: Size of an input.
        dim_out: Size of the states; a list of them for so many layers.
        scope: What the names of all blobs begin with.
        outputs_with_grads: The results of the last layer whose gradients flow back.
        return_params: Whether the names of the parameters come last.
        memory_optimization: Whether gates are computed again on the way back instead of kept.
        forget_bias: Added to the forget gate.
        forward_only: Whether there is no way back.
        drop_states: Whether a sequence that has ended has states of zero; otherwise it keeps its last ones.
        return_last_layer_only: Whether the results of the layers below are left out.
        static_rnn_unroll_size: The number of steps, where they are to be written out one by one.
        cell_kwargs: Other arguments of the kind of cell.

    Returns:
        For each state all its values and the last one: for a long short-term memory
        ``hidden_all, hidden_last, cell_all, cell_last``.
    """
    sizes = list(dim_out) if isinstance(dim_out, list | tuple) else [dim_out]
    cells = [
        cell_class(
            input_size=below,
            hidden_size=size,
            forget_bias=forget_bias,
            memory_optimization=memory_optimization,
            name=scope if len(sizes) == 1 else None,
            forward_only=forward_only,
            drop_states=drop_states,
            **cell_kwargs,
        )
        for below, size in zip([dim_in, *sizes], sizes, strict=False)
    ]
    cell = cells[0] if len(cells) == 1 else MultiRNNCell(cells, name=scope, forward_only=forward_only)
    last_layer = 2 * sum(len(below.get_state_names()) for below in cells[:-1])
    if static_rnn_unroll_size is not None:
        cell = UnrolledCell(cell, static_rnn_unroll_size)
    _, results = cell.apply_over_sequence(
        model=model,
        inputs=input_blob,
        seq_lengths=seq_lengths,
        initial_states=initial_states,
        outputs_with_grads=[last_layer + k for k in outputs_with_grads],
    )
    given: list[Any] = list(results[last_layer:] if return_last_layer_only else results)
    if return_params:
        given.append({"input": cell.get_input_params(), "recurrent": cell.get_recurrent_params()})
    return tuple(given)


BasicRNN = functools.partial(network, BasicRNNCell)
LSTM = functools.partial(network, LSTMCell)
LayerNormLSTM = functools.partial(network, LayerNormLSTMCell)
MILSTM = functools.partial(network, MILSTMCell)
LayerNormMILSTM = functools.partial(network, LayerNormMILSTMCell)


def GetLSTMParamNames() -> dict[str, list[str]]:
    """The names under which a long short-term memory's parameters are given, gate by gate, in their order."""
    gates = ("input_gate", "forget_gate", "output_gate", "cell")
    return {"weights": [f"{gate}_w" for gate in gates], "biases": [f"{gate}_b" for gate in gates]}


def InitFromLSTMParams(
    lstm_pblobs: Mapping[str, Mapping[str, Any]], param_values: Mapping[str, Mapping[str, Any]]
) -> None:
    """Feeds the parameters of a long short-term memory from values given gate by gate.

    Args:
        lstm_pblobs: The names of the parameters, as ``LSTM(..., return_params=True)`` gives them last.
        param_values: For ``"input"`` and ``"recurrent"`` the values by the names of ``GetLSTMParamNames``.
    """
    for part, values in param_values.items():
        for kind, names in GetLSTMParamNames().items():
            blob = lstm_pblobs[part][kind]
            joined = np.concatenate([np.asarray(values[name]).ravel() for name in names])
            shape = workspace.FetchBlob(blob).shape
            workspace.FeedBlob(blob, joined.reshape(shape).astype(np.float32))


def cudnn_LSTM(
    model: Any,
    input_blob: Any,
    initial_states: Any,
    dim_in: int,
    dim_out: int,
    scope: str,
    recurrent_params: Any = None,
    input_params: Any = None,
    num_layers: int = 1,
    return_params: bool = False,
) -> Any:
    """Not to be had: the operator it adds exists only inside of one maker's library.

    Raises:
        NotSupported: Always.
    """
    raise NotSupported(
        "cudnn_LSTM adds the operator Recurrent, which only runs in cuDNN; LSTM computes the same and is compiled "
        f"for any device: LSTM(model, input_blob, None, initial_states, {dim_in}, "
        f"{dim_out if num_layers == 1 else [dim_out] * num_layers}, scope={scope!r})"
    )
