"""What readers, writers and pipes share."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.data.limited_readers import CountUntil
from c2lab.data.queues import Queue
from c2lab.data.schema import Scalar, Struct
from c2lab.data.streams import Pipe, PipedReaderBuilder, Reader, ReaderBuilder, Writer
from tests.data.written_records import column, numbers, within_limit


def test_a_step_reads_until_the_end():
    init_net = core.Net("init")
    reader = numbers(10).reader(init_net, batch_size=4)
    step, record = reader.execution_step("reading")
    assert record.field_names() == ["label"]
    summing = core.Net("summing")
    init_net.ConstantFill([], "total", shape=[], value=0, dtype=core.DataType.INT64)
    summing.Add(["total", summing.SumElements(summing.Cast(record.label(), to=core.DataType.FLOAT)).Cast(
        to=core.DataType.INT64)], ["total"])  # fmt: skip
    step.AddNet(summing)
    plan = core.Plan("plan")
    plan.AddStep(core.execution_step("init", init_net))
    plan.AddStep(step)
    within_limit(lambda: workspace.RunPlan(plan))
    assert workspace.FetchBlob("total") == 45


def test_a_step_may_be_stopped_from_outside():
    init_net = core.Net("init")
    stop = init_net.Const(True)
    reader = numbers(10).reader(init_net)
    step, record = reader.execution_step(external_should_stop=stop)
    plan = core.Plan("plan")
    plan.AddStep(core.execution_step("init", init_net))
    plan.AddStep(step)
    within_limit(lambda: workspace.RunPlan(plan))
    assert workspace.FetchBlob(record.label()).tolist() == [0]


def test_a_kind_of_reader_says_what_it_lacks():
    with pytest.raises(AssertionError, match="Schema not provided"):
        Reader().schema()
    with pytest.raises(AssertionError, match="must be a Field, not list"):
        Reader(["a"])
    with pytest.raises(NotImplementedError, match="how to read"):
        Reader().read(core.Net("n"))
    with pytest.raises(NotImplementedError, match="cannot be resetted"):
        Reader().reset(core.Net("n"))
    with pytest.raises(NotImplementedError, match="how to write"):
        Writer().write(core.Net("n"), [])
    for ask in (
        Pipe().reader,
        Pipe().writer,
        ReaderBuilder().schema,
        ReaderBuilder().setup,
        ReaderBuilder().new_reader,
    ):
        with pytest.raises(NotImplementedError):
            ask()


class Keeping(Writer):
    def __init__(self):
        self.committed = 0

    def write(self, writer_net, fields):
        writer_net.Copy(fields[0], "kept")

    def commit(self, finish_net):
        self.committed += 1


def test_a_writer_takes_records_and_blobs():
    record = Struct(("a", Scalar(np.float32, core.BlobReference("x"))))
    for given in (record, record.field_blobs()):
        writer, net = Keeping(), core.Net("n")
        writer.write_record(net, given)
        assert [op.type for op in net.Proto().op] == ["Copy"]
        nets, stop = writer.write_record_ex(given, net, net)
        assert len(nets) == 1
        assert str(stop)
        assert (writer.schema() is None) == (given is not record)
        writer.setup_ex(net, net)
        assert writer.committed == 1


def test_a_pipe_counts_its_ends_and_takes_the_schema_of_the_first_writer():
    class Marked(Pipe):
        pass

    pipe, net = Marked(obj_key="marks"), core.Net("n")
    schema = Struct(("a", np.int64))
    pipe._new_writer(schema, net)
    pipe._new_writer(Struct(("b", np.int64)), net)
    pipe._new_reader(net)
    assert (pipe.num_writers(), pipe.num_readers()) == (2, 1)
    assert pipe.schema() is schema
    assert net.get_attributes("marks") == [pipe] * 3


def test_readers_of_a_builder_are_passed_through_a_function():
    class Counting(ReaderBuilder):
        def schema(self):
            return CountUntil(1).schema()

        def setup(self, **kwargs):
            return {"finished": kwargs["name"]}

        def new_reader(self, **kwargs):
            return CountUntil(kwargs["count"])

    seen = []

    def piper(reader, **kwargs):
        seen.append((reader, kwargs))
        return Queue(1, schema=reader.schema()) if kwargs.get("queue") else reader

    builder = PipedReaderBuilder(Counting(), piper)
    assert builder.schema().field_names() == ["iter"]
    assert builder.setup(name="x") == {"finished": "x"}
    assert isinstance(builder.new_reader(count=3), Reader)
    assert isinstance(builder.new_reader(count=3, queue=True), Reader)
    assert [kwargs for _, kwargs in seen] == [{"count": 3}, {"count": 3, "queue": True}]
    assert column(numbers(2)).tolist() == [0, 1]
