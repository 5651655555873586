"""``RNNCell``: what runs at each step of a sequence, and how it is laid over the whole sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from c2lab import brew
from c2lab.errors import BadArgument, NotSupported
from c2lab.model_helper import ModelHelper
from c2lab.nets.blobs import BlobReference, ScopedBlobReference
from c2lab.sequences.recurrent import recurrent_net

Blobs = Sequence[Any]
ExtraInputs = Sequence[tuple[Any, int]] | None


class RNNCell:
    """The operators of one step: from an input and states to the next states.

    A cell of your own writes ``apply_override`` and ``get_state_names_override``, and where needed
    ``prepare_input`` for what can be computed for all steps at once.

    Args:
        name: What the names of its blobs begin with.
        forward_only: Whether there is no way back.
        initializer: What makes first states where none are given.
    """

    def __init__(self, name: str | None = None, forward_only: bool = False, initializer: Any = None) -> None:
        self.name = name
        self.recompute_blobs: list[Any] = []
        self.forward_only = forward_only
        self._initializer = initializer

    def get_input_params(self) -> Any:
        """The blobs that weigh the input, where the cell says which.

        Raises:
            NotSupported: This cell does not.
        """
        raise NotSupported(f"{self._title()} does not say which of its parameters weigh the input")

    def get_recurrent_params(self) -> Any:
        """The blobs that weigh the state before, where the cell says which.

        Raises:
            NotSupported: This cell does not.
        """
        raise NotSupported(f"{self._title()} does not say which of its parameters weigh the state before")

    @property
    def initializer(self) -> Any:
        """What makes first states: ``create_states(model)`` gives their blobs."""
        return self._initializer

    @initializer.setter
    def initializer(self, value: Any) -> None:
        self._initializer = value

    def scope(self, name: str) -> str:
        """A name inside of this cell's."""
        return f"{self.name}/{name}" if self.name is not None else name

    def apply_over_sequence(
        self,
        model: ModelHelper,
        inputs: Any,
        seq_lengths: Any = None,
        initial_states: Blobs | None = None,
        outputs_with_grads: Sequence[int] | None = None,
    ) -> tuple[Any, tuple[BlobReference, ...]]:
        """Runs the cell over a sequence.

        Args:
            model: The model to add operators to.
            inputs: The sequence (T, N, D).
            seq_lengths: How long each sequence of the batch is, int32 (N,); all T where left out.
            initial_states: First states, (N, D) or (1, N, D) or (D,), one for each name of a state.
            outputs_with_grads: The results whose gradients flow back; all steps of the output where left out.

        Returns:
            The output of all steps, and for each state all its values and its last one.
        """
        if initial_states is None:
            if self.initializer is None:
                raise BadArgument(f"{self._title()} has no initializer; give initial_states")
            initial_states = list(self.initializer.create_states(model))
        names = self.get_state_names()
        if len(initial_states) != len(names):
            raise BadArgument(f"{self._title()} has the states {list(names)}; {len(initial_states)} first states given")
        prepared = self.prepare_input(model, inputs)
        step = ModelHelper(name=self.name, param_model=model)
        input_t, timestep = step.net.AddScopedExternalInputs("input_t", "timestep")
        before = [step.net.AddExternalInput(ScopedBlobReference(f"{name}_prev")) for name in names]
        after = self._apply(step, input_t, seq_lengths, before, timestep)
        declared = set(step.net.Proto().external_output)
        for state in after:
            if str(state) not in declared:
                step.net.AddExternalOutput(state)
        if outputs_with_grads is None:
            outputs_with_grads = [2 * self.get_output_state_index()]
        results = recurrent_net(
            net=model.net,
            cell_net=step.net,
            inputs=[(input_t, prepared)],
            initial_cell_inputs=list(zip(before, initial_states, strict=True)),
            links=dict(zip(before, after, strict=True)),
            timestep=timestep,
            scope=self.name,
            outputs_with_grads=outputs_with_grads,
            recompute_blobs_on_backward=self.recompute_blobs,
            forward_only=self.forward_only,
        )
        return self._prepare_output_sequence(model, results), results

    def apply(
        self, model: ModelHelper, input_t: Any, seq_lengths: Any, states: Blobs, timestep: Any
    ) -> tuple[Any, Sequence[Any]]:
        """One step, its input prepared: the output, and the next states."""
        after = self._apply(model, self.prepare_input(model, input_t), seq_lengths, states, timestep)
        return self._prepare_output(model, after), after

    def _apply(
        self,
        model: ModelHelper,
        input_t: Any,
        seq_lengths: Any,
        states: Blobs,
        timestep: Any,
        extra_inputs: ExtraInputs = None,
    ) -> Sequence[Any]:
        """One step on a prepared input; names given as text become references in the current scope."""
        input_t, seq_lengths, timestep = (_reference(blob) for blob in (input_t, seq_lengths, timestep))
        states = [_reference(state) for state in states]
        if extra_inputs:
            extra_inputs = [(_reference(blob), size) for blob, size in extra_inputs]
        return self.apply_override(model, input_t, seq_lengths, states, timestep, extra_inputs)

    def apply_override(
        self,
        model: ModelHelper,
        input_t: Any,
        seq_lengths: Any,
        states: Blobs,
        timestep: Any,
        extra_inputs: ExtraInputs = None,
    ) -> Sequence[Any]:
        """The operators of a step; each kind of cell has its own.

        Args:
            model: The model of one step.
            input_t: The step's row of the prepared input, (1, N, ...).
            seq_lengths: The lengths of the sequences, or None.
            states: The states before.
            timestep: The number of the step.
            extra_inputs: Other blobs that go into the gates, each with its size.

        Returns:
            The states after.
        """
        raise NotImplementedError(f"{type(self).__name__} says nothing of what happens at a step")

    def prepare_input(self, model: ModelHelper, input_blob: Any) -> Any:
        """What can be computed of the input for all steps at once."""
        return input_blob

    def get_output_state_index(self) -> int:
        """Which of the states is the output."""
        return 0

    def get_state_names(self) -> Sequence[str]:
        """The names of the states, this cell's name in front."""
        return self.get_state_names_override()

    def get_state_names_override(self) -> Sequence[str]:
        """The names of the states; each kind of cell has its own."""
        raise NotImplementedError(f"{type(self).__name__} names no states")

    def get_output_dim(self) -> int:
        """The size of the output."""
        raise NotImplementedError(f"{type(self).__name__} does not say how large its output is")

    def _prepare_output(self, model: ModelHelper, states: Blobs) -> Any:
        """The output of a step, of its states."""
        return states[self.get_output_state_index()]

    def _prepare_output_sequence(self, model: ModelHelper, state_outputs: Blobs) -> Any:
        """The output of all steps, of the results."""
        return state_outputs[2 * self.get_output_state_index()]

    def _title(self) -> str:
        return f"{type(self).__name__} {self.name}" if self.name else type(self).__name__


def _reference(blob: Any) -> Any:
    return ScopedBlobReference(blob) if isinstance(blob, str) else blob


class BasicRNNCell(RNNCell):
    """The plain cell: ``h = activation(x W_x + h_before W_h + b)``.

    Args:
        input_size: Size of an input.
        hidden_size: Size of the state.
        forget_bias: Kept for a common signature; there is nothing to forget.
        memory_optimization: Kept for a common signature.
        drop_states: Whether a sequence that has ended has a state of zero; otherwise it keeps its last one.
        initializer: What makes the first state.
        activation: ``"tanh"``, ``"sigmoid"`` or ``"relu"``.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        forget_bias: float,
        memory_optimization: bool,
        drop_states: bool = False,
        initializer: Any = None,
        activation: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(initializer=initializer, **kwargs)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.drop_states = drop_states
        if activation not in ("tanh", "sigmoid", "relu"):
            raise BadArgument(f"activation is {activation!r}; it must be 'tanh', 'sigmoid' or 'relu'")
        self.activation = activation

    def apply_override(self, model, input_t, seq_lengths, states, timestep, extra_inputs=None):
        """The new state, held or dropped where a sequence has ended."""
        (before,) = states
        if extra_inputs:
            raise BadArgument("a plain cell takes no extra inputs")
        size = self.hidden_size
        gates = brew.fc(model, before, self.scope("gates_t"), dim_in=size, dim_out=size, axis=2)
        brew.sum(model, [gates, input_t], gates)
        activate = getattr(model.net, self.activation.capitalize())
        if seq_lengths is None:
            return (activate(gates, self.scope("hidden_t")),)
        after = activate(gates, self.scope("hidden_t_active"))
        going = self._mask(model, "GT", seq_lengths, timestep, "valid")
        outputs = self.scope("hidden_t")
        if self.drop_states:
            return (model.net.Mul([after, going], outputs, broadcast=1, axis=1),)
        over = self._mask(model, "LE", seq_lengths, timestep, "invalid")
        after = model.net.Mul([after, going], self.scope("hidden_valid"), broadcast=1, axis=1)
        kept = model.net.Mul([before, over], self.scope("hidden_invalid"), broadcast=1, axis=1)
        return (model.net.Add([after, kept], outputs),)

    def _mask(self, model: ModelHelper, comparison: str, seq_lengths: Any, timestep: Any, name: str) -> Any:
        """1 for each sequence that is still going on, or that is over; no gradient goes there."""
        holds = getattr(model.net, comparison)([seq_lengths, timestep], self.scope(f"{name}_b"), broadcast=1)
        mask = model.net.Cast(holds, self.scope(name), to="float")
        return model.net.StopGradient(mask, mask)

    def prepare_input(self, model, input_blob):
        """``x W_x + b`` for all steps, as ``i2h``."""
        return brew.fc(model, input_blob, self.scope("i2h"), dim_in=self.input_size, dim_out=self.hidden_size, axis=2)

    def get_state_names_override(self):
        """``hidden_t``."""
        return (self.scope("hidden_t"),)

    def get_output_dim(self) -> int:
        """The size of the state."""
        return self.hidden_size
