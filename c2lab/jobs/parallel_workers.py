"""Threads that call a function again and again beside a training loop, and who starts and stops them.

>>> calls = []
>>> coordinator = init_workers(lambda worker_id: calls.append(worker_id), num_worker_threads=1)
>>> coordinator.start()
>>> while not calls:
...     time.sleep(0.001)
>>> coordinator.stop()
True
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

logger = logging.getLogger(__name__)

PATIENCE = 5.0  # seconds until a thread that does not end is left alone


class Metrics:
    """Sums of what workers measure.

    Args:
        external_loggers: Objects with ``log(metrics)``.
    """

    def __init__(self, external_loggers: Sequence[Any] | None) -> None:
        self._metrics: defaultdict[str, float] = defaultdict(int)
        self._external_loggers = external_loggers or ()
        self._lock = threading.Lock()

    def reset_metrics(self) -> None:
        """Forgets all sums."""
        with self._lock:
            self._metrics.clear()

    def put_metric(self, key: str, value: float, count: bool = True) -> None:
        """Adds to a sum and, if ``count``, one to ``<key>_count``."""
        with self._lock:
            self._metrics[key] += value
            if count:
                self._metrics[f"{key}_count"] += 1

    def log_metrics(self) -> None:
        """Gives all sums to the loggers; one that fails does not disturb the worker."""
        for external in self._external_loggers:
            try:
                external.log(self._metrics)
            except Exception as error:
                logger.warning("Failed to call ExternalLogger: %s", error)


class State:
    """What workers share besides their function; a coordinator starts and stops it."""

    def start(self) -> None:
        """Called before the threads are started."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it starts.")

    def stop(self) -> None:
        """Called when the threads are to end: wakes those that wait."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it stops.")

    def cleanup(self) -> None:
        """Called when all threads have ended."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it is cleaned up.")


class WorkerCoordinator:
    """The threads of one kind of worker.

    Args:
        worker_name: Their name.
        worker_ids: The number of each.
        init_fun: Called as ``init_fun(coordinator, global_coordinator)`` before the start.
        state: What they share.
        shutdown_fun: Called without arguments at the end.
    """

    def __init__(
        self,
        worker_name: str,
        worker_ids: list[int],
        init_fun: Callable[..., Any] | None,
        state: State | None = None,
        shutdown_fun: Callable[[], Any] | None = None,
    ) -> None:
        self._worker_name = worker_name
        self._worker_ids = worker_ids
        self._init_fun = init_fun
        self._state = state
        self._shutdown_fun = shutdown_fun
        self._workers: list[threading.Thread] = []
        self._active = True
        self._started = False
        self._lock = threading.Lock()

    def is_active(self) -> bool:
        """Whether the threads are to go on."""
        return self._active

    def init(self, global_coordinator: GlobalWorkerCoordinator) -> None:
        """Calls ``init_fun``, unless the threads run already."""
        if self._init_fun is not None and not self._started:
            self._init_fun(self, global_coordinator)

    def get_worker_ids(self) -> list[int]:
        """The numbers of the workers."""
        return self._worker_ids

    def _start(self) -> None:
        if self._started:
            return
        self._active = self._started = True
        if self._state is not None:
            self._state.start()
        for worker in self._workers:
            worker.daemon = True
            worker.start()

    def _stop(self, reason: str | None = None) -> None:
        with self._lock:
            self._active = False
            was_started, self._started = self._started, False
        if reason is not None:
            logger.error("Workers %s end because of an error: %s", self._worker_name, reason)
        if not was_started:
            return
        if self._shutdown_fun is not None:
            self._shutdown_fun()
        if self._state is not None:
            self._state.stop()

    def _wait_finish(self) -> bool:
        """Waits for the threads to end; whether they all did in time."""
        running = [worker for worker in self._workers if worker.ident is not None]
        for worker in running:
            if worker is not threading.current_thread():
                worker.join(PATIENCE)
        stuck = [worker.name for worker in running if worker.is_alive()]
        if stuck:
            logger.warning("Workers that did not end within %s seconds: %s", PATIENCE, ", ".join(stuck))
        elif self._state is not None:
            self._state.cleanup()
        return not stuck


class GlobalWorkerCoordinator:
    """The coordinators of all kinds of workers in this process."""

    def __init__(self) -> None:
        self._coordinators: list[WorkerCoordinator] = []
        self._fetcher_id_seq = 0
        self._worker_ids: list[int] = []
        self.register_shutdown_handler()

    def add(self, coordinator: WorkerCoordinator) -> None:
        """Adds the threads of one kind of worker."""
        self._coordinators.append(coordinator)

    def get_new_worker_id(self) -> int:
        """A number that no worker has."""
        number = self._fetcher_id_seq
        self._fetcher_id_seq += 1
        self._worker_ids.append(number)
        return number

    def get_worker_ids(self) -> list[int]:
        """The numbers of all workers."""
        return self._worker_ids

    def start(self) -> None:
        """Starts all threads; what is called before is called one after the other, before any thread runs."""
        for coordinator in self._coordinators:
            coordinator.init(self)
        for coordinator in self._coordinators:
            coordinator._start()

    def stop(self) -> bool:
        """Ends all threads and forgets them; whether all ended in time."""
        for coordinator in self._coordinators:
            coordinator._stop()
        ended = [coordinator._wait_finish() for coordinator in self._coordinators]
        self._coordinators = []
        return all(ended)

    def stop_coordinator(self, worker_name: str) -> None:
        """Ends the threads of one kind of worker and forgets them."""
        for coordinator in self._coordinators:
            if coordinator._worker_name == worker_name:
                coordinator._stop()
                coordinator._wait_finish()
        self._coordinators = [other for other in self._coordinators if other._worker_name != worker_name]

    def register_shutdown_handler(self) -> None:
        """Ends all threads when the process ends."""
        atexit.register(self.stop)


class Worker:
    """What one thread does, once.

    Args:
        coordinator: The coordinator of its kind.
        worker_id: Its number.
        worker_fun: The function.
        metrics: Where it measures.
    """

    def __init__(
        self,
        coordinator: WorkerCoordinator,
        worker_id: int,
        worker_fun: Callable[..., Any] | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._coordinator = coordinator
        self._worker_id = worker_id
        self._worker_fun = worker_fun
        self._metrics = metrics
        self._start_time = 0.0

    def start(self) -> None:
        """Called before each run."""
        self._start_time = time.time()

    def run(self) -> None:
        """Calls the function with the worker's number."""
        assert self._worker_fun is not None
        self._worker_fun(self._worker_id)

    def handle_exception(self, e: BaseException) -> None:
        """Called when a run has failed: ends all workers of its kind."""
        logger.error("Worker %s failed.", self._worker_id, exc_info=e)
        self._coordinator._stop(f"Exception in worker {self._worker_id}: {e}")

    def finish(self) -> None:
        """Called after each run, well or not."""
        self._measure("worker_time")

    def _measure(self, key: str) -> None:
        if self._metrics is not None:
            self._metrics.put_metric(key, time.time() - self._start_time)
            self._metrics.log_metrics()


global_coordinator = GlobalWorkerCoordinator()


def init_workers(
    worker_fun: Callable[[int], Any],
    num_worker_threads: int = 2,
    worker_name: str = "train",
    init_fun: Callable[..., Any] | None = None,
    external_loggers: Sequence[Any] | None = None,
    shutdown_fun: Callable[[], Any] | None = None,
) -> GlobalWorkerCoordinator:
    """Makes threads that call ``worker_fun(worker_id)`` again and again, once they are started.

    Args:
        worker_fun: The function.
        num_worker_threads: How many threads.
        worker_name: Their name.
        init_fun: Called as ``init_fun(coordinator, global_coordinator)`` before the start.
        external_loggers: Objects with ``log(metrics)``.
        shutdown_fun: Called without arguments at the end.

    Returns:
        The coordinator of all workers, with ``start()`` and ``stop()``.
    """
    metrics = Metrics(external_loggers)
    numbers = [global_coordinator.get_new_worker_id() for _ in range(num_worker_threads)]
    coordinator = WorkerCoordinator(worker_name, numbers, init_fun, shutdown_fun=shutdown_fun)
    coordinator._workers = [
        threading.Thread(
            target=run_worker,
            name=f"{worker_name} worker {number}",
            args=(coordinator, Worker(coordinator, number, worker_fun, metrics)),
        )
        for number in numbers
    ]
    global_coordinator.add(coordinator)
    return global_coordinator


def run_worker(coordinator: WorkerCoordinator, worker: Worker) -> None:
    """What a worker's thread does: runs until it is to end."""
    while coordinator.is_active():
        worker.start()
        try:
            worker.run()
        except Exception as error:
            worker.handle_exception(error)
        finally:
            worker.finish()
