"""Conditional random fields: chains of labels, scored as a whole."""

from __future__ import annotations

from typing import Any

import numpy as np

from c2lab import brew
from c2lab.model_helper import ModelHelper
from c2lab.nets.blobs import ScopedBlobReference
from c2lab.proto import caffe2_pb2
from c2lab.sequences.recurrent import recurrent_net

# What a label outside of its place is scored: so low that no path goes there.
LOW_SCORE = -1000.0


class CRFWithLoss:
    """A linear chain: each label has a score at its place, and each pair of neighbours one as well.

    Two labels are added, for the beginning and the end of a sentence.

    Args:
        model: The model.
        num_classes: The number of labels.
        transitions_blob: The scores of pairs, (num_classes + 2, num_classes + 2), row before column; a new
            parameter ``crf_transitions`` where left out.

    Source:
        Lafferty, McCallum and Pereira, Conditional random fields, 2001.
    """

    def __init__(self, model: ModelHelper, num_classes: int, transitions_blob: Any = None) -> None:
        self.model = model
        self.num_classes = num_classes
        self.num_classes_padded = num_classes + 2
        if transitions_blob is None:
            transitions_blob = model.param_init_net.UniformFill(
                [],
                [ScopedBlobReference("crf_transitions")],
                shape=[self.num_classes_padded, self.num_classes_padded],
                min=-1.0,
                max=1.0,
            )
        self.transitions = transitions_blob
        model.params.append(transitions_blob)

    def crf_loss(self, predictions: Any, labels: Any, seq_lengths: Any = None) -> Any:
        """How much less likely the labels are than all chains together: ``log(sum over chains) - score``.

        Args:
            predictions: The score of each label at each place, (T, num_classes).
            labels: The labels of one sentence, (T,).
            seq_lengths: Kept for a common signature; a sentence is as long as its scores.

        Returns:
            The loss, a scalar.
        """
        net = self.model.net
        transitions = net.Copy(self.transitions, ScopedBlobReference("transitions_snapshot"))
        at_places = self._picked(predictions, labels, self.num_classes)
        predictions, labels = self.pad_predictions(predictions), self.pad_labels(labels)
        between = self._score_of_pairs(labels, transitions)
        score = net.Add([between, at_places], ScopedBlobReference("path_total"))
        zero = self._constant(0)
        first = net.Gather([predictions, zero], ScopedBlobReference("rnn_initial"), dense_gradient=True)
        following, _ = net.RemovePadding([predictions], 2, padding_width=1, end_padding_width=0)
        following = net.ExpandDims([following], ScopedBlobReference("rnn_input_data"), dims=[1])
        of_all = self._score_of_all(following, first, transitions)
        return net.Sub([of_all, score], ScopedBlobReference("crf_loss"))

    def pad_labels(self, labels: Any) -> Any:
        """The labels, int64 (T + 2,), with the beginning in front and the end behind."""
        net = self.model.net
        ends = [self._constant(self.num_classes + k) for k in range(2)]
        labels = net.Cast([labels], net.NextName(), to="int64")
        return net.Concat([ends[0], labels, ends[1]], 2, axis=0)[0]

    def pad_predictions(self, predictions: Any) -> Any:
        """The scores, (T + 2, num_classes + 2), with the two added labels and their places."""
        net = self.model.net
        ends = []
        for k, name in enumerate(("b_scores", "e_scores")):
            row = np.full((1, self.num_classes_padded), LOW_SCORE, np.float32)
            row[0, self.num_classes + k] = 0.0
            ends.append(
                self.model.param_init_net.GivenTensorFill(
                    [], ScopedBlobReference(name), shape=list(row.shape), values=row.ravel().tolist()
                )
            )
        column = net.Slice([predictions], net.NextName(), starts=[0, 0], ends=[-1, 1])
        low = net.ConstantFill([column], net.NextName(), value=LOW_SCORE)
        wider, _ = net.Concat([predictions, low, low], 2, axis=1)
        return net.Concat([ends[0], wider, ends[1]], 2, axis=0)[0]

    def build_crf_net(self, input_blob: Any, initial_state: Any, transitions: Any) -> Any:
        """Adds the recurrent net over all chains; a step takes their scores one place further.

        Args:
            input_blob: The scores of all places but the first, (T - 1, 1, num_classes + 2).
            initial_state: Those of the first place, (1, num_classes + 2).
            transitions: The scores of pairs.

        Returns:
            The log of the summed scores of all chains that end with a label, (1, 1, num_classes + 2).
        """
        scope, size = "crf_net", self.num_classes_padded

        def named(name: str) -> str:
            return f"{scope}/{name}"

        step = ModelHelper(name="crf_step", param_model=self.model)
        net = step.net
        input_t, before, _ = net.AddExternalInputs(
            ScopedBlobReference("input_t"), ScopedBlobReference("cell_t_prev"), transitions
        )
        one_segment = step.param_init_net.ConstantFill(
            [], [named("zero_segment_id")], value=0, shape=[size], dtype=caffe2_pb2.TensorProto.INT32
        )
        step.param_init_net.AddExternalOutput(one_segment)
        turned = brew.transpose(step, before, [named("prev_transpose")], axes=(0, 2, 1))
        turned = net.Tile(turned, [named("prev_tiled")], tiles=size, axis=2)
        places = net.Tile(input_t, [named("input_t_tiled")], tiles=size, axis=1)
        pairs = net.Add([turned, places], [named("input_with_prev")])
        pairs = net.Add([pairs, transitions], [named("prev_with_transitions")], broadcast=1, use_grad_hack=1)
        pairs, _ = net.Reshape(
            pairs,
            [named("all_with_transitions_reshaped"), named("all_with_transitions_orig")],
            shape=(size, size),
        )
        after = net.SortedSegmentRangeLogSumExp([pairs, one_segment], [named("cell_t")])
        net.AddExternalOutputs(after)
        _, last = recurrent_net(
            net=self.model.net,
            cell_net=net,
            inputs=[(input_t, input_blob)],
            initial_cell_inputs=[(before, initial_state)],
            links={before: after},
            scope=scope,
            outputs_with_grads=(1,),
        )
        return last

    def update_predictions(self, classes: Any) -> Any:
        """The scores with the label of the best chain made the highest at each place.

        The score of that label and the highest one change places.

        Args:
            classes: The score of each label at each place, (T, num_classes).

        Returns:
            The new scores, ``post_crf_classes``.
        """
        net = self.model.net
        padded = self.pad_predictions(classes)
        path = net.ViterbiPath([padded, self.transitions], net.NextName())
        swapped = net.SwapBestPath([padded, path], net.NextName())
        inside = net.Slice([swapped], net.NextName(), starts=[1, 0], ends=[-2, -1])
        return net.Slice([inside], ScopedBlobReference("post_crf_classes"), starts=[0, 0], ends=[-1, -3])

    def _constant(self, value: int) -> Any:
        return self.model.param_init_net.ConstantFill([], 1, shape=[1], value=value, dtype=caffe2_pb2.TensorProto.INT64)

    def _picked(self, values: Any, indices: Any, size: int) -> Any:
        """The sum of one value of each row."""
        net = self.model.net
        indices = net.Cast(indices, net.NextName(), to="int64")
        chosen = net.OneHot([indices, self._constant(size)], net.NextName())
        chosen = net.Cast(chosen, net.NextName(), to="float")
        picked = net.DotProduct([net.FlattenToVec(values), net.FlattenToVec(net.StopGradient(chosen, chosen))])
        return net.ReduceFrontSum([picked], net.NextName())

    def _score_of_pairs(self, labels: Any, transitions: Any) -> Any:
        """The sum of the scores of all neighbours among the labels."""
        net = self.model.net
        after, _ = net.RemovePadding([labels], 2, padding_width=1, end_padding_width=0)
        before, _ = net.RemovePadding([labels], 2, padding_width=0, end_padding_width=1)
        rows = net.Gather([transitions, before], net.NextName(), dense_gradient=True)
        return self._picked(rows, after, self.num_classes_padded)

    def _score_of_all(self, following: Any, first: Any, transitions: Any) -> Any:
        net = self.model.net
        last = self.build_crf_net(following, first, net.Copy(transitions, ScopedBlobReference("transitions_copy")))
        last, _ = net.Reshape([last], 2, shape=(self.num_classes_padded,))
        one_segment = self.model.param_init_net.ConstantFill(
            [], 1, value=0, shape=[self.num_classes_padded], dtype=caffe2_pb2.TensorProto.INT32
        )
        total = net.SortedSegmentRangeLogSumExp([last, one_segment], net.NextName())
        return net.Reshape(total, 2, shape=())[0]
