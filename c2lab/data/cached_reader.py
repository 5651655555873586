"""A reader that keeps what another one gives in a database file, and reads it from there."""

from __future__ import annotations

import os
from typing import Any

from c2lab.control.task import Cluster, Node, TaskGroup
from c2lab.data.db_file_reader import DBFileReader
from c2lab.data.pipeline import pipe
from c2lab.data.streams import Reader
from c2lab.errors import C2LabError
from c2lab.nets.net import Net
from c2lab.plan import ExecutionStep, execution_step
from c2lab.storage import open_db


class CachedReader(DBFileReader):
    """Reads the records of another reader from a database file, which ``build_cache_step`` writes.

    Args:
        original_reader: The other reader.
        db_path: The path of the database.
        db_type: Its kind: minidb, lmdb, ...
        name: A name no other reader has; made of the file's name where left out.
        batch_size: How many records are read at once.
        loop_over: Reads in random order, without end; else in order, once.
    """

    default_name_suffix = "cached_reader"

    def __init__(
        self,
        original_reader: Reader,
        db_path: str,
        db_type: str = "LevelDB",
        name: str | None = None,
        batch_size: int = 100,
        loop_over: bool = False,
    ) -> None:
        if original_reader is None:
            raise AssertionError("original_reader can't be None.")
        self.original_reader = original_reader
        super().__init__(db_path, db_type, name=name, batch_size=batch_size, loop_over=loop_over)

    def _init_reader_schema(self, field_names: list[str] | None = None) -> Any:
        """The schema of the other reader."""
        return self.original_reader.schema().clone_schema()

    def build_cache_step(self, overwrite: bool = False) -> ExecutionStep:
        """A step that reads the other reader to its end and writes the database.

        Args:
            overwrite: Writes it also where it is there already; else the step then does nothing.
        """
        if self._is_there() and not overwrite:
            return execution_step("build_step", [])
        init_net = Net("init")
        self.ds.init_empty(init_net)
        with Cluster(), Node("local"), TaskGroup() as copying:
            pipe(self.original_reader, self.ds.writer(init_net), num_runtime_threads=1)
        save_net = Net("save")
        save_net.Save(
            self.ds.get_blobs(),
            [],
            db=self.db_path,
            db_type=self.db_type,
            blob_name_overrides=self.ds.field_names(),
            absolute_path=True,
        )
        return execution_step("build_cache", [init_net, copying.to_task().get_step(), save_net])

    def _is_there(self) -> bool:
        if not os.path.exists(self.db_path):
            return False
        try:
            open_db(self.db_path, self.db_type, "read").close()
        except (OSError, C2LabError):
            return False
        return True
