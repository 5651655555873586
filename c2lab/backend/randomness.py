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
        return jax.random.fold_in(jax.random.key(node.seed & 0x7FFFFFFF), run)
    own = jax.random.fold_in(jax.random.key(0), base)
    return jax.random.fold_in(jax.random.fold_in(own, run), jnp.uint32(node.index))


def host_generator(node_index: int, seed: int | None, base: int, run: int) -> np.random.Generator:
    """The generator of a host operator in one run, by the same rules."""
    return np.random.default_rng([seed, run] if seed is not None else [base, run, node_index])
