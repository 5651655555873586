"""What tasks leave to whoever ran them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from c2lab.nets.records import with_blobs


class TaskOutput:
    """Blobs that a task leaves to whoever ran it.

    Args:
        names: A blob, a list of blobs, or a record of blobs; values come back in the same form.
    """

    def __init__(self, names: Any) -> None:
        self._schema = names if hasattr(names, "field_blobs") else None
        if self._schema is not None:
            names = self._schema.field_blobs()
        self._is_scalar = not isinstance(names, list | tuple)
        self.names: list[Any] = [names] if self._is_scalar else list(names)
        self._values: list[Any] | None = None
        self._fetch_func: Callable[[Any], Any] | None = None

    def set(self, values: Sequence[Any], _fetch_func: Callable[[Any], Any] | None = None) -> None:
        """Sets the values, and how each is turned into what ``fetch()`` gives."""
        if len(values) != len(self.names):
            raise AssertionError(f"{len(values)} values for the {len(self.names)} blobs {[*map(str, self.names)]}.")
        self._values = list(values)
        self._fetch_func = _fetch_func

    def _formed(self, values: list[Any]) -> Any:
        if self._is_scalar:
            return values[0]
        return values if self._schema is None else with_blobs(self._schema, values)

    def get(self) -> Any:
        """The values as they were set."""
        if self._values is None:
            raise AssertionError("Output value not set yet: run the task in a session first.")
        return self._formed(self._values)

    def fetch(self) -> Any:
        """The values as arrays."""
        if self._fetch_func is None or self._values is None:
            raise AssertionError("Cannot fetch value for this output: run the task in a session first.")
        return self._formed([self._fetch_func(value) for value in self._values])

    def __repr__(self) -> str:
        return f"TaskOutput(names={[*map(str, self.names)]}, values={self._values})"


class TaskOutputList:
    """The outputs of several tasks, one after the other.

    Args:
        outputs: The outputs.
    """

    def __init__(self, outputs: list[TaskOutput] | None = None) -> None:
        self.outputs = outputs or []

    def names(self) -> list[Any]:
        """All blobs."""
        return [name for output in self.outputs for name in output.names]

    def set_values(self, values: Sequence[Any], _fetch_func: Callable[[Any], Any] | None = None) -> None:
        """Sets the values of all outputs, in order."""
        if len(values) != len(self.names()):
            raise AssertionError(f"Wrong number of output values: {len(values)} for {len(self.names())} blobs.")
        rest = list(values)
        for output in self.outputs:
            count = len(output.names)
            output.set(rest[:count], _fetch_func)
            del rest[:count]

    def __repr__(self) -> str:
        return f"TaskOutputList(outputs={self.outputs})"
