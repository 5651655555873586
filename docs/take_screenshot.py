"""Takes the README's picture: the first tutorial, run, as JupyterLab shows it.

Needs Chromium and ``pip install -e ".[lab]"``:  python docs/take_screenshot.py
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path

import websocket  # comes with JupyterLab

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "tutorials" / "01_handwriting.ipynb"
PICTURE = ROOT / "docs" / "images" / "notebook.png"
SIZE = (1180, 1000)
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},  # every cell is drawn, also those out of sight
    "apputils-extension/notification": {"fetchNews": "false"},
}
# The cell that draws the net comes to the top of the picture.
SCROLL = """
(() => {
  const drawing = document.querySelector('svg.c2lab-net, .jp-OutputArea img[src^="data:image/svg"]');
  if (!drawing) return false;
  drawing.closest('.jp-Cell').scrollIntoView();
  return true;
})()
"""


def main() -> None:
    """Runs the notebook, shows it and takes the picture."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        notebook = folder / NOTEBOOK.name
        shutil.copyfile(NOTEBOOK, notebook)
        subprocess.run([sys.executable, "-m", "jupyter", "execute", "--inplace", str(notebook)], check=True)
        subprocess.run([sys.executable, "-m", "jupyter", "trust", str(notebook)], check=True)
        for setting, value in SETTINGS.items():
            path = folder / "settings" / "@jupyterlab" / f"{setting}.jupyterlab-settings"
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps(value))
        os.environ["JUPYTERLAB_SETTINGS_DIR"] = str(folder / "settings")
        port, debugging = free_port(), free_port()
        stack.enter_context(
            running(
                sys.executable,
                "-m",
                "jupyterlab",
                "--no-browser",
                f"--port={port}",
                "--allow-root",
                "--ServerApp.token=",
                f"--ServerApp.root_dir={folder}",
            )
        )
        stack.enter_context(
            running(
                "chromium",
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-sync",
                "--disable-background-networking",
                "--disable-component-update",
                "--hide-scrollbars",
                f"--user-data-dir={folder / 'profile'}",
                f"--window-size={SIZE[0]},{SIZE[1]}",
                f"--remote-debugging-port={debugging}",
                "--remote-allow-origins=*",
            )
        )
        wait_for(f"http://127.0.0.1:{port}/api")
        pages = json.loads(wait_for(f"http://127.0.0.1:{debugging}/json/list"))
        tab = Tab(next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page"))
        tab.do("Page.navigate", url=f"http://127.0.0.1:{port}/doc/tree/{NOTEBOOK.name}")
        tab.until(SCROLL)
        time.sleep(3)  # fonts and pictures settle
        tab.until(SCROLL)
        picture = tab.do("Page.captureScreenshot", format="png")["data"]
        PICTURE.write_bytes(base64.b64decode(picture))
        print(PICTURE)


class Tab:
    """A page of the browser, spoken to over its debugging socket."""

    def __init__(self, address: str) -> None:
        self._socket = websocket.create_connection(address, timeout=60)
        self._number = 0

    def do(self, method: str, **parameters: object) -> dict:
        """One command and its result."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == self._number:
                return answer["result"]

    def until(self, script: str, seconds: float = 60) -> None:
        """Evaluates a script again and again until it gives true."""
        deadline = time.monotonic() + seconds
        while self.do("Runtime.evaluate", expression=script)["result"].get("value") is not True:
            if time.monotonic() > deadline:
                text = self.do("Runtime.evaluate", expression="document.body.innerText")["result"].get("value")
                raise TimeoutError(f"the page did not come to show the net, but: {text}")
            time.sleep(0.5)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(*command: str):
    """A program that runs as long as the block."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def wait_for(url: str, seconds: float = 90) -> bytes:
    """What an address answers, once it does."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.read()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)


if __name__ == "__main__":
    main()
