"""Threads that fetch data in Python and feed it, batch by batch, to the inputs of a net.

``fetch_fun(worker_id, batch_size)`` returns one array for each input; a thread puts them together to batches
of the right size and into queues, from which operators at the front of the net take them.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from c2lab import workspace
from c2lab.jobs.parallel_workers import (
    GlobalWorkerCoordinator,
    Metrics,
    State,
    Worker,
    WorkerCoordinator,
    run_worker,
)
from c2lab.nets.blobs import BlobReference
from c2lab.nets.creation import CreateOperator
from c2lab.nets.devices import DeviceOption
from c2lab.nets.scopes import CurrentDeviceScope, CurrentNameScope, NameScope
from c2lab.operators.values import BlobsQueue
from c2lab.proto import caffe2_pb2

logger = logging.getLogger(__name__)

QUEUE_CAPACITY = 4  # batches that wait for the net
LOG_EVERY = 60.0  # seconds


def get_worker_ids(num_workers: int) -> list[int]:
    """The numbers from 0 on."""
    return list(range(num_workers))


class BatchFeeder(State):
    """Puts what the workers fetch into batches and feeds these to a net.

    Args:
        net: The net, or a model; gets operators that take the batches.
        input_blob_names: The inputs.
        batch_size: How many samples make a batch.
        device_option: Where the inputs lie.
        namescope: The name scope of the inputs.
        input_source_name: A name for this source of data.
        queue: What was fetched and is not yet a batch.
        metrics: Where it measures.
        dont_rebatch: Feeds what is fetched as it is.
        batch_columns: For each input the dimension along which samples lie; 0 where left out.
        timeout: How many seconds the net waits for a batch.
    """

    def __init__(
        self,
        net: Any,
        input_blob_names: Sequence[str],
        batch_size: int,
        device_option: caffe2_pb2.DeviceOption,
        namescope: str,
        input_source_name: str,
        queue: queue.Queue[Any],
        metrics: Metrics,
        dont_rebatch: bool,
        batch_columns: Sequence[int] | None,
        timeout: float = 600,
    ) -> None:
        self._input_blob_names = [str(name) for name in input_blob_names]
        self._batch_size = batch_size
        self._device_option = device_option
        self._namescope = namescope
        self._input_source_name = input_source_name
        self._internal_queue = queue
        self._metrics = metrics
        self._dont_rebatch = dont_rebatch
        self._batch_columns = list(batch_columns) if batch_columns is not None else [0] * len(self._input_blob_names)
        if len(self._batch_columns) != len(self._input_blob_names):
            raise AssertionError(
                f"{len(self._batch_columns)} batch_columns for the inputs {self._input_blob_names}; give one each."
            )
        self._timeout = timeout
        # That of now, whichever is current when the threads run.
        self._workspace = workspace.current()
        self._queues: list[BlobReference] = []
        self._inputs = 0
        self._started_at = self._warned_at = time.time()
        self._leftover: list[np.ndarray] | None = None
        self._connect(net)

    def _connect(self, net: Any) -> None:
        """Makes the queues, and the operators that take batches out of them."""
        self._queues = []
        with NameScope(self._namescope.rstrip("/"), reset=True):
            for name in self._input_blob_names:
                create = CreateOperator(
                    "CreateBlobsQueue",
                    [],
                    [f"{name}_c2queue_{self._input_source_name}"],
                    num_blobs=1,
                    capacity=QUEUE_CAPACITY,
                )
                self._workspace.run_operator(create)
                self._queues.append(BlobReference(create.output[0]))
                net.DequeueBlobs(self._queues[-1], name, timeout_secs=float(self._timeout))

    def _scratch(self, name: str) -> str:
        return f"{self._namescope}{name}_scratch_{self._input_source_name}"

    def start(self) -> None:
        self._inputs = 0
        self._started_at = time.time()

    def stop(self) -> None:
        for blob in self._queues:
            held = self._workspace.blobs.get(str(blob))
            # A workspace may have been emptied meanwhile.
            if isinstance(held, BlobsQueue):
                held.close()

    def cleanup(self) -> None:
        for name in self._input_blob_names:
            for blob in (self._scratch(name), f"{self._scratch(name)}_status"):
                if blob in self._workspace:
                    self._workspace.clear(blob)

    # ---- from the workers ------------------------------------------------------------------------

    def put(self, chunk: Sequence[np.ndarray] | None, data_input_coordinator: WorkerCoordinator) -> None:
        """Takes what a worker has fetched; waits while there is enough."""
        if not self._is_valid(chunk):
            return
        assert chunk is not None
        while data_input_coordinator.is_active():
            try:
                self._internal_queue.put(chunk, block=True, timeout=0.1)
            except queue.Full:
                continue
            self._inputs += chunk[0].shape[0] if chunk[0].ndim else 1
            return

    def _is_valid(self, chunk: Any) -> bool:
        if chunk is None:
            logger.warning("The fetcher of %s returned None.", self._input_source_name)
            return False
        if len(chunk) != len(self._input_blob_names):
            raise AssertionError(
                f"Expecting data blob for each input: {len(chunk)} arrays for {self._input_blob_names}."
            )
        for name, array in zip(self._input_blob_names, chunk, strict=True):
            if not isinstance(array, np.ndarray):
                raise AssertionError(
                    f"Fetcher function must return a numpy array for {name}, not {type(array).__name__}."
                )
        if self._dont_rebatch:
            return True
        sizes = [array.shape[column] for array, column in zip(chunk, self._batch_columns, strict=True)]
        if len(set(sizes)) > 1:
            raise AssertionError(
                f"Each returned input must have equal number of samples: {self._input_blob_names} have {sizes}."
            )
        if sizes and sizes[0] == 0:
            logger.warning("The fetcher of %s returned no samples.", self._input_source_name)
            return False
        return True

    # ---- to the net ------------------------------------------------------------------------------

    def _get(self, coordinator: WorkerCoordinator) -> Any:
        """What a worker has fetched; ``None`` when it is to end."""
        while coordinator.is_active():
            try:
                return self._internal_queue.get(block=True, timeout=0.1)
            except queue.Empty:
                if time.time() - self._warned_at > LOG_EVERY:
                    self._warned_at = time.time()
                    logger.warning("Data input %s is slow: there is nothing to feed.", self._input_source_name)
        return None

    def _enqueue_batch(self, coordinator: WorkerCoordinator) -> None:
        """Feeds one batch."""
        batch = self._get(coordinator) if self._dont_rebatch else self._batch(coordinator)
        if batch is None:
            return
        begun = time.time()
        for name, blob, array in zip(self._input_blob_names, self._queues, batch, strict=True):
            if coordinator.is_active():
                self._enqueue(name, blob, array)
        self._metrics.put_metric("enqueue_time", time.time() - begun)

    def _batch(self, coordinator: WorkerCoordinator) -> list[np.ndarray] | None:
        """The next samples, as many as make a batch; what is too much begins the next one."""
        parts = [self._leftover] if self._leftover is not None else []
        self._leftover = None
        first = self._batch_columns[0]
        while sum(part[0].shape[first] for part in parts) < self._batch_size:
            chunk = self._get(coordinator)
            if chunk is None:
                return None
            parts.append(chunk)
        joined = [
            np.concatenate(arrays, axis=c)
            for arrays, c in zip(zip(*parts, strict=True), self._batch_columns, strict=True)
        ]
        cut = [
            np.split(array, [self._batch_size], axis=c) for array, c in zip(joined, self._batch_columns, strict=True)
        ]
        if cut[0][1].shape[first]:
            self._leftover = [rest for _, rest in cut]
        return [batch for batch, _ in cut]

    def _enqueue(self, name: str, blob: BlobReference, array: np.ndarray) -> None:
        scratch = BlobReference(self._scratch(name))
        self._workspace.feed(str(scratch), array)
        status = BlobReference(f"{scratch}_status")
        self._workspace.run_operator(
            CreateOperator("SafeEnqueueBlobs", [blob, scratch], [scratch, status], device_option=self._device_option)
        )

    def reset(self, net: Any, batch_size: int) -> None:
        """Feeds another net from now on, in batches of another size."""
        self._batch_size = batch_size
        self._connect(net)


class GlobalCoordinator(GlobalWorkerCoordinator):
    """The coordinators of all sources of data in this process."""

    def __init__(self) -> None:
        super().__init__()
        self._queues: dict[str, queue.Queue[Any]] = {}

    def get_queue(self, queue_name: str, max_buffered_batches: int) -> queue.Queue[Any]:
        """The queue for what the workers of a source fetch."""
        if not isinstance(max_buffered_batches, int):
            raise AssertionError(f"max_buffered_batches is a whole number, not {max_buffered_batches!r}.")
        if queue_name not in self._queues:
            self._queues[queue_name] = queue.Queue(maxsize=max_buffered_batches)
        return self._queues[queue_name]

    def stop(self) -> bool:
        ended = super().stop()
        # What was fetched for the nets of before is nothing for the next ones.
        self._queues.clear()
        return ended

    def stop_coordinator(self, worker_name: str) -> None:
        super().stop_coordinator(worker_name)
        self._queues.pop(worker_name, None)

    def reset_data_input(self, namescope: str, name: str, net: Any, batch_size: int) -> None:
        """Lets a source of data feed another net, in batches of another size."""
        for coordinator in self._coordinators:
            feeder = coordinator._state
            if coordinator._worker_name == name and isinstance(feeder, BatchFeeder) and feeder._namescope == namescope:
                feeder.reset(net, batch_size)


class DataWorker(Worker):
    """A worker that fetches data for a feeder.

    Args:
        coordinator: The coordinator of its source.
        worker_id: Its number.
        worker_fun: ``worker_fun(worker_id, batch_size)`` returns the arrays.
        metrics: Where it measures.
        batch_size: How many samples make a batch.
        batch_feeder: The feeder.
    """

    def __init__(
        self,
        coordinator: WorkerCoordinator,
        worker_id: int,
        worker_fun: Callable[[int, int], Any],
        metrics: Metrics,
        batch_size: int,
        batch_feeder: BatchFeeder,
    ) -> None:
        super().__init__(coordinator, worker_id, worker_fun, metrics)
        self._batch_size = batch_size
        self._batch_feeder = batch_feeder

    def run(self) -> None:
        assert self._worker_fun is not None
        self._batch_feeder.put(self._worker_fun(self._worker_id, self._batch_size), self._coordinator)

    def finish(self) -> None:
        self._measure("fetcher_time")


global_coordinator = GlobalCoordinator()


def init_data_input_workers(
    net: Any,
    input_blob_names: Sequence[str],
    fetch_fun: Callable[[int, int], Any],
    batch_size: int,
    num_worker_threads: int = 2,
    input_source_name: str = "train",
    max_buffered_batches: int = 800,
    init_fun: Callable[..., Any] | None = None,
    external_loggers: Sequence[Any] | None = None,
    dont_rebatch: bool = False,
    batch_columns: Sequence[int] | None = None,
    timeout: float = 600,
) -> GlobalCoordinator:
    """Makes threads that fetch data for the inputs of a net, once they are started.

    Args:
        net: The net, or a model; gets operators that take the batches.
        input_blob_names: The inputs.
        fetch_fun: ``fetch_fun(worker_id, batch_size)`` returns one array for each input, of however many samples.
        batch_size: How many samples make a batch.
        num_worker_threads: How many threads fetch.
        input_source_name: A name for this source of data.
        max_buffered_batches: How much may be fetched ahead.
        init_fun: Called as ``init_fun(coordinator, global_coordinator)`` before the start.
        external_loggers: Objects with ``log(metrics)``.
        dont_rebatch: Feeds what is fetched as it is.
        batch_columns: For each input the dimension along which samples lie; 0 where left out.
        timeout: How many seconds the net waits for a batch, before it fails.

    Returns:
        The coordinator of all sources, with ``start()``, ``stop()`` and ``stop_coordinator(input_source_name)``.
    """
    device_option = CurrentDeviceScope() or DeviceOption(caffe2_pb2.PROTO_CPU)
    metrics = Metrics(external_loggers)
    feeder = BatchFeeder(
        net,
        input_blob_names,
        batch_size,
        device_option,
        CurrentNameScope(),
        input_source_name,
        global_coordinator.get_queue(input_source_name, max_buffered_batches),
        metrics,
        dont_rebatch,
        batch_columns,
        timeout=timeout,
    )
    numbers = [global_coordinator.get_new_worker_id() for _ in range(num_worker_threads)]
    coordinator = WorkerCoordinator(input_source_name, numbers, init_fun, feeder)
    coordinator._workers = [
        threading.Thread(
            target=run_worker,
            name=f"{input_source_name} fetcher {number}",
            args=(coordinator, DataWorker(coordinator, number, fetch_fun, metrics, batch_size, feeder)),
        )
        for number in numbers
    ]
    coordinator._workers.append(
        threading.Thread(target=enqueuer, name=f"{input_source_name} feeder", args=(coordinator, feeder))
    )
    global_coordinator.add(coordinator)
    return global_coordinator


def enqueuer(coordinator: WorkerCoordinator, batch_feeder: BatchFeeder) -> None:
    """What the feeder's thread does: feeds batches until it is to end."""
    while coordinator.is_active():
        try:
            batch_feeder._enqueue_batch(coordinator)
        except Exception as error:
            logger.error("Feeding %s failed.", batch_feeder._input_source_name, exc_info=error)
            coordinator._stop(f"the feeder: {error}")
