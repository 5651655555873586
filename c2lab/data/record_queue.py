"""A queue in the current workspace, filled from a reader by threads of its own and read like a dataset."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from c2lab import workspace
from c2lab.data.schema import Field, Struct, from_column_list
from c2lab.data.streams import Reader, Writer
from c2lab.nets.blobs import BlobReference
from c2lab.nets.net import Net
from c2lab.nets.scopes import NameScope
from c2lab.plan import ExecutionStep, execution_step


class _QueueReader(Reader):
    def __init__(self, blobs_queue: BlobReference, schema: Field, name: str) -> None:
        super().__init__(schema)
        self.blobs_queue = blobs_queue
        self.name = name

    def read(self, read_net: Net) -> tuple[BlobReference, Any]:
        with NameScope(read_net.NextName(self.name)):
            status = read_net.NextName()
            *fields, status = read_net.SafeDequeueBlobs(self.blobs_queue, [*self.schema().field_names(), status])
        return status, fields


class _QueueWriter(Writer):
    def __init__(self, blobs_queue: BlobReference, schema: Field) -> None:
        self.blobs_queue = blobs_queue
        self._schema = schema

    def write(self, writer_net: Net, fields: Any) -> BlobReference:
        blobs = fields.field_blobs() if isinstance(fields, Field) else list(fields)
        writer_net.CheckDatasetConsistency(blobs, [], fields=self.schema().field_names())
        return writer_net.SafeEnqueueBlobs([self.blobs_queue, *blobs], [*blobs, writer_net.NextName()])[-1]


class RecordQueue:
    """A queue of records, made in the current workspace.

    Args:
        fields: The schema, or the list of its columns' names.
        name: A name.
        capacity: How many records it holds before writers wait.
        enforce_unique_name: Without effect.
        num_threads: How many threads fill it.
    """

    def __init__(
        self,
        fields: Struct | list[str],
        name: str | None = None,
        capacity: int = 1,
        enforce_unique_name: bool = False,
        num_threads: int = 1,
    ) -> None:
        if not isinstance(fields, list | Struct):
            raise AssertionError(f"fields must be a Struct or a list of names, not {type(fields).__name__}.")
        self.schema = from_column_list(fields) if isinstance(fields, list) else fields
        self.name = name or "queue"
        self.num_threads = num_threads
        init_net = Net(f"{self.name}/init_net")
        self.blobs_queue = init_net.CreateBlobsQueue(
            [],
            1,
            capacity=capacity,
            num_blobs=len(self.schema.field_names()),
            enforce_unique_name=enforce_unique_name,
        )
        workspace.RunNetOnce(init_net)
        self.writer = _QueueWriter(self.blobs_queue, self.schema)
        self.reader = _QueueReader(self.blobs_queue, self.schema, f"{self.name}_reader")
        exit_net = Net(f"{self.name}/exit_net")
        exit_net.CloseBlobsQueue(self.blobs_queue, 0)
        self.exit_step = execution_step(f"{exit_net.Name()}_close_step", exit_net)

    def build(
        self, reader: Reader, process: Callable[[Net, Any], Any] | None = None
    ) -> tuple[Reader, ExecutionStep, ExecutionStep, Any]:
        """What fills the queue from a reader.

        Args:
            reader: Where the records come from.
            process: ``process(net, record)`` adds operators to a net and returns the record to put in.

        Returns:
            A reader of the queue; the step that fills it, to run beside the one that reads; the step that closes
            it, to run after the one that fills it; and the schema.
        """
        producers = []
        for thread in range(self.num_threads):
            read_net = Net(f"reader_{thread}")
            should_stop, record = reader.read_record(read_net)
            write_net = Net(f"queue_writer_{thread}")
            if process is not None:
                record = process(write_net, record)
            self.writer.write(write_net, record)
            producers.append(execution_step(f"producer_{thread}", [read_net, write_net], should_stop_blob=should_stop))
        filling = execution_step("producers", producers, concurrent_substeps=True)
        return self.reader, filling, self.exit_step, self.schema
