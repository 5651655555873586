"""Text files as records."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.control.session import LocalSession
from c2lab.control.task import TaskGroup
from c2lab.data.dataset import Dataset
from c2lab.data.pipeline import pipe
from c2lab.data.schema import List, Struct
from c2lab.data.text_file_reader import TextFileReader
from tests.data.written_records import within_limit

COLUMNS = Struct(("name", np.str_), ("weight", np.float32), ("count", np.int64))
LINES = [(f"row{k}", k / 2, k * k) for k in range(13)]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "rows.txt"
    path.write_text("".join(f"{name}\t{weight}\t{count}\n" for name, weight, count in LINES))
    return path


@pytest.mark.parametrize("batch", [1, 5, 100])
@pytest.mark.parametrize("passes", [1, 3])
@pytest.mark.parametrize("threads", [1, 3])
def test_every_line_of_every_pass(path, batch, passes, threads):
    init_net, target = core.Net("init"), Dataset(COLUMNS, name="target")
    reader = TextFileReader(init_net, str(path), COLUMNS, num_passes=passes, batch_size=batch)
    with core.NameScope("target"):
        target.init_empty(init_net)
    workspace.RunNetOnce(init_net)
    with TaskGroup() as group:
        pipe(reader, target.writer(), num_runtime_threads=threads)
    with LocalSession() as session:
        within_limit(lambda: session.run(group))
    columns = [workspace.FetchBlob(blob).tolist() for blob in target.content().field_blobs()]
    rows = sorted((name.decode(), weight, count) for name, weight, count in zip(*columns, strict=True))
    assert rows == sorted(LINES * passes)


def test_schemas_are_flat(path):
    with pytest.raises(AssertionError, match="Schema must be a"):
        TextFileReader(core.Net("n"), path, List(np.str_))
    with pytest.raises(AssertionError, match=r"Only scalar fields are supported.*ids"):
        TextFileReader(core.Net("n"), path, Struct(("ids", List(np.int64))))
