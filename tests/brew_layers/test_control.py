"""Models that stand in a model's ``If`` and ``While``."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import brew
from c2lab.model_helper import ModelHelper
from c2lab.workspace import Workspace


@pytest.mark.parametrize("condition", [True, False])
@pytest.mark.parametrize("with_else", [True, False])
def test_cond_runs_one_model(condition, with_else):
    model, then_model, else_model = (ModelHelper(name) for name in ("main", "then", "else"))
    x, y = model.net.AddExternalInput("x", "y")
    then_model.net.Exp([x], ["local"])
    then_model.net.Negative(["local"], [y])
    else_model.net.Negative([x], [y])
    brew.cond(model, "c", [x, y], then_model, else_model if with_else else None)
    assert [op.type for op in model.net.Proto().op] == ["CreateScope", "If"]
    then_net = next(a.n for a in model.net.Proto().op[1].arg if a.name == "then_net")
    assert [op.type for op in then_net.op] == ["Do"]
    workspace = Workspace()
    workspace.feed("c", np.array([condition]))
    workspace.feed("x", np.float32([1]))
    workspace.feed("y", np.float32([5]))
    workspace.run_once(model.net.Proto())
    want = -np.e if condition else -1 if with_else else 5
    np.testing.assert_allclose(workspace["y"], [want], rtol=1e-6)
    assert "local" not in workspace


@pytest.mark.parametrize("own_condition", [True, False])
def test_loop_runs_as_long_as_its_condition_holds(own_condition):
    model, body, test = (ModelHelper(name) for name in ("main", "body", "test"))
    names = {"i": np.int64([0]), "n": np.int64([5]), "one": np.int64([1]), "s": np.int64([0])}
    model.net.AddExternalInput(*names, "c")
    body.net.Add(["i", "one"], ["i"])
    body.net.Add(["s", "i"], ["local"])
    body.net.Copy(["local"], ["s"])
    (test if own_condition else body).net.LT(["i", "n"], ["c"])
    brew.loop(model, "c", [*names, "c"], body, test if own_condition else None)
    workspace = Workspace()
    for name, value in names.items():
        workspace.feed(name, value)
    workspace.feed("c", np.array([not own_condition]))
    workspace.run_once(model.net.Proto())
    assert workspace["i"] == 5
    assert workspace["s"] == 15
    assert "local" not in workspace
