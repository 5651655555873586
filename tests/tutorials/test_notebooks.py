"""The tutorials run from top to bottom in a fresh kernel, quickly, and do what their text says."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import nbformat
import pytest

TUTORIALS = sorted((Path(__file__).parents[2] / "tutorials").glob("*.ipynb"))
SECONDS = 90


@pytest.fixture(scope="module", params=TUTORIALS, ids=lambda path: path.stem)
def executed(request, tmp_path_factory):
    """The notebook with its outputs, its name, and how long it took."""
    from nbclient import NotebookClient

    notebook = nbformat.read(request.param, as_version=4)
    folder = tmp_path_factory.mktemp("kernel")
    environment = {**os.environ, "IPYTHONDIR": str(folder), "PYTHONPATH": str(Path(__file__).parents[2])}
    # As a reader's kernel is: figures of its own, and code compiled to run fast rather than to be compiled fast.
    for name in ("MPLBACKEND", "C2LAB_XLA_OPTIMIZATION"):
        environment.pop(name, None)
    client = NotebookClient(notebook, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": folder}})
    start = time.monotonic()
    client.execute(env=environment)
    return request.param.stem, notebook, time.monotonic() - start


def printed(notebook) -> str:
    return "".join(
        output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []) if "text" in output
    )


def shown(notebook, kind: str) -> list[str]:
    return [
        output["data"][kind]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if kind in output.get("data", {})
    ]


def test_there_are_tutorials():
    assert [path.stem for path in TUTORIALS][:3] == ["01_handwriting", "02_basics", "03_control_flow"]


@pytest.mark.slow
def test_it_runs_in_time_and_without_complaints(executed):
    _, notebook, seconds = executed
    assert seconds < SECONDS
    complaints = [
        output["text"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.get("name") == "stderr" or output["output_type"] == "error"
    ]
    assert complaints == []


@pytest.mark.slow
def test_it_does_what_it_says(executed):
    name, notebook, _ = executed
    text = printed(notebook)
    if name == "01_handwriting":
        share = float(re.search(r"right on ([\d.]+)%", text).group(1))
        assert share >= 96.5
        assert "init_net.pb" in text
        drawings = [svg for svg in shown(notebook, "image/svg+xml") if "c2lab-net" in svg]
        assert len(drawings) == 2
        assert any("64×20×24×24" in svg for svg in drawings)
        assert any("ConvGradient" in svg for svg in drawings)
        assert len(shown(notebook, "image/png")) == 4
        assert "LabelCrossEntropy" in "".join(shown(notebook, "text/html"))
    elif name == "02_basics":
        assert "X is (2, 3) but W is (10, 99); W must be (10, 3)" in text
        assert "the gradient is right" in text
        found = re.findall(r"found \[\[ *([\d.-]+) +([\d.-]+) *\]\] \[ *([\d.-]+) *\]", text)
        assert len(found) == 2
        for numbers in found:
            for number, truth in zip(numbers, (2.0, -1.5, 0.5), strict=True):
                assert float(number) == pytest.approx(truth, abs=0.1)
    elif name == "03_control_flow":
        assert "True [ 2. -4.  6.]\nFalse [-1.  2. -3.]\n" in text
        assert "the root of 2.0 is 1.4142, after" in text
        slopes = re.findall(r"found ([\d.]+), school says ([\d.]+)", text)
        assert len(slopes) == 2
        for found, truth in slopes:
            assert float(found) == pytest.approx(float(truth), rel=1e-2)
        assert "small steps: 4" in text


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_it_is_kept_without_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}
    for cell in notebook.cells:
        assert not cell.metadata
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
        assert cell.source.strip()
