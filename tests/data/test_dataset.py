"""Datasets in the workspace: records in, records out."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.data.dataset import Const, Dataset, execution_step_with_progress
from c2lab.data.schema import FeedRecord, List, NewRecord, Scalar, Struct
from c2lab.errors import C2LabError
from tests.data.written_records import column, empty, numbers, within_limit

NESTED = Struct(("label", np.int64), ("ids", List(np.int64)), ("names", List(List(np.str_))))
VALUES = [[7, 8, 9], [2, 0, 1], [10, 11, 12], [1, 2, 0], [2, 1, 0], ["a", "b", "c"]]


def nested():
    net = core.Net("nested")
    with core.NameScope("nested"):
        record = NewRecord(net, NESTED)
    FeedRecord(
        record,
        [np.array(v, t.base if t.kind != "U" else "U1") for v, t in zip(VALUES, NESTED.field_types(), strict=True)],
    )
    return Dataset(record, name="nested")


def batches(reader, fetch):
    """All batches of a reader whose nets are ``init`` and ``read``."""
    init_net, read_net = core.Net("init"), core.Net("read")
    reader = reader(init_net)
    stop, record = reader.read_record(read_net)
    workspace.RunNetOnce(init_net)
    workspace.CreateNet(read_net)
    found = []
    while len(found) < 50:
        workspace.RunNet(read_net)
        if workspace.FetchBlob(stop):
            break
        found.append(fetch(record))
    return found


def test_records_with_lists_are_read_whole():
    found = batches(
        lambda net: nested().reader(net, batch_size=2),
        lambda record: [workspace.FetchBlob(blob).tolist() for blob in record.field_blobs()],
    )
    assert found == [
        [[7, 8], [2, 0], [10, 11], [1, 2], [2, 1, 0], [b"a", b"b", b"c"]],
        [[9], [1], [12], [0], [], []],
    ]


def labels(record):
    return workspace.FetchBlob(record.label()).tolist()


@pytest.mark.parametrize(("size", "enforce", "expected"), [(4, False, [4, 4, 2]), (4, True, [4, 4]), (20, False, [10])])
def test_batch_sizes(size, enforce, expected):
    found = batches(lambda net: numbers(10).reader(net, batch_size=size, enforce_batch_size=enforce), labels)
    assert [len(batch) for batch in found] == expected


def test_a_reader_begins_again():
    init_net, read_net, again = core.Net("init"), core.Net("read"), core.Net("again")
    reader = numbers(3).reader(init_net, batch_size=2)
    _, record = reader.read_record(read_net)
    reader.reset(again)
    for net in (init_net, read_net, again, read_net):
        workspace.RunNetOnce(net)
    assert labels(record) == [0, 1]


def test_any_order():
    workspace.FeedBlob("order", np.int64([2, 0, 1, 2]))

    def reader(net):
        made = nested().random_reader(net, indices="order", batch_size=3)
        made.computeoffset(net)
        return made

    assert batches(reader, labels) == [[9, 7, 8], [9]]


def test_sorted_and_shuffled():
    def reader(net):
        made = numbers(10).random_reader(net, batch_size=5)
        made.sort_and_shuffle(net, "label", shuffle_size=2, batch_size=5)
        made.computeoffset(net)
        return made

    found = batches(reader, labels)
    assert sorted([label for batch in found for label in batch]) == list(range(10))
    assert len(found) == 2


def test_without_end():
    def reader(net):
        made = numbers(3).random_reader(net, batch_size=2, loop_over=True)
        made.sort_and_shuffle(net)
        made.computeoffset(net)
        return made

    found = batches(reader, labels)
    assert len(found) == 50
    assert {label for batch in found for label in batch} == {0, 1, 2}


def test_many_threads_write():
    target, init_net, net = empty(), core.Net("init"), core.Net("write")
    writer = target.writer(init_net)
    writer.write(net, [net.Copy("rows")])
    workspace.FeedBlob("rows", np.int64([1, 2, 3]))
    plan = core.Plan("plan")
    plan.AddStep(core.execution_step("init", init_net))
    plan.AddStep(
        core.execution_step("all", [core.execution_step("write", net, num_iter=25)], num_concurrent_instances=4)
    )
    within_limit(lambda: workspace.RunPlan(plan))
    assert len(column(target)) == 300
    assert column(target).sum() == 600


def test_what_does_not_fit_is_not_written():
    init_net, target = core.Net("init"), Dataset(NESTED, name="target")
    with core.NameScope("target"):
        target.init_empty(init_net)
    writer, net = target.writer(init_net), core.Net("write")
    source = nested()
    workspace.FeedBlob(source.content().ids.lengths(), np.int32([2, 0, 5]))
    writer.write(net, source.content().field_blobs())
    workspace.RunNetOnce(init_net)
    with pytest.raises(C2LabError, match="CheckDatasetConsistency"):
        workspace.RunNetOnce(net)
    assert column(target).tolist() == []
    with pytest.raises(AssertionError, match="Expected 6 fields, got 1"):
        writer.write(net, ["a"])


@pytest.mark.parametrize(("multiple", "left"), [(1, 10), (4, 8), (7, 7), (11, 0)])
def test_trimming(multiple, left):
    dataset, net = numbers(10), core.Net("trim")
    dataset.trim(net, multiple_of=multiple)
    workspace.RunNetOnce(net)
    assert column(dataset).tolist() == list(range(left))


def test_columns_of_a_data_frame():
    class Columns:
        """As much of a data frame as is asked for."""

        def __init__(self, **columns):
            self.columns, self._data = list(columns), list(columns.values())
            self.iloc = self

        def __getitem__(self, where):
            return self._data[where[1]]

    class Series(list):
        def to_numpy(self):
            return np.array(self)

    dataset, net = Dataset(["a", "b"], name="framed"), core.Net("framed")
    dataset.init_from_dataframe(net, Columns(a=Series([1, 2]), b=Series(["x", "y"])))
    assert [workspace.FetchBlob(blob).tolist() for blob in dataset.get_blobs()] == [[1, 2], [b"x", b"y"]]
    assert len(net.Proto().external_input) == 2
    with pytest.raises(AssertionError, match="1 columns for the fields"):
        dataset.init_from_dataframe(net, Columns(a=Series([1])))


def test_what_a_dataset_knows():
    dataset = Dataset(Struct(("a", np.int32), ("b", Scalar((np.float32, 3)))))
    assert dataset.field_names() == ["a", "b"]
    assert dataset.field_types() == [np.dtype(np.int32), np.dtype((np.float32, 3))]
    for ask in (dataset.get_blobs, dataset.content, dataset.reader, dataset.writer):
        with pytest.raises(AssertionError, match="Dataset not initialized"):
            ask()
    with pytest.raises(AssertionError, match="Struct or a list of names, not str"):
        Dataset("a")
    reader = numbers(3).reader()
    with pytest.raises(AssertionError, match="setup not called"):
        reader.read(core.Net("n"))
    with pytest.raises(AssertionError, match="setup not called"):
        numbers(3).writer().write(core.Net("n"), ["x"])
    random = numbers(3).random_reader(core.Net("n"))
    with pytest.raises(AssertionError, match="reads after computeoffset"):
        random.read(core.Net("n"))
    with pytest.raises(AssertionError, match="Must be valid field: x"):
        random.sort_and_shuffle(core.Net("n"), "x")


def test_a_constant_is_fed_and_declared():
    net = core.Net("n")
    blob = Const(net, [1, 2], dtype=np.float32, name="weights")
    assert workspace.FetchBlob(blob).tolist() == [1, 2]
    assert net.is_external_input(blob)
    with pytest.raises(AssertionError, match="Const takes a"):
        Const("n", 1)


def test_progress_is_printed(capfd):
    init_net, net = core.Net("init"), core.Net("work")
    workspace.FeedBlob("rows", np.int64([7]))
    net.Copy("rows", "copied")
    step = execution_step_with_progress("working", init_net, [core.execution_step("work", net)], "rows")
    within_limit(lambda: workspace.RunPlan(step))
    assert "7" in capfd.readouterr().out + capfd.readouterr().err
