"""A training log as CSV, with loggers of the user's own beside it."""

from __future__ import annotations

import datetime
import logging
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any


class ExternalLogger:
    """What a logger of the user's own must offer."""

    def set_runtime_args(self, runtime_args: Mapping[str, Any]) -> None:
        """Is told the run's arguments once."""
        raise NotImplementedError("a logger must define set_runtime_args(runtime_args)")

    def log(self, log_dict: Mapping[str, Any]) -> None:
        """Is told each row."""
        raise NotImplementedError("a logger must define log(log_dict)")


class ModelTrainerLog:
    """Writes ``<expname>_<time>.log``: comment lines, then a CSV table.

    Args:
        expname: Begins the file's name.
        runtime_args: Written at the top; an object with attributes, or a mapping.
        external_loggers: Told everything too.
    """

    def __init__(
        self, expname: str, runtime_args: Any, external_loggers: Sequence[ExternalLogger] | None = None
    ) -> None:
        now = datetime.datetime.now()
        self.experiment_id = now.strftime("%Y%m%d_%H%M%S")
        self.filename = f"{expname}_{self.experiment_id}.log"
        self.headers: list[str] | None = None
        self.start_time = time.time()
        self.last_time = self.start_time
        self.last_input_count = 0
        self.external_loggers = list(external_loggers or ())
        arguments = runtime_args if isinstance(runtime_args, Mapping) else vars(runtime_args)
        self.logstr(f"# experiment {expname}, {now:%Y-%m-%d %H:%M:%S}")
        self.logstr(f"# {dict(arguments)}")
        for logger in self.external_loggers:
            logger.set_runtime_args(dict(arguments))

    def logstr(self, text: str) -> None:
        """Appends a line to the file."""
        with open(self.filename, "a") as file:
            file.write(text + "\n")
        logging.getLogger("experiment_logger").info(text)

    def log(self, input_count: int, batch_count: int, additional_values: Mapping[str, Any]) -> None:
        """Appends a row: times and speeds, then ``additional_values``."""
        now = time.time()
        elapsed, since = now - self.start_time, now - self.last_time
        row: OrderedDict[str, Any] = OrderedDict(
            time=elapsed,
            input_count=input_count,
            batch_count=batch_count,
            inputs_per_sec=(input_count - self.last_input_count) / max(since, 1e-9),
            inputs_per_sec_cumulative=input_count / max(elapsed, 1e-9),
        )
        row.update(additional_values)
        if self.headers is None:
            self.headers = list(row)
            self.logstr(",".join(self.headers))
        self.logstr(",".join(str(row.get(name, "")) for name in self.headers))
        for logger in self.external_loggers:
            logger.log(dict(row))
        self.last_time, self.last_input_count = now, input_count
