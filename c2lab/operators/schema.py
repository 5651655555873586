"""The schema of an operator, read from the signature of its function."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from c2lab.errors import BadArgument, SchemaError
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import argument_field, argument_value

ArgumentKind = Literal["int", "float", "bool", "str", "bytes", "ints", "floats", "strs", "net", "tensor", "any"]

_FIELD = {
    "int": "i",
    "bool": "i",
    "float": "f",
    "str": "s",
    "bytes": "s",
    "ints": "ints",
    "floats": "floats",
    "strs": "strings",
    "net": "n",
    "tensor": "t",
}

REQUIRED = inspect.Parameter.empty


@dataclass(frozen=True)
class Slot:
    """One input or output position: its name, and whether it may be absent or repeated."""

    name: str
    optional: bool = False
    variadic: bool = False


@dataclass(frozen=True)
class ArgumentSpec:
    """One argument: its name, type, default and, where the values are few, its choices."""

    name: str
    kind: ArgumentKind
    default: Any = REQUIRED
    choices: tuple[Any, ...] = ()

    @property
    def required(self) -> bool:
        """Whether an OperatorDef must have it."""
        return self.default is REQUIRED

    def read(self, argument: caffe2_pb2.Argument) -> Any:
        """The value of ``argument``, which must be in the field of this argument's type.

        Raises:
            BadArgument: The value stands in another field (an int for a float, say).
        """
        value = argument_value(argument)
        if self.kind == "any":
            return value
        want, have = _FIELD[self.kind], argument_field(argument)
        if have != want and not (have == "" and want in ("ints", "floats", "strings")):
            raise BadArgument(
                f"Argument {self.name} does not have the right field: expected field {want} "
                f"({self.kind}), got {have or 'an empty list'} = {value!r}"
            )
        return self.convert(value)

    def convert(self, value: Any) -> Any:
        """A raw field value as the Python type that functions see."""
        match self.kind:
            case "bool":
                value = bool(value)
            case "str":
                value = value.decode("utf-8", "replace")
            case "ints" | "floats":
                value = tuple(value)
            case "strs":
                value = tuple(item.decode("utf-8", "replace") for item in value)
        if self.choices and value not in self.choices:
            known = ", ".join(map(repr, self.choices))
            raise BadArgument(f"Argument {self.name} is {value!r}; it must be one of {known}")
        return value


def _kind_of(annotation: Any) -> tuple[ArgumentKind, tuple[Any, ...]]:
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        inner = [part for part in typing.get_args(annotation) if part is not type(None)]
        return _kind_of(inner[0]) if len(inner) == 1 else ("any", ())
    if origin is Literal:
        choices = typing.get_args(annotation)
        return _kind_of(type(choices[0]))[0], choices
    if origin in (tuple, list, Sequence):
        element = _kind_of(typing.get_args(annotation)[0])[0]
        plural: dict[str, ArgumentKind] = {"int": "ints", "float": "floats", "str": "strs"}
        return plural[element], ()
    simple: dict[Any, ArgumentKind] = {
        bool: "bool",
        int: "int",
        float: "float",
        str: "str",
        bytes: "bytes",
        caffe2_pb2.NetDef: "net",
        caffe2_pb2.TensorProto: "tensor",
    }
    return simple.get(annotation, "any"), ()


def signature_arguments(function: Callable[..., Any], leave_out: Iterable[str] = ()) -> dict[str, ArgumentSpec]:
    """The keyword-only parameters of ``function`` as argument specifications."""
    hints = typing.get_type_hints(function)
    specs = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY and name not in leave_out:
            kind, choices = _kind_of(hints.get(name, Any))
            specs[name] = ArgumentSpec(name, kind, parameter.default, choices)
    return specs


@dataclass(frozen=True)
class ArgumentFold:
    """Several spellings of arguments folded into the ones that functions take."""

    function: Callable[..., dict[str, Any]]
    gives: tuple[str, ...]
    arguments: dict[str, ArgumentSpec]


def argument_fold(gives: str) -> Callable[[Callable[..., dict[str, Any]]], ArgumentFold]:
    """Makes a fold of a function whose keyword-only parameters are the spellings.

    Args:
        gives: The names of the keywords that the function returns, comma separated.
    """

    def wrap(function: Callable[..., dict[str, Any]]) -> ArgumentFold:
        return ArgumentFold(function, tuple(n.strip() for n in gives.split(",")), signature_arguments(function))

    return wrap


def signature_inputs(function: Callable[..., Any]) -> tuple[Slot, ...]:
    """The positional parameters of ``function`` as input slots: ``= None`` is optional, ``*X`` variadic."""
    slots = []
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            slots.append(Slot(name, variadic=True))
        elif parameter.kind not in (parameter.KEYWORD_ONLY, parameter.VAR_KEYWORD):
            slots.append(Slot(name, optional=parameter.default is not REQUIRED))
    return tuple(slots)


def parse_slots(text: str) -> tuple[Slot, ...]:
    """Slots from a text such as ``"Y, mask?"`` or ``"*Y"``.

    Example:
        >>> [slot.name for slot in parse_slots("Y, mask?") if slot.optional]
        ['mask']
    """
    names = [part.strip() for part in text.split(",") if part.strip()]
    return tuple(Slot(n.strip("*?"), optional=n.endswith("?"), variadic=n.startswith("*")) for n in names)


def bind(slots: Sequence[Slot], values: Sequence[Any]) -> dict[str, Any]:
    """Positional ``values`` by slot name; absent optional slots are ``None``, a variadic one is a tuple.

    Optional slots are filled from the left with what the required ones leave over.

    Raises:
        SchemaError: Fewer values than required slots, or more than there are slots.

    Example:
        >>> bind(parse_slots("logits, labels, weight?, dloss"), [1, 2, 3])
        {'logits': 1, 'labels': 2, 'weight': None, 'dloss': 3}
    """
    required = sum(not (slot.optional or slot.variadic) for slot in slots)
    spare = len(values) - required
    variadic = any(slot.variadic for slot in slots)
    if spare < 0 or (not variadic and len(values) > len(slots)):
        raise SchemaError(f"expected {describe_counts(slots)}, got {len(values)}")
    bound: dict[str, Any] = {}
    rest = iter(values)
    for slot in slots:
        if slot.variadic:
            optional_after = 0
            count = max(spare - optional_after, 0)
            bound[slot.name] = tuple(next(rest) for _ in range(count))
            spare -= count
        elif slot.optional:
            bound[slot.name] = next(rest) if spare > 0 else None
            spare -= 1
        else:
            bound[slot.name] = next(rest)
    return bound


def describe_counts(slots: Sequence[Slot]) -> str:
    """How many values the slots take, in words: ``2 to 3 (X, filter, bias?)``."""
    low = sum(not (slot.optional or slot.variadic) for slot in slots)
    names = ", ".join(f"{'*' if s.variadic else ''}{s.name}{'?' if s.optional else ''}" for s in slots)
    if any(slot.variadic for slot in slots):
        return f"at least {low} ({names})"
    return f"{low} ({names})" if low == len(slots) else f"{low} to {len(slots)} ({names})"
