"""Every old name can be imported, and takes the parameters that it took.

``old_names.tsv`` lists modules, names and signatures of the original.
"""

from __future__ import annotations

import csv
import importlib
import inspect
import re
from pathlib import Path

import pytest

from c2lab.compat.caffe2 import install
from c2lab.compat.old_modules import MODULES

install()

TABLE = Path(__file__).parent / "old_names.tsv"
ROWS = list(csv.DictReader(TABLE.read_text().splitlines(), delimiter="\t"))

# Old names that are left out, each with the reason.
_SHARING = "XLA plans memory, there are no assignments to compute"
_INTERNAL = "a step of the original's own backward pass, which ours does not have"
LEFT_OUT = {
    **dict.fromkeys(
        [
            "core.GradGenMeta", "core.SparseGradGenMeta", "core.IR.SanityCheck",
            "core.IR.CheckGradientOperatorInput", "core.IR.AppendSparseGenerators",
            "core.IR.BuildGradientGenerators", "core.IR.DoGradientAccumulation",
        ],
        _INTERNAL,
    ),
    **dict.fromkeys(
        [
            "memonger.LiveRange", "memonger.Optimization", "memonger.AssignmentAlgorithm",
            "memonger.topological_sort_traversal_longest_path", "memonger.topological_sort_traversal",
            "memonger.compute_ranges", "memonger.is_compatible", "memonger.compute_blob_assignments",
            "memonger.get_memory_usage", "memonger.compute_assignments_greedy", "memonger.compute_assignments_dp",
            "memonger.get_updated_ranges", "memonger.compute_assignments", "memonger.verify_assignments",
            "memonger.compute_interference_graph", "memonger.apply_assignments",
            "memonger.apply_recurrent_blob_assignments", "memonger.optimize_inference_fast",
            "memonger.optimize_interference", "memonger.verify_inplace_blobs", "memonger.verify_graph_equality",
            "memonger.blob_nbytes", "memonger.compute_statistics", "memonger.collect_blob_sizes",
        ],
        _SHARING,
    ),
}  # fmt: skip

# Ours take more than the original did.
TAKES_MORE = {
    "core.IR",
    "net_drawer.main",
    "net_printer.Analyzer",
    "workspace.StringifyBlobName",
    "predictor.predictor_exporter.prepare_prediction_net",
}


def full_name(row):
    return f"{row['module']}.{row['name']}"


def found(row):
    value = importlib.import_module(f"caffe2.python.{row['module']}")
    for part in row["name"].split("."):
        value = getattr(value, part)
    return value


@pytest.mark.parametrize("module", sorted({row["module"] for row in ROWS}))
def test_names_are_there(module):
    missing = []
    for row in ROWS:
        if row["module"] == module and full_name(row) not in LEFT_OUT:
            try:
                found(row)
            except AttributeError:
                missing.append(row["name"])
    assert not missing, f"caffe2.python.{module} lacks {missing}"


def parameters(text):
    inside = re.match(r"(?:class|\[\w+\] )?\((.*)\)", text)
    if inside is None or "inherits" in text:
        return None
    plain = re.sub(r"<[^>]*>", "X", inside[1].split(") :")[0])
    names = [part.split("=")[0].strip() for part in re.split(r", (?=[a-zA-Z_*])", plain) if part]
    return [name for name in names if name not in ("self", "cls")]


@pytest.mark.parametrize("module", sorted({row["module"] for row in ROWS}))
def test_parameters_have_their_names(module):
    wrong = {}
    for row in ROWS:
        wanted = parameters(row["signature"])
        if row["module"] != module or wanted is None or full_name(row) in LEFT_OUT:
            continue
        signature = inspect.signature(found(row)).parameters.values()
        ours = [re.split("[:=]", str(parameter))[0].strip() for parameter in signature]
        ours = [name for name in ours if name not in ("self", "cls")]
        if full_name(row) in TAKES_MORE:
            ours = ours[: len(wanted)]
        if ours != wanted:
            wrong[row["name"]] = (wanted, ours)
    assert not wrong


def test_what_is_left_out_is_listed():
    assert LEFT_OUT.keys() | TAKES_MORE <= {full_name(row) for row in ROWS}


@pytest.mark.parametrize("name", sorted(MODULES))
def test_every_module_of_the_table_loads(name):
    module = importlib.import_module(name)
    for attribute in getattr(module, "__all__", []):
        assert getattr(module, attribute) is not None or attribute == "build_options"


def test_names_that_scripts_use():
    from caffe2.python import build, core, scope, utils, workspace

    assert utils.MakeArgument("k", 1).i == 1
    assert scope.NameScope is core.NameScope
    assert build.CAFFE2_NO_OPERATOR_SCHEMA is False
    assert "Relu" in core._REGISTERED_OPERATORS
    assert workspace.RootFolder() == "."
    assert core.C is workspace.C
