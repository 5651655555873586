"""Fields with fields in them: ``Struct``, ``List``, and what is made of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from c2lab.data.schema.fields import FIELD_SEPARATOR, Field, Scalar, as_field


class List(Field):
    """Several values an example: their number (``lengths``), and all of them one after the other (``values``).

    Args:
        values: The field of the values.
        lengths_blob: The blob of the lengths, or a ``Scalar`` for them; int32.

    Example:
        >>> List(np.int64).field_names()
        ['lengths', 'values']
    """

    __slots__ = ("_items", "lengths")

    def __init__(self, values: Any, lengths_blob: Any = None) -> None:
        self.lengths = _scalar(lengths_blob, np.int32, "lengths")
        self._items: Any = as_field(values)
        children = [child for _, child in self._named_children()]
        super().__init__(children)
        for position, child in enumerate(children):
            child._set_parent(self, position)

    def _named_children(self) -> list[tuple[str, Field]]:
        return [("lengths", self.lengths), ("values", self._items)]

    def clone(self, keep_blobs: bool = True) -> List:
        return type(self)(as_field(self._items, keep_blobs), as_field(self.lengths, keep_blobs))

    def __getattr__(self, item: str) -> Any:
        if item.startswith("__") or item in List.__slots__:
            raise AttributeError(item)
        # A list of structs shows their fields as its own.
        if isinstance(self._items, Struct):
            return getattr(self._items, item)
        if item in ("value", "items"):
            return self._items
        raise AttributeError(f"Field not found in list: {item}.")

    def __getitem__(self, item: str) -> Any:
        name, _, rest = item.partition(FIELD_SEPARATOR)
        child = dict(self._named_children()).get(name)
        if child is None or (rest and name != "values"):
            raise KeyError(f"Field not found in list: {item}.")
        return child[rest] if rest else child  # type: ignore[index] - a Scalar raises TypeError, as it should


class ListWithEvicted(List):
    """A ``List`` with the values that were thrown out, as int64, at the end."""

    __slots__ = ("_evicted_values",)

    def __init__(self, values: Any, lengths_blob: Any = None, evicted_values: Any = None) -> None:
        self._evicted_values = _scalar(evicted_values, np.int64, "evicted values")
        super().__init__(values, lengths_blob)

    def _named_children(self) -> list[tuple[str, Field]]:
        return [*super()._named_children(), ("_evicted_values", self._evicted_values)]

    def clone(self, keep_blobs: bool = True) -> ListWithEvicted:
        return type(self)(
            as_field(self._items, keep_blobs),
            as_field(self.lengths, keep_blobs),
            as_field(self._evicted_values, keep_blobs),
        )


def _scalar(blob: Any, dtype: Any, what: str) -> Scalar:
    if not isinstance(blob, Field):
        return Scalar(dtype, blob)
    if not isinstance(blob, Scalar):
        raise AssertionError(f"The {what} of a list are a Scalar, not {type(blob).__name__}.")
    return blob.clone()


class Struct(Field):
    """Named fields, each of any kind.

    Args:
        fields: Pairs of name and field (or type, or blob). A name may be a path: ``("a:b", field)`` puts
            the field ``b`` into a struct ``a``; structs of one name are merged.

    Example:
        >>> record = Struct(("label", np.int32), ("clicks", List(np.int64)))
        >>> record.field_names()
        ['label', 'clicks:lengths', 'clicks:values']
        >>> record["clicks:values"].id()
        2
    """

    __slots__ = ("fields",)

    def __init__(self, *fields: tuple[str, Any]) -> None:
        children: dict[str, Any] = {}
        for pair in fields:
            if len(pair) != 2:
                raise AssertionError(f"A Struct is made of (name, field) pairs, got {pair!r}.")
            path, given = pair
            name, _, rest = path.partition(FIELD_SEPARATOR)
            if not name:
                raise AssertionError("Field names cannot be empty")
            if name == "lengths":
                raise AssertionError("Struct cannot contain a field named `lengths`: it would be taken for a List's.")
            field = Struct((rest, given)) if rest else as_field(given)
            if name in children:
                if not (isinstance(field, Struct) and isinstance(children[name], Struct)):
                    raise ValueError(f"Duplicate field name: {name}")
                field = children[name] + field
            children[name] = field
        self.fields = children
        super().__init__(children.values())
        for position, child in enumerate(children.values()):
            child._set_parent(self, position)

    def _named_children(self) -> list[tuple[str, Field]]:
        return list(self.fields.items())

    def get_children(self) -> list[tuple[str, Any]]:
        """The names and fields of the first level."""
        return list(self.fields.items())

    def clone(self, keep_blobs: bool = True) -> Struct:
        return type(self)(*((name, as_field(field, keep_blobs)) for name, field in self.fields.items()))

    def get(self, item: str, default_value: Any) -> Any:
        """The field ``item`` of the first level, or ``default_value``."""
        return getattr(self, item, default_value)

    def _at_path(self, path: str) -> Any:
        name, _, rest = path.partition(FIELD_SEPARATOR)
        field = self.fields.get(name)
        if field is None or not rest:
            return field
        try:
            return field[rest]
        except (KeyError, TypeError):
            return None

    def __contains__(self, item: str) -> bool:
        return self._at_path(item) is not None

    def __len__(self) -> int:
        return len(self.fields)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.fields.values())

    def __getitem__(self, item: Any) -> Any:
        """A field by path or by position, or a ``Struct`` of several."""
        if isinstance(item, list | tuple):
            names = list(self.fields)
            return Struct(*((names[key] if isinstance(key, int) else key, self[key]) for key in item))
        if isinstance(item, int):
            return list(self.fields.values())[item]
        field = self._at_path(item)
        if field is None:
            raise KeyError(f'field "{item}" not found; there are {", ".join(self.field_names())}')
        return field

    def __getattr__(self, item: str) -> Any:
        if not item.startswith("__"):
            try:
                return object.__getattribute__(self, "fields")[item]
            except KeyError:
                pass
        raise AttributeError(item)

    def __setattr__(self, key: str, value: Any) -> None:
        # A field is not replaced by assignment; what begins with an underscore is our own state, set last.
        if not key.startswith("_") and hasattr(self, "_parent"):
            raise TypeError(f"Struct.__setattr__() is disabled after __init__(): {key} cannot be set")
        super().__setattr__(key, value)

    def __add__(self, other: Any) -> Struct:
        """Both structs' fields; structs of one name are merged."""
        if not isinstance(other, Struct):
            return NotImplemented
        children = dict(self.fields)
        for name, theirs in other.fields.items():
            ours = children.get(name)
            if ours is not None and not (isinstance(ours, Struct) and isinstance(theirs, Struct)):
                raise TypeError(f"Only structs are merged: {name} is {_kind(ours)} here and {_kind(theirs)} there.")
            children[name] = theirs if ours is None else ours + theirs
        return Struct(*children.items())

    def __sub__(self, other: Any) -> Struct:
        """The fields that the other struct lacks; structs that are left without a field go too."""
        if not isinstance(other, Struct):
            return NotImplemented
        children = dict(self.fields)
        for name, theirs in other.fields.items():
            ours = children.pop(name, None)
            if ours is None:
                continue
            if type(ours) is not type(theirs):
                raise TypeError(f"{name} is {_kind(ours)} here and {_kind(theirs)} there: it cannot be taken away.")
            if isinstance(ours, Struct) and len(rest := ours - theirs):
                children[name] = rest
        return Struct(*((name, children[name]) for name in self.fields if name in children))


def _kind(field: Field) -> str:
    return type(field).__name__


def Map(keys: Any, values: Any, keys_name: str = "keys", values_name: str = "values", lengths_blob: Any = None) -> List:
    """Several (key, value) pairs an example.

    Example:
        >>> Map(np.int64, np.float32).field_names()
        ['lengths', 'values:keys', 'values:values']
    """
    return List(Struct((keys_name, keys), (values_name, values)), lengths_blob=lengths_blob)


def MapWithEvicted(
    keys: Any,
    values: Any,
    keys_name: str = "keys",
    values_name: str = "values",
    lengths_blob: Any = None,
    evicted_values: Any = None,
) -> ListWithEvicted:
    """A ``Map`` with the keys that were thrown out at the end."""
    return ListWithEvicted(
        Struct((keys_name, keys), (values_name, values)), lengths_blob=lengths_blob, evicted_values=evicted_values
    )


def NamedTuple(name_prefix: str, *fields: Any) -> Struct:
    """Fields numbered under one name.

    Example:
        >>> NamedTuple("f", np.int32, np.float32).field_names()
        ['f_0', 'f_1']
    """
    return Struct(*((f"{name_prefix}_{number}", field) for number, field in enumerate(fields)))


def Tuple(*fields: Any) -> Struct:
    """Fields ``field_0``, ``field_1``, ..."""
    return NamedTuple("field", *fields)


def RawTuple(num_fields: int, name_prefix: str = "field") -> Struct:
    """Numbered fields of unknown type."""
    if not isinstance(num_fields, int) or num_fields < 0:
        raise AssertionError(f"num_fields is a number of fields, got {num_fields!r}")
    return NamedTuple(name_prefix, *[np.void] * num_fields)
