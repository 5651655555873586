"""Products of matrices and convolutions in bfloat16, between blobs that stay float32."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp

from c2lab.backend.layouts import as_written
from c2lab.graph.ir import Node

BFLOAT16 = "BFLOAT16"
"""The engine of an operator that is to compute so."""


def computes_half(node: Node) -> bool:
    """Whether an operator was told to."""
    return node.op.engine == BFLOAT16


def call_half(node: Node, values: Sequence[Any], reserved: Mapping[str, Any]) -> tuple[Any, ...]:
    """Calls an operator on its float32 inputs rounded to bfloat16; its results are float32 again."""
    rounded = [_as(jnp.bfloat16, jnp.float32, value) for value in map(as_written, values)]
    # The types that an operator allows are those of blobs.
    inner = dataclasses.replace(node.operator, types={})
    results = inner.call(rounded, node.arguments, num_outputs=len(node.outputs), **reserved)
    return tuple(_as(jnp.float32, jnp.bfloat16, value) for value in results)


def _as(wanted: Any, from_type: Any, value: Any) -> Any:
    return value.astype(wanted) if getattr(value, "dtype", None) == from_type else value
