"""A plan that runs while the notebook goes on."""

from __future__ import annotations

import threading
from typing import Any

from c2lab.operators.waiting import Together
from c2lab.proto import caffe2_pb2


class BackgroundPlan:
    """A running plan: ``is_done()``, ``is_succeeded()``, and ``wait()`` for the end."""

    def __init__(self, workspace: Any, plan: caffe2_pb2.PlanDef) -> None:
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, args=(workspace, plan), daemon=True)
        self._thread.start()

    def _work(self, workspace: Any, plan: caffe2_pb2.PlanDef) -> None:
        try:
            # Beside the notebook: what a net overwrites may be fetched there at the same time.
            with Together():
                workspace.run_plan(plan)
        except BaseException as error:
            self.error = error

    def is_done(self) -> bool:
        """Whether it has ended, well or not."""
        return not self._thread.is_alive()

    def is_succeeded(self) -> bool:
        """Whether it has ended without an error."""
        return self.is_done() and self.error is None

    def wait(self, timeout: float | None = None) -> bool:
        """Waits for the end; false after ``timeout`` seconds."""
        self._thread.join(timeout)
        return self.is_done()
