"""What Python code touches of the compiled module."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.compat import c_extension as C
from c2lab.proto import caffe2_pb2


def test_databases_are_written(tmp_path):
    db = C.create_db("minidb", str(tmp_path / "x.db"), C.Mode.write)
    transaction = db.new_transaction()
    transaction.put("key", b"value")
    transaction.commit()
    del transaction, db
    cursor = C.create_db("minidb", str(tmp_path / "x.db"), C.Mode.read).new_cursor()
    assert (cursor.key(), cursor.value()) == (b"key", b"value")
    assert {"minidb", "lmdb"} <= set(C.registered_dbs())


def test_old_spellings_are_ours():
    C.feed_blob("x", np.float32([3]))
    assert C.fetch_blob("x") == workspace.FetchBlob("x")
    net = core.Net("spelled")
    net.Relu("x", "y")
    C.create_net(net)
    assert C.run_net(net.Name(), 1, False)
    assert C.has_blob("y")


def test_gradients_in_wire_format():
    op = core.CreateOperator("Relu", "x", "y")
    ops, gradients = C.get_gradient_defs(op.SerializeToString(), ["y_grad"])
    assert caffe2_pb2.OperatorDef.FromString(ops[0]).type == "ReluGradient"
    assert gradients == ["x_grad"]


def test_predictors():
    net = caffe2_pb2.NetDef(name="p", external_input=["x"], external_output=["y"])
    net.op.add(type="Relu", input=["x"], output=["y"])
    (y,) = C.Predictor(caffe2_pb2.NetDef(), net).run([np.float32([-1, 1])])
    assert y.tolist() == [0, 1]


def test_what_has_no_meaning_says_so():
    assert not hasattr(C, "cudnn_convolution_fwd_algo_count")
    with pytest.raises(NotImplementedError, match=r"nomnigraph.*no meaning here"):
        _ = C.nomnigraph
    assert not C.has_mkldnn
    assert C.get_build_options() == {}
    assert not C.builtin_cpu_supports_avx2()
