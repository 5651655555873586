"""Several readers as one: each gives a part of the record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from c2lab.data.limited_readers import false
from c2lab.data.schema import Struct
from c2lab.data.streams import Reader, ReaderBuilder
from c2lab.nets.net import Net


class CompositeReader(Reader):
    """Reads from several readers at once, and ends with the first that ends.

    Args:
        names: The names of the readers' parts of the record.
        readers: The readers.
    """

    def __init__(self, names: Sequence[str], readers: Sequence[Reader]) -> None:
        if len(names) != len(readers):
            raise AssertionError(f"{len(names)} names for {len(readers)} readers; give one each.")
        super().__init__(schema=Struct(*((name, r.schema()) for name, r in zip(names, readers, strict=True))))
        self._names = list(names)
        self._readers = list(readers)

    def setup_ex(self, init_net: Net, finish_net: Net | None) -> None:
        for reader in self._readers:
            reader.setup_ex(init_net, finish_net)

    def read_ex(self, local_init_net: Net, local_finish_net: Net | None) -> Any:
        parts = [reader.read_record_ex(local_init_net, local_finish_net) for reader in self._readers]
        # One blob ends the loop: that of the last reader.
        should_stop = parts[-1][1]
        nets: list[Any] = []
        for name, (read_nets, stop, _) in zip(self._names, parts, strict=True):
            nets += read_nets
            if stop != should_stop:
                stop_net = Net(f"{name}_stop")
                stop_net.Or([should_stop, stop], [should_stop])
                nets.append(stop_net)
        if len(parts) > 1:
            false(local_init_net, [should_stop])
        return nets, should_stop, [blob for _, _, record in parts for blob in record.field_blobs()]

    def reset(self, net: Net) -> None:
        for reader in self._readers:
            reader.reset(net)


class CompositeReaderBuilder(ReaderBuilder):
    """Makes composite readers from several builders.

    Args:
        names: The names of the parts of the record.
        reader_builders: What makes the reader of each part.
    """

    def __init__(self, names: Sequence[str], reader_builders: Sequence[ReaderBuilder]) -> None:
        if len(names) != len(reader_builders):
            raise AssertionError(f"{len(names)} names for {len(reader_builders)} builders; give one each.")
        self._names = list(names)
        self._reader_builders = list(reader_builders)
        self._schema = Struct(*((name, b.schema()) for name, b in zip(names, reader_builders, strict=True)))

    def schema(self) -> Any:
        return self._schema

    def setup(self, **kwargs: Any) -> dict[Any, Any]:
        """Sets all builders up; joins what each tells of the blobs that say that its data has ended.

        A ``limiter`` is passed to the last builder only: a batch counts where every reader had one.
        """
        limiter = kwargs.pop("limiter", None)
        finished: dict[Any, Any] = {}
        for builder in self._reader_builders:
            if builder is self._reader_builders[-1] and limiter is not None:
                kwargs["limiter"] = limiter
            more = builder.setup(**kwargs) or {}
            twice = (finished.keys() & more.keys()) | ({*map(str, finished.values())} & {*map(str, more.values())})
            if twice:
                raise AssertionError(f"Two readers tell of the end of their data under {sorted(map(str, twice))}.")
            finished.update(more)
        return finished

    def new_reader(self, **kwargs: Any) -> CompositeReader:
        readers = []
        for builder in self._reader_builders:
            reader = builder.new_reader(**kwargs)
            if not isinstance(reader, Reader):
                if not hasattr(reader, "reader"):
                    raise ValueError(f"reader must be an instance of Reader or Pipe, not {type(reader).__name__}")
                reader = reader.reader()
            readers.append(reader)
        composite = CompositeReader(self._names, readers)
        if composite.schema().field_names() != self._schema.field_names():
            raise AssertionError(
                f"The readers give {composite.schema().field_names()}, but their builders "
                f"say {self._schema.field_names()}."
            )
        return composite
