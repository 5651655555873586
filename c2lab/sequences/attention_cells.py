"""Decoders with attention: cells that look at the outputs of an encoder at each step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from c2lab import brew
from c2lab.errors import BadArgument
from c2lab.nets.scopes import NameScope
from c2lab.parameters.initializers import ExternalInitializer, Initializer
from c2lab.sequences.attention import (
    AttentionType,
    apply_dot_attention,
    apply_recurrent_attention,
    apply_regular_attention,
    apply_soft_coverage_attention,
)
from c2lab.sequences.cells import RNNCell
from c2lab.sequences.lstm_cells import LSTMCell, MILSTMCell


class AttentionCell(RNNCell):
    """A decoder's cell that also takes what was seen of an encoder at the step before.

    Its output is the decoder's state and what is seen at this step, side by side.

    Args:
        encoder_output_dim: Size of the encoder's outputs.
        encoder_outputs: The encoder's outputs, (T, N, D).
        encoder_lengths: How many of them count, (N,), or None.
        decoder_cell: The cell.
        decoder_state_dim: Size of its state.
        attention_type: One of ``AttentionType``.
        weighted_encoder_outputs: The encoder's outputs through a layer, (T, N, D); made here for None.
        attention_memory_optimization: Whether the sums are computed again on the way back instead of kept.
    """

    def __init__(
        self,
        encoder_output_dim: int,
        encoder_outputs: Any,
        encoder_lengths: Any,
        decoder_cell: RNNCell,
        decoder_state_dim: int,
        attention_type: int,
        weighted_encoder_outputs: Any,
        attention_memory_optimization: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        kinds = (AttentionType.Regular, AttentionType.Recurrent, AttentionType.Dot, AttentionType.SoftCoverage)
        if attention_type not in kinds:
            raise BadArgument(f"attention_type is {attention_type}; it must be one of AttentionType, 0 to 3")
        self.encoder_output_dim = encoder_output_dim
        self.encoder_outputs = encoder_outputs
        self.encoder_lengths = encoder_lengths
        self.decoder_cell = decoder_cell
        self.decoder_state_dim = decoder_state_dim
        self.attention_type = attention_type
        self.weighted_encoder_outputs = weighted_encoder_outputs
        self.attention_memory_optimization = attention_memory_optimization
        self.encoder_outputs_transposed: Any = None
        self.coverage_weights: Any = None
        self.attention_weights_3d: Any = None
        self.hidden_t_intermediate: Any = None

    @property
    def _covers(self) -> bool:
        return self.attention_type == AttentionType.SoftCoverage

    @property
    def _own_states(self) -> int:
        return 2 if self._covers else 1

    def apply_override(self, model, input_t, seq_lengths, states, timestep, extra_inputs=None):
        """The decoder's step, then what it sees."""
        if extra_inputs:
            raise BadArgument("a cell with attention takes no extra inputs")
        decoder_states, own = states[: -self._own_states], states[-self._own_states :]
        after = self.decoder_cell._apply(
            model, input_t, seq_lengths, decoder_states, timestep, [(own[0], self.encoder_output_dim)]
        )
        self.hidden_t_intermediate = self.decoder_cell._prepare_output(model, after)
        seen, self.attention_weights_3d, sums, *coverage = self._attend(model, own)
        self.recompute_blobs = list(self.decoder_cell.recompute_blobs)
        if self.attention_memory_optimization:
            self.recompute_blobs += sums
        result = [*after, seen, *coverage]
        place = self.get_output_state_index()
        result[place] = model.net.Copy(result[place], self.scope("hidden_t_external"))
        model.net.AddExternalOutputs(*result)
        return result

    def _attend(self, model: Any, own: Sequence[Any]) -> Any:
        common = {
            "model": model,
            "encoder_output_dim": self.encoder_output_dim,
            "encoder_outputs_transposed": self.encoder_outputs_transposed,
            "decoder_hidden_state_t": self.hidden_t_intermediate,
            "decoder_hidden_state_dim": self.decoder_state_dim,
            "scope": self.name,
            "encoder_lengths": self.encoder_lengths,
        }
        weighted = self.weighted_encoder_outputs
        if self.attention_type == AttentionType.Dot:
            return apply_dot_attention(**common)
        if self.attention_type == AttentionType.Regular:
            return apply_regular_attention(**common, weighted_encoder_outputs=weighted)
        if self.attention_type == AttentionType.Recurrent:
            return apply_recurrent_attention(
                **common, weighted_encoder_outputs=weighted, attention_weighted_encoder_context_t_prev=own[0]
            )
        return apply_soft_coverage_attention(
            **common,
            weighted_encoder_outputs=weighted,
            coverage_t_prev=own[1],
            coverage_weights=self.coverage_weights,
        )

    def get_attention_weights(self) -> Any:
        """The weights of a step, (N, T, 1)."""
        return self.attention_weights_3d

    def prepare_input(self, model, input_blob):
        """What of the encoder's outputs can be computed before the first step, and as the decoder's cell does."""
        size = self.encoder_output_dim
        if self.encoder_outputs_transposed is None:
            self.encoder_outputs_transposed = brew.transpose(
                model, self.encoder_outputs, self.scope("encoder_outputs_transposed"), axes=[1, 2, 0]
            )
        if self.weighted_encoder_outputs is None and self.attention_type != AttentionType.Dot:
            self.weighted_encoder_outputs = brew.fc(
                model, self.encoder_outputs, self.scope("weighted_encoder_outputs"), dim_in=size, dim_out=size, axis=2
            )
        if self._covers and self.coverage_weights is None:
            self.coverage_weights = model.create_param(
                self.scope("coverage_weights"),
                shape=[size],
                initializer=Initializer("ConstantFill", value=0.0) if model.init_params else ExternalInitializer(),
            )
        return self.decoder_cell.prepare_input(model, input_blob)

    def build_initial_coverage(self, model: Any) -> Any:
        """Coverage before the first step: zeros, (1, N, T)."""
        if not self._covers:
            raise BadArgument("only attention with soft coverage has a coverage")
        first_of_each = model.net.Slice(
            self.encoder_outputs, self.scope("encoder_outputs_first"), starts=[0, 0, 0], ends=[-1, -1, 1]
        )
        rows = brew.transpose(model, first_of_each, self.scope("encoder_outputs_rows"), axes=[2, 1, 0])
        return model.net.ConstantFill(rows, self.scope("initial_coverage"), value=0.0)

    def get_state_names(self):
        """The decoder's, its output as ``hidden_t_external``; then what is seen, and the coverage if there is one."""
        names = list(self.decoder_cell.get_state_names())
        names[self.get_output_state_index()] = self.scope("hidden_t_external")
        names.append(self.scope("attention_weighted_encoder_context_t"))
        return [*names, self.scope("coverage_t")] if self._covers else names

    def get_output_dim(self) -> int:
        """The decoder's state and what is seen."""
        return self.decoder_state_dim + self.encoder_output_dim

    def get_output_state_index(self):
        """As the decoder's cell says."""
        return self.decoder_cell.get_output_state_index()

    def _prepare_output(self, model, states):
        seen = states[-self._own_states]
        return self._combined(model, self.hidden_t_intermediate, seen)

    def _prepare_output_sequence(self, model, state_outputs):
        own = 2 * self._own_states
        output = self.decoder_cell._prepare_output_sequence(model, state_outputs[:-own])
        return self._combined(model, output, state_outputs[-own])

    def _combined(self, model: Any, output: Any, seen: Any) -> Any:
        with NameScope(self.name or ""):
            return brew.concat(model, [output, seen], "states_and_context_combination", axis=2)


class _WithAttention(AttentionCell):
    """A cell of one class as decoder, made here."""

    cell_class: type[LSTMCell] = LSTMCell

    def __init__(
        self,
        encoder_output_dim: int,
        encoder_outputs: Any,
        encoder_lengths: Any,
        decoder_input_dim: int,
        decoder_state_dim: int,
        name: str | None,
        attention_type: int,
        weighted_encoder_outputs: Any,
        forget_bias: float,
        lstm_memory_optimization: bool,
        attention_memory_optimization: bool,
        forward_only: bool = False,
    ) -> None:
        decoder = self.cell_class(
            input_size=decoder_input_dim,
            hidden_size=decoder_state_dim,
            forget_bias=forget_bias,
            memory_optimization=lstm_memory_optimization,
            name=f"{name}/decoder" if name else "decoder",
            forward_only=False,
            drop_states=False,
        )
        super().__init__(
            encoder_output_dim=encoder_output_dim,
            encoder_outputs=encoder_outputs,
            encoder_lengths=encoder_lengths,
            decoder_cell=decoder,
            decoder_state_dim=decoder_state_dim,
            name=name,
            attention_type=attention_type,
            weighted_encoder_outputs=weighted_encoder_outputs,
            attention_memory_optimization=attention_memory_optimization,
            forward_only=forward_only,
        )


class LSTMWithAttentionCell(_WithAttention):
    """A decoder that is a long short-term memory; its arguments are those of the two cells it is made of."""


class MILSTMWithAttentionCell(_WithAttention):
    """A decoder that is a long short-term memory with multiplied inputs; no lengths of the encoder."""

    cell_class = MILSTMCell

    def __init__(
        self,
        encoder_output_dim: int,
        encoder_outputs: Any,
        decoder_input_dim: int,
        decoder_state_dim: int,
        name: str | None,
        attention_type: int,
        weighted_encoder_outputs: Any,
        forget_bias: float,
        lstm_memory_optimization: bool,
        attention_memory_optimization: bool,
        forward_only: bool = False,
    ) -> None:
        super().__init__(
            encoder_output_dim, encoder_outputs, None, decoder_input_dim, decoder_state_dim, name, attention_type,
            weighted_encoder_outputs, forget_bias, lstm_memory_optimization, attention_memory_optimization,
            forward_only,
        )  # fmt: skip


def LSTMWithAttention(
    model: Any,
    decoder_inputs: Any,
    decoder_input_lengths: Any,
    initial_decoder_hidden_state: Any,
    initial_decoder_cell_state: Any,
    initial_attention_weighted_encoder_context: Any,
    encoder_output_dim: int,
    encoder_outputs: Any,
    encoder_lengths: Any,
    decoder_input_dim: int,
    decoder_state_dim: int,
    scope: str | None,
    attention_type: int = AttentionType.Regular,
    outputs_with_grads: Sequence[int] = (0, 4),
    weighted_encoder_outputs: Any = None,
    lstm_memory_optimization: bool = False,
    attention_memory_optimization: bool = False,
    forget_bias: float = 0.0,
    forward_only: bool = False,
) -> tuple[Any, ...]:
    """Adds a decoder with attention over a whole sequence.

    Args:
        model: The model.
        decoder_inputs: The decoder's inputs, (T', N, decoder_input_dim).
        decoder_input_lengths: How many of them count, (N,), or None.
        initial_decoder_hidden_state: First hidden state.
        initial_decoder_cell_state: First cell state.
        initial_attention_weighted_encoder_context: What was seen before the first step.
        encoder_output_dim: Size of the encoder's outputs.
        encoder_outputs: The encoder's outputs, (T, N, encoder_output_dim).
        encoder_lengths: How many of them count, (N,), or None.
        decoder_input_dim: Size of an input.
        decoder_state_dim: Size of the states.
        scope: What the names of all blobs begin with.
        attention_type: One of ``AttentionType``.
        outputs_with_grads: The results whose gradients flow back.
        weighted_encoder_outputs: The encoder's outputs through a layer; made here for None.
        lstm_memory_optimization: Whether the gates are computed again on the way back.
        attention_memory_optimization: Whether the sums of attention are.
        forget_bias: Added to the forget gate.
        forward_only: Whether there is no way back.

    Returns:
        All values and the last one of the hidden state, the cell state, what is seen, and the coverage if any.
    """
    cell = LSTMWithAttentionCell(
        encoder_output_dim=encoder_output_dim,
        encoder_outputs=encoder_outputs,
        encoder_lengths=encoder_lengths,
        decoder_input_dim=decoder_input_dim,
        decoder_state_dim=decoder_state_dim,
        name=scope,
        attention_type=attention_type,
        weighted_encoder_outputs=weighted_encoder_outputs,
        forget_bias=forget_bias,
        lstm_memory_optimization=lstm_memory_optimization,
        attention_memory_optimization=attention_memory_optimization,
        forward_only=forward_only,
    )
    first = [initial_decoder_hidden_state, initial_decoder_cell_state, initial_attention_weighted_encoder_context]
    if attention_type == AttentionType.SoftCoverage:
        first.append(cell.build_initial_coverage(model))
    _, results = cell.apply_over_sequence(
        model=model,
        inputs=decoder_inputs,
        seq_lengths=decoder_input_lengths,
        initial_states=first,
        outputs_with_grads=outputs_with_grads,
    )
    return results
