"""Ctrl-C is noted while a step runs, raised when pressed twice, and left alone in threads."""

from __future__ import annotations

import os
import signal
import threading

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.backend.interrupts import interrupts_deferred


def test_the_second_ctrl_c_is_raised_at_once():
    def press_twice():
        with interrupts_deferred() as noted:
            os.kill(os.getpid(), signal.SIGINT)
            assert noted
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        press_twice()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_threads_leave_signals_alone():
    seen = []

    def work():
        with interrupts_deferred() as noted:
            seen.append(noted)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [[]]


def press_soon():
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    return timer


def test_who_waits_for_a_queue_stops_waiting():
    net = core.Net("waiting")
    workspace.RunOperatorOnce(core.CreateOperator("CreateBlobsQueue", [], ["queue"], capacity=1))
    workspace.FeedBlob("x", np.float32([1]))
    net.DequeueBlobs(["queue"], ["x"])
    workspace.CreateNet(net)
    timer = press_soon()
    with pytest.raises(KeyboardInterrupt):
        workspace.RunNet(net)
    timer.join()
    assert workspace.FetchBlob("x").tolist() == [1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("threads", [1, 3])
def test_a_plan_that_waits_for_a_queue_ends(threads):
    workspace.RunOperatorOnce(core.CreateOperator("CreateBlobsQueue", [], ["queue"], capacity=1))
    net = core.Net("waiting")
    net.DequeueBlobs(["queue"], ["x"])
    steps = [core.execution_step(f"waiting_{k}", net.Clone(f"net_{k}")) for k in range(threads)]
    timer = press_soon()
    with pytest.raises(KeyboardInterrupt):
        workspace.RunPlan(core.execution_step("all", steps, concurrent_substeps=True))
    timer.join()
    assert not [thread for thread in threading.enumerate() if thread.name == "c2lab step" and thread.is_alive()]
