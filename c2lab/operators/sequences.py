"""Sequences: batches of them padded, packed, reversed, and positions encoded."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from c2lab.operators.checks import require, require_shape
from c2lab.operators.definition import host_operator, operator


@operator("ReversePackedSegs", outputs="Y", types={"lengths": "int32 int64"})
def reverse_packed_segs(data, lengths):
    """Turns each sequence of a padded batch around; the padding stays at the end.

    Inputs:
        data: Sequences (T, N, D).
        lengths: How long each is, (N,), int32 or int64.
    Outputs:
        Y: Same shape and type as data.
    Example:
        >>> run("ReversePackedSegs", data=[[[1.0]], [[2.0]], [[0.0]]], lengths=[2]).pop("Y").ravel()
        array([2., 1., 0.], dtype=float32)
    """
    require_shape(
        data.ndim == 3 and lengths.shape == (data.shape[1],),
        f"data is {data.shape} and lengths {lengths.shape}; with data (T, N, D) lengths must be (N,)",
    )
    require(lengths <= data.shape[0], f"a sequence is longer than the {data.shape[0]} steps of data", lengths)
    step = jnp.arange(data.shape[0])[:, None]
    length = lengths.astype(step.dtype)[None, :]
    source = jnp.where(step < length, length - 1 - step, step)
    return jnp.take_along_axis(data, source[:, :, None], axis=0)


@reverse_packed_segs.gradient_maker
def _(g):
    return [g.define("ReversePackedSegs", [g.GO(0), g.I(1)], [g.GI(0)])]


def _widths(padding_width: int, end_padding_width: int) -> tuple[int, int]:
    """Rows of padding before and after; as many after as before where that is not told."""
    return padding_width, padding_width if end_padding_width < 0 else end_padding_width


def _lengths(data, lengths):
    """The lengths, or one of all rows; checked to add up to the rows."""
    if lengths is None:
        return jnp.full((1,), data.shape[0], jnp.int32)
    require_shape(lengths.ndim == 1, f"lengths is {lengths.shape}; it must be (N,)")
    require(jnp.sum(lengths) == data.shape[0], f"lengths must add up to {data.shape[0]}, the rows of the data")
    return lengths


def _spread(row, mask, ndim: int):
    """A mask of rows, to stand beside data with ``ndim`` dimensions."""
    return mask.reshape(row.shape[:1] + (1,) * (ndim - 1))


def _places(row, ends, lengths):
    """For each row its sequence, and its place in it."""
    sequence = jnp.searchsorted(ends, row, side="right")
    sequence = jnp.minimum(sequence, ends.shape[0] - 1)
    return sequence, row - (ends - lengths)[sequence]


PADDED_TYPES = {"data_in": "float32 float64 int32 int64 bool", "lengths": "int32"}


@operator("AddPadding", outputs="data_out, lengths_out?", types=PADDED_TYPES)
def add_padding(
    data_in, lengths=None, start_padding=None, end_padding=None, *, padding_width: int = 1, end_padding_width: int = -1
):
    """Puts rows of padding before and after each sequence.

    Inputs:
        data_in: Sequences below each other, (rows, ...).
        lengths: How long each is, (N,), int32; one sequence of all rows where left out.
        start_padding: The row put before each, (...); zeros where left out.
        end_padding: The row put after each; the start's where left out.
    Args:
        padding_width: How many rows go before.
        end_padding_width: How many go after; as many as before where negative.
    Outputs:
        data_out: The padded sequences.
        lengths_out: Their lengths.
    Example:
        >>> run("AddPadding", outputs=2, data_in=[1.0, 2.0, 3.0], lengths=[2, 1], end_padding_width=0)
        data = [0. 1. 2. 0. 3.]
        lengths = [3 2]
    """
    before, after = _widths(padding_width, end_padding_width)
    lengths = _lengths(data_in, lengths)
    row_shape = data_in.shape[1:]
    for name, padding in (("start_padding", start_padding), ("end_padding", end_padding)):
        require_shape(
            padding is None or padding.shape == row_shape or padding.size == np.prod(row_shape),
            f"{name} is {getattr(padding, 'shape', None)}; it must be like a row of the data, {row_shape}",
        )
    long = lengths + (before + after)
    if lengths.shape[0] == 0:
        return data_in, long
    zero = jnp.zeros(row_shape, data_in.dtype)
    start = zero if start_padding is None else start_padding.reshape(row_shape)
    end = start if end_padding is None else end_padding.reshape(row_shape)
    row = jnp.arange(data_in.shape[0] + lengths.shape[0] * (before + after), dtype=jnp.int32)
    sequence, place = _places(row, jnp.cumsum(long, dtype=jnp.int32), long)
    source = (jnp.cumsum(lengths, dtype=jnp.int32) - lengths)[sequence] + place - before
    at_start, at_end = place < before, place >= long[sequence] - after
    if data_in.shape[0] == 0:
        kept = jnp.broadcast_to(zero, (*row.shape, *row_shape))
    else:
        kept = data_in[jnp.clip(source, 0, data_in.shape[0] - 1)]
    spread = [_spread(row, mask, data_in.ndim) for mask in (at_start, at_end)]
    return jnp.where(spread[0], start, jnp.where(spread[1], end, kept)), long


@add_padding.gradient_maker
def _(g):
    inputs = [g.GO(0), g.O(1)] if len(g.op.input) > 1 else [g.GO(0)]
    ops = [g.define("RemovePadding", inputs, [g.GI(0)])]
    if len(g.op.input) > 2:
        ops.append(g.define("GatherPadding", inputs, [g.GI(k) for k in range(2, len(g.op.input))]))
    return ops


@operator("RemovePadding", outputs="data_out, lengths_out?", types=PADDED_TYPES)
def remove_padding(data_in, lengths=None, *, padding_width: int = 1, end_padding_width: int = -1):
    """Takes rows of padding from the beginning and the end of each sequence.

    Inputs:
        data_in: Padded sequences below each other, (rows, ...).
        lengths: How long each is with its padding, (N,), int32; one sequence of all rows where left out.
    Args:
        padding_width: How many rows go at the beginning.
        end_padding_width: How many go at the end; as many as at the beginning where negative.
    Outputs:
        data_out: The sequences without padding.
        lengths_out: Their lengths.
    Example:
        >>> run("RemovePadding", outputs=2, data_in=[0.0, 1.0, 2.0, 0.0, 3.0], lengths=[3, 2], end_padding_width=0)
        data = [1. 2. 3.]
        lengths = [2 1]
    """
    before, after = _widths(padding_width, end_padding_width)
    lengths = _lengths(data_in, lengths)
    short = lengths - (before + after)
    require(short >= 0, f"a sequence is shorter than its padding of {before} and {after} rows", short)
    rows = data_in.shape[0] - lengths.shape[0] * (before + after)
    if lengths.shape[0] == 0 or rows <= 0:
        return data_in[:0], short
    row = jnp.arange(rows, dtype=jnp.int32)
    sequence, place = _places(row, jnp.cumsum(short, dtype=jnp.int32), short)
    return data_in[(jnp.cumsum(lengths, dtype=jnp.int32) - lengths)[sequence] + place + before], short


@remove_padding.gradient_maker
def _(g):
    inputs = [g.GO(0), g.O(1)] if len(g.op.input) > 1 else [g.GO(0)]
    return [g.define("AddPadding", inputs, [g.GI(0)])]


@operator("GatherPadding", outputs="padding_sum, end_padding_sum?", types=PADDED_TYPES)
def gather_padding(data_in, lengths=None, *, padding_width: int = 1, end_padding_width: int = -1, num_outputs: int):
    """Sums the rows of padding of all sequences: the gradient of ``AddPadding``'s paddings.

    Inputs:
        data_in: Padded sequences below each other, (rows, ...).
        lengths: How long each is with its padding, (N,), int32.
    Args:
        padding_width: How many rows of padding each begins with.
        end_padding_width: How many each ends with; as many where negative.
    Outputs:
        padding_sum: The sum of rows at the beginnings (and at the ends, where that has no output), (...).
        end_padding_sum: The sum of rows at the ends, (...).
    Example:
        >>> run("GatherPadding", data_in=[10.0, 1.0, 20.0, 30.0, 3.0, 40.0], lengths=[3, 3])
        padding_sum = 100.0
    """
    before, after = _widths(padding_width, end_padding_width)
    if before == 0 and after == 0:
        return (np.zeros((), np.int64),) * num_outputs
    lengths = _lengths(data_in, lengths)
    if data_in.shape[0] == 0 or lengths.shape[0] == 0:
        return (jnp.zeros(data_in.shape[1:], data_in.dtype),) * num_outputs
    row = jnp.arange(data_in.shape[0], dtype=jnp.int32)
    sequence, place = _places(row, jnp.cumsum(lengths, dtype=jnp.int32), lengths)
    sums = []
    for mask in (place < before, place >= lengths[sequence] - after):
        kept = jnp.where(_spread(row, mask, data_in.ndim), data_in, jnp.zeros((), data_in.dtype))
        sums.append(jnp.sum(kept, axis=0, dtype=data_in.dtype))
    return tuple(sums) if num_outputs == 2 else (sums[0] + sums[1],)


@host_operator("PadEmptySamples", outputs="out_lengths, *out_features")
def pad_empty_samples(lengths, *features):
    """Gives each sample without values one row of zeros.

    Inputs:
        lengths: How many values each sample has, (N,), int32.
        features: Values below each other, (sum of lengths, ...).
    Outputs:
        out_lengths: The lengths, at least 1.
        out_features: The values with the rows put in.
    Example:
        >>> run("PadEmptySamples", outputs=2, lengths=[1, 0], features=[np.float32([5])]).values()
        dict_values([array([1, 1], dtype=int32), array([5., 0.], dtype=float32)])
    """
    total = int(lengths.sum())
    padded = []
    for value in features:
        require_shape(value.shape[:1] == (total,), f"a feature is {value.shape}, but lengths add up to {total}")
        places = np.cumsum(lengths)[lengths == 0]
        fill = b"" if value.dtype == object else np.zeros((), value.dtype)
        padded.append(np.insert(value, places, fill, axis=0))
    return np.maximum(lengths, 1).astype(np.int32), *padded


PACKED_TYPES = {"values": "float32 float64 int32 int64 bool", "lengths": "int32 int64"}


@operator("PackRNNSequence", outputs="output", static="lengths", types=PACKED_TYPES)
def pack_rnn_sequence(values, lengths):
    """Sequences below each other become a padded batch, steps first.

    Inputs:
        values: Rows of all sequences, (sum of lengths, ...).
        lengths: How long each is, (N,), int32.
    Outputs:
        output: (longest, N, ...), filled up with zeros.
    Example:
        >>> run("PackRNNSequence", values=[1.0, 2.0, 3.0], lengths=[2, 1])
        output = [[1. 3.]
         [2. 0.]]
    """
    step, sequence = _steps_and_sequences(lengths)
    require_shape(values.shape[0] == step.size, f"values has {values.shape[0]} rows, but lengths add up to {step.size}")
    longest = int(lengths.max()) if lengths.size else 0
    packed = jnp.zeros((longest, lengths.size, *values.shape[1:]), values.dtype)
    return packed.at[step, sequence].set(values)


def _steps_and_sequences(lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each row of the sequences below each other its step and its sequence."""
    require(bool((lengths >= 0).all()), "a length is negative")
    sequence = np.repeat(np.arange(lengths.size), lengths)
    starts = np.cumsum(lengths) - lengths
    return np.arange(sequence.size) - np.repeat(starts, lengths), sequence


@pack_rnn_sequence.gradient_maker
def _(g):
    return [g.define("UnpackRNNSequence", [g.GO(0), g.I(1)], [g.GI(0)])]


@operator("UnpackRNNSequence", outputs="output", static="lengths", types=PACKED_TYPES)
def unpack_rnn_sequence(values, lengths):
    """A padded batch, steps first, becomes sequences below each other.

    Inputs:
        values: (longest, N, ...).
        lengths: How long each is, (N,), int32.
    Outputs:
        output: Rows of all sequences, (sum of lengths, ...).
    Example:
        >>> run("UnpackRNNSequence", values=[[1.0, 3.0], [2.0, 0.0]], lengths=[2, 1])
        output = [1. 2. 3.]
    """
    longest = int(lengths.max()) if lengths.size else 0
    require_shape(
        values.shape[:2] == (longest, lengths.size),
        f"values is {values.shape}; lengths ask for ({longest}, {lengths.size}, ...)",
    )
    return values[_steps_and_sequences(lengths)]


@unpack_rnn_sequence.gradient_maker
def _(g):
    return [g.define("PackRNNSequence", [g.GO(0), g.I(1)], [g.GI(0)])]


@operator("VariableLengthSequencePadding", outputs="Y", inplace="X -> Y", types={"lengths": "int32"})
def variable_length_sequence_padding(X, lengths):
    """Makes zero what stands behind the end of each sequence.

    Inputs:
        X: Sequences (T, N, D).
        lengths: How long each is, (N,), int32.
    Outputs:
        Y: Same shape and type as X.
    Example:
        >>> run("VariableLengthSequencePadding", X=[[[1.0]], [[2.0]]], lengths=[1]).pop("Y").ravel()
        array([1., 0.], dtype=float32)
    """
    require_shape(
        X.ndim == 3 and lengths.shape == (X.shape[1],),
        f"X is {X.shape} and lengths {lengths.shape}; with X (T, N, D) lengths must be (N,)",
    )
    inside = jnp.arange(X.shape[0], dtype=jnp.int32)[:, None] < lengths[None, :]
    return jnp.where(inside[:, :, None], X, jnp.zeros((), X.dtype))


@operator("SinusoidPositionEncoding", outputs="output", types={"positions": "int32 int64"})
def sinusoid_position_encoding(positions, *, embedding_size: int = 100, alpha: float = 10000.0, amplitude: float = 1.0):
    """Positions as waves of many lengths.

    ``Y[..., k] = amplitude * sin(p / alpha ** (k / embedding_size))`` for even k, the cosine for odd k

    Inputs:
        positions: Positions of any shape, int32 or int64.
    Args:
        embedding_size: How many waves.
        alpha: How much longer the longest wave is than the first.
        amplitude: The height of the waves.
    Outputs:
        output: float32, one dimension of ``embedding_size`` more than positions.
    Example:
        >>> run("SinusoidPositionEncoding", positions=[0, 1], embedding_size=2, alpha=1.0)
        output = [[0.         1.        ]
         [0.84147096 0.5403023 ]]
    Source:
        Vaswani et al., Attention is all you need, 2017.
    """
    k = np.arange(embedding_size)
    rate = jnp.asarray(np.power(float(alpha), -k / max(embedding_size, 1)), jnp.float32)
    angle = positions.astype(jnp.float32)[..., None] * rate
    return jnp.asarray(amplitude, jnp.float32) * jnp.where(k % 2 == 0, jnp.sin(angle), jnp.cos(angle))
