"""Objects besides tensors and text in files."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.errors import DamagedFile
from c2lab.operators.datasets import TreeCursor
from c2lab.operators.values import Counter, Mutex
from c2lab.proto import caffe2_pb2
from c2lab.storage import blob_protos
from c2lab.storage.kinds import kind_named, kind_of


def test_a_counter_goes_on_where_it_was():
    content = blob_protos.serialize("c", Counter(7))
    proto = caffe2_pb2.BlobProto.FromString(content)
    assert (proto.name, proto.type) == ("c", "std::unique_ptr<Counter<int64_t>>")
    assert list(proto.tensor.int64_data) == [7]
    assert blob_protos.deserialize(content).count == 7


def test_a_cursor_goes_on_where_it_was():
    cursor = TreeCursor(["x:lengths", "x:values"])
    cursor.restore({"record": 2, "offsets": [2, 5]})
    content = blob_protos.serialize("c", cursor)
    assert caffe2_pb2.BlobProto.FromString(content).content == b"x:lengths x:values "
    again = blob_protos.deserialize(content)
    assert (again.layout.fields, again.record, again.offsets.tolist()) == (["x:lengths", "x:values"], 2, [2, 5])


def test_a_dataset_is_read_on_after_save_and_load(tmp_path):
    workspace.FeedBlob("x", np.float32([1, 2, 3]))
    net, read = core.Net("init"), core.Net("read")
    net.CreateTreeCursor([], ["cursor"], fields=["x"])
    read.ReadNextBatch(["cursor", "x"], ["row"])
    workspace.RunNetOnce(net)
    workspace.RunNetOnce(read)
    options = {"db": str(tmp_path / "blobs.minidb"), "db_type": "minidb", "absolute_path": 1}
    workspace.RunOperatorOnce(core.CreateOperator("Save", ["x", "cursor"], [], **options))
    workspace.ResetWorkspace()
    workspace.RunOperatorOnce(core.CreateOperator("Load", [], [], load_all=1, **options))
    workspace.RunNetOnce(read)
    assert workspace.FetchBlob("row").tolist() == [2]


@pytest.mark.parametrize(
    "proto",
    [
        caffe2_pb2.BlobProto(name="c", type="std::unique_ptr<Counter<int64_t>>"),
        caffe2_pb2.BlobProto(
            name="c",
            type="std::unique_ptr<TreeCursor>",
            content=b"x:lengths x:values ",
            tensor=blob_protos.array_to_tensor(np.int64([1])),
        ),
    ],
    ids=["counter", "cursor"],
)
def test_what_does_not_fit_is_damaged(proto):
    with pytest.raises(DamagedFile, match="blob 'c' is no std::unique_ptr"):
        blob_protos.deserialize(proto.SerializeToString())


def test_others_are_of_no_kind():
    assert kind_of(Mutex()) is None
    assert kind_named("std::unique_ptr<std::mutex>") is None
