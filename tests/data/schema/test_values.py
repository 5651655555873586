"""Records and the workspace."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.data.schema import (
    ConstRecord,
    FeedRecord,
    FetchRecord,
    InitEmptyRecord,
    List,
    NewRecord,
    Scalar,
    Struct,
    from_blob_list,
)

CLICKS = Struct(("user", np.int64), ("pages", List(np.float32)))
VALUES = [np.int64([7, 8]), np.int32([1, 2]), np.float32([1, 2, 3])]


def test_new_blobs_are_named_like_their_leaves():
    net = core.Net("new")
    with core.NameScope("s"):
        record = NewRecord(net, CLICKS)
    assert record.field_blobs() == ["s/user", "s/pages:lengths", "s/pages:values"]
    assert NewRecord(net, CLICKS)["user"]() == "user"
    assert NewRecord(net, Scalar(np.int32))() == "unnamed_scalar"


@pytest.mark.parametrize("as_record", [False, True])
def test_values_go_in_and_come_out(as_record):
    record = NewRecord(core.Net("fed"), CLICKS)
    FeedRecord(record, from_blob_list(CLICKS, VALUES) if as_record else VALUES)
    fetched = FetchRecord(record, throw_on_type_mismatch=True)
    for name, value in zip(CLICKS.field_names(), VALUES, strict=True):
        np.testing.assert_array_equal(fetched[name](), value)
    workspace.FeedBlob(str(record.user()), np.float32([1]))
    with pytest.raises(AssertionError, match="Expected int64, got float32"):
        FetchRecord(record, throw_on_type_mismatch=True)


def test_in_a_workspace_of_its_own():
    ws = workspace.C.Workspace()
    record = NewRecord(core.Net("apart"), CLICKS)
    FeedRecord(record, VALUES, ws)
    assert not workspace.HasBlob("user")
    assert FetchRecord(record, ws).user().tolist() == [7, 8]


def test_only_blobs_are_fed():
    with pytest.raises(AssertionError, match="'a' holds ndarray"):
        FeedRecord(Struct(("a", np.array([1]))), [np.array([1])])
    with pytest.raises(AssertionError, match="must be a record"):
        FetchRecord("a")
    with pytest.raises(AssertionError, match="must have 3 elements, got 1"):
        FeedRecord(NewRecord(core.Net("few"), CLICKS), [np.array([1])])


def test_constants():
    net = core.Net("constants")
    record = ConstRecord(net, from_blob_list(CLICKS, VALUES))
    workspace.RunNetOnce(net)
    np.testing.assert_array_equal(workspace.FetchBlob(record["pages:values"]()), VALUES[2])
    assert workspace.FetchBlob(record["user"]()).dtype == np.int64


def test_empty_records(caplog):
    net = core.Net("empty")
    schema = Struct(("x", Scalar((np.float64, 3))), ("s", np.str_), ("unknown", np.void))
    record = InitEmptyRecord(net, schema)
    assert "unknown" in caplog.text
    workspace.RunNetOnce(net)
    assert workspace.FetchBlob("x").shape == (0, 3)
    assert workspace.FetchBlob("x").dtype == np.float64
    assert workspace.FetchBlob("unknown").shape == (0,)
    with pytest.raises(TypeError, match="Unknown dtype"):
        InitEmptyRecord(net, record, enforce_types=True)


def test_nets_carry_records():
    net = core.Net("carries")
    record = net.set_input_record(CLICKS)
    assert record.field_blobs() == ["carries/user", "carries/pages:lengths", "carries/pages:values"]
    out = Struct(("sum", net.Sum([record.user()], "total")))
    net.set_output_record(out)
    net.AppendOutputRecordField("more", Struct(("user", record.user())))
    assert net.output_record().field_names() == ["sum", "more:user"]
    again = core.Net(net.Proto())
    again.recover_input_record_by_prefix("carries/")
    assert again.input_record().field_names() == CLICKS.field_names()
    assert net.Clone("twin", {"carries/user": "mine"}).input_record().user() == "mine"
