"""Recurrent units: one step of a recurrent cell, after the matrix products."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from c2lab.operators.checks import require_shape
from c2lab.operators.definition import operator


def _goes_on(seq_lengths, timestep, sequence_lengths: bool):
    """Where a sequence has not ended at this step, (1, N, 1); ``None`` where no lengths are given."""
    if not sequence_lengths or timestep is None:
        return None
    return (timestep.reshape(()) < seq_lengths.reshape(-1))[None, :, None]


def _after_the_end(going, value, held, drop_states: bool):
    """``value``, but for sequences that ended what they held, or zero."""
    if going is None:
        return value
    return jnp.where(going, value, jnp.zeros_like(held) if drop_states else held)


def _blocks(gates, hidden, count: int):
    require_shape(
        gates.ndim == 3 and hidden.ndim == 3 and gates.shape[2] == count * hidden.shape[2],
        f"gates is {gates.shape} and hidden_prev {hidden.shape}; with hidden_prev (1, N, D) gates must be "
        f"(1, N, {count} * D)",
    )
    return jnp.split(gates, count, axis=2)


@operator(
    "LSTMUnit",
    outputs="hidden, cell",
    types={"hidden_prev": "float32", "cell_prev": "float32", "gates": "float32", "seq_lengths": "int32"},
)
def lstm_unit(
    hidden_prev,
    cell_prev,
    gates,
    seq_lengths,
    timestep=None,
    *,
    forget_bias: float = 0.0,
    sequence_lengths: bool = True,
    drop_states: bool = False,
):
    """One step of a long short-term memory.

    ``cell = sigmoid(f + forget_bias) * cell_prev + sigmoid(i) * tanh(g)``, ``hidden = sigmoid(o) * tanh(cell)``

    The blocks of ``gates`` stand in the order i, f, o, g.

    Inputs:
        hidden_prev: Hidden states before, (1, N, D).
        cell_prev: Cell states before, (1, N, D).
        gates: What goes into the gates, (1, N, 4 * D).
        seq_lengths: Lengths of the sequences (N,), int32; without ``sequence_lengths`` the step stands here.
        timestep: The number of the step, one int32.
    Args:
        forget_bias: Added to the forget gate's input.
        sequence_lengths: Whether lengths are given.
        drop_states: A sequence that ended has states of zero; otherwise it keeps its last ones.
    Outputs:
        hidden: Hidden states after the step, (1, N, D).
        cell: Cell states after the step, (1, N, D).
    Example:
        >>> run("LSTMUnit", hidden_prev=[[[0.0]]], cell_prev=[[[2.0]]], gates=[[[0.0, 100.0, 100.0, 0.0]]],
        ...     seq_lengths=[1], timestep=[0])
        hidden = [[[0.9640276]]]
        cell = [[[2.]]]
    Source:
        Hochreiter and Schmidhuber, Long short-term memory, 1997.
    """
    going = _goes_on(seq_lengths, timestep, sequence_lengths)
    i, f, o, g = _blocks(gates, hidden_prev, 4)
    bias = jnp.asarray(forget_bias, gates.dtype)
    cell = jax.nn.sigmoid(f + bias) * cell_prev + jax.nn.sigmoid(i) * jnp.tanh(g)
    hidden = jax.nn.sigmoid(o) * jnp.tanh(cell)
    return (
        _after_the_end(going, hidden, hidden_prev, drop_states),
        _after_the_end(going, cell, cell_prev, drop_states),
    )


@lstm_unit.gradient(
    "hidden_prev, cell_prev, gates, seq_lengths, timestep, hidden, cell, dhidden, dcell"
    " -> dhidden_prev, dcell_prev, dgates"
)
def _(
    hidden_prev,
    cell_prev,
    gates,
    seq_lengths,
    timestep,
    hidden,
    cell,
    dhidden,
    dcell,
    *,
    forget_bias: float = 0.0,
    sequence_lengths: bool = True,
    drop_states: bool = False,
):
    """Back through the gates; a sequence that ended passes the gradient on to the step before."""
    going = _goes_on(seq_lengths, timestep, sequence_lengths)
    i, f, o, g = _blocks(gates, hidden_prev, 4)
    i, o = jax.nn.sigmoid(i), jax.nn.sigmoid(o)
    f = jax.nn.sigmoid(f + jnp.asarray(forget_bias, gates.dtype))
    g, out = jnp.tanh(g), jnp.tanh(cell)
    through = dcell + dhidden * o * (1 - out * out)
    dgates = jnp.concatenate(
        [
            through * g * i * (1 - i),
            through * cell_prev * f * (1 - f),
            dhidden * out * o * (1 - o),
            through * i * (1 - g * g),
        ],
        axis=2,
    )
    return (
        _after_the_end(going, jnp.zeros_like(dhidden), dhidden, drop_states),
        _after_the_end(going, through * f, dcell, drop_states),
        dgates if going is None else jnp.where(going, dgates, jnp.zeros_like(dgates)),
    )


@operator(
    "GRUUnit",
    outputs="hidden",
    types={"hidden_prev": "float32", "gates": "float32", "seq_lengths": "int32"},
)
def gru_unit(
    hidden_prev, gates, seq_lengths, timestep=None, *, drop_states: bool = False, sequence_lengths: bool = True
):
    """The last part of a step of a gated recurrent unit.

    ``hidden = z * hidden_prev + (1 - z) * tanh(output)`` with ``z = sigmoid(update)``

    The blocks of ``gates`` stand in the order reset, update, output; the reset gate did its work before.

    Inputs:
        hidden_prev: Hidden states before, (1, N, D).
        gates: What goes into the gates, (1, N, 3 * D).
        seq_lengths: Lengths of the sequences (N,), int32; without ``sequence_lengths`` the step stands here.
        timestep: The number of the step, one int32.
    Args:
        drop_states: A sequence that ended has states of zero; otherwise it keeps its last ones.
        sequence_lengths: Whether lengths are given.
    Outputs:
        hidden: Hidden states after the step, (1, N, D).
    Example:
        >>> run("GRUUnit", hidden_prev=[[[2.0]]], gates=[[[0.0, 0.0, 0.0]]], seq_lengths=[1], timestep=[0])
        hidden = [[[1.]]]
    Source:
        Cho et al., Learning phrase representations using RNN encoder-decoder, 2014.
    """
    going = _goes_on(seq_lengths, timestep, sequence_lengths)
    _, update, output = _blocks(gates, hidden_prev, 3)
    z = jax.nn.sigmoid(update)
    hidden = z * hidden_prev + (1 - z) * jnp.tanh(output)
    return _after_the_end(going, hidden, hidden_prev, drop_states)


@gru_unit.gradient("hidden_prev, gates, seq_lengths, timestep, hidden, dhidden -> dhidden_prev, dgates")
def _(
    hidden_prev,
    gates,
    seq_lengths,
    timestep,
    hidden,
    dhidden,
    *,
    drop_states: bool = False,
    sequence_lengths: bool = True,
):
    """Back through the update gate and the candidate; nothing goes to the reset gate."""
    going = _goes_on(seq_lengths, timestep, sequence_lengths)
    _, update, output = _blocks(gates, hidden_prev, 3)
    z, candidate = jax.nn.sigmoid(update), jnp.tanh(output)
    dgates = jnp.concatenate(
        [
            jnp.zeros_like(z),
            dhidden * (hidden_prev - candidate) * z * (1 - z),
            dhidden * (1 - z) * (1 - candidate * candidate),
        ],
        axis=2,
    )
    return (
        _after_the_end(going, dhidden * z, dhidden, drop_states),
        dgates if going is None else jnp.where(going, dgates, jnp.zeros_like(dgates)),
    )


@operator("InferenceLSTM", outputs="output, hidden, cell", gradient="none")
def inference_lstm(
    X,
    hidden_0,
    cell_0,
    *parameters,
    num_layers: int = 1,
    has_biases: bool = True,
    batch_first: bool = False,
    bidirectional: bool = False,
):
    """Whole long short-term memories, several layers and both directions, to run a trained one.

    The gates stand in the order input, forget, candidate, output.

    Inputs:
        X: Sequences (T, N, C), or (N, T, C) with ``batch_first``.
        hidden_0: First hidden states, (layers * directions, N, D).
        cell_0: First cell states, (layers * directions, N, D).
        parameters: For each layer and direction weights of the input (4 * D, C), of the state (4 * D, D)
            and, where there are biases, the biases of both (4 * D,).
    Args:
        num_layers: The number of layers.
        has_biases: Whether there are biases.
        batch_first: X and the output have the batch in front.
        bidirectional: Each layer also runs from the end to the beginning.
    Outputs:
        output: Hidden states of the last layer at each step, (T, N, directions * D).
        hidden: Last hidden states, like hidden_0.
        cell: Last cell states, like cell_0.
    Example:
        >>> w = np.zeros((4, 1), np.float32)
        >>> run("InferenceLSTM", X=[[[1.0]]], hidden_0=[[[0.0]]], cell_0=[[[2.0]]], parameters=[w, w],
        ...     has_biases=False)
        output = [[[0.3807971]]]
        hidden = [[[0.3807971]]]
        cell = [[[1.]]]
    """
    directions = 2 if bidirectional else 1
    each = 4 if has_biases else 2
    require_shape(
        len(parameters) == num_layers * directions * each,
        f"{len(parameters)} parameters; {num_layers} layers in {directions} directions take "
        f"{num_layers * directions * each}, {each} for each",
    )
    values = jnp.swapaxes(X, 0, 1) if batch_first else X
    last_hidden, last_cell = [], []
    for layer in range(num_layers):
        parts = []
        for direction in range(directions):
            place = layer * directions + direction
            w_x, w_h, *biases = parameters[each * place : each * (place + 1)]
            fed = values @ w_x.T + sum(biases, jnp.zeros((), values.dtype))

            def step(state, row, w_h=w_h):
                hidden, cell = state
                i, f, g, o = jnp.split(row + hidden @ w_h.T, 4, axis=-1)
                cell = jax.nn.sigmoid(f) * cell + jax.nn.sigmoid(i) * jnp.tanh(g)
                hidden = jax.nn.sigmoid(o) * jnp.tanh(cell)
                return (hidden, cell), hidden

            (hidden, cell), states = jax.lax.scan(step, (hidden_0[place], cell_0[place]), fed, reverse=direction == 1)
            parts.append(states)
            last_hidden.append(hidden)
            last_cell.append(cell)
        values = jnp.concatenate(parts, axis=-1)
    return jnp.swapaxes(values, 0, 1) if batch_first else values, jnp.stack(last_hidden), jnp.stack(last_cell)
