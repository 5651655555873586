"""Random draws from either kind of generator: a JAX key inside a compiled net, numpy's on the host.

A net that only fills parameters runs its fills on the host: compiling a generator for each of
a hundred shapes would take longer than all the drawing.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def normal(rng: Any, shape: tuple[int, ...]) -> Any:
    """Draws from N(0, 1), float32.

    Example:
        >>> normal(np.random.default_rng(0), (2,)).dtype
        dtype('float32')
    """
    if isinstance(rng, np.random.Generator):
        return rng.standard_normal(shape, np.float32)
    return jax.random.normal(rng, shape, jnp.float32)


def uniform(rng: Any, shape: tuple[int, ...], low: Any = 0.0, high: Any = 1.0) -> Any:
    """Draws from U(low, high), float32."""
    if isinstance(rng, np.random.Generator):
        unit = rng.random(shape, np.float32)
        return np.float32(low) + unit * (np.float32(high) - np.float32(low))
    return jax.random.uniform(rng, shape, jnp.float32, low, high)


def integers(rng: Any, shape: tuple[int, ...], low: Any, high: Any) -> Any:
    """Whole numbers from ``low`` to ``high``, both included, int32."""
    if isinstance(rng, np.random.Generator):
        return rng.integers(low, high, shape, np.int64, endpoint=True).astype(np.int32)
    # Drawn in 64 bits, so that high + 1 does not overflow at the end of the int32 range.
    upper = jnp.asarray(high, jnp.int64) + 1
    return jax.random.randint(rng, shape, jnp.asarray(low, jnp.int64), upper, jnp.int64).astype(jnp.int32)
