from __future__ import annotations

import pytest

from c2lab import core
from c2lab.proto import caffe2_pb2
from c2lab.widgets.net_viewer import mimebundle, show
from tests.graph import sample_nets


def test_what_a_notebook_gets():
    bundle = show(sample_nets.chain(2))._repr_mimebundle_()
    assert set(bundle) == {"image/svg+xml", "text/plain"}
    assert bundle["image/svg+xml"].startswith("<svg")
    assert bundle["text/plain"] == '<picture of net "chain": 2 operators>'


def test_a_net_shows_itself():
    net = core.Net("mine")
    net.Relu("x", "y")
    assert net._repr_mimebundle_()["image/svg+xml"] == mimebundle(net)["image/svg+xml"]


def test_saved_pictures(tmp_path):
    picture = show(sample_nets.chain(2))
    assert picture.save(tmp_path / "net.svg").read_text() == picture.svg


def test_shapes_follow_from_inputs():
    assert "2×3" in show(sample_nets.net("n", ("Relu", "x", "y")), inputs={"x": (2, 3)}).svg


def test_files_and_plans(tmp_path):
    path = tmp_path / "net.pb"
    path.write_bytes(sample_nets.chain(2).SerializeToString())
    assert "chain" in show(path).svg
    assert show(str(path)).text == '<picture of net "chain": 2 operators>'
    plan = caffe2_pb2.PlanDef(name="p", network=[sample_nets.chain(2)])
    assert show(plan).text == '<picture of plan "p": 1 net>'


def test_unknown_operators_are_drawn_too():
    assert "NoSuchThing" in show(sample_nets.net("n", ("NoSuchThing", "x", "y")), inputs={"x": (1,)}).svg


def test_anything_else_is_refused():
    with pytest.raises(TypeError, match="a ModelHelper"):
        show(3)


def test_a_live_picture_brings_its_canvas_along():
    net = core.Net("shown_live")
    net.Relu("x", "y")
    before = net.Proto().SerializeToString()
    still, live = show(net, live=False), show(net, live=True)
    assert set(still._repr_mimebundle_()) == {"image/svg+xml", "text/plain"}
    data = live._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["image/svg+xml"] == still.svg == live.svg
    assert net.Proto().SerializeToString() == before
    assert set(show(net)._repr_mimebundle_()) == set(still._repr_mimebundle_())  # no notebook, no canvas
