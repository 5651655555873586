"""Where batches come from, each source with a state that a checkpoint can keep."""

from __future__ import annotations

import base64
import itertools
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from c2lab.backend.workspaces import Workspace
from c2lab.errors import BadArgument, BadValue
from c2lab.proto import caffe2_pb2

Transform = Callable[[dict[str, np.ndarray], np.random.Generator], Mapping[str, np.ndarray]]
_SMALLER = {"float64": np.float32, "int64": np.int32}


class Batch(NamedTuple):
    """Arrays by blob name, and whether an epoch ends with them."""

    arrays: dict[str, Any]
    ends_epoch: bool


class Source(Protocol):
    """Gives batches one after the other."""

    batches: int | None
    """Of an epoch, where that is known."""

    def next(self) -> Batch | None:
        """The next batch; ``None`` when there are no more, ever."""
        ...

    def state(self) -> dict[str, Any]:
        """Where it stands, in values that JSON can hold."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on where ``state`` was taken."""
        ...

    def described(self) -> dict[str, Any]:
        """What a run's folder says about the data."""
        ...


class Arrays:
    """Batches of arrays, shuffled anew in each epoch; what does not fill a batch waits for the next one.

    The order is a function of seed and epoch alone, so where it stands is two numbers.

    Args:
        arrays: By blob name, all of the same length. 64-bit numbers become 32-bit ones.
        batch: Samples in a batch.
        shuffle: Whether an epoch has an order of its own.
        seed: Decides the orders, and what ``transform`` draws.
        transform: Changes each batch: ``transform(batch, random) -> batch``.
        whole: Whether the last, smaller batch is left out.

    Example:
        >>> source = Arrays({"x": np.arange(5.0)}, 2, shuffle=False)
        >>> source.next()
        Batch(arrays={'x': array([0., 1.], dtype=float32)}, ends_epoch=False)
        >>> source.next().ends_epoch
        True
    """

    def __init__(
        self,
        arrays: Mapping[str, Any],
        batch: int,
        *,
        shuffle: bool = True,
        seed: int = 0,
        transform: Transform | None = None,
        whole: bool = True,
    ) -> None:
        self.arrays = {name: narrowed(np.asarray(value)) for name, value in arrays.items()}
        lengths = {name: len(value) for name, value in self.arrays.items()}
        if len(set(lengths.values())) != 1:
            raise BadArgument(f"the arrays must be of one length, but {_listed(lengths)}")
        (self.samples,) = set(lengths.values())
        if batch < 1:
            raise BadArgument(f"batch is {batch}; it must be at least 1")
        if self.samples < (batch if whole else 1):
            raise BadArgument(f"there are {self.samples} samples, which do not fill a batch of {batch}")
        self.batch, self._shuffle, self._seed, self.transform = batch, shuffle, seed, transform
        self.batches: int | None = self.samples // batch if whole else -(-self.samples // batch)
        self._epoch, self._position = 0, 0
        self._order = self._drawn()

    def _drawn(self) -> np.ndarray | None:
        if not self._shuffle:
            return None
        return np.random.default_rng([self._seed & 0xFFFFFFFF, self._epoch]).permutation(self.samples)

    def next(self) -> Batch | None:
        """The next batch; an epoch follows the other without end."""
        start = self._position * self.batch
        chosen = slice(start, start + self.batch) if self._order is None else self._order[start : start + self.batch]
        arrays = {name: value[chosen] for name, value in self.arrays.items()}
        if self.transform is not None:
            random = np.random.default_rng([self._seed & 0xFFFFFFFF, self._epoch, self._position, 1])
            arrays = {name: narrowed(np.asarray(value)) for name, value in self.transform(arrays, random).items()}
        self._position += 1
        ends = self._position == self.batches
        if ends:
            self._epoch, self._position = self._epoch + 1, 0
            self._order = self._drawn()
        return Batch(arrays, ends)

    def state(self) -> dict[str, Any]:
        """Epoch and batch."""
        return {"epoch": self._epoch, "position": self._position}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes to that batch of that epoch."""
        self._epoch, self._position = int(state["epoch"]), int(state["position"])
        self._order = self._drawn()

    def described(self) -> dict[str, Any]:
        """Shapes, types and a checksum: other data would give another curve."""
        return {
            "kind": "arrays",
            "samples": self.samples,
            "transformed": self.transform is not None,
            "arrays": {
                name: {"shape": list(value.shape), "type": str(value.dtype), "checksum": _checksum(value)}
                for name, value in self.arrays.items()
            },
        }


class Iterable:
    """Batches of a Python object: a list of batches, a generator function, an iterator, a loader.

    An epoch is one pass. An iterator with ``get_state`` and ``set_state`` (as those of grain) or
    ``state_dict`` and ``load_state_dict`` keeps its own state; of any other, a resumed run skips what
    was taken already, which gives the same batches if it gives the same ones at each start.

    Args:
        made: What is iterated: an iterable, or a function that returns one.
        names: The blobs for batches that are tuples.
    """

    def __init__(self, made: Any, names: Sequence[str]) -> None:
        self._made, self._names = made, tuple(names)
        self.batches: int | None = len(made) if hasattr(made, "__len__") else None
        self._once = hasattr(made, "__next__")
        self._epoch, self._taken = 0, 0
        self._iterator: Iterator[Any] | None = None
        self._ahead: list[Any] = []
        self._before: Any = None

    def _begin(self) -> Iterator[Any]:
        made: Any = self._made
        begun: Any = made() if callable(made) and not hasattr(made, "__iter__") else made
        return iter(begun)

    def next(self) -> Batch | None:
        """The next batch; one is read ahead, so that an epoch knows its end."""
        if self._iterator is None:
            self._iterator = self._begin()
        if not self._ahead:
            first = next(self._iterator, None)
            if first is None:
                if self._epoch == 0 and self._taken == 0:
                    raise BadValue("the data gives no batch at all")
                return None
            self._ahead.append(first)
        current = self._ahead.pop()
        self._taken += 1
        self._before = _state_of(self._iterator)
        following = next(self._iterator, None)
        if following is not None:
            self._ahead.append(following)
            return Batch(self._named(current), False)
        self._epoch, self._taken, self._before = self._epoch + 1, 0, None
        self._iterator = iter(()) if self._once else None
        return Batch(self._named(current), True)

    def _named(self, batch: Any) -> dict[str, Any]:
        if isinstance(batch, Mapping):
            return {str(name): _array(value) for name, value in batch.items()}
        parts = batch if isinstance(batch, tuple | list) else (batch,)
        if len(parts) != len(self._names):
            raise BadValue(
                f"a batch has {len(parts)} arrays, but the net takes {len(self._names)}: {', '.join(self._names)}; "
                "give dictionaries by blob name, or that many"
            )
        return {name: _array(value) for name, value in zip(self._names, parts, strict=True)}

    def state(self) -> dict[str, Any]:
        """Epoch, batches taken of it, and the iterator's own state where it has one."""
        return {"epoch": self._epoch, "taken": self._taken, "own": _plain(self._before)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Begins anew and goes on to where ``state`` was taken."""
        self._epoch, self._taken, self._ahead = int(state["epoch"]), int(state["taken"]), []
        self._iterator = self._begin()
        own = _from_plain(state["own"])
        if own is not None and (setter := _setter_of(self._iterator)) is not None:
            setter(own)
            self._before = own
            return
        for _ in itertools.islice(self._iterator, self._taken):
            pass

    def described(self) -> dict[str, Any]:
        """Its type."""
        return {"kind": "iterable", "type": type(self._made).__qualname__}


class ReaderNet:
    """Batches that a net reads, from a database for instance, apart from the net that trains.

    Args:
        net: The net; each run gives a batch.
        init: Opens the readers; where left out, ``found`` holds them.
        found: Blobs that the net may read.
        names: The blobs that make a batch.
        batches: Of an epoch, if it has any.
    """

    def __init__(
        self,
        net: caffe2_pb2.NetDef,
        init: caffe2_pb2.NetDef | None,
        found: Mapping[str, Any],
        names: Sequence[str],
        *,
        batches: int | None = None,
        seed: int = 0,
    ) -> None:
        self.batches: int | None = batches
        self._names, self._given = tuple(names), 0
        self._workspace = Workspace("reading", seed=seed)
        made = {name for op in (init.op if init else ()) for name in op.output}
        for op in net.op:
            for name in op.input:
                if name in found and name not in made:
                    self._workspace.blobs[name] = found[name]
            made.update(op.output)
        if init is not None:
            self._workspace.run_once(init)
        self.net, self.init = net, init
        self._executable = self._workspace.create(net)

    def next(self) -> Batch | None:
        """What the next run of the net reads."""
        self._executable.run_beside(self._workspace.blobs)
        self._given += 1
        ends = bool(self.batches) and self._given % (self.batches or 1) == 0
        return Batch({name: self._workspace.blobs[name] for name in self._names}, ends)

    def state(self) -> dict[str, Any]:
        """The readers' states, and that of the random numbers."""
        return {
            "given": self._given,
            "readers": readers_state(self._workspace.blobs),
            "random": self._workspace.random_state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Puts every reader back."""
        self._given = int(state["given"])
        restore_readers(self._workspace.blobs, state["readers"])
        self._workspace.restore_random_state(state["random"])

    def described(self) -> dict[str, Any]:
        """Its name."""
        return {"kind": "net", "name": self.net.name}


class Itself:
    """No batches: the net reads its data itself."""

    batches: int | None = None

    def next(self) -> Batch | None:
        """Nothing to bring."""
        return Batch({}, False)

    def state(self) -> dict[str, Any]:
        """Nothing to keep; the readers are blobs of the run."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Nothing to restore."""

    def described(self) -> dict[str, Any]:
        """That the net reads."""
        return {"kind": "the net itself"}


def readers_state(blobs: Mapping[str, Any]) -> dict[str, Any]:
    """The state of every blob that is a reader."""
    return {name: _plain(value.state()) for name, value in sorted(blobs.items())
            if hasattr(value, "state") and hasattr(value, "restore")}  # fmt: skip


def restore_readers(blobs: Mapping[str, Any], states: Mapping[str, Any]) -> None:
    """Puts readers back where ``readers_state`` found them."""
    for name, state in states.items():
        if name not in blobs:
            raise BadValue(f"the checkpoint tells where reader {name} stood, but there is no such reader")
        blobs[name].restore(_from_plain(state))


def narrowed(array: np.ndarray) -> np.ndarray:
    """64-bit numbers as 32-bit ones, which is what layers and labels are.

    Example:
        >>> narrowed(np.array([1, 2])).dtype
        dtype('int32')
    """
    return array.astype(_SMALLER[array.dtype.name]) if array.dtype.name in _SMALLER else array


def _array(value: Any) -> Any:
    return value if hasattr(value, "addressable_shards") else narrowed(np.asarray(value))


def _checksum(array: np.ndarray) -> int:
    return zlib.crc32(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)


def _listed(lengths: Mapping[str, int]) -> str:
    return ", ".join(f"{name} has {length}" for name, length in lengths.items())


def _state_of(iterator: Any) -> Any:
    for name in ("get_state", "state_dict"):
        if hasattr(iterator, name):
            return getattr(iterator, name)()
    return None


def _setter_of(iterator: Any) -> Callable[[Any], Any] | None:
    return getattr(iterator, "set_state", None) or getattr(iterator, "load_state_dict", None)


def _plain(value: Any) -> Any:
    """A state as JSON can hold it: bytes as base64."""
    if isinstance(value, bytes):
        return {"__bytes__": base64.b64encode(value).decode()}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    if isinstance(value, np.generic):
        return value.item()
    return value


def _from_plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        if set(value) == {"__bytes__"}:
            return base64.b64decode(value["__bytes__"])
        return {key: _from_plain(inner) for key, inner in value.items()}
    return [_from_plain(inner) for inner in value] if isinstance(value, list) else value
