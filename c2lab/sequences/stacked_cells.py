"""Cells around cells: with dropout, one on top of another, and written out step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from c2lab import brew
from c2lab.errors import BadArgument
from c2lab.nets.scopes import NameScope
from c2lab.parameters.sharing import ParameterSharing
from c2lab.proto import caffe2_pb2
from c2lab.sequences.cells import RNNCell


class DropoutCell(RNNCell):
    """A cell whose output is silenced at random while training; its states are not.

    Args:
        internal_cell: The cell.
        dropout_ratio: The share of values that is silenced.
        use_cudnn: Passed on to the dropout.
    """

    def __init__(
        self, internal_cell: RNNCell, dropout_ratio: float | None = None, use_cudnn: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if dropout_ratio is not None and not 0.0 <= dropout_ratio < 1.0:
            raise BadArgument(f"dropout_ratio is {dropout_ratio}; it must be 0 or more, and less than 1")
        self.internal_cell = internal_cell
        self.dropout_ratio = dropout_ratio
        self.use_cudnn = use_cudnn
        self.mask = 0

    @property
    def initializer(self):
        """What makes first states: its own, or the cell's."""
        return self._initializer or self.internal_cell.initializer

    def prepare_input(self, model, input_blob):
        """As the cell does."""
        return self.internal_cell.prepare_input(model, input_blob)

    def apply_override(self, model, input_t, seq_lengths, states, timestep, extra_inputs=None):
        """As the cell does."""
        after = self.internal_cell._apply(model, input_t, seq_lengths, states, timestep, extra_inputs)
        self.recompute_blobs = self.internal_cell.recompute_blobs
        return after

    def get_output_state_index(self):
        """As the cell says."""
        return self.internal_cell.get_output_state_index()

    def get_state_names(self):
        """As the cell says."""
        return self.internal_cell.get_state_names()

    def get_output_dim(self):
        """As the cell says."""
        return self.internal_cell.get_output_dim()

    def _prepare_output(self, model, states):
        return self._silenced(model, self.internal_cell._prepare_output(model, states))

    def _prepare_output_sequence(self, model, state_outputs):
        return self._silenced(model, self.internal_cell._prepare_output_sequence(model, state_outputs))

    def _silenced(self, model: Any, output: Any) -> Any:
        if not self.dropout_ratio or self.forward_only:
            return output
        output = brew.dropout(
            model,
            output,
            output + f"_with_dropout_mask{self.mask}",
            ratio=float(self.dropout_ratio),
            is_test=False,
            use_cudnn=self.use_cudnn,
        )
        self.mask += 1
        return output


class MultiRNNCellInitializer:
    """First states of all layers, each made by its cell's initializer.

    Args:
        cells: The layers.
    """

    def __init__(self, cells: Sequence[RNNCell]) -> None:
        self.cells = cells

    def create_states(self, model: Any) -> list[Any]:
        """The states of all layers, made inside ``layer_<k>``."""
        states: list[Any] = []
        for layer, cell in enumerate(self.cells):
            if cell.initializer is None:
                raise BadArgument(f"layer {layer} has no initializer; give initial_states")
            with NameScope(f"layer_{layer}"):
                states += cell.initializer.create_states(model)
        return states


class MultiRNNCell(RNNCell):
    """Cells one on top of another: each takes the output of the one below as its input.

    Args:
        cells: The layers, from the input on.
        residual_output_layers: Layers whose output has their input added to it.
    """

    def __init__(self, cells: Sequence[RNNCell], residual_output_layers: Sequence[int] | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.cells = list(cells)
        self.residual_output_layers = list(residual_output_layers or ())
        if self._initializer is None:
            self._initializer = MultiRNNCellInitializer(self.cells)
        self._first_states = [0]
        for cell in self.cells:
            self._first_states.append(self._first_states[-1] + len(cell.get_state_names()))
        # The layers whose outputs add up to the output of all: the last one, and what its residuals lead back to.
        last = len(self.cells) - 1
        first = last
        while first in self.residual_output_layers and first > 0:
            first -= 1
        self.output_connected_layers = list(range(first, last + 1))
        self.output_indices = [
            self._first_states[layer] + self.cells[layer].get_output_state_index()
            for layer in self.output_connected_layers
        ]

    def layer_scoper(self, layer_id: int) -> Callable[[str], str]:
        """What puts the name of a layer in front of a name."""

        def scoped(name: str) -> str:
            return self.scope(f"layer_{layer_id}/{name}")

        return scoped

    def _layer(self, layer: int) -> Any:
        return NameScope(self.scope(f"layer_{layer}"))

    def prepare_input(self, model, input_blob):
        """As the first layer does."""
        with self._layer(0):
            return self.cells[0].prepare_input(model, input_blob)

    def _states_of(self, layer: int, values: Sequence[Any], each: int = 1) -> Sequence[Any]:
        return values[each * self._first_states[layer] : each * self._first_states[layer + 1]]

    def apply_override(self, model, input_t, seq_lengths, states, timestep, extra_inputs=None):
        """All layers, from the first one on; extra inputs go to the first."""
        after: list[Any] = []
        fed = input_t
        self.recompute_blobs = []
        for layer, cell in enumerate(self.cells):
            with self._layer(layer):
                prepared = cell.prepare_input(model, fed) if layer else fed
                extra = None if layer else extra_inputs
                states_after = cell._apply(
                    model, prepared, seq_lengths, self._states_of(layer, states), timestep, extra
                )
                after += states_after
                self.recompute_blobs += cell.recompute_blobs
                if layer == len(self.cells) - 1:
                    break
                output = cell._prepare_output(model, states_after)
            if layer and layer in self.residual_output_layers:
                output = brew.sum(model, [output, fed], self.scope(f"residual_output_{layer}"))
            fed = output
        return after

    def get_state_names(self):
        """The names of the states of all layers."""
        return [
            self.layer_scoper(layer)(name) for layer, cell in enumerate(self.cells) for name in cell.get_state_names()
        ]

    def get_output_dim(self):
        """The size of the last layer's output."""
        return self.cells[-1].get_output_dim()

    def get_output_state_index(self):
        """Where the last layer's output stands among the states of all."""
        return self.output_indices[-1]

    def _prepare_output(self, model, states):
        return self._summed(model, states, 1, "_prepare_output")

    def _prepare_output_sequence(self, model, state_outputs):
        return self._summed(model, state_outputs, 2, "_prepare_output_sequence")

    def _summed(self, model: Any, values: Sequence[Any], each: int, method: str) -> Any:
        outputs = []
        for layer in self.output_connected_layers:
            with self._layer(layer):
                outputs.append(getattr(self.cells[layer], method)(model, self._states_of(layer, values, each)))
        if len(outputs) == 1:
            return outputs[0]
        ending = "sequence_output" if each == 2 else "output"
        return brew.sum(model, outputs, self.scope(f"residual_{ending}"))


class UnrolledCell(RNNCell):
    """A cell whose steps are written out one after the other into the net, all with the same parameters.

    Args:
        cell: The cell.
        T: The number of steps.
    """

    def __init__(self, cell: RNNCell, T: int) -> None:
        super().__init__(name=cell.name, forward_only=cell.forward_only, initializer=cell.initializer)
        self.T = T
        self.cell = cell

    def apply_over_sequence(self, model, inputs, seq_lengths, initial_states, outputs_with_grads=None):
        """Writes the steps out; the results are those of any other cell.

        Args:
            model: The model to add operators to.
            inputs: The sequence (T, N, D).
            seq_lengths: How long each sequence of the batch is, or None.
            initial_states: First states, one for each name of a state.
            outputs_with_grads: The results whose gradients flow back.
        """
        prepared = self.cell.prepare_input(model, inputs)
        if initial_states is None:
            initial_states = self.initializer.create_states(model)
        rows = model.net.Split(prepared, [prepared + f"_timestep_{t}" for t in range(self.T)], axis=0)
        rows = [rows] if self.T == 1 else rows
        states, steps = initial_states, []
        for t, row in enumerate(rows):
            scope = f"timestep_{t}"
            with ParameterSharing({scope: ""}), NameScope(scope):
                timestep = model.param_init_net.ConstantFill(
                    [], "timestep", shape=[1], value=t, dtype=caffe2_pb2.TensorProto.INT32
                )
                states = self.cell._apply(model, row, seq_lengths, states, timestep)
            steps.append(states)
        results: list[Any] = []
        for values in zip(*steps, strict=True):
            name = str(values[0]).replace("timestep_0/", "", 1)
            joined, _ = model.net.Concat(
                list(values), [type(values[0])(f"{name}_concat"), type(values[0])(f"{name}_concat_info")], axis=0
            )
            results += [joined, values[-1]]
        if outputs_with_grads is None:
            outputs_with_grads = [2 * self.cell.get_output_state_index()]
        for k, blob in enumerate(results):
            if k not in outputs_with_grads:
                model.net.ZeroGradient(blob, [])
        return self.cell._prepare_output_sequence(model, results), tuple(results)

    def prepare_input(self, model, input_blob):
        """As the cell does."""
        return self.cell.prepare_input(model, input_blob)

    def get_output_state_index(self):
        """As the cell says."""
        return self.cell.get_output_state_index()

    def get_state_names(self):
        """As the cell says."""
        return self.cell.get_state_names()

    def get_output_dim(self):
        """As the cell says."""
        return self.cell.get_output_dim()

    def get_input_params(self):
        """As the cell says."""
        return self.cell.get_input_params()

    def get_recurrent_params(self):
        """As the cell says."""
        return self.cell.get_recurrent_params()
