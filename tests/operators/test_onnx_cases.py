"""ONNX's own node cases, run as small nets: a second witness beside the recorded calls of the original.

``tests/onnx_witness`` holds the cases (data of the ``onnx`` package, see NOTICE there) and the translations.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from c2lab.workspace import Workspace
from tests.onnx_witness.nets import NO_COUNTERPART, TRANSLATIONS, LeftOut, Translation

DATA = np.load(Path(__file__).parents[1] / "onnx_witness" / "cases.npz")
CASES = json.loads(DATA["index"].tobytes())["cases"]
FEWEST = 450  # of 757 cases, at least so many are run

# Where the cases give fewer digits than we compare.
ROUNDED = {"RoiAlign": 1e-4}


def arrays(keys):
    return [None if key is None else DATA[key] for key in keys]


def translated(case):
    translation = Translation(arrays(case["inputs"]), case["attributes"], len(case["outputs"]))
    return translation, TRANSLATIONS[case["type"]](translation)


def run_or_left_out():
    run, left_out = [], {}
    for case in CASES:
        try:
            translated(case)
        except LeftOut as reason:
            left_out[case["name"]] = str(reason)
        else:
            run.append(case)
    return run, left_out


RUN, LEFT_OUT = run_or_left_out()


@pytest.mark.parametrize("case", RUN, ids=lambda case: case["name"].removeprefix("test_"))
def test_case(case):
    translation, names = translated(case)
    workspace = Workspace("case", seed=0)
    for name, array in translation.blobs.items():
        workspace.feed(name, array)
    workspace.run_once(translation.net)
    compared = 0
    for name, want in zip(names, arrays(case["outputs"]), strict=False):
        if want is not None:
            got = workspace.fetch(name)
            assert (got.shape, got.dtype) == (want.shape, want.dtype)
            np.testing.assert_allclose(got, want, rtol=1e-4, atol=ROUNDED.get(case["type"], 1e-5))
            compared += 1
    assert compared


def test_how_many_are_run_and_why_the_others_are_not():
    assert len(RUN) >= FEWEST
    assert len(RUN) + len(LEFT_OUT) == len(CASES)
    assert len({case["type"] for case in RUN}) > 80
    assert all(len(reason) > 10 for reason in LEFT_OUT.values())
    assert not {type for types in NO_COUNTERPART.values() for type in types.split()} & TRANSLATIONS.keys()


def test_all_outputs_are_compared():
    for case in RUN:
        _, names = translated(case)
        assert len(names) >= sum(key is not None for key in case["outputs"]) or case["type"] in ("Unique",)
