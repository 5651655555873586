from html.parser import HTMLParser

import pytest

from c2lab import brew
from c2lab.graph.html_page import html_page
from c2lab.model_helper import ModelHelper
from c2lab.proto import caffe2_pb2
from tests.graph import sample_nets


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.links = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href")]
        assert not any(name.startswith("on") for name, _ in attrs)


def parsed(page):
    parser = Tags()
    parser.feed(page)
    return parser


def test_the_page_has_picture_table_and_text():
    page = html_page(sample_nets.net("n", ("FC", "x w b", "y"), ("Relu", "y", "z")))
    found = parsed(page)
    assert {"svg", "table", "pre"} <= set(found.tags)
    assert found.links == []
    assert "script" not in found.tags
    assert "Relu" in page


def test_shapes_follow_from_the_init_net():
    model = ModelHelper("paged")
    brew.fc(model, "x", "y", 3, 4)
    assert "4×3" in html_page(model.Proto(), model.InitProto())


@pytest.mark.parametrize(
    "name", ["</title><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\u202e\x00", "x" * 9000]
)
def test_hostile_names_are_text(name):
    net = caffe2_pb2.NetDef(name=name, op=[caffe2_pb2.OperatorDef(type=name, input=[name], output=[name], name=name)])
    found = parsed(html_page(net))
    assert "script" not in found.tags
    assert "img" not in found.tags
    assert found.links == []
