import numpy as np
import pytest

import c2lab as c2
from c2lab import brew, model_helper
from c2lab.errors import BadValue
from tests.training.models import line


def test_data_that_is_no_number_is_the_first_to_blame():
    data = {"x": np.float32([[1], [np.nan]]), "t": np.zeros((2, 1), np.float32)}
    run = c2.train(line(), data, batch=1, shuffle=False, steps=2, keep=False)
    with pytest.raises(BadValue, match="the data wrote x, in which 1 of 1 values"):
        run.wait(60)


def test_a_random_operator_draws_the_same_again():
    # Only where dropout keeps a value does the exponential overflow.
    model = model_helper.ModelHelper("overflowing")
    kept = brew.dropout(model, "x", "kept", ratio=0.5, is_test=0)
    model.net.Exp(kept, "large")
    model.param_init_net.ConstantFill([], "w", shape=[1, 8], value=0.0)
    model.param_init_net.ConstantFill([], "b", shape=[1], value=0.0)
    model.AddParameter(model.param_init_net.GetBlobRef("w"))
    model.net.FC(["large", "w", "b"], "y")
    model.net.SquaredL2Distance(["y", "t"], "distance")
    model.net.AveragedLoss("distance", "loss")
    x = np.full((1, 8), 50.0, np.float32)
    run = c2.train(model, {"x": x, "t": np.zeros((1, 1), np.float32)}, batch=1, steps=5, keep=False)
    with pytest.raises(BadValue):
        run.wait(60)
    assert (run.fault.operator, run.fault.blob) == ("Exp", "large")
    assert run.fault.bad == np.count_nonzero(run.fetch("kept") > 0) > 0


def test_an_update_that_overflows_is_named_and_taken_back():
    run = c2.train(
        line(), {"x": np.ones((1, 1), np.float32), "t": np.zeros((1, 1), np.float32)}, batch=1, steps=9, rate=1e38,
        keep=False,
    )  # fmt: skip
    with pytest.raises(BadValue):
        run.wait(60)
    assert run.fault is not None
    assert np.isfinite(run.fetch("w")).all()
    assert run.fetch("optimizer_iteration").item() == run.steps_done
    assert run.history.markers[-1][1].startswith("stopped before step")


def test_it_can_be_switched_off():
    data = {"x": np.full((1, 1), np.nan, np.float32), "t": np.zeros((1, 1), np.float32)}
    run = c2.train(line(), data, batch=1, steps=2, guard=False, keep=False, block=True)
    assert np.isnan(run.curve("loss")).all()
