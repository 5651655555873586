"""Attention: which outputs of an encoder a decoder looks at, and what it sees there."""

from __future__ import annotations

from typing import Any, NamedTuple

from c2lab import brew

Parts = tuple[Any, Any, list[Any]]


class AttentionType:
    """The kinds of attention."""

    Regular, Recurrent, Dot, SoftCoverage = range(4)


def s(scope: Any, name: Any) -> str:
    """A name inside of a scope."""
    return f"{scope}/{name}"


class _Attention(NamedTuple):
    """What all kinds of attention have in common."""

    model: Any
    size: int
    encoder_outputs_transposed: Any
    scope: Any
    encoder_lengths: Any

    def named(self, name: str) -> str:
        return s(self.scope, name)

    def weighted(self, blob: Any, dim_in: int, name: str) -> Any:
        """A row for each sequence of the batch, of the encoder's size: (N, D)."""
        blob = brew.fc(self.model, blob, self.named(name), dim_in=dim_in, dim_out=self.size, axis=2)
        return self.model.net.Squeeze(blob, blob, dims=[0])

    def logits(self, matches: Any) -> Any:
        """Scores (N, T, 1) of sums (T, N, D)."""
        matches = self.model.net.Tanh(matches, matches)
        scores = brew.fc(
            self.model, matches, self.named("attention_logits"), dim_in=self.size, dim_out=1, axis=2, freeze_bias=True
        )
        return brew.transpose(self.model, scores, self.named("attention_logits_transposed"), axes=[1, 0, 2])

    def context(self, logits: Any) -> tuple[Any, Any]:
        """The weighted mean (1, N, D) of the encoder's outputs, and the weights (N, T, 1)."""
        net = self.model.net
        if self.encoder_lengths is not None:
            logits = net.SequenceMask(
                [logits, self.encoder_lengths], self.named("masked_attention_logits"), mode="sequence"
            )
        weights = brew.softmax(self.model, logits, self.named("attention_weights_3d"), axis=1)
        seen = brew.batch_mat_mul(
            self.model,
            [self.encoder_outputs_transposed, weights],
            self.named("attention_weighted_encoder_context"),
        )
        seen, _ = net.Reshape(
            seen, [seen, self.named("attention_weighted_encoder_context_old_shape")], shape=[1, -1, self.size]
        )
        return seen, weights


def apply_recurrent_attention(
    model: Any,
    encoder_output_dim: int,
    encoder_outputs_transposed: Any,
    weighted_encoder_outputs: Any,
    decoder_hidden_state_t: Any,
    decoder_hidden_state_dim: int,
    attention_weighted_encoder_context_t_prev: Any,
    scope: Any,
    encoder_lengths: Any = None,
) -> Parts:
    """Attention that also knows what was seen at the step before.

    The scores are ``v . tanh(weighted output + weighted state + weighted context before)``.

    Args:
        model: The model of one step.
        encoder_output_dim: Size of the encoder's outputs.
        encoder_outputs_transposed: The encoder's outputs, (N, D, T).
        weighted_encoder_outputs: The encoder's outputs through a layer, (T, N, D).
        decoder_hidden_state_t: The decoder's state, (1, N, H).
        decoder_hidden_state_dim: Its size.
        attention_weighted_encoder_context_t_prev: What was seen at the step before, (1, N, D).
        scope: What the names of all blobs begin with.
        encoder_lengths: How many outputs of the encoder count, (N,).

    Returns:
        What is seen, (1, N, D); the weights, (N, T, 1); and blobs that may be computed again.
    """
    parts = _Attention(model, encoder_output_dim, encoder_outputs_transposed, scope, encoder_lengths)
    before = parts.weighted(
        attention_weighted_encoder_context_t_prev, encoder_output_dim, "weighted_prev_attention_context"
    )
    state = parts.weighted(decoder_hidden_state_t, decoder_hidden_state_dim, "weighted_decoder_hidden_state")
    both = brew.sum(model, [before, state], parts.named("decoder_hidden_encoder_outputs_sum_tmp"))
    matches = model.net.Add(
        [weighted_encoder_outputs, both], parts.named("decoder_hidden_encoder_outputs_sum"), broadcast=1
    )
    return (*parts.context(parts.logits(matches)), [matches])


def apply_regular_attention(
    model: Any,
    encoder_output_dim: int,
    encoder_outputs_transposed: Any,
    weighted_encoder_outputs: Any,
    decoder_hidden_state_t: Any,
    decoder_hidden_state_dim: int,
    scope: Any,
    encoder_lengths: Any = None,
) -> Parts:
    """Attention with the scores ``v . tanh(weighted output + weighted state)``.

    Arguments and results are those of ``apply_recurrent_attention``.

    Source:
        Bahdanau, Cho and Bengio, Neural machine translation by jointly learning to align and translate, 2015.
    """
    parts = _Attention(model, encoder_output_dim, encoder_outputs_transposed, scope, encoder_lengths)
    state = parts.weighted(decoder_hidden_state_t, decoder_hidden_state_dim, "weighted_decoder_hidden_state")
    matches = model.net.Add(
        [weighted_encoder_outputs, state], parts.named("decoder_hidden_encoder_outputs_sum"), broadcast=1
    )
    return (*parts.context(parts.logits(matches)), [matches])


def apply_dot_attention(
    model: Any,
    encoder_output_dim: int,
    encoder_outputs_transposed: Any,
    decoder_hidden_state_t: Any,
    decoder_hidden_state_dim: int,
    scope: Any,
    encoder_lengths: Any = None,
) -> Parts:
    """Attention whose scores are the products of outputs and state, which is weighted where sizes differ.

    Arguments and results are those of ``apply_recurrent_attention``.
    """
    parts = _Attention(model, encoder_output_dim, encoder_outputs_transposed, scope, encoder_lengths)
    state = decoder_hidden_state_t
    if decoder_hidden_state_dim != encoder_output_dim:
        state = brew.fc(
            model,
            state,
            parts.named("weighted_decoder_hidden_state"),
            dim_in=decoder_hidden_state_dim,
            dim_out=encoder_output_dim,
            axis=2,
        )
    state = model.net.Squeeze(state, parts.named("squeezed_weighted_decoder_hidden_state"), dims=[0])
    state = model.net.ExpandDims(state, parts.named("expanded_weighted_decoder_hidden_state"), dims=[2])
    logits = model.net.BatchMatMul([encoder_outputs_transposed, state], parts.named("attention_logits"), trans_a=1)
    return (*parts.context(logits), [])


def apply_soft_coverage_attention(
    model: Any,
    encoder_output_dim: int,
    encoder_outputs_transposed: Any,
    weighted_encoder_outputs: Any,
    decoder_hidden_state_t: Any,
    decoder_hidden_state_dim: int,
    scope: Any,
    encoder_lengths: Any,
    coverage_t_prev: Any,
    coverage_weights: Any,
) -> tuple[Any, Any, list[Any], Any]:
    """Attention that knows how much each output was looked at before.

    The scores are ``v . tanh(weighted output + weighted state + coverage * coverage_weights)``; coverage is the
    sum of the weights of all steps before.

    Args:
        model: The model of one step.
        encoder_output_dim: Size of the encoder's outputs.
        encoder_outputs_transposed: The encoder's outputs, (N, D, T).
        weighted_encoder_outputs: The encoder's outputs through a layer, (T, N, D).
        decoder_hidden_state_t: The decoder's state, (1, N, H).
        decoder_hidden_state_dim: Its size.
        scope: What the names of all blobs begin with.
        encoder_lengths: How many outputs of the encoder count, (N,), or None.
        coverage_t_prev: Coverage before the step, (1, N, T).
        coverage_weights: What coverage is multiplied by, (D,).

    Returns:
        What is seen, (1, N, D); the weights, (N, T, 1); blobs that may be computed again; and coverage after.

    Source:
        Tu et al., Modeling coverage for neural machine translation, 2016.
    """
    parts = _Attention(model, encoder_output_dim, encoder_outputs_transposed, scope, encoder_lengths)
    net, named = model.net, parts.named
    state = parts.weighted(decoder_hidden_state_t, decoder_hidden_state_dim, "weighted_decoder_hidden_state")
    both = net.Add([weighted_encoder_outputs, state], named("decoder_hidden_encoder_outputs_sum_tmp"), broadcast=1)
    coverage = brew.transpose(model, coverage_t_prev, named("coverage_t_prev_transposed"), axes=[2, 1, 0])
    coverage = net.Tile(coverage, named("tiled_coverage"), tiles=encoder_output_dim, axis=2)
    coverage = net.Mul([coverage, coverage_weights], named("scaled_coverage"), broadcast=1)
    matches = net.Add([both, coverage], named("decoder_hidden_encoder_outputs_sum"))
    seen, weights = parts.context(parts.logits(matches))
    looked_at = brew.transpose(model, weights, named("attention_weights_transposed"), axes=[2, 0, 1])
    return seen, weights, [matches], net.Add([coverage_t_prev, looked_at], named("coverage_t"))
