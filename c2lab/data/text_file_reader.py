"""A reader of text files with columns separated by tabs."""

from __future__ import annotations

from typing import Any

from c2lab.data.schema import Scalar, Struct, data_type_for_dtype
from c2lab.data.streams import Reader, blobs_list
from c2lab.nets.blobs import BlobReference
from c2lab.nets.net import Net


class TextFileReader(Reader):
    """Reads the lines of a file, a batch at a time.

    Args:
        init_net: Gets the operator that opens the file.
        filename: The path of the file.
        schema: A struct of scalars, one for each column: text, float32, float64, int32 or int64.
        num_passes: How often the file is read through.
        batch_size: How many lines are read at once.
    """

    def __init__(self, init_net: Net, filename: str, schema: Struct, num_passes: int = 1, batch_size: int = 1) -> None:
        if not isinstance(schema, Struct):
            raise AssertionError(f"Schema must be a schema.Struct, not {type(schema).__name__}.")
        for name, child in schema.get_children():
            if not isinstance(child, Scalar):
                raise AssertionError(f"Only scalar fields are supported in TextFileReader: {name} is no Scalar.")
        super().__init__(schema)
        self._reader = init_net.CreateTextFileReader(
            [],
            filename=str(filename),
            num_passes=num_passes,
            field_types=[data_type_for_dtype(kind) for kind in schema.field_types()],
        )
        self._batch_size = batch_size

    def read(self, net: Net) -> tuple[BlobReference, Any]:
        columns = len(self.schema().field_names())
        blobs = blobs_list(net.TextFileReaderRead([self._reader], columns, batch_size=self._batch_size))
        return net.IsEmpty([blobs[0]]), blobs
