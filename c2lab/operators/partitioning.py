"""Partitioning: rows dealt out to shards by their keys, and fetched from there again.

A key belongs to the shard that is its remainder after division by the number of shards.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from c2lab.errors import SchemaError
from c2lab.operators.checks import require, require_same_type, require_shape
from c2lab.operators.definition import host_operator, operator
from c2lab.operators.lengths import require_sum

KEYS = "int32 int64"


def _shards(type: str, inputs: int, num_outputs: int) -> int:
    if not num_outputs or num_outputs % inputs:
        raise SchemaError(f"{type} with {inputs} inputs makes {inputs} outputs a shard, but {num_outputs} are named")
    return num_outputs // inputs


def _require_keys(keys: Any) -> None:
    require_shape(str(keys.dtype) in KEYS.split(), f"the keys are {keys.dtype}; they must be int32 or int64")


def _dealt(keys: np.ndarray, others: tuple[np.ndarray, ...], shards: int, pack: bool) -> list[list[np.ndarray]]:
    """The keys and rows of each shard."""
    _require_keys(keys)
    for rows in others:
        require_shape(
            rows.shape[: keys.ndim] == keys.shape,
            f"the keys are {keys.shape} and an input {rows.shape}; every input must start with the shape of the keys",
        )
    flat = keys.reshape(-1)
    shard = np.mod(flat, shards)
    packed = np.floor_divide(flat, shards).astype(flat.dtype) if pack else flat
    dealt = []
    for number in range(shards):
        mine = shard == number
        dealt.append([packed[mine], *(rows.reshape(flat.size, *rows.shape[keys.ndim :])[mine] for rows in others)])
    return dealt


@host_operator("Partition", outputs="*partitions", gradient="none")
def partition(*input: Any, pack_first_input: int = 0, num_outputs: int):
    """Deals rows out to shards.

    There are as many shards as the number of inputs goes into the number of outputs.

    Inputs:
        input: The keys, int32 or int64 of any shape, then rows for the keys: the shape of the keys, and more.
    Args:
        pack_first_input: Whether the keys are divided by the number of shards on the way.
    Outputs:
        partitions: The keys and rows of the first shard, those of the second, and so on.
    Example:
        >>> run("Partition", input=(np.int32([4, 7, 2]), np.float32([40, 70, 20])), outputs=4)
        partitions_0 = [4 2]
        partitions_1 = [40. 20.]
        partitions_2 = [7]
        partitions_3 = [70.]
    """
    if not input:
        raise SchemaError("Partition needs the keys")
    shards = _shards("Partition", len(input), num_outputs)
    dealt = _dealt(input[0], input[1:], shards, bool(pack_first_input))
    return tuple(part for parts in dealt for part in parts)


@host_operator("LengthsPartition", outputs="*partitions", gradient="none")
def lengths_partition(*input: Any, pack_first_input: int = 0, num_outputs: int):
    """Deals the rows of segments out to shards, with the lengths that the segments have there.

    Inputs:
        input: The lengths, int32; the keys, int32 or int64 (sum of lengths,); then rows for the keys.
    Args:
        pack_first_input: Whether the keys are divided by the number of shards on the way.
    Outputs:
        partitions: The lengths, keys and rows of the first shard, those of the second, and so on.
    Example:
        >>> run("LengthsPartition", input=(np.int32([2, 1]), np.int32([4, 7, 2])), outputs=4)
        partitions_0 = [1 1]
        partitions_1 = [4 2]
        partitions_2 = [1 0]
        partitions_3 = [7]
    """
    if len(input) < 2:
        raise SchemaError("LengthsPartition needs the lengths and the keys")
    shards = _shards("LengthsPartition", len(input), num_outputs)
    lengths, keys, *others = input
    require_shape(str(lengths.dtype) == "int32", f"the lengths are {lengths.dtype}; they must be int32")
    require_shape(keys.ndim == 1, f"the keys are {keys.shape}; they must be one-dimensional")
    require_sum(lengths, keys.size, "the keys")
    segment = np.repeat(np.arange(lengths.size), lengths)
    shard = np.mod(keys, shards)
    results: list[np.ndarray] = []
    for number, parts in enumerate(_dealt(keys, tuple(others), shards, bool(pack_first_input))):
        mine = np.bincount(segment[shard == number], minlength=lengths.size).astype(np.int32)
        results += [mine, *parts]
    return tuple(results)


@operator("GatherByKey", outputs="values", types={"keys": KEYS})
def gather_by_key(keys, sharded_values, *more: Any):
    """The rows that Partition dealt out, back in the order of their keys.

    Inputs:
        keys: int32 or int64, the keys that Partition was given.
        sharded_values: The rows of the first shard.
        more: The rows of the second shard, and so on.
    Outputs:
        values: The shape of keys, and that of one row.
    Example:
        >>> run("GatherByKey", keys=[4, 7, 2], sharded_values=[40.0, 20.0], more=(np.float32([70]),))
        values = [40. 70. 20.]
    """
    shards = (sharded_values, *more)
    require_same_type(*shards)
    for rows in shards:
        require_shape(
            rows.ndim >= 1 and rows.shape[1:] == sharded_values.shape[1:], "the rows of all shards must have one shape"
        )
    flat = keys.reshape(-1)
    shard = jnp.mod(flat, len(shards))
    member = shard[:, None] == jnp.arange(len(shards), dtype=flat.dtype)
    held = np.array([rows.shape[0] for rows in shards])
    require(
        member.sum(axis=0) == jnp.asarray(held),
        f"the shards hold {held.tolist()} rows; the keys must name as many of each",
    )
    before = jnp.cumsum(member, axis=0) - member  # how many earlier keys went to each shard
    place = jnp.sum(member * (before + (np.cumsum(held) - held)), axis=1)
    together = jnp.concatenate(shards)
    if together.shape[0] == 0:
        return jnp.zeros((*keys.shape, *together.shape[1:]), together.dtype)
    return jnp.take(together, place, axis=0, mode="clip").reshape(*keys.shape, *together.shape[1:])


@gather_by_key.gradient_maker
def _(g):
    targets: list[str] = []
    for k in range(1, len(g.op.input)):
        targets += [f"_{g.I(k)}_grad_keys", g.GI(k)]
    return [g.define("Partition", [g.I(0), g.GO(0)], targets, pack_first_input=0)]
