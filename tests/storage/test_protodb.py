"""protodb: tensors under their names."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import BadValue, DamagedFile
from c2lab.proto import caffe2_pb2
from c2lab.storage import open_db
from c2lab.storage.blob_protos import array_to_tensor

RECORDS = [(b"a", b"1"), (b"b", b""), (b"c", bytes(range(256)) * 50)]


def fill(path, db_type, records=RECORDS, mode="new"):
    with open_db(str(path), db_type, mode) as db, db.new_transaction() as writing:
        for key, value in records:
            writing.put(key, value)


def read(path, db_type):
    with open_db(str(path), db_type, "read") as db, db.new_cursor() as cursor:
        return list(cursor)


def test_protodb_holds_tensors_under_their_names(tmp_path):
    path = tmp_path / "db"
    tensors = [array_to_tensor(np.float32([k]), f"t{k}") for k in range(3)]
    fill(path, "protodb", [(t.name, t.SerializeToString()) for t in tensors])
    assert [caffe2_pb2.TensorProto.FromString(value) for _, value in read(path, "protodb")] == tensors
    assert len(caffe2_pb2.TensorProtos.FromString(path.read_bytes()).protos) == 3
    with pytest.raises(BadValue, match="already exists"):
        fill(path, "protodb", [("t1", tensors[1].SerializeToString())], "write")
    with pytest.raises(BadValue, match="none of that name"):
        fill(path, "protodb", [("other", tensors[1].SerializeToString())], "write")
    with open_db(str(path), "protodb", "read") as db, db.new_cursor() as cursor:
        cursor.seek("t2")
        assert cursor.key() == b"t2"
    path.write_bytes(b"\xff" * 9)
    with pytest.raises(DamagedFile):
        read(path, "protodb")
