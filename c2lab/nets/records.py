"""Records of blobs (schemas) that nets carry as their input and output.

The room that defines records stands above this one, so a record is only asked for what
every record can do: ``has_blobs``, ``field_blobs``, ``field_names``. What makes new records
(``NewRecord``, ``from_blob_list``) is looked up in the module that defines its class.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable
from typing import Any

from c2lab.errors import NotSupported
from c2lab.nets.blobs import BlobReference
from c2lab.nets.net_blobs import NetBlobs
from c2lab.nets.scopes import NameScope

SCHEMA_MODULE = "c2lab.data.schema"


def _maker(record: Any, name: str) -> Callable[..., Any]:
    """The function ``name`` of the module that defines the class of ``record``, or of the package around it."""
    for kind in type(record).__mro__:
        for place in (kind.__module__, kind.__module__.rpartition(".")[0]):
            if hasattr(sys.modules.get(place), name):
                return getattr(sys.modules[place], name)
    raise TypeError(f"{record!r} is no record: nothing next to {type(record).__name__} offers {name}.")


def new_record(net: NetBlobs, record: Any) -> Any:
    """A record of the same fields, with new blobs of ``net``."""
    return _maker(record, "NewRecord")(net, record)


def with_blobs(record: Any, blobs: Iterable[BlobReference]) -> Any:
    """A record of the same fields, with these blobs."""
    return _maker(record, "from_blob_list")(record, list(blobs))


def recovered_record(names: Iterable[str], prefix: str) -> Any:
    """The record whose fields are the blobs that begin with ``prefix``; ``None`` where there are none."""
    blobs = [name for name in names if name.startswith(prefix)]
    if not blobs:
        return None
    try:
        schema = importlib.import_module(SCHEMA_MODULE)
    except ImportError as error:
        raise NotSupported("Records cannot be read back from blob names: there is no schema module yet.") from error
    return schema.from_column_list(
        col_names=[name.removeprefix(prefix) for name in blobs], col_blobs=[BlobReference(name) for name in blobs]
    )


class NetRecords(NetBlobs):
    """What ``Net`` knows about its input and its output record."""

    _input_record: Any = None
    _output_record: Any = None

    def input_record(self) -> Any:
        """The record of the blobs that the net takes; ``None`` where none was set."""
        return self._input_record

    def output_record(self) -> Any:
        """The record of the blobs that the net makes; ``None`` where none was set."""
        return self._output_record

    def set_input_record(self, input_record: Any) -> Any:
        """Sets the record of what the net takes, and declares its blobs; fields without blobs get new ones."""
        if self._input_record is not None and input_record != self._input_record:
            raise AssertionError(f'Input schema cannot be reset: net "{self.Name()}" has one.')
        if not input_record.has_blobs():
            with NameScope(self.Name()):
                input_record = new_record(self, input_record)
        self._input_record = input_record
        for blob in input_record.field_blobs():
            if not self.is_external_input(blob):
                self.AddExternalInput(blob)
        return input_record

    def set_output_record(self, record: Any) -> None:
        """Sets the record of what the net makes, and declares its blobs."""
        if self._output_record is not None and record != self._output_record:
            raise AssertionError(f'Output schema cannot be reset: net "{self.Name()}" has one.')
        new = [blob for blob in record.field_blobs() if blob not in self.external_outputs]
        self.AddExternalOutput(*new)
        self._output_record = record

    def AppendOutputRecordField(self, field_name: str, record: Any) -> None:
        """Adds a field to the record of what the net makes."""
        if self._output_record is None:
            raise AssertionError(f'Tried to append to missing output record: net "{self.Name()}" has none.')
        self.AddExternalOutput(*record.field_blobs())
        self._output_record = self._output_record + _maker(record, "Struct")((field_name, record))

    def recover_input_record_by_prefix(self, prefix: str) -> None:
        """Sets the input record from the external inputs whose names begin with ``prefix``."""
        record = recovered_record(self._net.external_input, prefix)
        if record:
            self.set_input_record(record)

    def recover_output_record_by_prefix(self, prefix: str) -> None:
        """Sets the output record from the external outputs whose names begin with ``prefix``."""
        record = recovered_record(self._net.external_output, prefix)
        if record:
            self.set_output_record(record)
