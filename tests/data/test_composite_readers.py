"""Several readers as one."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.control.session import LocalSession
from c2lab.control.task import TaskGroup
from c2lab.data.composite_readers import CompositeReader, CompositeReaderBuilder
from c2lab.data.dataset import Dataset
from c2lab.data.limited_readers import ReaderWithLimit
from c2lab.data.pipeline import pipe
from c2lab.data.queues import Queue
from c2lab.data.schema import Struct
from c2lab.data.streams import ReaderBuilder
from tests.data.written_records import numbers, within_limit

PAIR = Struct(("a", Struct(("label", np.int64))), ("b", Struct(("label", np.float32))))


def pairs():
    init_net, target = core.Net("pairs"), Dataset(PAIR, name="pairs")
    with core.NameScope("pairs"):
        target.init_empty(init_net)
    workspace.RunNetOnce(init_net)
    return target


def read(reader):
    target = pairs()
    with TaskGroup() as group:
        pipe(reader, target.writer())
    with LocalSession() as session:
        within_limit(lambda: session.run(group))
    return [workspace.FetchBlob(blob).tolist() for blob in target.content().field_blobs()]


@pytest.mark.parametrize(("left", "right", "pairs"), [(5, 5, 5), (3, 5, 3), (5, 3, 3), (0, 4, 0), (4, 0, 0)])
def test_it_ends_with_the_first_that_ends(left, right, pairs):
    reader = CompositeReader(["a", "b"], [numbers(left, "left").reader(), numbers(right, "right", np.float32).reader()])
    assert reader.schema().field_names() == ["a:label", "b:label"]
    assert read(reader) == [list(range(pairs))] * 2


def test_one_reader_alone():
    reader = CompositeReader(["a"], [numbers(4).reader()])
    init_net, net = core.Net("init"), core.Net("local")
    reader.setup_ex(init_net, init_net)
    nets, _, fields = reader.read_ex(net, net)
    assert (len(nets), len(fields), len(net.Proto().op)) == (1, 1, 0)


def test_all_are_reset():
    init_net, again = core.Net("init"), core.Net("again")
    reader = CompositeReader(["a", "b"], [numbers(2, "x").reader(init_net), numbers(2, "y").reader(init_net)])
    reader.reset(again)
    assert [op.type for op in again.Proto().op] == ["ResetCursor", "ResetCursor"]


class Building(ReaderBuilder):
    def __init__(self, name, dtype, as_pipe=False):
        self.name, self.dtype, self.as_pipe, self.limiter = name, dtype, as_pipe, None

    def schema(self):
        return Struct(("label", self.dtype))

    def setup(self, limiter=None, key=None, **kwargs):
        self.limiter = limiter
        return {key or self.name: f"{key or self.name}_finished"}

    def new_reader(self, **kwargs):
        if self.as_pipe:
            return Queue(1, schema=self.schema())
        reader = numbers(10, self.name, self.dtype).reader()
        return self.limiter(reader) if self.limiter else reader


def test_a_builder_of_several():
    builder = CompositeReaderBuilder(["a", "b"], [Building("x", np.int64), Building("y", np.float32)])
    assert builder.schema() == PAIR
    finished = builder.setup(limiter=lambda reader: ReaderWithLimit(reader, 4))
    assert finished == {"x": "x_finished", "y": "y_finished"}
    assert read(builder.new_reader()) == [[0, 1, 2, 3]] * 2


def test_a_builder_takes_pipes_and_nothing_else():
    builder = CompositeReaderBuilder(["a"], [Building("x", np.int64, as_pipe=True)])
    assert isinstance(builder.new_reader(), CompositeReader)
    wrong = Building("x", np.int64)
    wrong.new_reader = lambda **kwargs: 5
    with pytest.raises(ValueError, match="instance of Reader or Pipe, not int"):
        CompositeReaderBuilder(["a"], [wrong]).new_reader()


def test_what_does_not_fit_is_said():
    with pytest.raises(AssertionError, match="1 names for 0 readers"):
        CompositeReader(["a"], [])
    with pytest.raises(AssertionError, match="1 names for 0 builders"):
        CompositeReaderBuilder(["a"], [])
    builder = CompositeReaderBuilder(["a", "b"], [Building("x", np.int64), Building("y", np.int64)])
    with pytest.raises(AssertionError, match="Two readers tell of the end"):
        builder.setup(key="same")
