"""A net as one HTML page that needs nothing else: its picture, its table, its text."""

from __future__ import annotations

from html import escape

from google.protobuf import text_format

from c2lab.graph.drawing import draw
from c2lab.graph.lettering import plain, shorten
from c2lab.graph.sources import Source
from c2lab.graph.summary import summary
from c2lab.graph.view import NetView
from c2lab.proto import caffe2_pb2

_LONGEST_TEXT = 2_000_000

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:68rem;padding:0 1rem;"
    "color-scheme:light dark}svg{display:block;margin:1rem 0}table{border-collapse:collapse;font-size:.85rem}"
    "caption{padding:.5rem 0;font-weight:600}td,th{padding:.2rem .6rem;border-bottom:1px solid #8884}"
    "pre{overflow:auto;max-height:30rem;font-size:.8rem}summary{cursor:pointer}"
)


def html_page(net: caffe2_pb2.NetDef, init: caffe2_pb2.NetDef | None = None) -> str:
    """The page of a net: no scripts, no fonts, nothing from elsewhere.

    Args:
        net: The net.
        init: The net that fills its parameters, where there is one; shapes follow from it.

    Example:
        >>> net = caffe2_pb2.NetDef(name="tiny", op=[caffe2_pb2.OperatorDef(type="Relu")])
        >>> html_page(net).startswith("<!doctype html>")
        True
    """
    source = Source(net, init)
    view = NetView.of(net, shapes=source.shapes() if init is not None else {})
    title = escape(plain(shorten(net.name or "net", 200)))
    text = text_format.MessageToString(net)
    if len(text) > _LONGEST_TEXT:
        text = text[:_LONGEST_TEXT] + "\n…"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><h1>{title}</h1>{draw(view)}{summary(net)._repr_html_()}"
        f"<details><summary>As text</summary><pre>{escape(plain(text))}</pre></details></body></html>\n"
    )
