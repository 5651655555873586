"""Long short-term memories: plain, with normalized gates, and with multiplied inputs."""

from __future__ import annotations

from typing import Any

from c2lab import brew
from c2lab.parameters.initializers import ExternalInitializer, Initializer
from c2lab.sequences.cells import RNNCell


class LSTMInitializer:
    """First states that are learned, zeros at first.

    Args:
        hidden_size: Size of each state.
    """

    def __init__(self, hidden_size: int) -> None:
        self.hidden_size = hidden_size

    def create_states(self, model: Any) -> list[Any]:
        """The parameters ``initial_hidden_state`` and ``initial_cell_state``."""
        return [
            model.create_param(
                f"initial_{name}_state", initializer=Initializer("ConstantFill", value=0.0), shape=[self.hidden_size]
            )
            for name in ("hidden", "cell")
        ]


class LSTMCell(RNNCell):
    """A long short-term memory; its gates stand in the order input, forget, output, candidate.

    The parameters are ``i2h_w`` and ``i2h_b`` of the input, ``gates_t_w`` and ``gates_t_b`` of the state.

    Args:
        input_size: Size of an input.
        hidden_size: Size of the states.
        forget_bias: Added to the forget gate.
        memory_optimization: Whether the gates are computed again on the way back instead of kept.
        drop_states: Whether a sequence that has ended has states of zero; otherwise it keeps its last ones.
        initializer: What makes the first states; learned ones where left out.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        forget_bias: float,
        memory_optimization: bool,
        drop_states: bool = False,
        initializer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(initializer=initializer or LSTMInitializer(hidden_size), **kwargs)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.forget_bias = float(forget_bias)
        self.memory_optimization = memory_optimization
        self.drop_states = drop_states
        self.gates_size = 4 * hidden_size

    def apply_override(self, model, input_t, seq_lengths, states, timestep, extra_inputs=None):
        """The gates, and what they make of the states."""
        hidden, cell = states
        fed, size = hidden, self.hidden_size
        if extra_inputs:
            blobs, sizes = zip(*extra_inputs, strict=True)
            fed = brew.concat(model, [hidden, *blobs], self.scope("gates_concatenated_input_t"), axis=2)
            size += sum(sizes)
        gates = self._gates(model, fed, size, input_t)
        lengths = [seq_lengths] if seq_lengths is not None else []
        hidden_t, cell_t = model.net.LSTMUnit(
            [hidden, cell, gates, *lengths, timestep],
            list(self.get_state_names()),
            forget_bias=self.forget_bias,
            drop_states=self.drop_states,
            sequence_lengths=seq_lengths is not None,
        )
        model.net.AddExternalOutputs(hidden_t, cell_t)
        return hidden_t, cell_t

    def _gates(self, model: Any, fed: Any, size: int, input_t: Any) -> Any:
        gates = brew.fc(model, fed, self.scope("gates_t"), dim_in=size, dim_out=self.gates_size, axis=2)
        brew.sum(model, [gates, input_t], gates)
        self._recompute(gates)
        return gates

    def _recompute(self, gates: Any) -> None:
        if self.memory_optimization:
            self.recompute_blobs = [gates]

    def get_input_params(self) -> dict[str, str]:
        """The names of the weights and biases of the input."""
        return {"weights": self.scope("i2h") + "_w", "biases": self.scope("i2h") + "_b"}

    def get_recurrent_params(self) -> dict[str, str]:
        """The names of the weights and biases of the state."""
        return {"weights": self.scope("gates_t") + "_w", "biases": self.scope("gates_t") + "_b"}

    def prepare_input(self, model, input_blob):
        """The input's part of the gates for all steps, as ``i2h``."""
        return brew.fc(model, input_blob, self.scope("i2h"), dim_in=self.input_size, dim_out=self.gates_size, axis=2)

    def get_state_names_override(self):
        """``hidden_t`` and ``cell_t``."""
        return self.scope("hidden_t"), self.scope("cell_t")

    def get_output_dim(self) -> int:
        """The size of the hidden state."""
        return self.hidden_size


def _normalized(cell: LSTMCell, model: Any, gates: Any) -> Any:
    return brew.layer_norm(model, gates, cell.scope("gates_t_norm"), dim_in=cell.gates_size, axis=-1)[0]


class LayerNormLSTMCell(LSTMCell):
    """A long short-term memory whose gates are normalized before they are used.

    Scale and shift are ``gates_t_norm_scale`` and ``gates_t_norm_bias``.
    """

    def _gates(self, model, fed, size, input_t):
        return _normalized(self, model, super()._gates(model, fed, size, input_t))


class MILSTMCell(LSTMCell):
    """A long short-term memory in which input and state are multiplied as well as added.

    With ``x`` the input's part and ``h`` the state's the gates are
    ``alpha * x * h + beta1 * h + beta2 * x + b``, all four of them learned.

    Source:
        Wu et al., On multiplicative integration with recurrent neural networks, 2016.
    """

    def _gates(self, model, fed, size, input_t):
        state_part = brew.fc(model, fed, self.scope("prev_t"), dim_in=size, dim_out=self.gates_size, axis=2)
        alpha, beta_h, beta_i, b = (
            model.create_param(
                self.scope(name),
                shape=[self.gates_size],
                initializer=Initializer("ConstantFill", value=value) if model.init_params else ExternalInitializer(),
            )
            for name, value in (("alpha", 1.0), ("beta1", 1.0), ("beta2", 1.0), ("b", 0.0))
        )
        factor = model.net.ElementwiseLinear(
            [input_t, alpha, beta_h], self.scope("alpha_by_input_t_plus_beta_h"), axis=2
        )
        product = model.net.Mul([factor, state_part], self.scope("alpha_by_input_t_plus_beta_h_by_prev_t"))
        added = model.net.ElementwiseLinear([input_t, beta_i, b], self.scope("beta_i_by_input_t_plus_b"), axis=2)
        gates = brew.sum(model, [product, added], self.scope("gates_t"))
        self._recompute(gates)
        return gates

    def get_recurrent_params(self) -> dict[str, str]:
        """The names of the weights and biases of the state."""
        return {"weights": self.scope("prev_t") + "_w", "biases": self.scope("prev_t") + "_b"}


class LayerNormMILSTMCell(MILSTMCell):
    """The same as ``MILSTMCell``, with gates that are normalized before they are used."""

    def _gates(self, model, fed, size, input_t):
        return _normalized(self, model, super()._gates(model, fed, size, input_t))
