"""``install()``, and what stands in place of the original afterwards."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def answer(code, *flags):
    done = subprocess.run(
        [sys.executable, *flags, "-c", code],
        cwd=ROOT, env={**os.environ, "C2LAB_CACHE": "0", "JAX_PLATFORMS": "cpu"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_installing_twice_is_installing_once():
    code = """
import sys
from c2lab.compat.caffe2 import install, uninstall
before = len(sys.meta_path)
install(); install()
print(len(sys.meta_path) - before)
uninstall()
print(len(sys.meta_path) - before, [n for n in sys.modules if n.split(".")[0] == "caffe2"])
"""
    assert answer(code) == "1\n0 []"


def test_old_modules_are_ours():
    code = """
import c2lab.compat.caffe2 as compat
compat.install()
import caffe2, caffe2.proto, caffe2.python
import caffe2.python._import_c_extension as C
from caffe2.proto import caffe2_pb2
from caffe2.python import core, workspace
import c2lab.core, c2lab.workspace, c2lab.proto
print(core is c2lab.core, workspace is c2lab.workspace, C is workspace.C, caffe2_pb2 is c2lab.proto.caffe2_pb2)
print(core.__name__, core.__spec__.name, [list(m.__path__) for m in (caffe2, caffe2.python, caffe2.proto)])
"""
    assert answer(code) == "True True True True\nc2lab.core c2lab.core [[], [], []]"


def test_other_folders_may_join(tmp_path):
    (tmp_path / "hypothesis_like.py").write_text("from caffe2.python import core\nHERE = core.__name__\n")
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "__init__.py").write_text("")
    (tmp_path / "deeper" / "inside.py").write_text("import caffe2.python.hypothesis_like as hl\nHERE = hl.HERE\n")
    (tmp_path / "core.py").write_text("raise AssertionError('ours comes first')")
    code = f"""
from c2lab.compat.caffe2 import install
install()
import caffe2.python
caffe2.python.__path__.append({str(tmp_path)!r})
import caffe2.python.deeper.inside as inside
from caffe2.python import hypothesis_like, core
print(inside.HERE, hypothesis_like.HERE)
"""
    assert answer(code) == "c2lab.core c2lab.core"


def test_no_test_helper_is_registered():
    code = """
from c2lab.compat.caffe2 import install
install()
for name in ("hypothesis_test_util", "test_util", "serialized_test"):
    try:
        __import__(f"caffe2.python.{name}")
    except ModuleNotFoundError:
        print(name)
"""
    assert answer(code).split() == ["hypothesis_test_util", "test_util", "serialized_test"]


# What jax, numpy and protobuf need themselves comes with them.
THREE_PACKAGES = ("jax", "jaxlib", "numpy", "google", "ml_dtypes", "opt_einsum", "scipy")


def folder_with_three_packages(folder):
    for name in THREE_PACKAGES:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        place = Path(next(iter(spec.submodule_search_locations)))
        (folder / name).symlink_to(place)
        if (libraries := place.with_name(f"{name}.libs")).exists():
            (folder / libraries.name).symlink_to(libraries)


def test_three_packages_are_enough(tmp_path):
    folder_with_three_packages(tmp_path)
    code = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
import numpy as np
import c2lab.proto
from c2lab import brew, core, model_helper, optimizer, predictor, workspace
from c2lab.compat import caffe2
from c2lab.predictor import mobile_exporter, predictor_exporter
from c2lab.compat.old_modules import MODULES
caffe2.install()
for name in MODULES:
    __import__(name)
model = model_helper.ModelHelper("small")
y = brew.softmax(model, brew.fc(model, "x", "fc", 3, 2), "y")
loss = model.AveragedLoss(model.LabelCrossEntropy([y, "label"], "xent"), "loss")
model.AddGradientOperators([loss])
optimizer.build_sgd(model, 0.1)
workspace.FeedBlob("x", np.ones((4, 3), np.float32))
workspace.FeedBlob("label", np.zeros(4, np.int32))
workspace.RunNetOnce(model.param_init_net)
workspace.RunNetOnce(model.net)
init_net, predict_net = mobile_exporter.Export(workspace, model.net, model.params)
print(workspace.FetchBlob("y").shape, c2lab.proto.caffe2_pb2.NetDef().name == "")
"""
    assert answer(code, "-S") == "(4, 2) True"


@pytest.mark.parametrize("module", ["c2lab", "c2lab.core", "c2lab.proto", "c2lab.compat.caffe2"])
def test_importing_starts_nothing(module):
    code = f"import sys, {module}; print([n for n in ('jax', 'anywidget', 'matplotlib', 'lmdb') if n in sys.modules])"
    assert answer(code) == "[]"
