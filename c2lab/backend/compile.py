"""Compiles segments once: in memory by what they compute, on disk through JAX's persistent cache."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import threading
import time
import warnings
from collections import OrderedDict
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from c2lab.backend.blobs import kind_of
from c2lab.backend.devices import jax_device
from c2lab.backend.half_compute import computes_half
from c2lab.backend.layouts import pays
from c2lab.backend.lower import Lowered, ValueCheck, abstract
from c2lab.backend.region_nodes import RegionNode, region_key
from c2lab.graph.ir import Device, Node, Value
from c2lab.proto import caffe2_pb2

_MOST_KEPT = 4096


class Compiled(NamedTuple):
    """A function ready to call, and the conditions whose truth it returns last.

    ``complete``: every output has a value (an operator may leave one as it was: ``None``).
    """

    call: Any
    checks: tuple[ValueCheck, ...]
    complete: bool


class CompileStatistics:
    """How often something was compiled, and for how long, since the process began."""

    def __init__(self) -> None:
        self.count = 0
        self.seconds = 0.0


statistics = CompileStatistics()
_cache: OrderedDict[Any, Compiled] = OrderedDict()
_lock = threading.RLock()
_persistent_cache_ready = False


def compile_segment(
    nodes: Sequence[Node],
    inputs: Sequence[Value],
    outputs: Sequence[Value],
    arguments: Sequence[Any],
    device: Device,
    donate: Sequence[int],
    static_values: dict[Value, np.ndarray],
) -> Compiled:
    """The compiled function of ``nodes`` for arguments of these shapes and types.

    The key holds what is computed and nothing that merely names it: nets and blobs are numbered
    by position, operator names, canvas positions and debug text are left out.
    """
    overwritten = _overwritten(inputs, outputs)
    channels_last = pays(nodes, jax_device(device).platform)
    key = (
        channels_last,
        _fingerprint(nodes, inputs, outputs, static_values),
        tuple(kind_of(a) for a in arguments),
        device,
        tuple(donate),
    )
    with _lock:
        found = _cache.get(key)
        if found is not None:
            _cache.move_to_end(key)
            # The program is the same, but errors must name the operators of this net.
            return found._replace(checks=_renamed(found.checks, nodes))
        _prepare_persistent_cache()
        lowered = Lowered(nodes, inputs, outputs, overwritten, static_values, channels_last=channels_last)
        started = time.perf_counter()
        compiled = _compile(lowered, arguments, device, donate)
        statistics.count += 1
        statistics.seconds += time.perf_counter() - started
        result = Compiled(compiled, tuple(lowered.checks), lowered.complete)
        _cache[key] = result
        while len(_cache) > _MOST_KEPT:
            _cache.popitem(last=False)
        return result


def _compile(lowered: Lowered, arguments: Sequence[Any], device: Device, donate: Sequence[int]) -> Any:
    function = lowered.function()
    structs = [abstract(a) for a in arguments]
    if lowered.random:
        structs.append(jax.ShapeDtypeStruct((2,), np.uint32))
    with (
        jax.enable_x64(True),
        jax.default_device(jax_device(device)),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", message="Some donated buffers were not usable")
        traced = jax.jit(function, donate_argnums=tuple(donate)).trace(*structs)
        results = dict(zip(lowered.overwritten, traced.out_info, strict=False))
        kept = [i for i in donate if _comes_back(structs[i], results.get(i), checked=bool(lowered.checks))]
        if len(kept) < len(donate):
            traced = jax.jit(lowered.function(), donate_argnums=tuple(kept)).trace(*structs)
        return traced.lower().compile(_options())


def _comes_back(given: jax.ShapeDtypeStruct, result: Any, *, checked: bool) -> bool:
    """Whether an overwritten blob may be given away: where a check fails, the old one is returned in its place.

    An operator may leave its output as it was (no result), and one of another shape or type cannot carry the old.
    """
    return result is not None and (not checked or kind_of(result) == kind_of(given))


def _options() -> dict[str, Any] | None:
    level = os.environ.get("C2LAB_XLA_OPTIMIZATION")
    return {"xla_backend_optimization_level": int(level)} if level else None


def _overwritten(inputs: Sequence[Value], outputs: Sequence[Value]) -> list[int | None]:
    """For each output the position of the input whose blob it overwrites."""
    position = {value.blob: i for i, value in enumerate(inputs)}
    return [position.get(value.blob) for value in outputs]


def _fingerprint(
    nodes: Sequence[Node], inputs: Sequence[Value], outputs: Sequence[Value], static_values: dict[Value, np.ndarray]
) -> Any:
    numbers: dict[Value, int] = {value: i for i, value in enumerate((*inputs, *static_values))}
    program = []
    unseeded = 0
    for node in nodes:
        reads = tuple(numbers.get(value, -1) for value in node.inputs)
        for value in node.outputs:
            numbers[value] = len(numbers)
        randomness = None
        if "rng" in node.operator.reserved:
            randomness = ("seed", node.seed) if node.seed is not None else ("index", node.index)
            unseeded += node.seed is None
        computed = region_key(node.region, _arguments_key) if isinstance(node, RegionNode) else _arguments_key(node)
        program.append((node.operator, computed, reads, len(node.outputs), randomness, computes_half(node)))
    blobs: dict[str, int] = {}
    for value in (*inputs, *outputs):
        blobs.setdefault(value.blob, len(blobs))
    return (
        tuple(program),
        tuple(blobs[value.blob] for value in inputs),
        tuple((numbers[value], blobs[value.blob]) for value in outputs),
        tuple((numbers[k], str(v.dtype), v.shape, v.tobytes()) for k, v in static_values.items()),
    )


def _arguments_key(node: Node) -> Any:
    # An operator that asks for its OperatorDef may read any argument in it.
    return _frozen(node.arguments), _without_names(node.op) if "op" in node.operator.reserved else None


def _without_names(op: caffe2_pb2.OperatorDef) -> bytes:
    unnamed = caffe2_pb2.OperatorDef()
    unnamed.CopyFrom(op)
    for field in ("name", "input", "output", "control_input", "debug_info"):
        unnamed.ClearField(field)
    return unnamed.SerializeToString(deterministic=True)


def _frozen(value: Any) -> Any:
    """A hashable stand-in for argument values."""
    if isinstance(value, dict):
        return tuple((k, _frozen(v)) for k, v in sorted(value.items()))
    if isinstance(value, (list, tuple)):
        return tuple(_frozen(v) for v in value)
    if isinstance(value, (caffe2_pb2.NetDef, caffe2_pb2.TensorProto)):
        return value.SerializeToString(deterministic=True)
    if isinstance(value, (bool, int, float)):
        # 1, 1.0 and True are equal but do not compute the same; neither do 0.0 and -0.0.
        return (type(value).__name__, repr(value))
    return value


def _renamed(checks: tuple[ValueCheck, ...], nodes: Sequence[Node]) -> tuple[ValueCheck, ...]:
    if not checks:
        return checks
    first = {node.index: position for position, node in enumerate(nodes)}
    if all(check.node.index in first for check in checks):
        return tuple(ValueCheck(nodes[first[check.node.index]], check.message, check.offender) for check in checks)
    return checks


def cache_folder() -> Path:
    """Where compiled programs are kept between processes: one folder a jaxlib version and processor.

    ``C2LAB_CACHE`` names another parent folder, or turns the cache off with ``0``.
    """
    chosen = os.environ.get("C2LAB_CACHE")
    if chosen:
        parent = Path(chosen)
    elif sys.platform == "darwin":
        parent = Path.home() / "Library" / "Caches" / "c2lab"
    elif os.name == "nt":
        parent = Path(os.environ.get("LOCALAPPDATA", Path.home())) / "c2lab"
    else:
        parent = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "c2lab"
    processor = hashlib.sha256(_processor().encode()).hexdigest()[:12]
    return parent / f"xla-{metadata.version('jaxlib')}-{processor}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return "".join(sorted({line for line in lines if line.startswith(("flags", "Features", "model name"))}))
    except OSError:
        return platform.processor() or platform.machine()


def _prepare_persistent_cache() -> None:
    """Turns JAX's persistent cache on, unless the user has set it up himself or does not want it."""
    global _persistent_cache_ready
    if _persistent_cache_ready:
        return
    _persistent_cache_ready = True
    if os.environ.get("C2LAB_CACHE") == "0" or jax.config.values.get("jax_compilation_cache_dir"):
        return
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return  # a read-only home: compile each time
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
