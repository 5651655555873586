import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.errors import BadArgument, DamagedFile
from c2lab.predictor import predictor_exporter, predictor_py_utils
from c2lab.predictor.predictor_exporter import PredictorExportMeta
from c2lab.proto import caffe2_pb2, metanet_pb2

W = np.arange(6, dtype=np.float32).reshape(2, 3) - 3
B = np.array([0.5, -0.5], np.float32)


@pytest.fixture
def meta():
    workspace.FeedBlob("w", W)
    workspace.FeedBlob("b", B)
    net = core.Net("tiny")
    net.FC(["x", "w", "b"], "fc")
    net.Relu("fc", "y")
    return PredictorExportMeta(net, parameters=["w", core.BlobReference("b")], inputs=["x"], outputs=["y"],
                               shapes={"x": (4, 3), "y": (4, 2)})  # fmt: skip


def test_a_model_comes_back_ready_to_run(meta, tmp_path):
    path = str(tmp_path / "model.minidb")
    predictor_exporter.save_to_db("minidb", path, meta)
    workspace.ResetWorkspace()
    net = predictor_exporter.prepare_prediction_net(path, "minidb")
    assert set(workspace.Blobs()) >= {"w", "b", "x", "!!PREDICTOR_DBREADER", "!!META_NET_DEF"}
    assert workspace.FetchBlob("x").shape == (4, 3)
    x = np.random.RandomState(0).randn(4, 3).astype(np.float32)
    workspace.FeedBlob("x", x)
    workspace.RunNet(net)
    np.testing.assert_allclose(workspace.FetchBlob("y"), np.maximum(x @ W.T + B, 0), rtol=1e-5)


def test_the_file_starts_with_its_table_of_contents(meta, tmp_path):
    path = tmp_path / "model.minidb"
    predictor_exporter.save_to_db("minidb", str(path), meta)
    content = path.read_bytes()
    length = int.from_bytes(content[:4], "little")
    assert content[8 : 8 + length].startswith(b"!!META_NET_DEF")
    assert content.index(b"w#%0") > content.index(b"!!META_NET_DEF")


def test_the_table_of_contents_names_everything(meta):
    table = predictor_exporter.get_meta_net_def(meta)
    assert sorted(entry.key for entry in table.nets) == [
        "GLOBAL_INIT_NET_TYPE",
        "PREDICT_INIT_NET_TYPE",
        "PREDICT_NET_TYPE",
    ]
    assert predictor_py_utils.GetBlobs(table, "PARAMETERS_BLOB_TYPE") == ["w", "b"]
    predict_net = predictor_py_utils.GetNet(table, "PREDICT_NET_TYPE")
    assert list(predict_net.external_input) == ["x", "w", "b"]
    assert list(predict_net.external_output) == ["y"]
    assert table.modelInfo.predictorType == "SINGLE_PREDICTOR"


def test_loading_can_move_the_nets_to_a_device(meta, tmp_path):
    path = str(tmp_path / "model.minidb")
    predictor_exporter.save_to_db("minidb", path, meta)
    table = predictor_exporter.load_from_db(path, "minidb", core.DeviceOption(caffe2_pb2.CUDA, 1))
    devices = {op.device_option.device_type for entry in table.nets for op in entry.value.op}
    assert devices == {caffe2_pb2.CUDA}


def test_a_damaged_table_is_refused(tmp_path):
    path = str(tmp_path / "model.minidb")
    workspace.FeedBlob("!!META_NET_DEF", b"\xff\xff\xff")
    workspace.RunOperatorOnce(
        core.CreateOperator("Save", ["!!META_NET_DEF"], [], db=path, db_type="minidb", absolute_path=True)
    )
    with pytest.raises(DamagedFile, match="3 bytes are no MetaNetDef"):
        predictor_exporter.load_from_db(path, "minidb")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": ["x", "w"]}, '"w" stands in inputs and in parameters'),
        ({"outputs": ["w"]}, '"w" stands in outputs and in parameters'),
        ({"inputs": ["x", "x"]}, '"x" stands twice in inputs'),
    ],
)
def test_a_blob_in_the_wrong_part_is_refused(change, message):
    given = {"parameters": ["w"], "inputs": ["x"], "outputs": ["y"]} | change
    with pytest.raises(predictor_exporter.WrongPart, match=message) as raised:
        PredictorExportMeta(caffe2_pb2.NetDef(), **given)
    assert isinstance(raised.value, AssertionError)


def test_a_net_is_needed():
    with pytest.raises(BadArgument, match=r"predict_net is a str; give a core\.Net"):
        PredictorExportMeta("net", [], [], [])


def test_names_of_a_named_model():
    meta = predictor_exporter.get_predictor_exporter_helper("sub")
    assert meta.predict_net_name() == "PREDICT_NET_TYPE_sub"
    assert meta.global_init_name() == "GLOBAL_INIT_NET_TYPE_sub"
    assert meta.predict_init_name() == "PREDICT_INIT_NET_TYPE_sub"
    assert meta.inputs_name() == "INPUTS_BLOB_TYPE_sub"
    assert meta.outputs_name() == "OUTPUTS_BLOB_TYPE_sub"
    assert meta.parameters_name() == "PARAMETERS_BLOB_TYPE_sub"
    assert meta.train_plan_name() == "TRAIN_PLAN_TYPE_sub"
    assert meta.train_init_plan_name() == "TRAIN_INIT_PLAN_TYPE_sub"


def test_model_info():
    table = metanet_pb2.MetaNetDef()
    predictor_exporter.set_model_info(table, "project", "class", "7")
    assert (table.modelInfo.project, table.modelInfo.modelClass, table.modelInfo.version) == ("project", "class", "7")
