"""Ctrl-C is noted while a step runs, raised when pressed twice, and left alone in threads."""

from __future__ import annotations

import os
import signal
import threading

import pytest

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
