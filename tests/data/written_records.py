"""Datasets and time limits that the tests of readers share."""

from __future__ import annotations

import threading

import numpy as np

from c2lab import core, workspace
from c2lab.data.dataset import Dataset
from c2lab.data.schema import FeedRecord, NewRecord, Struct

LIMIT = 120  # seconds: far more than any test takes on a busy machine


def within_limit(work):
    """Runs ``work()`` in a thread; one that has not ended in time fails the test instead of hanging it."""
    failures = []
    name = workspace.CurrentWorkspace()

    def run():
        try:
            work()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(LIMIT)
    assert not thread.is_alive(), f"not done after {LIMIT} seconds in workspace {name}"
    if failures:
        raise failures[0]


def numbers(count, name="source", dtype=np.int64, field="label"):
    """A dataset with one column: 0, 1, ... ``count`` - 1."""
    net = core.Net(f"{name}_init")
    with core.NameScope(name):
        record = NewRecord(net, Struct((field, dtype)))
    FeedRecord(record, [np.arange(count).astype(dtype)])
    return Dataset(record, name=name)


def empty(name="target", dtype=np.int64, field="label"):
    """A dataset with one column and no records."""
    net = core.Net(f"{name}_init")
    dataset = Dataset(Struct((field, dtype)), name=name)
    with core.NameScope(name):
        dataset.init_empty(net)
    workspace.RunNetOnce(net)
    return dataset


def column(dataset):
    """The values of a dataset's first column."""
    return workspace.FetchBlob(dataset.content().field_blobs()[0])
