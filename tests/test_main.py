import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from c2lab import __main__ as command_line
from c2lab.operators import registry
from c2lab.predictor import files
from c2lab.proto import caffe2_pb2

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def c2lab(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "c2lab", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


@pytest.fixture
def net(tmp_path):
    net = caffe2_pb2.NetDef(name="small", external_input=["x"], external_output=["y"])
    net.op.add(type="Relu", input=["x"], output=["y"])
    files.write_net(tmp_path / "net.pb", net)
    return net


def test_help_names_every_command():
    answer = c2lab("--help")
    assert answer.returncode == 0
    for command in ("lab", "demo", "run", "show", "summary", "docs"):
        assert re.search(rf"^    {command}\b", answer.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required: COMMAND"),
        (["dance"], "invalid choice: 'dance'"),
        (["demo", "--epochs", "0"], "0 is less than 1"),
        (["demo", "--data", "cifar"], "invalid choice: 'cifar'"),
        (["demo", "--colour"], "unrecognized arguments: --colour"),
        (["show", "missing.pb"], "c2lab: missing.pb: No such file or directory"),
        (["summary", "missing.pb"], "c2lab: missing.pb: No such file or directory"),
        (["run", "missing.py"], "c2lab: missing.py: No such file"),
        (["demo", "--data", "mnist", "--data-dir", "nowhere"], "c2lab: nowhere has no train-images-idx3-ubyte"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(arguments, message):
    answer = c2lab(*arguments)
    assert answer.returncode == 2
    assert message in answer.stderr
    assert "Traceback" not in answer.stderr
    if answer.stderr.startswith("c2lab: "):
        assert answer.stderr.count("\n") == 1


def test_a_damaged_net_is_one_line(tmp_path):
    (tmp_path / "net.pb").write_bytes(b"\xff\xff")
    answer = c2lab("show", "net.pb")
    assert answer.returncode == 2
    assert re.fullmatch(r"c2lab: net\.pb cannot be read as a NetDef: .*\n", answer.stderr)


def test_a_folder_that_cannot_be_made_is_said_before_training(tmp_path):
    (tmp_path / "file").write_text("")
    answer = c2lab("demo", "--out", "file/out")
    assert answer.returncode == 2
    assert answer.stderr.startswith("c2lab: file")


def test_show_prints_a_net(net, capsys):
    assert command_line.main(["show", "net.pb"]) == 0
    assert 'type: "Relu"' in capsys.readouterr().out


def test_show_draws_a_net(net, capsys, tmp_path):
    assert command_line.main(["show", "net.pb", "--svg", "net.svg"]) == 0
    assert (tmp_path / "net.svg").read_text().startswith("<svg")
    assert capsys.readouterr().out == "net.svg: 1 operators\n"


def test_show_writes_a_page(net, capsys, tmp_path):
    assert command_line.main(["show", "net.pb", "--html", "net.html"]) == 0
    page = (tmp_path / "net.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "<svg" in page
    assert "<table" in page
    assert capsys.readouterr().out == "net.html: 1 operators\n"


def test_summary_prints_a_table(net, capsys):
    assert command_line.main(["summary", "net.pb"]) == 0
    assert "Relu" in capsys.readouterr().out


SCRIPT = """
import sys
from caffe2.python import core, workspace
from caffe2.proto import caffe2_pb2
import numpy as np
import beside

workspace.FeedBlob("x", np.float32([-1, 2]))
workspace.RunOperatorOnce(core.CreateOperator("Relu", "x", "y"))
print(__name__, sys.argv[1:], workspace.FetchBlob("y").tolist(), caffe2_pb2.NetDef(name="n").name, beside.VALUE)
"""


def test_run_runs_an_old_script_with_its_arguments(tmp_path):
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "old.py").write_text(SCRIPT)
    (tmp_path / "scripts" / "beside.py").write_text("VALUE = 7")
    answer = c2lab("run", "scripts/old.py", "a", "--flag")
    assert answer.stderr == ""
    assert answer.stdout == "__main__ ['a', '--flag'] [0.0, 2.0] n 7\n"


@pytest.mark.parametrize(
    ("script", "code", "message"),
    [
        ("import sys; sys.exit(3)", 3, ""),
        ("raise ValueError('mine')", 1, "ValueError: mine"),
        ("open('nowhere')", 1, "FileNotFoundError"),
        ("from caffe2.python import workspace; workspace.FetchBlob('x')", 1, "Can't find blob: x"),
    ],
)
def test_an_error_of_the_script_is_its_own(tmp_path, script, code, message):
    (tmp_path / "script.py").write_text(script)
    answer = c2lab("run", "script.py")
    assert answer.returncode == code
    assert message in answer.stderr
    assert ("Traceback" in answer.stderr) == bool(message)


def test_tutorials_are_copied_once_and_never_overwritten(tmp_path, monkeypatch):
    source = tmp_path / "source"
    source.mkdir()
    for notebook in ("02_second.ipynb", "01_first.ipynb"):
        (source / notebook).write_text("original")
    monkeypatch.setattr(command_line, "_tutorials", lambda: source)
    copy = tmp_path / "copy"
    assert command_line.copy_tutorials(copy) == copy / "01_first.ipynb"
    (copy / "01_first.ipynb").write_text("mine")
    (copy / "02_second.ipynb").unlink()
    command_line.copy_tutorials(copy)
    assert (copy / "01_first.ipynb").read_text() == "mine"
    assert (copy / "02_second.ipynb").read_text() == "original"


def test_the_first_tutorial_is_handwriting(tmp_path):
    assert command_line.copy_tutorials(tmp_path).name == "01_handwriting.ipynb"


def test_lab_without_jupyterlab_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "jupyterlab.labapp", None)
    assert command_line.main(["lab"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert 'pip install "c2lab[lab]"' in error


def test_lab_serves_a_copy_of_the_tutorials_at_the_first(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (tmp_path / "log").open("w+")
    lab = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "c2lab",
            "lab",
            "--no-browser",
            "--port",
            str(port),
            "--allow-root",
            "--ServerApp.token=",
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        listing = _wait_for(f"http://127.0.0.1:{port}/api/contents/", lab, log)
        assert "01_handwriting.ipynb" in listing
        log.seek(0)
        assert f":{port}/lab/tree/01_handwriting.ipynb" in log.read()
    finally:
        lab.terminate()
        lab.wait(20)
        log.close()
    assert (tmp_path / "c2lab-tutorials" / "01_handwriting.ipynb").exists()


def _wait_for(url: str, process: subprocess.Popen[bytes], log) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.read().decode()
        except OSError:
            time.sleep(0.2)
    log.seek(0)
    raise AssertionError(f"JupyterLab did not answer:\n{log.read()}")


def test_docs_writes_the_catalogue(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(registry, "all_operators", lambda: [registry.find("Relu")])
    assert command_line.main(["docs", "pages"]) == 0
    assert capsys.readouterr().out == "pages: 1 operators\n"
    assert "Relu" in (tmp_path / "pages" / "index.md").read_text()
