"""What a training run leaves behind: a table of every iteration, and its curves."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field

# One word decides the identifiers inside an SVG file, so that the same run gives the same file.
_SVG_SALT = "c2lab"


@dataclass
class Record:
    """The numbers of a run, iteration by iteration.

    Attributes:
        rows: (iteration, epoch, loss, accuracy on the batch), iterations counted from 1.
        tests: Test accuracy, by the iteration after which it was measured.
    """

    rows: list[tuple[int, int, float, float]] = field(default_factory=list)
    tests: dict[int, float] = field(default_factory=dict)

    def add(self, epoch: int, loss: float, accuracy: float) -> None:
        """Adds the next iteration."""
        self.rows.append((len(self.rows) + 1, epoch, loss, accuracy))

    def tested(self, accuracy: float) -> None:
        """Adds the test accuracy after the latest iteration."""
        self.tests[len(self.rows)] = accuracy

    def csv(self) -> str:
        """The table as text; ``test_accuracy`` is empty where nothing was tested."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["iteration", "epoch", "loss", "accuracy", "test_accuracy"])
        for row in self.rows:
            writer.writerow([*row, self.tests.get(row[0], "")])
        return text.getvalue()

    def curves(self, format: str) -> bytes:
        """Loss and accuracy over the iterations, as a picture ("svg" or "png").

        Raises:
            ImportError: matplotlib is not installed.
        """
        import matplotlib
        from matplotlib.figure import Figure

        with matplotlib.rc_context({"svg.hashsalt": _SVG_SALT, "font.size": 9}):
            figure = Figure(figsize=(8, 3), layout="constrained")
            left, right = figure.subplots(1, 2)
            iterations, _, losses, accuracies = zip(*self.rows, strict=True)
            left.plot(iterations, losses, color="#4c72b0", linewidth=0.8)
            left.set(title="loss", xlabel="iteration", yscale="log")
            right.plot(iterations, accuracies, color="#4c72b0", linewidth=0.8, alpha=0.5, label="training batch")
            right.plot(list(self.tests), list(self.tests.values()), "o-", color="#dd8452", markersize=3, label="test")
            right.set(title="accuracy", xlabel="iteration", ylim=(max(0.0, min(accuracies) - 0.02), 1.005))
            right.legend(loc="lower right")
            for axes in (left, right):
                axes.grid(alpha=0.3)
            picture = io.BytesIO()
            figure.savefig(picture, format=format, dpi=150, metadata={"Date": None} if format == "svg" else None)
        return picture.getvalue()
