import numpy as np
import pytest

from c2lab.errors import BadArgument, C2LabError, MissingBlob
from c2lab.training.preparing import prepare
from c2lab.training.stepping import Stepper
from tests.training.models import constant, line


def test_the_state_before_a_step_stays_readable():
    stepper = Stepper(prepare(line(), rate=0.25), {}, seed=0)
    before = stepper.state()
    assert stepper.run([constant()]) == {"loss": 2.0}
    assert np.asarray(before["w"]).item() == 2.0
    assert stepper.workspace.fetch("w").item() == 1.5
    assert stepper.rate() == 0.25


def test_a_step_that_fails_changes_nothing():
    stepper = Stepper(prepare(line()), {}, seed=0)
    stepper.run([constant()])
    before, random = stepper.workspace.fetch("w"), stepper.workspace.random_state()
    with pytest.raises(C2LabError):
        stepper.run([constant(), {**constant(), "x": np.ones((4, 7), np.float32)}])
    assert np.array_equal(stepper.workspace.fetch("w"), before)
    assert stepper.workspace.random_state() == random


def test_what_neither_init_nor_batch_brings_is_found_or_named():
    model = line()
    init = model.param_init_net.Proto()
    del init.op[1:]  # no b
    nets = prepare(model)
    with pytest.raises(MissingBlob, match="the net reads b"):
        Stepper(nets, {}, seed=0).run([constant()])
    stepper = Stepper(nets, {"b": np.float32([1])}, seed=0)
    assert stepper.run([constant()])["loss"] == 4.5
    assert "b" in stepper.kept()


def test_metrics_are_single_numbers():
    nets = prepare(line(), metrics=["y"])
    with pytest.raises(BadArgument, match=r"metric y has shape \(4, 1\)"):
        Stepper(nets, {}, seed=0).run([constant()])


def test_parameters_to_begin_with():
    nets = prepare(line())
    stepper = Stepper(nets, {}, 0, {"w": np.float32([[1.0]]), "other": 3})
    assert stepper.run([constant()])["loss"] == 0.5
