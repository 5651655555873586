"""Gated recurrent units."""

from __future__ import annotations

import functools
from typing import Any

from c2lab import brew
from c2lab.sequences.cells import RNNCell
from c2lab.sequences.networks import network


class GRUCell(RNNCell):
    """A gated recurrent unit; its gates stand in the order reset, update, output.

    The parameters are ``i2h_w``, ``i2h_b`` of the input, and ``reset_gate_t_w``, ``update_gate_t_w``,
    ``output_gate_t_w`` and their biases of the state.

    Args:
        input_size: Size of an input.
        hidden_size: Size of the state.
        forget_bias: Written into the operator.
        memory_optimization: Not to be had for this cell.
        drop_states: Whether a sequence that has ended has a state of zero; otherwise it keeps its last one.
        linear_before_reset: Whether the reset gate works on what the output gate makes of the state, instead
            of on the state.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        forget_bias: float,
        memory_optimization: bool,
        drop_states: bool = False,
        linear_before_reset: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.forget_bias = float(forget_bias)
        self.drop_states = drop_states
        self.linear_before_reset = linear_before_reset

    def apply_override(self, model, input_t, seq_lengths, states, timestep, extra_inputs=None):
        """The three gates, and the new state."""
        net, scope, size = model.net, self.scope, self.hidden_size
        before = states[0]
        parts = net.Split(input_t, [scope(f"input_t_{name}") for name in ("reset", "update", "output")], axis=2)
        input_reset, input_update, input_output = parts

        def gate(name: str, fed: Any) -> Any:
            return brew.fc(model, fed, scope(f"{name}_gate_t"), dim_in=size, dim_out=size, axis=2)

        reset, update = gate("reset", before), gate("update", before)
        reset = net.Sum([reset, input_reset], reset)
        opened = net.Sigmoid(reset, scope("reset_gate_t_sigmoid"))
        if self.linear_before_reset:
            output = net.Mul([opened, gate("output", before)], scope("output_gate_t_mul"))
        else:
            output = gate("output", net.Mul([opened, before], scope("modified_hidden_t_prev")))
        update = net.Sum([update, input_update], update)
        output = net.Sum([output, input_output], scope("output_gate_t_summed"))
        gates, _ = net.Concat([reset, update, output], [scope("gates_t"), scope("_gates_t_concat_dims")], axis=2)
        lengths = [seq_lengths] if seq_lengths is not None else []
        after = net.GRUUnit(
            [before, gates, *lengths, timestep],
            list(self.get_state_names()),
            forget_bias=self.forget_bias,
            drop_states=self.drop_states,
            sequence_lengths=seq_lengths is not None,
        )
        net.AddExternalOutputs(after)
        return (after,)

    def prepare_input(self, model, input_blob):
        """The input's part of the gates for all steps, as ``i2h``."""
        return brew.fc(
            model, input_blob, self.scope("i2h"), dim_in=self.input_size, dim_out=3 * self.hidden_size, axis=2
        )

    def get_state_names(self):
        """``hidden_t``."""
        return (self.scope("hidden_t"),)

    def get_output_dim(self) -> int:
        """The size of the state."""
        return self.hidden_size


GRU = functools.partial(network, GRUCell)
