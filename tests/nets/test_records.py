"""Records of blobs that nets carry."""

from __future__ import annotations

import pytest

from c2lab import core
from c2lab.nets import records


@pytest.fixture
def net():
    net = core.Net("whole")
    net.Relu("x", "h")
    net.Relu("h", "y")
    net.Relu("h", "z")
    net.AddExternalOutput("y")
    return net


def wiring(net):
    return [f"{' '.join(op.input)} -> {' '.join(op.output)}" for op in net.Proto().op]


class Record:
    """The least that a record can be."""

    def __init__(self, **fields):
        self.fields = fields

    def has_blobs(self):
        return all(self.fields.values())

    def field_names(self):
        return list(self.fields)

    def field_blobs(self):
        return list(self.fields.values())


def NewRecord(net, record):
    return Record(**{name: net.NextScopedBlob(name) for name in record.fields})


def from_blob_list(record, blobs):
    return Record(**dict(zip(record.fields, blobs, strict=True)))


def test_input_records_declare_their_blobs(net):
    record = net.set_input_record(Record(data=None))
    assert record.field_blobs() == [f"{net.Name()}/data"]
    assert net.input_record() is record
    assert net.is_external_input(f"{net.Name()}/data")
    with pytest.raises(AssertionError, match="Input schema cannot be reset"):
        net.set_input_record(Record(data="x"))


def test_output_records_declare_their_blobs(net):
    record = Record(result=core.BlobReference("z"))
    net.set_output_record(record)
    assert net.output_record() is record
    assert list(net.Proto().external_output) == ["y", "z"]
    with pytest.raises(AssertionError, match="nowhere is not defined"):
        core.Net("empty").set_output_record(Record(result=core.BlobReference("nowhere")))


def test_clones_have_the_records_of_their_blobs(net):
    net.set_input_record(Record(data=core.BlobReference("x")))
    assert net.Clone("copy", {"x": "in"}).input_record().field_blobs() == ["in"]
    assert net.Clone("copy", keep_schema=False).input_record() is None


def test_binding_renames_the_fields_of_the_input(net):
    net.set_input_record(Record(data=core.BlobReference("x")))
    clone, _ = core.clone_and_bind_net(net, "bound", "p/", inputs=Record(data="mine", more="m"))
    assert wiring(clone)[0] == "mine -> p/h"
    with pytest.raises(AssertionError, match=r"The inputs lack fields .*: data"):
        core.clone_and_bind_net(net, "bound", "p/", inputs=Record(other="m"))


def test_what_is_no_record_is_said_so():
    with pytest.raises(TypeError, match="is no record"):
        records.new_record(core.Net("n"), {"a": 1})
