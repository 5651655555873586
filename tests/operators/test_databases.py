"""Blobs saved and loaded, checkpoints, and examples out of a database."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import BadArgument, BadValue, DamagedFile, SchemaError, ShapeMismatch
from c2lab.operators.values import Counter, Mutex
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument
from c2lab.storage import DBReader, open_db
from c2lab.storage.blob_protos import array_to_tensor
from c2lab.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    return Workspace("files", root_folder=str(tmp_path))


def op(type, inputs=(), outputs=(), **arguments):
    made = caffe2_pb2.OperatorDef(type=type, input=inputs, output=outputs)
    made.arg.extend(make_argument(name, value) for name, value in arguments.items())
    return made


def keys(path, db_type="minidb"):
    with open_db(str(path), db_type, "read") as db, db.new_cursor() as cursor:
        return [key.decode() for key, _ in cursor]


BLOBS = {
    "float": np.float32([[1, 2]]),
    "half": np.float16([0.5]),
    "long": np.int64([2**40]),
    "flag": np.array([True, False]),
    "words": np.array([b"a", b"bc"], object),
    "text": b"a whole text",
    "empty": np.zeros((0, 3), np.float32),
    "number": np.array(3.0),
}


@pytest.mark.parametrize("db_type", ["minidb", "lmdb"])
def test_all_kinds_of_blobs_come_back(workspace, db_type):
    for name, value in BLOBS.items():
        workspace.feed(name, value)
    workspace.run_operator(op("Save", BLOBS, db="all", db_type=db_type))
    other = Workspace("other", root_folder=workspace.root_folder)
    other.run_operator(op("Load", [], BLOBS, db="all", db_type=db_type))
    everything = Workspace("all", root_folder=workspace.root_folder)
    everything.run_operator(op("Load", db="all", db_type=db_type, load_all=1))
    assert everything.names() == sorted(BLOBS)
    for name, value in BLOBS.items():
        for back in (other.fetch(name), everything.fetch(name)):
            if isinstance(value, bytes):
                assert back == value
            else:
                assert back.dtype == value.dtype
                np.testing.assert_array_equal(back, value)
                assert back.shape == value.shape


def test_paths_lie_under_the_root_folder_or_are_absolute(workspace, tmp_path):
    workspace.feed("x", np.float32([1]))
    workspace.run_operator(op("Save", ["x"], db="near", db_type="minidb"))
    far = tmp_path / "far"
    far.mkdir()
    workspace.run_operator(op("Save", ["x"], db=str(far / "db"), db_type="minidb", absolute_path=1))
    assert (tmp_path / "near").is_file()
    assert (far / "db").is_file()
    for name, absolute, found in (("near", 0, True), ("absent", 0, False), (str(far / "db"), 1, True)):
        workspace.run_operator(op("DBExists", [], ["e"], db_name=name, db_type="minidb", absolute_path=absolute))
        assert workspace.fetch("e") == np.array(found)


def test_names_may_change_on_the_way(workspace, tmp_path):
    workspace.feed("gpu_0/fc_w", np.float32([1]))
    workspace.run_operator(op("Save", ["gpu_0/fc_w"], db="a", db_type="minidb", strip_prefix="gpu_0/"))
    assert keys(tmp_path / "a") == ["fc_w#%0"]
    workspace.run_operator(op("Save", ["gpu_0/fc_w"], db="b", db_type="minidb", blob_name_overrides=["other"]))
    assert keys(tmp_path / "b") == ["other#%0"]
    workspace.run_operator(op("Load", [], ["cpu/fc_w"], db="a", db_type="minidb", add_prefix="cpu/"))
    workspace.run_operator(op("Load", [], ["w"], db="b", db_type="minidb", source_blob_names=["other"]))
    workspace.run_operator(op("Load", [], ["her"], db="b", db_type="minidb", strip_prefix="ot"))
    for name in ("cpu/fc_w", "w", "her"):
        np.testing.assert_array_equal(workspace.fetch(name), [1])
    with pytest.raises(BadArgument, match="mutually exclusive"):
        workspace.run_operator(op("Save", ["w"], db="c", db_type="minidb", strip_prefix="x", blob_name_overrides=["y"]))
    with pytest.raises(BadArgument, match="mismatch"):
        workspace.run_operator(op("Save", ["w"], db="c", db_type="minidb", blob_name_overrides=["y", "z"]))
    with pytest.raises(BadArgument, match="Duplicated"):
        workspace.run_operator(op("Save", ["w", "her"], db="c", db_type="minidb", blob_name_overrides=["y", "y"]))


def test_all_may_be_loaded_by_name(workspace, tmp_path):
    for name in "xy":
        workspace.feed(name, np.float32([1]))
    workspace.run_operator(op("Save", ["x", "y"], db="both", db_type="minidb"))
    other = Workspace("other", root_folder=str(tmp_path))
    with pytest.raises(BadValue, match="Expected to load 2 blobs, got 1 only"):
        other.run_operator(op("Load", [], ["x", "z"], db="both", db_type="minidb", load_all=1))
    assert "y" not in other
    other.run_operator(op("Load", [], ["x"], db="both", db_type="minidb", load_all=1))
    assert other.fetch("x") == other.fetch("y") == 1
    with pytest.raises(BadArgument, match="each blob may be named once"):
        other.run_operator(op("Load", [], ["x", "x"], db="both", db_type="minidb"))


def test_chunks_and_several_databases(workspace, tmp_path):
    workspace.feed("x", np.arange(10, dtype=np.float32))
    workspace.feed("y", np.float32([7]))
    workspace.run_operator(op("Save", ["x"], db="x", db_type="minidb", chunk_size=4))
    workspace.run_operator(op("Save", ["y"], db="y", db_type="minidb"))
    assert keys(tmp_path / "x") == ["x#%0", "x#%1", "x#%2"]
    other = Workspace("other", root_folder=str(tmp_path))
    other.run_operator(op("Load", [], ["x", "y"], dbs=["x", "y"], db_type="minidb"))
    np.testing.assert_array_equal(other.fetch("x"), np.arange(10))
    workspace.run_operator(op("Save", ["y"], db="z", db_type="minidb"))
    for twice in (["y", "z"], ["y", "y"]):
        with pytest.raises(BadValue, match="Duplicate Key y"):
            other.run_operator(op("Load", [], ["y"], dbs=twice, db_type="minidb"))
    with open_db(str(tmp_path / "x"), "minidb", "read") as db:
        first = next(iter(db.new_cursor()))
    with open_db(str(tmp_path / "cut"), "minidb", "new") as db, db.new_transaction() as writing:
        writing.put(*first)
    with pytest.raises(DamagedFile, match="not complete"):
        other.run_operator(op("Load", [], ["x"], db="cut", db_type="minidb"))


def test_what_is_missing_is_named_or_left_empty(workspace):
    workspace.feed("x", np.float32([1]))
    workspace.run_operator(op("Save", ["x"], db="x", db_type="minidb"))
    with pytest.raises(BadValue, match=r"Expected to load 2 blobs, got 1 only.*Missing: nothing"):
        workspace.run_operator(op("Load", [], ["x", "nothing"], db="x", db_type="minidb"))
    workspace.run_operator(op("Load", [], ["x", "nothing"], db="x", db_type="minidb", allow_incomplete=1))
    assert workspace.fetch("nothing") == b"nothing, a C++ native class of type nullptr (uninitialized)."
    with pytest.raises((OSError, RuntimeError), match="Cannot open file"):
        workspace.run_operator(op("Load", [], ["x"], db="absent", db_type="minidb"))
    with pytest.raises(BadArgument, match="db type"):
        workspace.run_operator(op("Load", [], ["x"], db="x"))
    with pytest.raises(SchemaError, match="nothing to save"):
        workspace.run_operator(op("Save", [], db="none", db_type="minidb"))


def test_loading_from_a_reader_does_not_move_it(workspace, tmp_path):
    for name in ("first", "second"):
        workspace.feed(name, np.float32([len(name)]))
    workspace.run_operator(op("Save", ["first", "second"], db="db", db_type="minidb"))
    workspace.run_operator(op("CreateDB", [], ["reader"], db=str(tmp_path / "db"), db_type="minidb"))
    for name in ("second", "first"):
        workspace.feed(name, np.float32([0]))
        workspace.run_operator(op("Load", ["reader"], [name]))
        assert workspace.fetch(name) == [len(name)]


def test_checkpoints_every_so_many_iterations(workspace, tmp_path):
    workspace.feed("w", np.float32([5]))
    for iteration in range(7):
        workspace.feed("iter", np.int64([iteration]))
        workspace.run_operator(op("Checkpoint", ["iter", "w"], db="model_%02d", db_type="minidb", every=3))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model_00", "model_03", "model_06"]
    assert keys(tmp_path / "model_03") == ["iter#%0", "w#%0"]
    with pytest.raises(BadArgument, match="one place for the iteration"):
        workspace.run_operator(op("Checkpoint", ["iter", "w"], db="model", db_type="minidb"))


def test_what_cannot_be_saved_leaves_the_old_file(workspace, tmp_path):
    workspace.feed("x", np.float32([1]))
    workspace.run_operator(op("Save", ["x"], db="db", db_type="minidb"))
    before = (tmp_path / "db").read_bytes()
    workspace["mutex"] = Mutex()
    with pytest.raises(NotImplementedError, match="leave it out"):
        workspace.run_operator(op("Save", ["x", "mutex"], db="db", db_type="minidb"))
    assert (tmp_path / "db").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["db"]


def write_examples(path, db_type, count=5, shape=(1, 2)):
    with open_db(str(path), db_type, "new") as db, db.new_transaction() as writing:
        for k in range(count):
            example = caffe2_pb2.TensorProtos()
            example.protos.append(array_to_tensor(np.full(shape, k, np.float32)))
            example.protos.append(array_to_tensor(np.array(k, np.int32)))
            writing.put(f"{k:03d}", example.SerializeToString())


@pytest.mark.parametrize("db_type", ["minidb", "lmdb"])
def test_batches_go_on_at_the_beginning(workspace, tmp_path, db_type):
    write_examples(tmp_path / "db", db_type)
    workspace.run_operator(op("CreateDB", [], ["reader"], db=str(tmp_path / "db"), db_type=db_type))
    seen = []
    for _ in range(3):
        workspace.run_operator(op("TensorProtosDBInput", ["reader"], ["x", "label"], batch_size=3))
        seen.append(workspace.fetch("label").tolist())
        assert workspace.fetch("x").shape == (3, 1, 2)
        np.testing.assert_array_equal(workspace.fetch("x")[:, 0, 0], seen[-1])
    assert seen == [[0, 1, 2], [3, 4, 0], [1, 2, 3]]
    assert workspace.fetch("label").dtype == np.int32
    workspace.run_operator(op("TensorProtosDBInput", ["reader"], ["x", "label"]))
    assert workspace.fetch("x").shape == (1, 2)
    assert workspace.fetch("label").shape == ()
    assert b"caffe2::db::DBReader" in workspace.fetch("reader")


def test_a_batch_may_be_larger_than_the_database(workspace, tmp_path):
    write_examples(tmp_path / "db", "minidb", count=2)
    workspace["reader"] = DBReader("minidb", str(tmp_path / "db"))
    workspace.run_operator(op("TensorProtosDBInput", ["reader"], ["x", "label"], batch_size=5))
    assert workspace.fetch("label").tolist() == [0, 1, 0, 1, 0]


def test_examples_that_do_not_fit(workspace, tmp_path):
    write_examples(tmp_path / "db", "minidb")
    workspace["reader"] = DBReader("minidb", str(tmp_path / "db"))
    with pytest.raises(ShapeMismatch, match="2 tensors, but there are 1 outputs"):
        workspace.run_operator(op("TensorProtosDBInput", ["reader"], ["x"], batch_size=1))
    with open_db(str(tmp_path / "odd"), "minidb", "new") as db, db.new_transaction() as writing:
        for size in (2, 3):
            example = caffe2_pb2.TensorProtos(protos=[array_to_tensor(np.zeros(size, np.float32))])
            writing.put(str(size), example.SerializeToString())
        writing.put("broken", b"\xff\xff")
    workspace["reader"] = DBReader("minidb", str(tmp_path / "odd"))
    with pytest.raises(ShapeMismatch, match="differ in tensor 0"):
        workspace.run_operator(op("TensorProtosDBInput", ["reader"], ["x"], batch_size=2))
    with pytest.raises(DamagedFile, match="broken"):
        workspace.run_operator(op("TensorProtosDBInput", ["reader"], ["x"], batch_size=1))
    workspace["counter"] = Counter()
    with pytest.raises(BadArgument, match="DB reader"):
        workspace.run_operator(op("TensorProtosDBInput", ["counter"], ["x"], batch_size=1))
