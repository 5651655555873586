"""A JupyterLab of its own for tests, on the loopback, and notebooks in it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import TimeoutError

_OVERRIDES = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}
STARTS_WITHIN = 90.0


@contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """The address of a server whose notebooks are in ``folder``."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    home = folder / ".home"
    settings = home / "lab"
    (settings / "settings").mkdir(parents=True)
    (settings / "settings" / "overrides.json").write_text(json.dumps(_OVERRIDES))
    environment = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "user"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]),
    }
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}", "--ip=127.0.0.1",
        "--IdentityProvider.token=", "--ServerApp.password=", "--ServerApp.disable_check_xsrf=True",
        f"--ServerApp.root_dir={folder}", "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]  # fmt: skip
    log = (folder / "server.log").open("w")
    server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + STARTS_WITHIN
        while True:
            try:
                urllib.request.urlopen(f"{address}/api/status", timeout=2).close()
                break
            except OSError:
                if server.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"JupyterLab did not start:\n{(folder / 'server.log').read_text()}") from None
                time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        log.close()


class Notebook:
    """A notebook that is open in a page."""

    def __init__(self, page: Any, address: str, folder: Path, name: str, cells: Sequence[str]) -> None:
        self.page = page
        self.path = folder / f"{name}.ipynb"
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.path)
        # On a busy machine JupyterLab may ask about a kernel that is late; nothing can be clicked behind the question.
        dialog = page.locator("dialog.jp-Dialog")
        page.add_locator_handler(dialog, lambda: dialog.locator(".jp-mod-accept").first.click())
        page.goto(f"{address}/lab/workspaces/{name}/tree/{name}.ipynb?reset")
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        page.wait_for_selector('.jp-NotebookPanel-toolbar [data-status="idle"]', state="attached", timeout=60_000)

    def cell(self, index: int) -> Any:
        """A cell."""
        return self.page.locator(f'.jp-Notebook .jp-Cell[data-windowed-list-index="{index}"]')

    def run(self, index: int) -> None:
        """Runs a cell, and waits until it is done."""
        prompt = f'.jp-Notebook .jp-Cell[data-windowed-list-index="{index}"] .jp-InputPrompt'
        told = "([prompt, pattern]) => new RegExp(pattern).test(document.querySelector(prompt)?.textContent ?? '')"
        for _ in range(6):
            self.cell(index).locator(".jp-InputArea-editor").click()
            self.page.keyboard.press("Shift+Enter")
            # What is pressed before the kernel is connected is dropped.
            try:
                self.page.wait_for_function(told, arg=[prompt, r"\[[\d*]+\]"], timeout=5_000)
                break
            except TimeoutError:
                continue
        self.page.wait_for_function(told, arg=[prompt, r"\[\d+\]"], timeout=60_000)

    def output(self, index: int) -> str:
        """The text that a cell printed."""
        return "\n".join(self.cell(index).locator(".jp-OutputArea-output").all_inner_texts())

    def count(self) -> int:
        """How many cells there are."""
        return self.page.locator(".jp-Notebook .jp-Cell").count()
