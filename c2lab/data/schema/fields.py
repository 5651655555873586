"""What every record is made of: ``Field``, and its leaf ``Scalar``."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from c2lab.nets.blobs import BlobReference

logger = logging.getLogger(__name__)

FIELD_SEPARATOR = ":"


class FeatureSpec(NamedTuple):
    """Where the values of a field come from."""

    feature_type: str | None = None
    feature_names: Any = None
    feature_ids: Any = None
    feature_is_request_only: bool | None = None
    desired_hash_size: int | None = None
    feature_to_index: Any = None


class Metadata(NamedTuple):
    """What is known about the values of a ``Scalar``.

    Args:
        categorical_limit: Values are integers below this number.
        expected_value: What stands in for a missing value.
        feature_specs: Where the values come from.
    """

    categorical_limit: int | None = None
    expected_value: Any = None
    feature_specs: Any = None


class Field:
    """A node of a schema: ``Scalar``, ``List`` or ``Struct``.

    A schema is a tree whose leaves are named by the path to them (``user:clicks:lengths``), in a fixed
    order; a record is a schema whose leaves hold blobs, or arrays.
    """

    __slots__ = ("_field_offsets", "_parent")
    __hash__ = None  # type: ignore[assignment] - equal by contents, which may change

    def __init__(self, children: Iterable[Field]) -> None:
        self._parent: tuple[Field | None, int] = (None, 0)
        self._field_offsets = [0]
        for child in children:
            self._field_offsets.append(self._field_offsets[-1] + len(child.field_names()))

    def _named_children(self) -> list[tuple[str, Field]]:
        """The children with the names that their leaves' names begin with."""
        raise NotImplementedError(f"{type(self).__name__} is no kind of field: use Scalar, List or Struct")

    def field_names(self) -> list[str]:
        """The names of all leaves."""
        return [join_names(name, leaf) for name, child in self._named_children() for leaf in child.field_names()]

    def field_types(self) -> list[np.dtype]:
        """The types of all leaves."""
        return [scalar.field_type() for scalar in self.all_scalars()]

    def field_metadata(self) -> list[Metadata | None]:
        """The metadata of all leaves."""
        return [scalar.metadata for scalar in self.all_scalars()]

    def field_blobs(self) -> list[Any]:
        """The blobs of all leaves."""
        return [scalar.get() for scalar in self.all_scalars()]

    def all_scalars(self) -> list[Scalar]:
        """All leaves."""
        return [scalar for _, child in self._named_children() for scalar in child.all_scalars()]

    def has_blobs(self) -> bool:
        """Whether all leaves have a blob."""
        return all(scalar.has_blobs() for scalar in self.all_scalars())

    def clone(self, keep_blobs: bool = True) -> Any:
        """A copy, with the same blobs or without any."""
        raise NotImplementedError(f"{type(self).__name__} is no kind of field: use Scalar, List or Struct")

    def clone_schema(self) -> Any:
        """A copy without blobs."""
        return self.clone(keep_blobs=False)

    def slice(self) -> slice:
        """Which leaves of the whole schema are this field's."""
        start = self._child_base_id()
        return slice(start, start + len(self.field_names()))

    def _set_parent(self, parent: Field, position: int) -> None:
        self._parent = (parent, position)

    def _child_base_id(self, child_index: int | None = None) -> int:
        """The position, among the leaves of the whole schema, of the first leaf of this field or of a child."""
        parent, position = self._parent
        own = 0 if child_index is None else self._field_offsets[child_index]
        return own if parent is None else own + parent._child_base_id(position)

    def __eq__(self, other: object) -> bool:
        return (
            type(self) is type(other)
            and isinstance(other, Field)
            and self.field_names() == other.field_names()
            and self.field_types() == other.field_types()
            and self.field_metadata() == other.field_metadata()
        )

    def _lines(self) -> list[str]:
        lines = [f"{type(self).__name__}("]
        for name, child in self._named_children():
            first, *more = child._lines()
            lines += [f"  {name}: {first}", *(f"  {line}" for line in more)]
        return [*lines, ")"]

    def __repr__(self) -> str:
        return "\n".join(self._lines())


class Scalar(Field):
    """One typed column.

    Args:
        dtype: A NumPy type, with an inner shape where there is one: ``(np.float32, 4)``.
            Inferred from an array; ``np.void`` where nothing is known.
        blob: A ``BlobReference``, or the values themselves.
        metadata: What is known about the values.

    Example:
        >>> Scalar((np.float32, 4)).field_type()
        dtype(('<f4', (4,)))
    """

    __slots__ = ("_blob", "_metadata", "_original_dtype", "dtype")

    def __init__(self, dtype: Any = None, blob: Any = None, metadata: Metadata | None = None) -> None:
        self._metadata: Metadata | None = None
        self.set(dtype, blob, metadata, unsafe=True)
        super().__init__([])

    def field_names(self) -> list[str]:
        return [""]

    def field_type(self) -> np.dtype:
        """The type."""
        return self.dtype

    def all_scalars(self) -> list[Scalar]:
        return [self]

    def has_blobs(self) -> bool:
        return self._blob is not None

    def clone(self, keep_blobs: bool = True) -> Scalar:
        return Scalar(self._original_dtype, self._blob if keep_blobs else None, self._metadata)

    def get(self) -> Any:
        """The blob.

        Raises:
            AssertionError: There is none.
        """
        if self._blob is None:
            raise AssertionError("Value is not set for this field: it is a schema; NewRecord gives its fields blobs.")
        return self._blob

    __call__ = get

    @property
    def metadata(self) -> Metadata | None:
        """What is known about the values."""
        return self._metadata

    def set_metadata(self, value: Metadata) -> None:
        """Says what is known about the values."""
        if not isinstance(value, Metadata):
            raise AssertionError(f"metadata must be Metadata, got {type(value).__name__}")
        self._metadata = value
        self._validate_metadata()

    def _validate_metadata(self) -> None:
        limit = self._metadata.categorical_limit if self._metadata else None
        if limit is not None and not np.issubdtype(self.dtype.base, np.integer):
            raise AssertionError(f"`categorical_limit` can be specified only in integral fields but got {self.dtype}")

    def set_value(self, blob: Any, throw_on_type_mismatch: bool = False, unsafe: bool = False) -> None:
        """Sets the blob and keeps the type.

        Raises:
            AssertionError: ``throw_on_type_mismatch`` is set and ``blob`` is no array of the field's type.
        """
        if throw_on_type_mismatch and self.dtype.base != np.void:
            if not isinstance(blob, np.ndarray):
                raise AssertionError(f"Got {blob!r} for a field of {self.dtype.base} values")
            if blob.dtype.base != self.dtype.base:
                raise AssertionError(f"Expected {self.dtype.base}, got {blob.dtype.base}")
        self.set(dtype=self._original_dtype, blob=blob, unsafe=unsafe)

    def set(self, dtype: Any = None, blob: Any = None, metadata: Metadata | None = None, unsafe: bool = False) -> None:
        """Sets type, blob and metadata; ``unsafe`` says that nothing else uses this field yet.

        Raises:
            ValueError: ``blob`` is text: a name, or the value?
        """
        if not unsafe:
            logger.warning("A Scalar is meant to stay as it is: set() one that was just made, with unsafe=True.")
        if isinstance(blob, str):
            raise ValueError(
                f"Passing str blob to Scalar.set() is ambiguous: "
                f"pass BlobReference({blob!r}) for a blob of this name, or np.array({blob!r}) for this value."
            )
        self._original_dtype = dtype
        kind = None if dtype is None else _as_dtype(dtype)
        if blob is not None and not isinstance(blob, BlobReference):
            blob, kind = _as_values(blob, kind)
        kind = np.dtype(np.void) if kind is None else kind
        if kind.fields:
            raise AssertionError("Cannot create Scalar with a structured dtype. Use from_dtype instead.")
        self.dtype = kind
        self._blob = blob
        if metadata is not None:
            self.set_metadata(metadata)
        self._validate_metadata()

    def set_type(self, dtype: DTypeLike | None) -> None:
        """Sets the type and keeps the rest."""
        self._original_dtype = dtype
        self.dtype = np.dtype(np.void if dtype is None else dtype)
        self._validate_metadata()

    def id(self) -> int:
        """The position among the leaves of the whole schema, as readers return and writers take them."""
        return self._child_base_id()

    def _lines(self) -> list[str]:
        details = [str(self.dtype)]
        if self._blob is not None:
            details.append(f"blob={self._blob!r}")
        if self._metadata is not None:
            details.append(f"metadata={self._metadata!r}")
        return [f"Scalar({', '.join(details)})"]


def _as_dtype(dtype: Any) -> np.dtype:
    if isinstance(dtype, tuple):
        base, shape = dtype
        if base is np.void:
            raise TypeError(f"np.void says that nothing is known, so it has no inner shape {shape}; give the type too")
        # NumPy takes an inner shape of 1 for no shape at all.
        dtype = (base, (1,) if shape == 1 else shape)
    return np.dtype(dtype)


def _as_values(values: Any, kind: np.dtype | None) -> tuple[np.ndarray, np.dtype | None]:
    """Values as an array of at least one dimension, and the type with the inner shape that they have."""
    given_array = isinstance(values, np.ndarray)
    if kind is not None and kind != np.void:
        values = np.array(values, dtype=kind.base)
        if values.size == 0 and not given_array:
            values = values.reshape((0, *kind.shape))
    elif not given_array:
        raise AssertionError(f"Invalid blob type: {type(values).__name__}; pass a BlobReference or an array")
    values = np.atleast_1d(values)
    if values.ndim > 1 and kind is not None and kind.base != np.void:
        kind = np.dtype((kind.base, values.shape[1:]))
    return values, kind


def join_names(prefix: str, suffix: str) -> str:
    """A name inside another.

    Example:
        >>> join_names("clicks", "lengths"), join_names("clicks", "")
        ('clicks:lengths', 'clicks')
    """
    return FIELD_SEPARATOR.join(part for part in (prefix, suffix) if part)


def as_field(field: Any, keep_blobs: bool = True) -> Any:
    """A copy of a field, or a new ``Scalar`` of a type or of values."""
    if isinstance(field, Field):
        return field.clone(keep_blobs=keep_blobs)
    if isinstance(field, type | np.dtype):
        return Scalar(dtype=field)
    return Scalar(blob=field)
