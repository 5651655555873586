"""One list of checks for every registered operator."""

from __future__ import annotations

import doctest
from typing import ClassVar

import numpy as np
import pytest

from c2lab.eager import Results, run
from c2lab.graph.shapes import ShapeAndType, infer
from c2lab.operators import registry
from c2lab.operators.page import markdown, read_page
from c2lab.proto import caffe2_pb2
from c2lab.workspace import Workspace
from tests.operators.recorded_cases import shipped_operators

OPERATORS = shipped_operators()
FORWARD = [o for o in OPERATORS if not o.gradient_of]
ids = {"ids": lambda operator: operator.type}


@pytest.mark.parametrize("operator", FORWARD, **ids)
def test_documentation_is_complete(operator):
    page = read_page(operator)
    assert page.summary.endswith((".", "?")), f"{operator.type}: the first line is one sentence"
    missing = [s.name for s in operator.inputs if s.name not in page.inputs]
    missing += [s.name for s in operator.outputs if s.name not in page.outputs]
    missing += [name for name in operator.arguments if name not in page.arguments and name not in SPELLINGS]
    assert not missing, f"{operator.type} does not say what {missing} are"
    assert page.examples, f"{operator.type} has no example"
    assert markdown(operator).startswith(f"# {operator.type}\n")


# The folded spellings of window arguments, told once in the family's own page.
SPELLINGS = frozenset(
    f"{word}{end}"
    for word in ("kernel", "stride", "dilation", "pad", "adj")
    for end in ("", "s", "_h", "_w", "_t", "_l", "_b", "_r")
) | {"legacy_pad", "global_pooling", "order"}


@pytest.mark.parametrize("operator", [o for o in FORWARD if read_page(o).examples], **ids)
def test_example_runs(operator):
    test = doctest.DocTest(
        read_page(operator).examples, {"run": run, "np": np}, operator.type, None, None, operator.doc
    )
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(test, out=report.append)
    assert not report, "".join(report)


@pytest.mark.parametrize("operator", OPERATORS, **ids)
def test_belongs_to_a_family_and_counts_make_sense(operator):
    assert operator.family in registry.families()
    for i, o in operator.inplace or ():
        assert i < len(operator.inputs) or any(s.variadic for s in operator.inputs)
        assert o < len(operator.outputs) or any(s.variadic for s in operator.outputs)


class Recorder(Workspace):
    """A workspace that keeps the operators that were run in it."""

    ran: ClassVar[list[tuple[caffe2_pb2.OperatorDef, dict, dict]]] = []

    def run_operator(self, op):
        before = {name: self.blobs[name] for name in op.input}
        super().run_operator(op)
        Recorder.ran.append((op, before, {name: self.blobs[name] for name in op.output}))


@pytest.mark.parametrize("operator", [o for o in FORWARD if read_page(o).examples and not o.host], **ids)
def test_inferred_shape_is_the_real_one(operator, monkeypatch):
    """Also that the message survives the wire: what was run is what is read back."""
    monkeypatch.setattr("c2lab.eager.Workspace", Recorder)
    Recorder.ran = []
    names: dict = {"run": run, "np": np}
    for example in read_page(operator).examples:
        exec(compile(example.source, operator.type, "exec"), names)
    assert Recorder.ran
    for op, before, after in Recorder.ran:
        again = caffe2_pb2.OperatorDef.FromString(op.SerializeToString())
        assert again == op
        known = {n: ShapeAndType.of(v) for n, v in before.items() if hasattr(v, "shape")}
        found = infer(caffe2_pb2.NetDef(op=[again]), known)
        assert not found.errors
        for name, value in after.items():
            if name in found.shapes and hasattr(value, "shape"):
                assert found.shapes[name] == ShapeAndType.of(value)


def test_results_print_as_in_the_documentation():
    assert repr(Results(Y=np.float32([1, 2]))) == "Y = [1. 2.]"
