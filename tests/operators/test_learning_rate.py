"""Every policy against its formula, written once more in plain Python."""

from __future__ import annotations

import math

import numpy as np
import pytest

from c2lab.errors import BadArgument, SchemaError, TypeMismatch
from tests.operators.calls import call

STEPS = [0, 1, 4, 5, 9, 10, 11, 14, 15, 20, 29, 30, 31, 77, 1000]


def inv(t, gamma=0.1, power=0.75):
    return (1 + gamma * t) ** -power


def warmup(t, start=0.2, constant=5, linear=10):
    if t < constant:
        return start
    return start + (1 - start) * (t - constant) / linear if t < constant + linear else 1


def cosine(t, high=2.0, low=0.5, period=10, stretch=1.0, shrink=0.9):
    if stretch == 1:
        cycle, place, length = t // period, t % period, period
    else:
        cycle, begin, length = 0, 0, period
        while t >= begin + length:
            begin, length, cycle = begin + length, length * stretch, cycle + 1
        place = t - begin
    return shrink**cycle * (low + 0.5 * (high - low) * (1 + math.cos(math.pi * place / length)))


def cyclical(t, base=0.1, high=0.3, half=5, decay=0.9):
    cycle = t // (2 * half)
    place = t % (2 * half)
    height = place / half if place <= half else 2 - place / half
    return 1 + (high / base - 1) * height * decay**cycle


WARMUP = {"start_warmup_multiplier": 0.2, "constant_warmup_num_iter": 5, "linear_warmup_num_iter": 10}
POLICIES = [
    ("fixed", {}, lambda t: 1),
    ("step", {"stepsize": 10, "gamma": 0.5}, lambda t: 0.5 ** (t // 10)),
    ("exp", {"gamma": 0.99}, lambda t: 0.99**t),
    ("inv", {"gamma": 0.1, "power": 0.75}, inv),
    ("poly", {"max_iter": 2000, "power": 2.0}, lambda t: (1 - t / 2000) ** 2),
    ("gate", {"multiplier_1": 0.3, "multiplier_2": 2.0, "num_iter": 10}, lambda t: 0.3 if t < 10 else 2),
    ("alter", {"active_period": 5, "inactive_period": 10}, lambda t: float(t % 15 < 5)),
    ("alter", {"active_period": 5, "inactive_period": 10, "active_first": False}, lambda t: float(t % 15 >= 10)),
    (
        "linearWarmup",
        {"start_multiplier": 0.2, "num_iter": 10},
        lambda t: 0.2 + 0.8 * t / 10 if t < 10 else 1,
    ),
    ("constantWarmup", {"multiplier": 0.25, "num_iter": 10}, lambda t: 0.25 if t < 10 else 1),
    (
        "pieceWarmup",
        {"m1": 0.1, "n1": 5, "m2": 0.4, "n2": 15, "m3": 0.9},
        lambda t: 0.1 if t < 5 else 0.4 if t < 15 else 0.9,
    ),
    (
        "hill",
        {"num_iter": 10, "start_multiplier": 0.2, "gamma": 0.1, "power": 0.75, "end_multiplier": 0.1},
        lambda t: 0.2 + 0.8 * t / 10 if t < 10 else max(0.1, inv(t - 10)),
    ),
    (
        "slope",
        {"num_iter_1": 10, "multiplier_1": 1.0, "num_iter_2": 30, "multiplier_2": 0.5},
        lambda t: 1.0 if t < 10 else max(0.5, 1 - 0.5 * (t - 10) / 20),
    ),
    ("cyclical", {"max_lr": 0.3, "stepsize": 5, "decay": 0.9}, cyclical),
    ("cosine", {"max_lr": 2.0, "min_lr": 0.5, "period": 10, "t_mult": 1.0, "lr_shrink": 0.9}, cosine),
    (
        "cosine",
        {"max_lr": 2.0, "min_lr": 0.5, "period": 10, "t_mult": 2.0, "lr_shrink": 0.9},
        lambda t: cosine(t, stretch=2.0),
    ),
    ("constantThenLinearWarmup", WARMUP, warmup),
    (
        "compositeCosine",
        {**WARMUP, "cosine_max_lr": 2.0, "cosine_min_lr": 0.5, "cosine_period": 10, "cosine_lr_shrink": 0.9},
        lambda t: warmup(t) if t < 15 else cosine(t - 15),
    ),
    (
        "compositeCyclical",
        {**WARMUP, "cyclical_max_lr": 0.3, "cyclical_step_size": 5, "cyclical_decay": 0.9},
        lambda t: warmup(t) if t < 15 else cyclical(t - 15),
    ),
    (
        "composite",
        {
            "sub_policy_num_iters": [10, 20, 1000],
            "sub_policy_0_policy": "fixed",
            "sub_policy_1_policy": "step",
            "sub_policy_1_stepsize": 10,
            "sub_policy_1_gamma": 0.5,
            "sub_policy_1_lr_scale": 3.0,
            "sub_policy_2_policy": "inv",
            "sub_policy_2_gamma": 0.1,
            "sub_policy_2_power": 0.75,
        },
        lambda t: 1 if t < 11 else 3 * 0.5 ** (t // 10) if t < 31 else inv(t),
    ),
]


@pytest.mark.parametrize(("policy", "settings", "factor"), POLICIES, ids=lambda v: v if isinstance(v, str) else "")
def test_policy(policy, settings, factor):
    for t in STEPS:
        rate = call("LearningRate", np.int64([t]), base_lr=0.1, policy=policy, **settings)
        assert rate.shape == ()
        assert rate.dtype == np.float32
        np.testing.assert_allclose(rate, 0.1 * factor(t), rtol=2e-5, atol=1e-8, err_msg=f"{policy} at {t}")


def test_a_negative_base_stays_negative():
    assert call("LearningRate", np.int64([3]), base_lr=-0.5, policy="fixed") == -0.5


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"policy": "stp"}, BadArgument, "Did you mean: step"),
        ({"policy": "step", "stepsize": 10}, BadArgument, "needs the argument gamma"),
        ({"policy": "step", "stepsize": 10, "gamma": 1}, BadArgument, "gamma does not have the right field"),
        ({"policy": "step", "stepsize": 0, "gamma": 0.5}, BadArgument, "stepsize is 0"),
        ({"policy": "composite"}, BadArgument, "sub_policy_num_iters"),
        (
            {"policy": "composite", "sub_policy_num_iters": [5], "sub_policy_0_policy": "composite"},
            BadArgument,
            "may not be composite",
        ),
        ({}, SchemaError, "policy"),
    ],
)
def test_bad_settings_are_named(settings, error, message):
    with pytest.raises(error, match=message):
        call("LearningRate", np.int64([1]), base_lr=0.1, **settings)


def test_the_iteration_must_be_int64():
    with pytest.raises(TypeMismatch):
        call("LearningRate", np.int32([1]), base_lr=0.1, policy="fixed")
