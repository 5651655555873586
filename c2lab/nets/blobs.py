"""Names of blobs: ``BlobReference``, and how text becomes one inside a name scope."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from c2lab.nets.scopes import SEPARATOR, CurrentNameScope

if TYPE_CHECKING:
    from c2lab.nets.net_blobs import NetBlobs


def text(name: Any) -> str:
    """A name as ``str``; bytes are read as UTF-8."""
    return name.decode("utf-8") if isinstance(name, bytes) else str(name)


class BlobReference:
    """The name of a blob and, where known, the net that writes it.

    It equals its name, adds to text, and builds operators on its net: ``x.Relu()`` is
    ``net.Relu(x)``.

    Example:
        >>> BlobReference("fc1") + "_w" == "fc1_w"
        True
    """

    def __init__(self, name: Any, net: NetBlobs | None = None) -> None:
        self._name = text(name)
        self._from_net = net
        self.meta: dict[Any, Any] = {}

    def __hash__(self) -> int:
        return hash(self._name)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, BlobReference):
            return self._name == other._name
        return isinstance(other, str | bytes) and self._name == text(other)

    def __lt__(self, other: object) -> bool:
        if isinstance(other, BlobReference | str | bytes):
            return self._name < text(other)
        return NotImplemented

    def __str__(self) -> str:
        return self._name

    def __repr__(self) -> str:
        return f'BlobReference("{self._name}")'

    def __add__(self, other: str) -> BlobReference:
        if not isinstance(other, str):
            raise RuntimeError(f"Only text can be added to a BlobReference, not {other!r}; to add blobs use net.Add.")
        return BlobReference(self._name + other, self._from_net)

    def __radd__(self, other: str) -> BlobReference:
        if not isinstance(other, str):
            raise RuntimeError(
                f"A BlobReference can only be added to text, not to {other!r}; to add blobs use net.Add."
            )
        return BlobReference(other + self._name, self._from_net)

    def Net(self) -> Any:
        """The net that this reference came from."""
        return self._from_net

    def GetNameScope(self) -> str:
        """The scope in the name: ``"a/b/"`` of ``a/b/x``."""
        return self._name[: self._name.rfind(SEPARATOR) + 1]

    def GetUnscopedName(self) -> str:
        """The name without its scope: ``"x"`` of ``a/b/x``."""
        return self._name[self._name.rfind(SEPARATOR) + 1 :]

    def __getattr__(self, operator_type: str) -> Callable[..., Any]:
        """A function that adds an operator with this blob as first input to the blob's net."""
        if operator_type.startswith("_"):
            raise AttributeError(f"BlobReference has no attribute {operator_type}.")
        net = self._from_net
        if net is None:
            raise AttributeError(
                f'The blob reference "{self._name}" belongs to no net, so it cannot add a {operator_type} operator. '
                f'Write net.{operator_type}("{self._name}", ...) instead.'
            )
        add = getattr(net, operator_type)

        def method(inputs: Any = None, *args: Any, **kwargs: Any) -> Any:
            others = [] if inputs is None else [inputs] if isinstance(inputs, str | BlobReference) else list(inputs)
            return add([self, *others], *args, **kwargs)

        return method

    def __dir__(self) -> Iterable[str]:
        return [*object.__dir__(self), *(dir(self._from_net) if self._from_net is not None else ())]


def ScopedName(name: Any) -> str:
    """``name`` inside the current name scope."""
    return CurrentNameScope() + text(name)


def ScopedBlobReference(name: Any, *args: Any, **kwargs: Any) -> BlobReference:
    """A reference to the blob ``name`` of the current name scope."""
    return BlobReference(ScopedName(name), *args, **kwargs)


def blob_list(blobs: Any, net: NetBlobs | None = None) -> list[BlobReference]:
    """Inputs or outputs as references: text is put in the current scope, references stay as they are.

    Raises:
        TypeError: Something that is neither, with its position.
    """
    if isinstance(blobs, str | bytes | BlobReference):
        blobs = [blobs]
    elif not isinstance(blobs, list | tuple):
        raise TypeError(
            f"Unknown input/output type: {blobs} of type {type(blobs).__name__}; "
            "give a name, a BlobReference, or a list of these."
        )
    references = []
    for position, blob in enumerate(blobs):
        if isinstance(blob, BlobReference):
            references.append(blob)
        elif isinstance(blob, str | bytes):
            references.append(ScopedBlobReference(blob, net=net))
        else:
            raise TypeError(
                f"I/O blob #{position} of unsupported type: {blob} of type {type(blob).__name__}; "
                "give a name or a BlobReference."
            )
    return references
