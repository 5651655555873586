"""Readers, writers and pipes: what adds the operators that move records to the nets of a task.

A record is a ``schema`` field whose leaves are blobs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from c2lab.data.schema import Field, from_blob_list
from c2lab.nets.blobs import BlobReference
from c2lab.nets.net import Net
from c2lab.plan import ExecutionStep, execution_step


class Reader:
    """Something that gives records, batch by batch.

    A reader defines ``read``; or ``setup_ex`` and ``read_ex``, where it needs nets of its own.

    Args:
        schema: The schema of its records.
    """

    def __init__(self, schema: Field | None = None) -> None:
        if schema is not None and not isinstance(schema, Field):
            raise AssertionError(f"schema must be a Field, not {type(schema).__name__}.")
        self._schema = schema

    def schema(self) -> Any:
        """The schema of the records."""
        if self._schema is None:
            raise AssertionError("Schema not provided for this reader.")
        return self._schema

    def _set_schema(self, schema: Field | None) -> None:
        self._schema = schema

    def setup_ex(self, init_net: Net, finish_net: Net | None) -> None:
        """Adds what is done once: to ``init_net`` before the first batch, to ``finish_net`` after the last."""

    def read_ex(self, local_init_net: Net, local_finish_net: Net | None) -> tuple[list[Any], BlobReference, Any]:
        """What reads a batch.

        Args:
            local_init_net: For what each thread does once, before.
            local_finish_net: For what each thread does once, after.

        Returns:
            Nets to run in order; a blob of one bool that ends the loop around them, looked at after each net;
            and the blobs of a batch.
        """
        net = Net("reader_body")
        return ([net], *self.read(net))

    def read_record_ex(self, local_init_net: Net, local_finish_net: Net | None) -> tuple[list[Any], BlobReference, Any]:
        """As ``read_ex``, with the blobs as a record."""
        nets, should_stop, fields = self.read_ex(local_init_net, local_finish_net)
        return nets, should_stop, from_blob_list(self._schema, fields) if self._schema else fields

    def read(self, read_net: Net) -> tuple[BlobReference, Any]:
        """Adds operators that read a batch to a net; copies of the net may run beside each other.

        Returns:
            A blob of one bool, true where there was nothing left; and the blobs of the batch.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how to read.")

    def reset(self, net: Net) -> None:
        """Adds operators that put the reader back to its beginning."""
        raise NotImplementedError(f"This reader cannot be resetted: {type(self).__name__} reads once.")

    def read_record(self, read_net: Net) -> tuple[BlobReference, Any]:
        """As ``read``, with the blobs as a record."""
        should_stop, fields = self.read(read_net)
        return should_stop, from_blob_list(self._schema, fields) if self._schema else fields

    def execution_step(
        self, reader_net_name: str | None = None, external_should_stop: Any = None
    ) -> tuple[ExecutionStep, Any]:
        """A step that reads until the end, to which nets for each batch can be added; and the record.

        Args:
            reader_net_name: The name of the net that reads.
            external_should_stop: A blob of one bool that ends the loop too.
        """
        net = Net(reader_net_name or "reader")
        should_stop, fields = self.read_record(net)
        if external_should_stop is not None:
            should_stop = net.Or([external_should_stop, should_stop])
        return execution_step(f"{net.Name()}_step", net, should_stop_blob=should_stop), fields


class Writer:
    """Something that takes records; it defines ``write``, or ``setup_ex`` and ``write_ex``."""

    _schema: Field | None = None

    def schema(self) -> Any:
        """The schema of the records written so far; ``None`` where that is open."""
        return self._schema

    def write(self, writer_net: Net, fields: Any) -> Any:
        """Adds operators that write a batch, given by its blobs, to a net."""
        raise NotImplementedError(f"{type(self).__name__} does not say how to write.")

    def _blobs_of(self, fields: Any) -> Any:
        """The blobs of a record, whose schema is from now on the writer's."""
        if isinstance(fields, Field):
            self._schema = fields
            return fields.field_blobs()
        return fields

    def write_record(self, writer_net: Net, fields: Any) -> None:
        """As ``write``, of a record."""
        self.write(writer_net, self._blobs_of(fields))

    def setup_ex(self, init_net: Net, finish_net: Net) -> None:
        """Adds what is done once: to ``init_net`` before the first batch, to ``finish_net`` after the last."""
        self.commit(finish_net)

    def write_ex(self, fields: Any, local_init_net: Net, local_finish_net: Net, stop_blob: Any) -> list[Net]:
        """The nets that write a batch.

        Args:
            fields: The blobs of the batch.
            local_init_net: For what each thread does once, before.
            local_finish_net: For what each thread does once, after.
            stop_blob: Set to true where nothing more can be written.
        """
        net = Net("write_net")
        self.write(net, fields)
        return [net]

    def write_record_ex(
        self, fields: Any, local_init_net: Net, local_finish_net: Net, stop_blob: Any = None
    ) -> tuple[list[Net], Any]:
        """As ``write_ex``, of a record; returns the nets and the stop blob."""
        blobs = self._blobs_of(fields)
        if stop_blob is None:
            stop_blob = local_init_net.NextName("write_status")
        return self.write_ex(blobs, local_init_net, local_finish_net, stop_blob), stop_blob

    def commit(self, finish_net: Net) -> None:
        """Adds operators that say that nothing more will come."""


class ReaderBuilder:
    """Something that makes several readers over the same data, for several places to read."""

    def schema(self) -> Any:
        """The schema of the readers' records."""
        raise NotImplementedError(f"{type(self).__name__} does not say which records its readers give.")

    def setup(self, **kwargs: Any) -> Any:
        """Does what is done once, before the first ``new_reader``."""
        raise NotImplementedError(f"{type(self).__name__} does not say what to set up.")

    def new_reader(self, **kwargs: Any) -> Any:
        """Another reader."""
        raise NotImplementedError(f"{type(self).__name__} does not say how to make a reader.")


class PipedReaderBuilder(ReaderBuilder):
    """Makes the readers of another builder, each passed through a function.

    Args:
        builder: The other builder.
        piper: ``piper(reader=..., **kwargs)`` gives a reader, or a pipe to read from.
    """

    def __init__(self, builder: ReaderBuilder, piper: Callable[..., Any]) -> None:
        self._builder = builder
        self._piper = piper

    def schema(self) -> Any:
        return self._builder.schema()

    def setup(self, **kwargs: Any) -> Any:
        return self._builder.setup(**kwargs)

    def new_reader(self, **kwargs: Any) -> Reader:
        # The function sees them all: what it wraps may be of the same kind.
        output = self._piper(reader=self._builder.new_reader(**kwargs), **kwargs)
        return output if isinstance(output, Reader) else output.reader()


class Pipe:
    """Something that can be written to on one side and read from on the other.

    Args:
        schema: The schema of the records; that of the first writer where left out.
        obj_key: The attribute under which the nets of its readers and writers carry it, so that ``setup`` is called.
    """

    def __init__(self, schema: Field | None = None, obj_key: str | None = None) -> None:
        self._schema = schema
        self._obj_key = obj_key
        self._num_writers = 0
        self._num_readers = 0

    def schema(self) -> Any:
        """The schema of the records; ``None`` where that is open."""
        return self._schema

    def setup(self, global_init_net: Net) -> Any:
        """Adds what makes the pipe to a net."""

    def reader(self) -> Reader:
        """A reader of what is written."""
        raise NotImplementedError(f"{type(self).__name__} has no readers.")

    def writer(self) -> Writer:
        """A writer for its readers."""
        raise NotImplementedError(f"{type(self).__name__} has no writers.")

    def num_readers(self) -> int:
        """How many threads read, as far as their nets are made."""
        return self._num_readers

    def num_writers(self) -> int:
        """How many threads write, as far as their nets are made."""
        return self._num_writers

    def _new_writer(self, writer_schema: Field | None, writer_init_net: Net) -> None:
        if writer_schema is not None and self._schema is None:
            self._schema = writer_schema
        self._num_writers += 1
        self._attach(writer_init_net)

    def _new_reader(self, reader_init_net: Net) -> None:
        self._num_readers += 1
        self._attach(reader_init_net)

    def _attach(self, net: Net) -> None:
        if self._obj_key is not None:
            net.add_attribute(self._obj_key, self)


def blobs_list(outputs: Any) -> Sequence[BlobReference]:
    """What an operator wrote, as a list also where it is one blob."""
    return [outputs] if isinstance(outputs, BlobReference) else list(outputs)
