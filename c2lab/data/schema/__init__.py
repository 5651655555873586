"""Schemas and records: trees of named, typed columns, and of the blobs that hold them.

>>> import numpy as np
>>> from c2lab.data import schema
>>> click = schema.Struct(("user", np.int64), ("pages", schema.List(np.int64)))
>>> click.field_names()
['user', 'pages:lengths', 'pages:values']
"""

from c2lab.data.schema.building import (
    as_record,
    attach_metadata_to_scalars,
    data_type_for_dtype,
    dtype_for_core_type,
    equal_schemas,
    from_blob_list,
    from_column_list,
    from_dtype,
    is_schema_subset,
    schema_check,
)
from c2lab.data.schema.containers import (
    List,
    ListWithEvicted,
    Map,
    MapWithEvicted,
    NamedTuple,
    RawTuple,
    Struct,
    Tuple,
)
from c2lab.data.schema.fields import FIELD_SEPARATOR, FeatureSpec, Field, Metadata, Scalar
from c2lab.data.schema.values import ConstRecord, FeedRecord, FetchRecord, InitEmptyRecord, NewRecord

__all__ = [
    "FIELD_SEPARATOR",
    "ConstRecord",
    "FeatureSpec",
    "FeedRecord",
    "FetchRecord",
    "Field",
    "InitEmptyRecord",
    "List",
    "ListWithEvicted",
    "Map",
    "MapWithEvicted",
    "Metadata",
    "NamedTuple",
    "NewRecord",
    "RawTuple",
    "Scalar",
    "Struct",
    "Tuple",
    "as_record",
    "attach_metadata_to_scalars",
    "data_type_for_dtype",
    "dtype_for_core_type",
    "equal_schemas",
    "from_blob_list",
    "from_column_list",
    "from_dtype",
    "is_schema_subset",
    "schema_check",
]
