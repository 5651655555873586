"""The old module name serves all cells and networks."""

from __future__ import annotations

import importlib

from c2lab.compat.caffe2 import install
from c2lab.sequences import rnn_cell


def test_every_name_is_there():
    for name in rnn_cell.__all__:
        assert callable(getattr(rnn_cell, name)), name


def test_a_network_is_a_cell_over_a_sequence():
    assert rnn_cell.LSTM.func is rnn_cell._LSTM
    assert rnn_cell.LSTM.args == (rnn_cell.LSTMCell,)


def test_old_names():
    install()
    homes = {"rnn_cell": rnn_cell.RNNCell, "gru_cell": "GRUCell GRU", "attention": "AttentionType s"}
    homes |= {"recurrent": "recurrent_net set_rnn_executor_config retrieve_step_blobs", "crf": "CRFWithLoss"}
    for name, wanted in homes.items():
        module = importlib.import_module(f"caffe2.python.{name}")
        if name == "rnn_cell":
            assert module.RNNCell is wanted
        else:
            assert all(hasattr(module, part) for part in wanted.split()), name
