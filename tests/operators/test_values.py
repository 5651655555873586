"""Blobs that are no tensors, between threads."""

from __future__ import annotations

import threading

from c2lab.operators.values import BlobsQueue


def test_putting_waits_for_room_and_taking_for_records():
    queue, taken = BlobsQueue(capacity=2), []

    def consume():
        while (record := queue.take()) is not None:
            taken.append(record[0])

    consumer = threading.Thread(target=consume)
    consumer.start()
    for k in range(50):
        assert queue.put([k])
        assert len(queue) <= 2
    queue.close()
    consumer.join(10)
    assert taken == list(range(50))


def test_closing_wakes_who_waits_to_put():
    queue = BlobsQueue(capacity=1)
    queue.put([1])
    results = []
    producer = threading.Thread(target=lambda: results.append(queue.put([2])))
    producer.start()
    queue.close()
    producer.join(10)
    assert results == [False]
