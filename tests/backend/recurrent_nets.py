"""Nets with recurrent networks, run with compiled steps and with steps on the host."""

from __future__ import annotations

import numpy as np

from c2lab.backend import regions
from c2lab.backend.fallback import FallbackStep
from c2lab.backend.region_nodes import RegionNode
from c2lab.core import BlobReference, Net
from c2lab.model_helper import ModelHelper
from c2lab.sequences.gru_cell import GRU
from c2lab.sequences.networks import LSTM, MILSTM, BasicRNN, LayerNormLSTM
from c2lab.sequences.recurrent import recurrent_net
from c2lab.workspace import Workspace

T, N, D, H = 4, 3, 2, 3
NETWORKS = {"LSTM": LSTM, "MILSTM": MILSTM, "LayerNormLSTM": LayerNormLSTM, "GRU": GRU, "BasicRNN": BasicRNN}


def feeds(seed=0, steps=T):
    random = np.random.default_rng(seed)
    blobs = {"x": random.normal(size=(steps, N, D)), "scalars": random.normal(size=H)}
    blobs |= {f"first_{k}": random.normal(size=(1, N, H)) for k in range(4)}
    return {name: value.astype(np.float32) for name, value in blobs.items()} | {"lengths": np.int32([4, 1, 3])}


def network(kind="LSTM", *, layers=1, ends=True, gradient=True, first=None, name="net", **options):
    """A model with a recurrent network, a loss and the way back."""
    model = ModelHelper(name)
    states = layers * (1 if kind in ("GRU", "BasicRNN") else 2)
    given = [BlobReference(first or f"first_{k}") for k in range(states)]
    if kind == "BasicRNN":
        options["activation"] = "tanh"
    outputs = NETWORKS[kind](
        model, BlobReference("x"), BlobReference("lengths") if ends else None, given, D,
        [H] * layers if layers > 1 else H, scope=name, outputs_with_grads=(0, 1), **options,
    )  # fmt: skip
    squares = [model.net.Sqr(output, model.net.NextName()) for output in outputs[:2]]
    parts = [model.net.SumElements(square, model.net.NextName()) for square in squares]
    loss = model.net.Sum(parts, "loss")
    if gradient:
        model.AddGradientOperators([loss])
    return model


def with_state(step_ops, *, backward=True, scope="s"):
    """A net over ``x`` whose state begins with ``first_0``; ``step_ops`` adds what happens at a step."""
    net, step = Net("outer"), Net("step")
    x_t, before, number = step.AddExternalInputs("x_t", "before", "number")
    after = step_ops(step, x_t, before)
    step.AddExternalOutput(after)
    outputs = recurrent_net(
        net, step, [(x_t, BlobReference("x"))], [(before, BlobReference("first_0"))], {before: after}, scope=scope,
        timestep=number, forward_only=not backward,
    )  # fmt: skip
    net.SumElements(net.Cast(outputs[0], "numbers", to="float", from_type="float"), "loss")
    return net


def run(net, blobs, init=None, *, times=1):
    """All tensors after runs of a net, and how its recurrent networks ran: compiled, fallback or host."""
    workspace = Workspace()
    for name, value in blobs.items():
        workspace.feed(name, value)
    if init is not None:
        workspace.run_once(init.Proto())
        random = np.random.default_rng(1)
        for name in sorted({name for op in init.Proto().op for name in op.output}):
            if workspace[name].dtype == np.float32:
                workspace.feed(name, random.normal(size=workspace[name].shape, scale=0.5).astype(np.float32))
    executable = workspace.create(net.Proto())
    for _ in range(times):
        workspace.run(net.Proto().name)
    return tensors(workspace), how(executable)


def tensors(workspace):
    """All tensors of a workspace."""
    return {name: workspace[name] for name in workspace.names() if hasattr(workspace.blobs[name], "dtype")}


def how(executable):
    """How the recurrent networks of a net that ran were run."""
    for step in executable.observable.steps:
        if isinstance(step, FallbackStep) and any(isinstance(n, RegionNode) for n in step.compiled.step.nodes):
            return "compiled" if step._host_program is None else "fallback"
    return "host"


def without_scans(monkeypatch):
    """Lets the host run the steps of all recurrent networks."""
    monkeypatch.setattr(regions, "scans", lambda graph: {})
