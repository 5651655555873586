"""The cells of recurrent networks, and whole networks of them, under one name."""

from __future__ import annotations

from c2lab.sequences.attention_cells import (
    AttentionCell,
    LSTMWithAttention,
    LSTMWithAttentionCell,
    MILSTMWithAttentionCell,
)
from c2lab.sequences.cells import BasicRNNCell, RNNCell
from c2lab.sequences.lstm_cells import LayerNormLSTMCell, LayerNormMILSTMCell, LSTMCell, LSTMInitializer, MILSTMCell
from c2lab.sequences.networks import (
    LSTM,
    MILSTM,
    BasicRNN,
    GetLSTMParamNames,
    InitFromLSTMParams,
    LayerNormLSTM,
    LayerNormMILSTM,
    cudnn_LSTM,
)
from c2lab.sequences.networks import network as _LSTM
from c2lab.sequences.stacked_cells import DropoutCell, MultiRNNCell, MultiRNNCellInitializer, UnrolledCell

__all__ = [
    "LSTM",
    "MILSTM",
    "_LSTM",
    "AttentionCell",
    "BasicRNN",
    "BasicRNNCell",
    "DropoutCell",
    "GetLSTMParamNames",
    "InitFromLSTMParams",
    "LSTMCell",
    "LSTMInitializer",
    "LSTMWithAttention",
    "LSTMWithAttentionCell",
    "LayerNormLSTM",
    "LayerNormLSTMCell",
    "LayerNormMILSTM",
    "LayerNormMILSTMCell",
    "MILSTMCell",
    "MILSTMWithAttentionCell",
    "MultiRNNCell",
    "MultiRNNCellInitializer",
    "RNNCell",
    "UnrolledCell",
    "cudnn_LSTM",
]
