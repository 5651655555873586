"""Random numbers: named, serialisable state, and a key for each operator of each run.

An operator with a seed draws the same numbers in run k of every net that is created anew,
and operators with the same seed draw the same numbers; operators without one draw from the
net's own base, which the workspace's generator gives it.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from c2lab.graph.ir import Node


def random_state(base: int, run: int) -> np.ndarray:
    """What a compiled function is given: the net's base and the number of this run."""
    return np.array([base & 0xFFFFFFFF, run & 0xFFFFFFFF], np.uint32)


def node_key(node: Node, state: Any) -> jax.Array:
    """The key of one operator in one run.

    Args:
        node: The operator; its seed, where it has one, is part of the program.
        state: ``random_state(...)``, traced.
    """
    base, run = state[0], state[1]
    if node.seed is not None:
        return _key(node.seed & 0xFFFFFFFF, run, 0xFFFFFFFF)
    return _key(base, run, node.index)


def _key(*words: Any) -> jax.Array:
    """A key from 32-bit words; keys of neighbouring words have nothing in common.

    XLA's own counter-based generator compiles ten times faster than JAX's default one, but it
    counts upwards from the key, so the words are mixed until one changed bit changes every other.
    """
    numbers = []
    for lane in range(4):
        mixed = jnp.uint32(0x9E3779B9 * (lane + 1) & 0xFFFFFFFF)
        for word in words:
            mixed = _scramble(mixed ^ _scramble(jnp.uint32(word)))
        numbers.append(mixed)
    return jax.random.wrap_key_data(jnp.stack(numbers), impl="unsafe_rbg")


def _scramble(word: jax.Array) -> jax.Array:
    """A one-to-one map of 32-bit words in which every bit of the result depends on every bit (murmur3's finish)."""
    word = (word ^ (word >> 16)) * jnp.uint32(0x85EBCA6B)
    word = (word ^ (word >> 13)) * jnp.uint32(0xC2B2AE35)
    return word ^ (word >> 16)


def host_generator(node_index: int, seed: int | None, base: int, run: int) -> np.random.Generator:
    """The generator of a host operator in one run, by the same rules."""
    return np.random.default_rng([seed, run] if seed is not None else [base, run, node_index])
