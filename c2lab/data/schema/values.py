"""Records and workspaces: new blobs for a schema, arrays into blobs and out of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from c2lab.data.schema.building import data_type_for_dtype, from_blob_list
from c2lab.data.schema.fields import Field, Scalar, logger
from c2lab.nets.blobs import BlobReference


def _references(record: Any, what: str) -> list[BlobReference]:
    if not isinstance(record, Field):
        raise AssertionError(f"{what} must be a record, got {type(record).__name__}")
    blobs = record.field_blobs()
    for name, blob in zip(record.field_names(), blobs, strict=True):
        if not isinstance(blob, BlobReference):
            raise AssertionError(f"{what} must hold BlobReferences; its field {name!r} holds {type(blob).__name__}")
    return blobs


def FetchRecord(blob_record: Any, ws: Any = None, throw_on_type_mismatch: bool = False) -> Any:
    """The same record with the blobs' values in the place of the blobs.

    Args:
        blob_record: A record of blobs.
        ws: A ``workspace.C.Workspace``; the current workspace where left out.
        throw_on_type_mismatch: Whether values of another type than the field's are an error.
    """
    from c2lab import workspace

    blobs = _references(blob_record, "blob_record")
    arrays = [workspace.FetchBlob(blob) if ws is None else ws.blobs[str(blob)].fetch() for blob in blobs]
    return from_blob_list(blob_record, arrays, throw_on_type_mismatch)


def FeedRecord(blob_record: Any, arrays: Field | Sequence[Any], ws: Any = None) -> None:
    """Feeds values, given as record or in the order of the leaves, into the blobs of a record."""
    from c2lab import workspace

    blobs = _references(blob_record, "blob_record")
    values = arrays.field_blobs() if isinstance(arrays, Field) else list(arrays)
    if len(values) != len(blobs):
        raise AssertionError(f"Values must have {len(blobs)} elements, got {len(values)}")
    for blob, value in zip(blobs, values, strict=True):
        if ws is None:
            workspace.FeedBlob(blob, value)
        else:
            ws.create_blob(str(blob)).feed(value)


def NewRecord(net: Any, schema: Field) -> Any:
    """A record of new blobs of ``net``, each named like its leaf.

    Example:
        >>> from c2lab import core
        >>> from c2lab.data.schema import Struct
        >>> NewRecord(core.Net("new_record"), Struct(("a", Scalar()))).field_blobs()
        [BlobReference("a")]
    """
    if isinstance(schema, Scalar):
        record = schema.clone()
        record.set_value(net.NextScopedBlob("unnamed_scalar"), unsafe=True)
        return record
    if not isinstance(schema, Field):
        raise AssertionError(f"Record must be a schema.Field instance, got {type(schema).__name__}.")
    return from_blob_list(schema, [net.NextScopedBlob(prefix=name) for name in schema.field_names()])


def ConstRecord(net: Any, array_record: Field) -> Any:
    """A record of new blobs of ``net`` that are filled with a record of arrays."""
    record = NewRecord(net, array_record)
    for blob, array in zip(record.field_blobs(), array_record.field_blobs(), strict=True):
        net.Const(array, blob)
    return record


def InitEmptyRecord(net: Any, schema_or_record: Field, enforce_types: bool = False) -> Any:
    """A record whose blobs ``net`` fills with empty tensors of the fields' types.

    Raises:
        TypeError: ``enforce_types`` is set and a field's type is unknown; else its tensor is float32.
    """
    record = schema_or_record if schema_or_record.has_blobs() else NewRecord(net, schema_or_record)
    for kind, blob in zip(record.field_types(), record.field_blobs(), strict=True):
        try:
            data_type = data_type_for_dtype(kind)
        except TypeError:
            if enforce_types:
                raise
            logger.warning("Blob %s has no known type: it is filled with float32.", blob)
            net.ConstantFill([], blob, shape=[0])
        else:
            net.ConstantFill([], blob, shape=[0, *kind.shape], dtype=data_type)
    return record
