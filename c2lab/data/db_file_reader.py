"""A reader of records that were saved, column by column, in a database file."""

from __future__ import annotations

import os
from typing import Any

from c2lab import workspace
from c2lab.data.dataset import Dataset
from c2lab.data.schema import from_column_list
from c2lab.data.streams import Reader
from c2lab.nets.creation import CreateOperator
from c2lab.nets.net import Net
from c2lab.storage import db_types


class DBFileReader(Reader):
    """Reads the records whose columns a database holds, each as one blob.

    Args:
        db_path: The path of the database.
        db_type: Its kind: minidb, lmdb, ...
        name: A name no other reader has; made of the file's name where left out.
        batch_size: How many records are read at once.
        loop_over: Reads in random order, without end; else in order, once.
        field_names: The names of the columns; those of the database, sorted, where left out.
    """

    default_name_suffix = "db_file_reader"

    def __init__(
        self,
        db_path: str,
        db_type: str,
        name: str | None = None,
        batch_size: int = 100,
        loop_over: bool = False,
        field_names: list[str] | None = None,
    ) -> None:
        if db_path is None:
            raise AssertionError("db_path can't be None.")
        if db_type.lower() not in db_types():
            raise AssertionError(
                f"db_type [{db_type}] is not available. \nChoose one of these: {', '.join(db_types())}."
            )
        self.db_path = os.path.expanduser(db_path)
        self.db_type = db_type
        stem = os.path.splitext(os.path.basename(self.db_path))[0]
        self.name = name or f"{stem}_{self.default_name_suffix}"
        self.batch_size = batch_size
        self.loop_over = loop_over
        super().__init__(self._init_reader_schema(field_names))
        self.ds = Dataset(self.schema(), f"{self.name}_dataset")
        self.ds_reader: Any = None

    def _init_reader_schema(self, field_names: list[str] | None = None) -> Any:
        """The schema: of the names, or of what is in the database."""
        if field_names:
            return from_column_list(field_names)
        looking = workspace.Workspace("columns")
        load = CreateOperator("Load", [], [], db=self.db_path, db_type=self.db_type, load_all=True, absolute_path=True)
        looking.run_operator(load)
        return from_column_list(looking.names())

    def setup_ex(self, init_net: Net, finish_net: Net | None) -> None:
        if self.ds_reader is not None:
            return
        self.ds.init_empty(init_net)
        init_net.Load(
            [],
            self.ds.get_blobs(),
            db=self.db_path,
            db_type=self.db_type,
            absolute_path=True,
            source_blob_names=self.ds.field_names(),
        )
        if self.loop_over:
            self.ds_reader = self.ds.random_reader(init_net, batch_size=self.batch_size, loop_over=True)
            self.ds_reader.sort_and_shuffle(init_net)
            self.ds_reader.computeoffset(init_net)
        else:
            self.ds_reader = self.ds.reader(init_net, batch_size=self.batch_size)

    def read(self, read_net: Net) -> Any:
        if self.ds_reader is None:
            raise AssertionError("setup_ex must be called first.")
        return self.ds_reader.read(read_net)

    def reset(self, net: Net) -> None:
        if self.ds_reader is None:
            raise AssertionError("setup_ex must be called first.")
        self.ds_reader.reset(net)
