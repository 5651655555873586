"""Models inside a model: run one of two, or one again and again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from c2lab.nets.branches import add_if_op, add_while_op


def cond(
    model: Any, cond_blob: Any, external_blobs: Iterable[Any], then_model: Any, else_model: Any | None = None
) -> None:
    """Runs one of two models, as a condition says.

    Args:
        model: The model that gets the ``If`` operator.
        cond_blob: One bool.
        external_blobs: The blobs of ``model`` that the two may read and write; all others are their own.
        then_model: Runs where the condition is true.
        else_model: Runs where it is false.
    """
    add_if_op(model.net, cond_blob, external_blobs, then_model.net, else_model.net if else_model else None)


def loop(
    model: Any, cond_blob: Any, external_blobs: Iterable[Any], loop_model: Any, cond_model: Any | None = None
) -> None:
    """Runs a model again and again, as long as a condition holds.

    Args:
        model: The model that gets the ``While`` operator.
        cond_blob: One bool, which one of the models must change.
        external_blobs: The blobs of ``model`` that they may read and write; all others are their own.
        loop_model: The body.
        cond_model: Runs before each look at the condition.
    """
    add_while_op(model.net, cond_blob, external_blobs, loop_model.net, cond_model.net if cond_model else None)
