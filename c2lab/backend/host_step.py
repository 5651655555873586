"""The step of a net that is one operator on the host."""

from __future__ import annotations

import contextlib
from typing import Any

import jax
import numpy as np

from c2lab.backend.blobs import UNINITIALISED, Blobs, on_host, to_device
from c2lab.backend.mutexes import hold, mutexes_of
from c2lab.backend.randomness import host_generator
from c2lab.backend.segments import Step
from c2lab.errors import C2LabError, HostOperatorFailed, MissingBlob
from c2lab.graph.ir import Node
from c2lab.storage import QuantizedTensor


class HostStep:
    """A step that is one operator on the host: numpy arrays in, numpy arrays out."""

    def __init__(self, step: Step, workspace: Any) -> None:
        (self.node,) = step.nodes
        self.workspace = workspace
        self.state: dict[str, Any] = {}
        self.mutexes = mutexes_of(step.nodes)

    def run(self, blobs: Blobs, base: int, run: int) -> None:
        """Calls the operator's function on the host."""
        with hold(self.mutexes, blobs) if self.mutexes else contextlib.nullcontext():
            self._run(blobs, base, run)

    def _run(self, blobs: Blobs, base: int, run: int) -> None:
        node = self.node
        values = [self._read(node, blobs, name, slot)
                  for name, slot in zip(node.op.input, node.input_slots, strict=True)]  # fmt: skip
        rng = host_generator(node.index, node.seed, base, run) if "rng" in node.operator.reserved else None
        try:
            # An operator that could be compiled but is not (a fill) keeps its 64-bit types all the same.
            with contextlib.nullcontext() if node.operator.host else jax.enable_x64(True):
                results = node.operator.call(
                    values, node.arguments, num_outputs=len(node.outputs),
                    op=node.op, workspace=self.workspace, rng=rng, state=self.state,
                )  # fmt: skip
        except C2LabError as error:
            raise error.at(node.place) from error.__cause__
        except KeyboardInterrupt:
            raise
        except Exception as error:
            if node.operator.family == "python_functions":
                # The user's own function raised the user's own exception: it arrives as it is.
                error.add_note(f"raised in {node.place}")
                raise
            raise HostOperatorFailed(f"{type(error).__name__}: {error}").at(node.place) from error
        for name, value in zip(node.op.output, results, strict=True):
            if value is not None:
                blobs[name] = to_device(np.asarray(value) if isinstance(value, np.generic) else value, node.device)

    @staticmethod
    def _read(node: Node, blobs: Blobs, name: str, slot: str) -> Any:
        held = blobs.get(name, UNINITIALISED)
        if isinstance(held, jax.Array | QuantizedTensor):
            return on_host(held)
        if held is UNINITIALISED and name not in node.op.output:
            raise MissingBlob(
                f"op {node.op.type}: input blob {name} is empty: nothing has written it yet; "
                "feed it, or run the net that fills it"
            ).at(node.place)
        return None if held is UNINITIALISED else held

    def prepare(self, blobs: Blobs) -> None:
        """Nothing to compile."""
