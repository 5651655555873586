"""Pipelines in several threads: every record once, and an end to every wait."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.control.operations import ops
from c2lab.control.session import LocalSession
from c2lab.control.task import Task, TaskGroup
from c2lab.data.limited_readers import CountUntil, ReaderWithLimit
from c2lab.data.pipeline import (
    NetProcessor,
    Output,
    ProcessingReader,
    make_processor,
    normalize_processor_output,
    pipe,
    pipe_and_output,
    processor_name,
)
from c2lab.data.queues import Queue
from c2lab.data.schema import Struct
from c2lab.errors import BadValue
from tests.data.written_records import column, empty, numbers, within_limit

THREADS = [
    pytest.param({}, id="one"),
    pytest.param({"num_threads": 3}, id="three"),
    pytest.param({"num_runtime_threads": 3}, id="three at run time"),
]


def run(group):
    with LocalSession() as session:
        within_limit(lambda: session.run(group))


def row(record):
    """The counter's number as a row of its own."""
    return Struct(("label", ops.ExpandDims(record.iter(), dims=[0])))


def plus_1000(record):
    return Struct(("label", ops.Add([record.label(), ops.Const(np.int64(1000))])))


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize(("batch", "capacity"), [(1, 1), (7, 3), (1000, 100)])
def test_every_record_goes_through_once(threads, batch, capacity):
    source, target = numbers(60), empty()
    with TaskGroup() as group:
        queue = pipe(source.reader(batch_size=batch), processor=plus_1000, capacity=capacity, **threads)
        pipe(queue, target.writer(), processor=lambda record: Struct(("label", ops.Copy(record.label()))), **threads)
    run(group)
    assert sorted(column(target).tolist()) == list(range(1000, 1060))


def test_several_readers_write_into_one_queue():
    target, queue = empty(), Queue(2)
    sizes = [40, 0, 3, 25]
    with TaskGroup() as group:
        for number, size in enumerate(sizes):
            pipe(numbers(size, f"source{number}").reader(), queue, num_runtime_threads=2)
        processed = pipe(queue, processor=plus_1000, num_runtime_threads=2, capacity=2)
        pipe(processed, target.writer(), num_runtime_threads=2)
    run(group)
    assert sorted(column(target).tolist()) == sorted(1000 + k for size in sizes for k in range(size))
    assert (queue.num_writers(), queue.num_readers()) == (4, 1)


def test_a_group_runs_again():
    target = empty()
    with TaskGroup() as group:
        pipe(pipe(CountUntil(10), processor=row, num_runtime_threads=2), target.writer())
    with LocalSession() as session:
        within_limit(lambda: session.run(group))
        within_limit(lambda: session.run(group))
    assert sorted(column(target).tolist()) == sorted([*range(10), *range(10)])


@pytest.mark.parametrize("threads", THREADS)
def test_a_net_is_a_processor(threads):
    net = core.Net("doubling")
    record = net.set_input_record(Struct(("label", np.int64)))
    net.set_output_record(Struct(("twice", net.Add([record.label(), record.label()]))))
    target = empty(field="twice")
    processor = NetProcessor(net)
    with TaskGroup() as group:
        pipe(pipe(numbers(20).reader(), processor=processor, **threads), target.writer())
    run(group)
    assert sorted(column(target).tolist()) == list(range(0, 40, 2))
    assert len(processor.blob_maps()) == threads.get("num_threads", 1)
    with pytest.raises(AssertionError, match="can be copied no more"):
        processor(record)


def test_each_threads_copy_of_a_net_is_set_up():
    init, net = core.Net("weights"), core.Net("adding")
    weight = init.Const(np.int64([100]), "weight")
    record = net.set_input_record(Struct(("label", np.int64)))
    net.set_output_record(Struct(("sum", net.Add([record.label(), weight]))))
    target = empty(field="sum")
    with TaskGroup() as group:
        processed = pipe(numbers(12).reader(), processor=NetProcessor(net, thread_init_nets=[init]), num_threads=2)
        pipe(processed, target.writer())
    run(group)
    assert sorted(column(target).tolist()) == list(range(100, 112))


def test_a_processor_may_stop_the_pipeline():
    def until_five(record):
        ops.stop_if(ops.GE([record.iter(), ops.Const(np.int64(5))]))
        return row(record)

    target = empty()
    with TaskGroup() as group:
        pipe(CountUntil(1_000_000), target.writer(), processor=until_five)
    run(group)
    assert column(target).tolist() == [0, 1, 2, 3, 4]


def test_a_stop_signal_of_a_net_ends_the_pipeline():
    net = core.Net("until_three")
    record = net.set_input_record(Struct(("iter", np.int64)))
    net.set_output_record(Struct(("label", net.ExpandDims(record.iter(), dims=[0]))))
    stop = net.GE([record.iter(), net.Const(np.int64(3))])
    target = empty()
    with TaskGroup() as group:
        pipe(CountUntil(1_000_000), target.writer(), processor=NetProcessor(net, stop_signal=stop))
    run(group)
    assert column(target).tolist() == [0, 1, 2]


def test_without_a_record_nothing_is_written():
    def count(record):
        ops.CountUp("seen")

    workspace.RunOperatorOnce(core.CreateOperator("CreateCounter", [], ["seen"]))
    with TaskGroup() as group:
        assert pipe(numbers(15).reader(), processor=count, num_runtime_threads=3) is None
    run(group)
    assert workspace.current()["seen"].count == 15


def test_without_threads_there_is_a_reader():
    with TaskGroup() as group:
        reader = pipe(numbers(5).reader(), processor=plus_1000, num_threads=0)
        assert isinstance(reader, ProcessingReader)
        assert group.num_registered_tasks() == 0
        target = empty()
        pipe(reader, target.writer())
    run(group)
    assert column(target).tolist() == list(range(1000, 1005))
    with pytest.raises(AssertionError, match="nothing that writes"):
        pipe(numbers(5).reader(), Queue(1), num_threads=0)


def test_outputs_of_a_pipe():
    target = empty()
    with TaskGroup() as group:
        reader = ReaderWithLimit(numbers(100).reader(), num_iter=10)
        result, finished = pipe_and_output(reader, target.writer(), final_outputs=reader.data_finished())
        assert result is None
    run(group)
    assert column(target).tolist() == list(range(10))
    assert not finished.fetch()
    with TaskGroup():
        _, several = pipe_and_output(CountUntil(1), final_outputs=["a", "b"])
        _, none = pipe_and_output(CountUntil(1))
    assert [output.names for output in several] == [["a"], ["b"]]
    assert none is None


@pytest.mark.parametrize("where", ["reader", "processor", "writer"])
def test_a_failure_anywhere_ends_everything(where):
    def fail(record):
        net = core.Net("failing")

        def raise_it(inputs, outputs):
            raise BadValue(f"the {where} is broken")

        net.Python(raise_it)([record.label()], [])
        return [net], record

    def well(record):
        return record

    with TaskGroup() as group:
        first = pipe(numbers(1000).reader(), processor=fail if where == "reader" else well, capacity=1)
        second = pipe(first, processor=fail if where == "processor" else well, capacity=1, num_runtime_threads=2)
        pipe(second, empty().writer(), processor=fail if where == "writer" else well)
    with pytest.raises(BadValue, match=f'in execution step "body": the {where} is broken'):
        run(group)


def test_a_reader_that_ends_early_ends_the_writers():
    target = empty()
    with TaskGroup() as group:
        queue = pipe(CountUntil(1_000_000), processor=row, num_runtime_threads=2, capacity=2)
        pipe(ReaderWithLimit(queue.reader(), num_iter=5), target.writer())
    run(group)
    assert len(column(target)) == 5


def test_text_goes_through_a_pipeline():
    source, target = numbers(30, dtype=np.dtype("U4")), empty(dtype=np.str_)
    with TaskGroup() as group:
        pipe(pipe(source.reader(batch_size=4), num_runtime_threads=2), target.writer(), num_runtime_threads=2)
    run(group)
    assert sorted(column(target).tolist()) == sorted(str(k).encode() for k in range(30))


def test_forms_of_what_processors_return():
    record = Struct(("a", core.BlobReference("a")))
    net, stop = core.Net("n"), core.BlobReference("stop")
    for given, expected in [
        (None, ([], None, None)),
        (net, ([net], None, None)),
        (record, ([], record, None)),
        ((record, stop), ([], record, stop)),
        (([net], record), ([net], record, None)),
        ((net, record, stop), ([net], record, stop)),
        (Output([net], record), ([net], record, None)),
    ]:
        output = normalize_processor_output(given)
        assert (output.nets, output.record, output.should_stop) == expected


def test_processors_by_name():
    class Scale:
        def __call__(self, record):
            return record

        def scaled(self, record):
            return record

    assert processor_name(plus_1000) == "plus_1000"
    assert processor_name(Scale()) == "Scale"
    assert processor_name(Scale().scaled) == "Scale.scaled"
    assert processor_name(lambda record: record) == __name__
    assert processor_name(NetProcessor(core.Net("n"), name="mine")) == "mine"
    with TaskGroup() as group:
        pipe(CountUntil(1), processor=row)
        pipe(CountUntil(1))
        pipe(CountUntil(1), empty().writer())
        pipe(CountUntil(1), name="called")
    assert [task.name for task in group._tasks_to_add] == [
        "local/row",
        "local/pipe_from:ReaderWithLimit",
        "local/pipe_into:_DatasetWriter",
        "local/called",
    ]


def test_a_processor_may_tell_its_schema_of_the_reader():
    class Known:
        def schema_func(self, reader):
            return Struct(("twice", reader.schema().iter))

        def __call__(self, record):
            return record

    reader = CountUntil(1)
    assert ProcessingReader(reader, make_processor(Known(), reader)).schema().field_names() == ["twice"]
    assert make_processor(None)("anything") == "anything"
    assert isinstance(make_processor(core.Net("n")), NetProcessor)


def test_what_cannot_be_is_said():
    with TaskGroup():
        with pytest.raises(ValueError, match="input must be a reader, queue or stream, not int"):
            pipe(5)
        with pytest.raises(ValueError, match="output must be a writer, queue or stream, not int"):
            pipe(CountUntil(1), 5)
        with pytest.raises(AssertionError, match="leave one of them out"):
            pipe(CountUntil(1), Queue(1), capacity=4)
        with pytest.raises(AssertionError, match="two ways to say the same"):
            pipe(CountUntil(1), num_threads=2, num_runtime_threads=2)
        with pytest.raises(AssertionError, match="at least one thread"):
            pipe_and_output(CountUntil(1), num_threads=0)
        with Task():
            ops.Const(1)
            with pytest.raises(AssertionError, match="Cannot both use `ops` syntax"):
                Output([core.Net("n")])
    with pytest.raises(AssertionError, match="NetProcessor takes a"):
        NetProcessor("net")
    with pytest.raises(AssertionError, match="stop_signal is a BlobReference"):
        NetProcessor(core.Net("n"), stop_signal="stop")
