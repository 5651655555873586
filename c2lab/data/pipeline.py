"""Pipelines: tasks that read records, process them, and write them, in several threads.

>>> from c2lab.control.task import TaskGroup
>>> from c2lab.data.limited_readers import CountUntil
>>> with TaskGroup() as group:
...     queue = pipe(CountUntil(100), num_runtime_threads=2)
>>> group.num_registered_tasks()
1
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any

from c2lab.control.net_builder import NetBuilder
from c2lab.control.operations import ops
from c2lab.control.task import Task, TaskGroup
from c2lab.data.limited_readers import false
from c2lab.data.queues import Queue
from c2lab.data.schema import Field, as_record
from c2lab.data.streams import Reader, Writer
from c2lab.nets.blobs import BlobReference
from c2lab.nets.cloning import clone_and_bind_net
from c2lab.nets.net import Net
from c2lab.plan import execution_step, to_execution_step

DEFAULT_QUEUE_CAPACITY = 100


class Output:
    """What a processor gives.

    Args:
        nets: The nets to run, where they were not written with ``ops``.
        record: The record to pass on.
        should_stop: A bool that ends the pipeline.
    """

    def __init__(self, nets: Any = None, record: Any = None, should_stop: BlobReference | None = None) -> None:
        builder = NetBuilder.current(required=False)
        written = builder.get() if builder is not None else []
        if nets is not None and written:
            raise AssertionError("Cannot both use `ops` syntax and return a list of nets.")
        nets = written if nets is None else nets
        self.nets: list[Any] = [nets] if isinstance(nets, Net) else list(nets)
        self.record = None if record is None else as_record(record)
        self.should_stop = should_stop


def normalize_processor_output(output: Any) -> Output:
    """What a processor returned, as ``Output``.

    It may return an ``Output``, a record, a record and a bool that ends the pipeline, nets, or a tuple of nets,
    record and bool.
    """
    if isinstance(output, Output):
        return output
    if isinstance(output, Field):
        return Output(record=output)
    if isinstance(output, tuple):
        if len(output) == 2 and isinstance(output[0], Field) and isinstance(output[1], BlobReference):
            return Output(None, *output)
        return Output(*output)
    return Output(output)


class NetProcessor:
    """A net as a processor: each thread runs a copy of it.

    Args:
        net: A net with an input record and, where records are passed on, an output record.
        stop_signal: A bool of the net, or from elsewhere, that ends the pipeline.
        thread_init_nets: Nets of which each thread's copy is run once.
        name: A name.
    """

    def __init__(
        self,
        net: Net,
        stop_signal: BlobReference | None = None,
        thread_init_nets: list[Net] | None = None,
        name: str | None = None,
    ) -> None:
        if not isinstance(net, Net):
            raise AssertionError(f"NetProcessor takes a core.Net, not {type(net).__name__}.")
        if stop_signal is not None and not isinstance(stop_signal, BlobReference):
            raise AssertionError(f"stop_signal is a BlobReference, not {type(stop_signal).__name__}.")
        self.name = name or net.Name()
        self.net = net
        self.thread_init_nets = thread_init_nets or []
        self._stop_signal = stop_signal
        self._blob_maps: list[MutableMapping[str, str]] = []
        self._init_nets: list[Net] = []
        self._frozen = False

    def schema(self) -> Any:
        """The schema of the records that are passed on."""
        return self.net.output_record()

    def setup(self, init_net: Net) -> list[Net]:
        """The copies of the threads' init nets."""
        self._frozen = True
        nets, self._init_nets = self._init_nets, []
        return nets

    def __call__(self, rec: Any) -> Output:
        if self._frozen:
            raise AssertionError(f"The processor {self.name} runs already; it can be copied no more.")
        prefix = f"{NetBuilder.current().name}/"
        remap: MutableMapping[str, str] = {}
        for net in self.thread_init_nets:
            copy, _ = clone_and_bind_net(net, net.Name() + prefix, prefix, remap)
            self._init_nets.append(copy)
        copy, remap = clone_and_bind_net(self.net, self.net.Name() + prefix, prefix, remap, rec)
        stop = self._stop_signal
        if stop is not None and str(stop) in remap:
            stop = BlobReference(remap[str(stop)], net=copy)
        self._blob_maps.append(remap)
        return Output([copy], copy.output_record(), stop)

    def blob_maps(self) -> list[MutableMapping[str, str]]:
        """For each thread, the names of the net's blobs in its copy."""
        self._frozen = True
        return self._blob_maps


def make_processor(processor: Any, reader: Reader | None = None) -> Callable[[Any], Any]:
    """A processor of a net, or of a function; without one, records stay as they are.

    Args:
        processor: A net, a function of a record, or nothing.
        reader: Where records come from, for a processor whose ``schema_func(reader)`` tells its schema.
    """
    if processor is None:
        return lambda record: record
    if isinstance(processor, Net):
        return NetProcessor(processor)
    if reader is not None and hasattr(processor, "schema_func"):
        processor.schema = lambda: processor.schema_func(reader)
    return processor


def processor_name(processor: Any) -> str:
    """A name for a task: the name of a processor, or of a function or class."""
    if hasattr(processor, "name"):
        return processor.name
    if getattr(processor, "__name__", "<lambda>") != "<lambda>":
        owner = getattr(processor, "__self__", None)
        return f"{type(owner).__name__}.{processor.__name__}" if owner is not None else processor.__name__
    return processor.__module__ if hasattr(processor, "__name__") else type(processor).__name__


class _Processing(NetBuilder):
    """What a processor writes with ``ops``; the loop around it, and not this, minds its stop blob."""

    def _finish(self) -> None:
        """Nothing: it runs again with the next record."""


class ProcessingReader(Reader):
    """Reads from another reader, and passes each record through a processor.

    Args:
        reader: The other reader.
        processor: A function of a record, or a net.
    """

    def __init__(self, reader: Reader, processor: Any) -> None:
        super().__init__()
        self.reader = reader
        self.processor: Any = make_processor(processor, reader)

    def schema(self) -> Any:
        if self._schema is None and hasattr(self.processor, "schema"):
            return self.processor.schema()
        return super().schema()

    def setup_ex(self, init_net: Net, finish_net: Net | None) -> None:
        self.reader.setup_ex(init_net, finish_net)

    def read_ex(self, init_net: Net, exit_net: Net | None) -> Any:
        read_nets, status, record = self.reader.read_record_ex(init_net, exit_net)
        with _Processing() as builder:
            result = normalize_processor_output(self.processor(record))
        nets = [*read_nets, *result.nets]
        stops = [stop for stop in (result.should_stop, builder._stop_blob) if stop is not None]
        if stops:
            stop_net = Net("stop_net")
            for stop in stops:
                stop_net.Or([status, stop], [status])
            nets.append(stop_net)
        if hasattr(self.processor, "setup"):
            init_net.add_attribute(TaskGroup.LOCAL_SETUP, self.processor)
        self._set_schema(result.record)
        return nets, status, result.record.field_blobs() if result.record is not None else None


def pipe(
    input: Any,
    output: Any = None,
    num_threads: int = 1,
    processor: Any = None,
    name: str | None = None,
    capacity: int | None = None,
    group: TaskGroup | None = None,
    num_runtime_threads: int = 1,
) -> Any:
    """Adds a task that reads records and writes them, until the reader ends or the writer takes no more.

    Args:
        input: A reader, or a pipe (a queue) to read from.
        output: A writer, or a pipe to write to; a new queue where left out. Where the processor gives no record
            nothing is written.
        num_threads: How many threads run, each with nets of its own; 0 adds no task, and gives a reader that
            processes what it reads.
        processor: A function of a record that adds operators with ``ops`` and returns a record, or one of the
            other things that ``normalize_processor_output`` knows; or a net with input and output records.
        name: A name for the task.
        capacity: How many records the new queue holds.
        group: The group to add the task to; the current one where left out.
        num_runtime_threads: As ``num_threads``, but all run the same nets, each in a workspace of its own.

    Returns:
        The pipe that is written to; a reader where there are 0 threads; ``None`` where a writer was given.
    """
    result, _ = _pipe(input, output, num_threads, processor, name, capacity, group, num_runtime_threads, None)
    return result


def pipe_and_output(
    input: Any,
    output: Any = None,
    num_threads: int = 1,
    processor: Any = None,
    name: str | None = None,
    capacity: int | None = None,
    group: TaskGroup | None = None,
    num_runtime_threads: int = 1,
    final_outputs: Any = None,
) -> tuple[Any, Any]:
    """As ``pipe``, for a task with outputs: blobs or records, one or a list. Returns also their ``TaskOutput``."""
    if num_threads < 1 or num_runtime_threads < 1:
        raise AssertionError("Outputs are those of a task: there must be at least one thread.")
    result, task = _pipe(
        input, output, num_threads, processor, name, capacity, group, num_runtime_threads, final_outputs
    )
    if final_outputs is None or task is None:
        return result, None
    outputs = task.outputs()
    return result, outputs if isinstance(final_outputs, list | tuple) else outputs[0]


def _pipe(
    input: Any,
    output: Any,
    num_threads: int,
    processor: Any,
    name: str | None,
    capacity: int | None,
    group: TaskGroup | None,
    num_runtime_threads: int,
    final_outputs: Any,
) -> tuple[Any, Task | None]:
    if num_threads > 1 and num_runtime_threads > 1:
        raise AssertionError("num_threads and num_runtime_threads are two ways to say the same; give one of them.")
    if not isinstance(input, Reader) and not hasattr(input, "reader"):
        raise ValueError(f"input must be a reader, queue or stream, not {type(input).__name__}.")
    reader = input if isinstance(input, Reader) else input.reader()
    if processor is not None:
        reader = ProcessingReader(reader, processor)
    if num_threads == 0 or num_runtime_threads == 0:
        if output is not None:
            raise AssertionError("With 0 threads there is nothing that writes: leave output out.")
        return reader, None
    if name is None and processor is not None:
        name = processor_name(processor)
    if name is None and output is not None:
        name = f"pipe_into:{processor_name(output)}"
    if name is None:
        name = f"pipe_from:{processor_name(input)}"
    build = _threads_of_their_own if num_threads > 1 else _threads_at_run_time
    with Task(name=name, group=group, outputs=final_outputs) as task:
        if num_threads <= 1:
            task._num_instances = num_runtime_threads
        pipeline = _Pipeline(task.name, reader, output, capacity)
        build(pipeline, num_threads)
    return pipeline.output, task


class _Pipeline:
    """The nets of a pipeline's task."""

    def __init__(self, name: str, reader: Reader, output: Any, capacity: int | None) -> None:
        self.name = name
        self.reader = reader
        self.output: Any = output if not isinstance(output, Writer) else None
        self.capacity = capacity
        self.init_net, self.exit_net = Net("init"), Net("exit")
        reader.setup_ex(self.init_net, self.exit_net)
        self._given = output
        self._writer: Writer | None = None

    def thread(self) -> tuple[Net, Any, Net]:
        """The nets of one thread: before, the loop, after."""
        init_net, exit_net = Net("thread_init"), Net("thread_exit")
        read_nets, status, record = self.reader.read_record_ex(init_net, exit_net)
        # False from the start: the loop looks at it after each net, also before the one that sets it.
        false(init_net, [status])
        write_nets: list[Net] = []
        if record is not None:
            write_nets, _ = self._writing().write_record_ex(record, init_net, exit_net, status)
        return init_net, execution_step("body", [*read_nets, *write_nets], should_stop_blob=status), exit_net

    def _writing(self) -> Writer:
        if self._writer is None:
            given = self._given
            if given is None:
                # One queue for all threads, named after the task.
                with NetBuilder(_fullname=self.name):
                    self.output = Queue(capacity=DEFAULT_QUEUE_CAPACITY if self.capacity is None else self.capacity)
            elif self.capacity is not None:
                raise AssertionError("capacity is that of a new queue, but there is an output: leave one of them out.")
            if isinstance(given, Writer):
                self._writer = given
            elif given is None or hasattr(given, "writer"):
                self._writer = self.output.writer()
            else:
                raise ValueError(f"output must be a writer, queue or stream, not {type(given).__name__}.")
            assert self._writer is not None
            self._writer.setup_ex(self.init_net, self.exit_net)
        return self._writer


def _threads_of_their_own(pipeline: _Pipeline, num_threads: int) -> None:
    steps = []
    for thread in range(num_threads):
        with NetBuilder(name=f"t:{thread}") as builder:
            for part in pipeline.thread():
                ops.net(part)
        steps.append(to_execution_step(builder))
    ops.net(pipeline.init_net)
    NetBuilder.current().add(execution_step("body", steps, concurrent_substeps=True))
    ops.net(pipeline.exit_net)


def _threads_at_run_time(pipeline: _Pipeline, num_threads: int) -> None:
    before, loop, after = pipeline.thread()
    with ops.task_init():
        ops.net(pipeline.init_net)
    with ops.task_instance_init():
        ops.net(before)
    NetBuilder.current().add(loop)
    with ops.task_instance_exit():
        ops.net(after)
    with ops.task_exit():
        ops.net(pipeline.exit_net)
