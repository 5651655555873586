import ml_dtypes
import numpy as np
import pytest

from c2lab.backend.half_compute import BFLOAT16
from c2lab.backend.workspaces import Workspace
from c2lab.proto import caffe2_pb2


@pytest.mark.parametrize("kind", ["FC", "FCGradient"])
def test_inputs_are_rounded_and_blobs_stay_float32(kind):
    random = np.random.RandomState(0)
    x, w, b, dy = (random.rand(*shape).astype(np.float32) for shape in ((5, 7), (3, 7), (3,), (5, 3)))
    workspace = Workspace()
    for name, value in {"x": x, "w": w, "b": b, "dy": dy}.items():
        workspace.feed(name, value)
    inputs, outputs = (["x", "w", "b"], ["y"]) if kind == "FC" else (["x", "w", "dy"], ["dw", "db", "dx"])
    found = {}
    for engine in ("", BFLOAT16):
        workspace.run_operator(caffe2_pb2.OperatorDef(type=kind, input=inputs, output=outputs, engine=engine))
        found[engine] = workspace.fetch(outputs[0])
    assert found[BFLOAT16].dtype == np.float32
    assert not np.array_equal(found[BFLOAT16], found[""])
    assert np.allclose(found[BFLOAT16], found[""], rtol=0.03)
    if kind == "FC":
        x, w, b = (value.astype(ml_dtypes.bfloat16).astype(np.float32) for value in (x, w, b))
        assert np.allclose(found[BFLOAT16], x @ w.T + b, rtol=0.006)
