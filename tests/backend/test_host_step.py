"""Steps that are one operator on the host."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.errors import HostOperatorFailed, MissingBlob


def test_results_are_blobs_of_their_type():
    net = core.Net("host")
    net.Python(lambda inputs, outputs: outputs[0].feed(inputs[0].data.astype(np.float64) + 1))(["x"], ["y"])
    workspace.FeedBlob("x", np.float32([1]))
    workspace.RunNetOnce(net)
    assert workspace.FetchBlob("y").dtype == np.float64


def test_an_empty_input_is_named_with_the_operator():
    workspace.CreateBlob("nothing")
    net = core.Net("host")
    net.SafeDequeueBlobs(["nothing"], ["x", "status"])
    with pytest.raises(MissingBlob, match=r"SafeDequeueBlobs.*nothing is empty"):
        workspace.RunNetOnce(net)


def test_a_failure_on_the_host_keeps_its_cause(tmp_path):
    net = core.Net("host")
    net.CreateTextFileReader([], "reader", filename=str(tmp_path / "none"), field_types=[1])
    with pytest.raises(HostOperatorFailed, match=r"CreateTextFileReader.*FileNotFoundError") as caught:
        workspace.RunNetOnce(net)
    assert isinstance(caught.value.__cause__, FileNotFoundError)
