"""How a regularizer is called."""

from __future__ import annotations

import pytest

from c2lab import core
from c2lab.optimizers.regularization import RegularizationBy, Regularizer


def test_it_acts_where_it_is_told_to():
    seen = []

    class Watched(Regularizer):
        def _run_on_loss(self, net, param_init_net, param, grad=None):
            seen.append(("loss", str(param), grad))
            return param + "_penalty"

        def _run_after_optimizer(self, net, param_init_net, param, grad):
            seen.append(("after", str(param), grad))

    net, w = core.Net("regularized"), core.BlobReference("w")
    assert Watched()(net, net, w, by=RegularizationBy.ON_LOSS) == "w_penalty"
    assert Watched()(net, net, w, "g", by="after_optimizer") is None
    assert seen == [("loss", "w", None), ("after", "w", "g")]


def test_it_does_nothing_unless_told_what():
    net, w = core.Net("regularized"), core.BlobReference("w")
    for by in ("on_loss", "after_optimizer"):
        assert Regularizer()(net, net, w, "g", by=by) is None
    assert len(net.Proto().op) == 0


def test_wrong_calls():
    net = core.Net("regularized")
    with pytest.raises(AssertionError, match="BlobReference"):
        Regularizer()(net, net, "w", by="on_loss")
    with pytest.raises(AssertionError, match="invalid by=None"):
        Regularizer()(net, net, core.BlobReference("w"))
