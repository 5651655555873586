"""Threads that feed a net with data."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from c2lab import brew, core, optimizer, workspace
from c2lab.errors import BadValue
from c2lab.jobs import data_workers
from c2lab.jobs.data_workers import get_worker_ids, global_coordinator, init_data_input_workers
from c2lab.model_helper import ModelHelper

LIMIT = 60.0


@pytest.fixture(autouse=True)
def stopped():
    yield
    assert global_coordinator.stop()


def wait_until(condition):
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, "not within the time limit"
        time.sleep(0.005)


class Counting:
    """Fetches 0, 1, 2, ... each once, from whatever thread, in pieces of several sizes."""

    def __init__(self, sizes=(1, 5, 3)):
        self.lock, self.next, self.calls, self.sizes = threading.Lock(), 0, 0, sizes

    def __call__(self, worker_id, batch_size):
        with self.lock:
            size = self.sizes[self.calls % len(self.sizes)]
            self.calls += 1
            numbers = np.arange(self.next, self.next + size)
            self.next += size
        return [np.stack([numbers, numbers], axis=1).astype(np.float32), numbers.astype(np.int32)]


@pytest.mark.parametrize("batch", [1, 4, 32])
@pytest.mark.parametrize("threads", [1, 3])
def test_batches_of_the_right_size_with_every_sample_once(batch, threads):
    model = ModelHelper(name="feeding")
    coordinator = init_data_input_workers(model, ["data", "label"], Counting(), batch, threads, timeout=LIMIT)
    coordinator.start()
    workspace.CreateNet(model.net)
    seen = []
    for _ in range(10):
        workspace.RunNet(model.net)
        data, label = workspace.FetchBlob("data"), workspace.FetchBlob("label")
        assert data.shape == (batch, 2)
        assert data[:, 0].tolist() == data[:, 1].tolist() == label.tolist()
        seen += label.tolist()
    assert len(set(seen)) == len(seen)
    if threads == 1:
        assert seen == list(range(10 * batch))


def test_a_net_learns_from_what_it_is_fed():
    rng = np.random.default_rng(0)

    def fetch(worker_id, batch_size):
        data = rng.normal(size=(batch_size + 3, 2)).astype(np.float32)
        return [data, (data[:, 0] > data[:, 1]).astype(np.int32)]

    model = ModelHelper(name="learning")
    coordinator = init_data_input_workers(model, ["data", "label"], fetch, 16, 1, timeout=LIMIT)
    scores = brew.fc(model, "data", "scores", 2, 2)
    _, loss = model.SoftmaxWithLoss([scores, "label"], ["softmax", "loss"])
    model.AddGradientOperators([loss])
    optimizer.build_sgd(model, base_learning_rate=0.5)
    workspace.RunNetOnce(model.param_init_net)
    workspace.CreateNet(model.net)
    coordinator.start()
    losses = []
    for _ in range(60):
        workspace.RunNet(model.net)
        losses.append(float(workspace.FetchBlob(loss)))
    assert coordinator.stop()
    assert np.mean(losses[-10:]) < np.mean(losses[:3]) / 2


def test_samples_may_lie_along_any_dimension():
    def fetch(worker_id, batch_size):
        size = 3
        return [np.ones((4, size, 2), np.float32), np.ones((4, size), np.int32), np.arange(size).astype(np.int32)]

    model = ModelHelper(name="sequences")
    coordinator = init_data_input_workers(
        model, ["steps", "labels", "lengths"], fetch, 8, 2, batch_columns=[1, 1, 0], timeout=LIMIT
    )
    coordinator.start()
    workspace.CreateNet(model.net)
    workspace.RunNet(model.net)
    shapes = [workspace.FetchBlob(name).shape for name in ("steps", "labels", "lengths")]
    assert shapes == [(4, 8, 2), (4, 8), (8,)]
    # Nobody takes any more: the threads wait for room, and end all the same.
    wait_until(lambda: coordinator._coordinators[0]._state._inputs > 40)
    assert coordinator.stop()


def test_what_is_fetched_is_fed_as_it_is():
    model = ModelHelper(name="as_it_is")
    coordinator = init_data_input_workers(
        model, ["data", "label"], Counting(sizes=(2, 7)), 4, 1, dont_rebatch=True, timeout=LIMIT
    )
    coordinator.start()
    workspace.CreateNet(model.net)
    sizes = []
    for _ in range(4):
        workspace.RunNet(model.net)
        sizes.append(len(workspace.FetchBlob("label")))
    assert sizes == [2, 7, 2, 7]


def test_sources_are_stopped_by_name_and_numbered_on():
    before = global_coordinator._fetcher_id_seq
    first, second = ModelHelper(name="first"), ModelHelper(name="second")
    init_data_input_workers(first, ["a", "b"], Counting(), 2, 2, input_source_name="first")
    coordinator = init_data_input_workers(second, ["c", "d"], Counting(), 2, 1, input_source_name="second")
    assert global_coordinator._fetcher_id_seq == before + 3
    coordinator.start()
    coordinator.stop_coordinator("first")
    assert [other._worker_name for other in coordinator._coordinators] == ["second"]


def test_a_source_begins_anew_after_a_stop():
    for name, inputs in (("once", ["a", "b"]), ("again", ["c", "d"])):
        model = ModelHelper(name=name)
        coordinator = init_data_input_workers(model, inputs, Counting(), 4, 1, timeout=LIMIT)
        coordinator.start()
        workspace.CreateNet(model.net)
        workspace.RunNet(model.net)
        assert workspace.FetchBlob(inputs[1]).tolist() == [0, 1, 2, 3]
        assert coordinator.stop()


def test_name_scopes_are_kept():
    model = ModelHelper(name="scoped")
    with core.NameScope("gpu_0"):
        coordinator = init_data_input_workers(model, ["data", "label"], Counting(), 2, 1, timeout=LIMIT)
    coordinator.start()
    workspace.CreateNet(model.net)
    workspace.RunNet(model.net)
    assert workspace.FetchBlob("gpu_0/data").shape == (2, 2)


def test_another_net_may_take_over():
    first, second = ModelHelper(name="first"), ModelHelper(name="second")
    coordinator = init_data_input_workers(first, ["data", "label"], Counting(), 2, 1, timeout=LIMIT)
    coordinator.reset_data_input("", "train", second, 3)
    coordinator.start()
    workspace.CreateNet(second.net)
    workspace.RunNet(second.net)
    assert workspace.FetchBlob("data").shape == (3, 2)


def test_the_net_of_a_failed_source_fails_instead_of_waiting(caplog):
    def fail(worker_id, batch_size):
        raise OSError("the disk is gone")

    model = ModelHelper(name="failing")
    coordinator = init_data_input_workers(model, ["data"], fail, 2, 2, timeout=LIMIT)
    coordinator.start()
    workspace.CreateNet(model.net)
    with pytest.raises(BadValue, match="closed and drained"):
        workspace.RunNet(model.net)
    assert "the disk is gone" in caplog.text


@pytest.mark.parametrize(
    ("chunk", "message"),
    [
        ([np.zeros(2)], "1 arrays for"),
        ([np.zeros(2), [1, 2]], "must return a numpy array for label, not list"),
        ([np.zeros(2), np.zeros(3)], "equal number of samples"),
    ],
)
def test_what_is_fetched_is_checked(chunk, message, caplog):
    model = ModelHelper(name="checked")
    coordinator = init_data_input_workers(model, ["data", "label"], lambda *_: chunk, 2, 1, timeout=LIMIT)
    coordinator.start()
    wait_until(lambda: not coordinator._coordinators[0].is_active())
    coordinator.stop()
    assert message in caplog.text


@pytest.mark.parametrize("chunk", [None, [np.zeros((0, 2)), np.zeros(0)]])
def test_nothing_is_passed_over(chunk):
    counting, first = Counting(), [True]

    def fetch(worker_id, batch_size):
        if first:
            first.clear()
            return chunk
        return counting(worker_id, batch_size)

    model = ModelHelper(name="nothing")
    coordinator = init_data_input_workers(model, ["data", "label"], fetch, 2, 1, timeout=LIMIT)
    coordinator.start()
    workspace.CreateNet(model.net)
    workspace.RunNet(model.net)
    assert workspace.FetchBlob("label").tolist() == [0, 1]


def test_a_net_waits_only_so_long():
    model = ModelHelper(name="waiting")
    init_data_input_workers(model, ["data"], lambda *_: None, 2, 1, timeout=0.2)
    workspace.CreateNet(model.net)
    with pytest.raises(BadValue, match=r"within 0.2"):
        workspace.RunNet(model.net)


def test_small_things():
    assert get_worker_ids(3) == [0, 1, 2]
    with pytest.raises(AssertionError, match="1 batch_columns for the inputs"):
        init_data_input_workers(core.Net("n"), ["a", "b"], Counting(), 2, batch_columns=[0])
    with pytest.raises(AssertionError, match="whole number"):
        data_workers.GlobalCoordinator().get_queue("q", 1.5)
