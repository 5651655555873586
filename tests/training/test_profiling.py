import numpy as np
import pytest

import c2lab as c2
from c2lab.training.profiling import OperatorProfile, Profile
from tests.training.models import classifier, pictures


@pytest.mark.parametrize("accumulate", [1, 2])
def test_every_operator_of_a_step(accumulate):
    run = c2.train(classifier(), pictures()[0], steps=2, accumulate=accumulate, keep=False, block=True)
    before = run.fetch_all(["hidden_w", "optimizer_iteration"])
    found = run.profile(runs=1)
    nets = run.stepper.nets
    assert len(found.operators) == len(nets.step.op) + (len(nets.update.op) if nets.update else 0)
    times = [entry.milliseconds for entry in found.operators]
    assert times == sorted(times, reverse=True)
    assert found.step_milliseconds > 0
    fc = next(entry for entry in found.operators if entry.outputs == ("hidden",) and entry.type == "FC")
    assert fc.flops >= 2 * 64 * 64 * 16
    after = run.fetch_all(["hidden_w", "optimizer_iteration"])
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_table_heat_and_page():
    found = Profile(
        [
            OperatorProfile(0, "Relu", ("a",), 1.0, 1500, 2_000_000),
            OperatorProfile(1, "<FC>", ("b", "c"), 4.0, None, 7),
        ],
        5.0,
    )
    assert found.heat() == {0: 0.25, 1: 1.0}
    assert [row["type"] for row in found.table()] == ["<FC>", "Relu"]
    assert repr(found).splitlines()[2].split() == [
        "1.000",
        "ms",
        "1.5K",
        "FLOPs",
        "2M",
        "bytes",
        "0",
        "Relu",
        "->",
        "a",
    ]
    assert "&lt;FC&gt;" in found._repr_html_()
