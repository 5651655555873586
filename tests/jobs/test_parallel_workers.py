"""Threads that call a function again and again."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.jobs.parallel_workers import (
    GlobalWorkerCoordinator,
    Metrics,
    State,
    Worker,
    WorkerCoordinator,
    global_coordinator,
    init_workers,
)

LIMIT = 60


@pytest.fixture(autouse=True)
def stopped():
    yield
    assert global_coordinator.stop()


class Meeting:
    """A worker's function; ``wait()`` until each of so many workers has come."""

    def __init__(self, count):
        self.count, self.seen = count, set()
        self.changed = threading.Condition()

    def __call__(self, worker_id):
        with self.changed:
            self.seen.add(worker_id)
            self.changed.notify_all()
            self.changed.wait(0.01)

    def wait(self):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.seen) >= self.count, LIMIT)


def test_all_workers_run_until_they_are_stopped():
    meeting = Meeting(3)
    coordinator = init_workers(meeting, num_worker_threads=3)
    numbers = coordinator.get_worker_ids()[-3:]
    coordinator.start()
    meeting.wait()
    assert meeting.seen == set(numbers)
    assert coordinator.stop()
    assert coordinator._coordinators == []
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("train worker")]


def test_workers_put_into_a_queue_of_the_workspace():
    workspace.RunOperatorOnce(core.CreateOperator("CreateBlobsQueue", [], ["queue"], num_blobs=1, capacity=50))

    def work(worker_id):
        blob = f"blob_{worker_id}"
        workspace.FeedBlob(blob, str(worker_id))
        workspace.RunOperatorOnce(
            core.CreateOperator("SafeEnqueueBlobs", ["queue", blob], [blob, f"status_{worker_id}"])
        )

    coordinator = init_workers(work, shutdown_fun=lambda: workspace.current()["queue"].close())
    names = {str(number).encode() for number in coordinator.get_worker_ids()[-2:]}
    coordinator.start()
    for _ in range(20):
        workspace.RunOperatorOnce(core.CreateOperator("DequeueBlobs", ["queue"], ["out"], timeout_secs=float(LIMIT)))
        assert workspace.FetchBlob("out") in names
    assert coordinator.stop()


def test_what_is_called_before_and_after():
    told = []
    meeting = Meeting(1)
    coordinator = init_workers(
        meeting,
        num_worker_threads=1,
        init_fun=lambda own, everyone: told.append((own.get_worker_ids(), everyone is global_coordinator)),
        shutdown_fun=lambda: told.append("over"),
    )
    assert told == []
    coordinator.start()
    meeting.wait()
    assert told == [(coordinator.get_worker_ids()[-1:], True)]
    coordinator.stop()
    assert told[-1] == "over"


def test_one_kind_is_stopped_alone():
    first, second = Meeting(1), Meeting(1)
    init_workers(first, 1, worker_name="first")
    coordinator = init_workers(second, 1, worker_name="second")
    coordinator.start()
    first.wait()
    second.wait()
    coordinator.stop_coordinator("first")
    assert [other._worker_name for other in coordinator._coordinators] == ["second"]
    second.seen.clear()
    second.wait()


def test_a_failure_ends_all_of_its_kind(caplog):
    over = threading.Event()

    def fail(worker_id):
        raise ValueError("no data here")

    coordinator = init_workers(fail, shutdown_fun=over.set)
    coordinator.start()
    assert over.wait(LIMIT)
    assert not coordinator._coordinators[0].is_active()
    assert coordinator.stop()
    assert "no data here" in caplog.text


def test_workers_that_were_never_started_stop_too():
    coordinator = init_workers(lambda worker_id: None, shutdown_fun=lambda: pytest.fail("nothing was started"))
    assert coordinator.stop()


def test_metrics_go_to_the_loggers():
    class Keeping:
        def __init__(self):
            self.seen = {}

        def log(self, metrics):
            self.seen = dict(metrics)

    class Failing:
        def log(self, metrics):
            raise OSError("disk full")

    keeping, meeting = Keeping(), Meeting(1)
    coordinator = init_workers(meeting, 1, external_loggers=[Failing(), keeping])
    coordinator.start()
    meeting.wait()
    coordinator.stop()
    assert keeping.seen["worker_time_count"] >= 1
    assert keeping.seen["worker_time"] >= 0
    metrics = Metrics([keeping])
    metrics.put_metric("a", 2)
    metrics.put_metric("a", 3)
    metrics.put_metric("b", 1, count=False)
    metrics.log_metrics()
    assert keeping.seen == {"a": 5, "a_count": 2, "b": 1}
    metrics.reset_metrics()
    metrics.log_metrics()
    assert keeping.seen == {}


def test_a_state_is_started_stopped_and_cleaned_up():
    told = []

    class Telling(State):
        def start(self):
            told.append("start")

        def stop(self):
            told.append("stop")

        def cleanup(self):
            told.append("cleanup")

    everyone = GlobalWorkerCoordinator()
    coordinator = WorkerCoordinator("alone", [], None, state=Telling())
    everyone.add(coordinator)
    everyone.start()
    everyone.start()
    assert everyone.stop()
    assert told == ["start", "stop", "cleanup"]
    for step in (State().start, State().stop, State().cleanup):
        with pytest.raises(NotImplementedError):
            step()


def test_a_worker_runs_its_function():
    seen = []
    worker = Worker(WorkerCoordinator("alone", [], None), 7, seen.append)
    worker.start()
    worker.run()
    worker.finish()
    assert seen == [7]
    assert np.isfinite(worker._start_time)
