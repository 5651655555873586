"""Iteration: counting training steps, alone or among several nets."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from c2lab.errors import BadArgument, TypeMismatch
from c2lab.operators.checks import require_shape
from c2lab.operators.definition import host_operator, operator
from c2lab.operators.values import Counter, Mutex


def _next(iter):
    require_shape(iter.size == 1, f"the iteration must be one number, but it is {tuple(iter.shape)}")
    return iter + jnp.ones((), iter.dtype)


@operator(
    "Iter",
    outputs="output",
    gradient="none",
    inplace="iter -> output, iter => output",
    types={"iter": "int64"},
    host_when=lambda op: not op.input,
)
def iter_(iter=None, *, workspace, op):
    """Counts a training step: adds one.

    ``Y = iter + 1``

    Inputs:
        iter: The iteration so far, (1,) int64. Without this input the output's blob is counted up,
            and made, at 1, where it does not exist.
    Outputs:
        output: The iteration, in place of the input.
    Example:
        >>> run("Iter", iter=np.array([3]))
        iter = [4]
    """
    if iter is not None:
        return _next(iter)
    name = op.output[0]
    held = workspace[name] if name in workspace else None  # noqa: SIM401 - a workspace is no dict
    if not isinstance(held, np.ndarray):
        return np.ones((1,), np.int64)
    if held.dtype != np.int64:
        raise TypeMismatch(f"the blob {name} is {held.dtype}; an iteration is counted in int64")
    return held + 1


@operator(
    "AtomicIter",
    outputs="output",
    gradient="none",
    inplace="iter -> output, iter => output",
    opaque="mutex",
    types={"iter": "int64"},
)
def atomic_iter(mutex, iter):
    """Counts a training step while it holds a mutex, so that nets side by side count each step once.

    ``Y = iter + 1``

    Inputs:
        mutex: A mutex from CreateMutex.
        iter: The iteration so far, (1,) int64.
    Outputs:
        output: The iteration, in place of iter.
    Example:
        >>> run("AtomicIter", mutex=None, iter=np.array([3]))
        iter = [4]
    """
    return _next(iter)


@host_operator("CreateMutex", outputs="mutex_ptr", gradient="refused")
def create_mutex():
    """Makes a mutex: what AtomicIter and AtomicFetchAdd hold while they count.

    Outputs:
        mutex_ptr: The mutex.
    Example:
        >>> run("CreateMutex")
        mutex_ptr = b'mutex_ptr, a C++ native class of type std::unique_ptr<std::mutex>.'
    """
    return Mutex()


@host_operator("CreateCounter", outputs="counter", gradient="refused")
def create_counter(*, init_count: int = 0):
    """Makes a counter.

    Args:
        init_count: The count it starts from, not negative.
    Outputs:
        counter: The counter.
    Example:
        >>> run("CreateCounter", init_count=2)
        counter = b'counter, a C++ native class of type std::unique_ptr<caffe2::Counter<long> >.'
    """
    if init_count < 0:
        raise BadArgument(f"init_count is {init_count}; it must not be negative")
    return Counter(init_count)


@host_operator("ResetCounter", outputs="previous_value?", gradient="refused")
def reset_counter(counter, *, init_count: int = 0):
    """Sets a counter back.

    Inputs:
        counter: The counter.
    Args:
        init_count: The count it is set to, not negative.
    Outputs:
        previous_value: The count before, one int64.
    Example:
        >>> from c2lab.operators.values import Counter
        >>> run("ResetCounter", outputs=1, counter=Counter(5))
        previous_value = 5
    """
    if init_count < 0:
        raise BadArgument(f"init_count is {init_count}; it must not be negative")
    return np.array(counter.reset(init_count), np.int64)


@host_operator("CountDown", outputs="done", gradient="refused")
def count_down(counter):
    """Takes one from a counter, and says whether it had run out.

    ``done = (count - 1 < 0)``

    Inputs:
        counter: The counter.
    Outputs:
        done: Whether the count was 0 or less before, one bool.
    Example:
        >>> from c2lab.operators.values import Counter
        >>> run("CountDown", counter=Counter(1))
        done = False
    """
    return np.array(counter.count_down())


@host_operator("CountUp", outputs="previous_count", gradient="refused")
def count_up(counter):
    """Adds one to a counter.

    Inputs:
        counter: The counter.
    Outputs:
        previous_count: The count before, one int64.
    Example:
        >>> from c2lab.operators.values import Counter
        >>> run("CountUp", counter=Counter(1))
        previous_count = 1
    """
    return np.array(counter.count_up(), np.int64)


@host_operator("CheckCounterDone", outputs="done")
def check_counter_done(counter):
    """Says whether a counter has run out, and leaves it as it is.

    ``done = (count <= 0)``

    Inputs:
        counter: The counter.
    Outputs:
        done: Whether the count is 0 or less, one bool.
    Example:
        >>> from c2lab.operators.values import Counter
        >>> run("CheckCounterDone", counter=Counter(1))
        done = False
    """
    return np.array(counter.count <= 0)


@host_operator("RetrieveCount", outputs="count", gradient="refused")
def retrieve_count(counter):
    """Reads a counter.

    Inputs:
        counter: The counter.
    Outputs:
        count: Its count, one int64.
    Example:
        >>> from c2lab.operators.values import Counter
        >>> run("RetrieveCount", counter=Counter(3))
        count = 3
    """
    return np.array(counter.count, np.int64)
