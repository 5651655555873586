"""Datasets: records in the workspace, column by column, with readers and writers.

>>> import numpy as np
>>> from c2lab import core, workspace
>>> from c2lab.data.schema import NewRecord, FeedRecord, Struct
>>> dataset = Dataset(Struct(("label", np.int64)), name="dataset_example")
>>> init_net = core.Net("dataset_example_init")
>>> dataset.init_empty(init_net)
>>> dataset.field_names()
['label']
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from c2lab import workspace
from c2lab.data.schema import Field, InitEmptyRecord, Struct, from_blob_list, from_column_list
from c2lab.data.streams import Reader, Writer, blobs_list
from c2lab.nets.blobs import BlobReference
from c2lab.nets.net import Net
from c2lab.nets.scopes import NameScope
from c2lab.plan import ExecutionStep, execution_step


def Const(net: Net, value: Any, dtype: Any = None, name: str | None = None) -> BlobReference:
    """Feeds a value to the current workspace, as a new external input of ``net``."""
    if not isinstance(net, Net):
        raise AssertionError(f"Const takes a core.Net, not {type(net).__name__}.")
    blob = net.AddExternalInput(net.NextName(prefix=name))
    workspace.FeedBlob(blob, np.array(value, dtype=dtype))
    return blob


class Dataset:
    """Records of one schema, held as columns in blobs.

    Before it is used it is filled: by ``init_empty`` and a writer, by ``init_from_dataframe``, or by blobs that the
    schema brings along.

    Args:
        fields: A ``Struct``, or the list of the columns' names.
        name: Its name, for the names of cursors.
    """

    def __init__(self, fields: Struct | list[str], name: str | None = None) -> None:
        if not isinstance(fields, list | Struct):
            raise AssertionError(f"fields must be a Struct or a list of names, not {type(fields).__name__}.")
        schema = from_column_list(fields) if isinstance(fields, list) else fields
        self.schema = schema
        self.fields: list[str] = schema.field_names()
        self.name = name or "dataset"
        self.field_blobs: list[BlobReference] | None = schema.field_blobs() if schema.has_blobs() else None

    def init_empty(self, init_net: Net) -> None:
        """Adds operators that make the columns, without records."""
        self.field_blobs = InitEmptyRecord(init_net, self.schema.clone_schema()).field_blobs()

    def init_from_dataframe(self, net: Net, dataframe: Any) -> None:
        """Feeds the columns of a Pandas data frame, in order, as external inputs of ``net``."""
        if len(self.fields) != len(dataframe.columns):
            raise AssertionError(f"The data frame has {len(dataframe.columns)} columns for the fields {self.fields}.")
        columns = [dataframe.iloc[:, place].to_numpy() for place in range(len(self.fields))]
        self.field_blobs = [Const(net, column, name=name) for name, column in zip(self.fields, columns, strict=True)]

    def trim(self, net: Net, multiple_of: int) -> None:
        """Adds an operator that drops the last records, so that their number is a multiple."""
        net.TrimDataset(self.get_blobs(), self.get_blobs(), fields=self.fields, multiple_of=multiple_of)

    def get_blobs(self) -> list[BlobReference]:
        """The blobs of the columns."""
        if self.field_blobs is None:
            raise AssertionError("Dataset not initialized: call init_empty or init_from_dataframe first.")
        return self.field_blobs

    def content(self) -> Any:
        """The record of all columns."""
        return from_blob_list(self.schema, self.get_blobs())

    def field_names(self) -> list[str]:
        """The names of the columns."""
        return self.fields

    def field_types(self) -> list[np.dtype]:
        """The types of the columns."""
        return self.schema.field_types()

    def reader(
        self,
        init_net: Net | None = None,
        cursor_name: str | None = None,
        batch_size: int = 1,
        enforce_batch_size: bool = False,
    ) -> Reader:
        """A reader of the records in order; no records may be added meanwhile.

        Args:
            init_net: Gets what makes the cursor; left out, ``setup_ex`` of the reader is to be called.
            cursor_name: A name for the cursor.
            batch_size: How many records it reads at once.
            enforce_batch_size: Leaves out the last records where they are fewer than that.
        """
        return _set_up(_DatasetReader(self, cursor_name, batch_size, enforce_batch_size), init_net)

    def random_reader(
        self,
        init_net: Net | None = None,
        indices: Any = None,
        cursor_name: str | None = None,
        batch_size: int = 1,
        loop_over: bool = False,
        enforce_batch_size: bool = False,
    ) -> Reader:
        """A reader of the records in some order: that of ``indices``, or of its method ``sort_and_shuffle``.

        Before it reads, ``computeoffset(net)`` of the reader finds where the records are.

        Args:
            init_net: Gets what makes the cursor; left out, ``setup_ex`` of the reader is to be called.
            indices: A blob with the numbers of records, int64.
            cursor_name: A name for the cursor.
            batch_size: How many records it reads at once.
            loop_over: Begins anew at the end.
            enforce_batch_size: Leaves out the last records where they are fewer than that.
        """
        reader = _DatasetRandomReader(self, cursor_name, indices, batch_size, loop_over, enforce_batch_size)
        return _set_up(reader, init_net)

    def writer(self, init_net: Net | None = None) -> Writer:
        """A writer that adds records at the end; several threads may write.

        Args:
            init_net: Gets what makes its mutex; left out, ``setup_ex`` of the writer is to be called.
        """
        return _set_up(_DatasetWriter(self.content()), init_net)


def _set_up(stream: Any, init_net: Net | None) -> Any:
    if init_net is not None:
        stream.setup_ex(init_net, None)
    return stream


class _DatasetReader(Reader):
    def __init__(self, dataset: Dataset, name: str | None, batch_size: int, enforce_batch_size: bool) -> None:
        super().__init__(dataset.content())
        self.dataset = dataset
        self.name = name or f"{dataset.name}_cursor"
        self.options = {"batch_size": batch_size, "enforce_batch_size": enforce_batch_size}
        self.cursor: BlobReference | None = None

    def setup_ex(self, init_net: Net, finish_net: Net | None) -> None:
        if self.cursor is None:
            self.cursor = init_net.CreateTreeCursor([], init_net.NextScopedBlob(self.name), fields=self.dataset.fields)

    def _require_cursor(self) -> BlobReference:
        if self.cursor is None:
            raise AssertionError("setup not called: pass an init_net, or call setup_ex.")
        return self.cursor

    def _operator(self, net: Net) -> tuple[Any, list[Any]]:
        return net.ReadNextBatch, [self._require_cursor()]

    def read(self, read_net: Net) -> tuple[BlobReference, Sequence[BlobReference]]:
        content = self.dataset.content()
        add, inputs = self._operator(read_net)
        with NameScope(read_net.NextName(self.name)):
            fields = blobs_list(add(inputs + content.field_blobs(), content.field_names(), **self.options))
            return read_net.IsEmpty([fields[0]]), fields

    def reset(self, net: Net) -> None:
        net.ResetCursor([self._require_cursor()], [])


class _DatasetRandomReader(_DatasetReader):
    def __init__(
        self,
        dataset: Dataset,
        name: str | None,
        indices: Any,
        batch_size: int,
        loop_over: bool,
        enforce_batch_size: bool,
    ) -> None:
        super().__init__(dataset, name, batch_size, enforce_batch_size)
        self.options["loop_over"] = loop_over
        self.indices = BlobReference(indices) if isinstance(indices, str) else indices
        self.offsets: BlobReference | None = None

    def computeoffset(self, net: Net) -> None:
        """Adds operators that find where the records are."""
        self.reset(net)
        offsets = net.NextScopedBlob(f"{self.name}_offsets")
        self.offsets = net.ComputeOffset([self.cursor, *self.dataset.get_blobs()], offsets)

    def sort_and_shuffle(
        self, net: Net, sort_by_field: str | None = None, shuffle_size: int = 1, batch_size: int = 1
    ) -> None:
        """Adds operators that choose the order: sorted by a field, shuffled a little, and then by batches."""
        if sort_by_field and sort_by_field not in self.dataset.fields:
            raise AssertionError(f"Must be valid field: {sort_by_field} is none of {self.dataset.fields}.")
        self.reset(net)
        self.indices = net.SortAndShuffle(
            [self.cursor, *self.dataset.get_blobs()],
            net.NextScopedBlob(f"{self.name}_indices"),
            sort_by_field_idx=self.dataset.fields.index(sort_by_field) if sort_by_field else -1,
            shuffle_size=shuffle_size,
            batch_size=batch_size,
        )

    def _operator(self, net: Net) -> tuple[Any, list[Any]]:
        if self.indices is None or self.offsets is None:
            raise AssertionError("A random reader reads after computeoffset, and with indices or sort_and_shuffle.")
        return net.ReadRandomBatch, [self._require_cursor(), self.indices, self.offsets]


class _DatasetWriter(Writer):
    def __init__(self, content: Field) -> None:
        self._content = content
        self.mutex: BlobReference | None = None

    def setup_ex(self, init_net: Net, finish_net: Net | None) -> None:
        if self.mutex is None:
            self.mutex = init_net.CreateMutex([])

    def write(self, writer_net: Net, fields: Any) -> None:
        if self.mutex is None:
            raise AssertionError("setup not called: pass an init_net, or call setup_ex.")
        blobs = self._content.field_blobs()
        if len(fields) != len(blobs):
            raise AssertionError(f"Expected {len(blobs)} fields, got {len(fields)}.")
        writer_net.CheckDatasetConsistency(list(fields), [], fields=self._content.field_names())
        writer_net.AtomicAppend([self.mutex, *blobs, *fields], blobs)


def execution_step_with_progress(name: str, init_net: Net, substeps: Any, rows_read: Any) -> ExecutionStep:
    """A step of substeps beside each other, which prints the blob ``rows_read`` every five seconds."""
    report_net = Net("report_net")
    report_net.Print([rows_read], [])
    return execution_step(name, substeps, report_net=report_net, concurrent_substeps=True, report_interval=5)
