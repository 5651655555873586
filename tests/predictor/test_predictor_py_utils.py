import pytest

from c2lab.predictor import predictor_py_utils as parts
from c2lab.proto import caffe2_pb2, metanet_pb2


@pytest.fixture
def meta():
    return metanet_pb2.MetaNetDef()


def test_nets_and_plans_are_found_by_key(meta):
    parts.AddNet(meta, "a", caffe2_pb2.NetDef(name="net"))
    parts.AddPlan(meta, "b", caffe2_pb2.PlanDef(name="plan"))
    assert parts.GetNet(meta, "a").name == "net"
    assert parts.GetPlan(meta, "b").name == "plan"
    assert parts.GetNetOriginal(meta, "b") is None
    assert parts.GetPlanOriginal(meta, "a") is None


@pytest.mark.parametrize("get", [parts.GetNet, parts.GetPlan, parts.GetApplicationSpecificInfo])
def test_a_missing_key_says_what_there_is(meta, get):
    with pytest.raises(parts.MissingEntry, match=r'has no .* "x"; it has: none'):
        get(meta, "x")
    parts.AddNet(meta, "a", caffe2_pb2.NetDef())
    with pytest.raises(KeyError):
        parts.GetNet(meta, "x")


def test_blobs_are_added_and_replaced(meta):
    parts.AddBlobs(meta, "in", ["a", "b"])
    parts.AddBlobs(meta, "in", ["c"])
    assert parts.GetBlobs(meta, "in") == ["a", "b", "c"]
    parts.ReplaceBlobs(meta, "in", ["d"])
    assert parts.GetBlobs(meta, "in") == ["d"]
    assert parts.GetBlobs(meta, "out") == []


def test_blobs_by_prefix_come_once_and_sorted(meta):
    parts.AddBlobs(meta, "P_1", ["b", "a"])
    parts.AddBlobs(meta, "P_2", ["a", "c"])
    parts.AddBlobs(meta, "Q", ["z"])
    assert parts.GetBlobsByTypePrefix(meta, "P") == ["a", "b", "c"]


def test_orders_and_lists_are_replaced(meta):
    for _ in range(2):
        parts.SetBlobsOrder(meta, ["a", "b"])
        parts.SetPreLoadBlobs(meta, ["c"])
        parts.SetRequestOnlyEmbeddings(meta, ["d"])
    assert list(parts.GetBlobsOrder(meta)) == ["a", "b"]
    assert list(meta.preLoadBlobs) == ["c"]
    assert list(meta.requestOnlyEmbeddings) == ["d"]


def test_messages_are_copied_in(meta):
    bounds = caffe2_pb2.TensorBoundShapes(max_batch_size=7)
    parts.SetTensorBoundShapes(meta, bounds)
    parts.SetAOTConfig(meta, caffe2_pb2.AOTConfig(max_batch_size=8, max_seq_size=1, in_batch_broadcast=False))
    assert meta.tensorBoundShapes == bounds
    assert meta.aotConfig.max_batch_size == 8


def test_the_model_number_becomes_an_argument(meta):
    net = caffe2_pb2.NetDef()
    parts.AddModelIdArg(meta, net)
    assert not net.arg
    meta.modelInfo.modelId = "42"
    parts.AddModelIdArg(meta, net)
    parts.AddModelIdArg(meta, net)
    assert len(net.arg) == 1
    assert parts.GetArgumentByName(net, "model_id").i == 42
    assert parts.GetArgumentByName(net, "other") is None


def test_parts_of_a_named_model_have_the_name_in_their_key():
    assert parts.get_comp_name("NET", "") == parts.get_comp_name("NET", None) == "NET"
    assert parts.get_comp_name("NET", "a") == "NET_a"
