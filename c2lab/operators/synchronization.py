"""Synchronization: flags, sums and stopwatches that nets side by side share."""

from __future__ import annotations

import numpy as np

from c2lab.errors import BadArgument
from c2lab.operators.checks import require_shape
from c2lab.operators.definition import host_operator, operator
from c2lab.operators.values import AtomicBool, Timer


@host_operator("CreateAtomicBool", outputs="atomic_bool", gradient="refused")
def create_atomic_bool():
    """Makes a flag, not set.

    Outputs:
        atomic_bool: The flag.
    Example:
        >>> run("CreateAtomicBool")
        atomic_bool = b'atomic_bool, a C++ native class of type std::unique_ptr<std::atomic<bool> >.'
    """
    return AtomicBool()


@host_operator("ConditionalSetAtomicBool", outputs="", gradient="refused", types={"condition": "bool"})
def conditional_set_atomic_bool(atomic_bool, condition):
    """Sets a flag where a condition holds.

    Inputs:
        atomic_bool: The flag.
        condition: One bool.
    Example:
        >>> from c2lab.operators.values import AtomicBool
        >>> set_ = run("ConditionalSetAtomicBool", atomic_bool=AtomicBool(), condition=np.array(True))
    """
    require_shape(condition.size == 1, f"condition must be one bool, but it is {condition.shape}")
    if condition.item():
        atomic_bool.value = True
    return ()


@host_operator("CheckAtomicBool", outputs="value", gradient="refused")
def check_atomic_bool(atomic_bool):
    """Says whether a flag is set.

    Inputs:
        atomic_bool: The flag.
    Outputs:
        value: One bool.
    Example:
        >>> from c2lab.operators.values import AtomicBool
        >>> run("CheckAtomicBool", atomic_bool=AtomicBool())
        value = False
    """
    return np.array(atomic_bool.value)


def _fetch_add(mut_value, increment):
    for name, value in (("mut_value", mut_value), ("increment", increment)):
        require_shape(value.size == 1, f"{name} must be one number, but it is {tuple(value.shape)}")
    return mut_value + increment.reshape(mut_value.shape), mut_value


@operator(
    "AtomicFetchAdd",
    outputs="mut_value_out, fetched_value",
    gradient="refused",
    inplace=[(1, 0)],
    opaque="mutex_ptr",
    types={"mut_value": "int32", "increment": "int32"},
)
def atomic_fetch_add(mutex_ptr, mut_value, increment):
    """Adds to a number, and gives what it was before.

    ``Y = x + increment``;  ``fetched = x``

    Inputs:
        mutex_ptr: A mutex from CreateMutex.
        mut_value: The number, one int32.
        increment: What is added, one int32.
    Outputs:
        mut_value_out: The sum.
        fetched_value: The number before.
    Example:
        >>> run("AtomicFetchAdd", mutex_ptr=None, mut_value=[5], increment=[2])
        mut_value = [7]
        fetched_value = [5]
    """
    return _fetch_add(mut_value, increment)


@operator(
    "AtomicFetchAdd64",
    outputs="mut_value_out, fetched_value",
    inplace=[(1, 0)],
    opaque="mutex_ptr",
    types={"mut_value": "int64", "increment": "int64"},
)
def atomic_fetch_add_64(mutex_ptr, mut_value, increment):
    """Adds to a 64-bit number, and gives what it was before.

    ``Y = x + increment``;  ``fetched = x``

    Inputs:
        mutex_ptr: A mutex from CreateMutex.
        mut_value: The number, one int64.
        increment: What is added, one int64.
    Outputs:
        mut_value_out: The sum.
        fetched_value: The number before.
    Example:
        >>> run("AtomicFetchAdd64", mutex_ptr=None, mut_value=[5], increment=[2])
        mut_value = [7]
        fetched_value = [5]
    """
    return _fetch_add(mut_value, increment)


def _timer(timer) -> Timer:
    if not isinstance(timer, Timer):
        raise BadArgument("the input must be a timer, made by TimerBegin")
    return timer


@host_operator("TimerBegin", outputs="timer")
def timer_begin(*, op, counter_name: str = ""):
    """Starts a stopwatch.

    Args:
        counter_name: A name for errors; the blob's where absent.
    Outputs:
        timer: The running stopwatch.
    Example:
        >>> run("TimerBegin")
        timer = b'timer, a C++ native class of type caffe2::TimerInstance*.'
    """
    return Timer(counter_name or op.output[0])


@host_operator("TimerEnd", outputs="")
def timer_end(timer):
    """Stops a stopwatch.

    Inputs:
        timer: The stopwatch.
    Example:
        >>> from c2lab.operators.values import Timer
        >>> ended = run("TimerEnd", timer=Timer("step"))
    """
    _timer(timer).end()
    return ()


@host_operator("TimerGet", outputs="nanos")
def timer_get(timer):
    """Reads a running stopwatch.

    Inputs:
        timer: The stopwatch.
    Outputs:
        nanos: The nanoseconds so far, one int64.
    Example:
        >>> from c2lab.operators.values import Timer
        >>> run("TimerGet", timer=Timer("step"))
        nanos = ...
    """
    return np.array(_timer(timer).get(), np.int64)


@host_operator("TimerGetAndEnd", outputs="nanos")
def timer_get_and_end(timer):
    """Reads a running stopwatch, and stops it.

    Inputs:
        timer: The stopwatch.
    Outputs:
        nanos: The nanoseconds in all, one int64.
    Example:
        >>> from c2lab.operators.values import Timer
        >>> run("TimerGetAndEnd", timer=Timer("step"))
        nanos = ...
    """
    return np.array(_timer(timer).end(), np.int64)
