from c2lab import brew
from c2lab.builder.code_layers import layer_calls, operator_call
from c2lab.builder.session import Session
from c2lab.model_helper import ModelHelper
from c2lab.proto import caffe2_pb2


def first_line(build):
    model = ModelHelper("layers")
    build(model)
    document = Session(model).closed().document
    for call in layer_calls(document, document.net.op[0]):
        made = ModelHelper("tried")
        try:
            call.apply(made)
        except (AssertionError, ValueError, TypeError):
            continue
        if list(made.net.Proto().op) == list(document.net.op):
            return call.text(True)
    return None


def test_layers_are_written_as_they_were_called():
    assert first_line(lambda m: brew.conv(m, "x", "c", 3, 8, kernel=5, pad=2)) == (
        'brew.conv(model, "x", "c", 3, 8, kernel=5, pad=2)'
    )
    assert first_line(lambda m: brew.conv(m, "x", "c", 4, 8, kernel=[3, 1], group=2, no_bias=1)) == (
        'brew.conv(model, "x", "c", 4, 8, kernel=[3, 1], group=2, no_bias=1)'
    )
    assert first_line(lambda m: brew.fc(m, "x", "f", 3, 8, weight_init=("GaussianFill", {"std": 0.1}))) == (
        'brew.fc(model, "x", "f", 3, 8, weight_init=("GaussianFill", {\'std\': 0.1}))'
    )
    assert first_line(lambda m: brew.max_pool(m, "x", "p", kernel=2, stride=2)) == (
        'brew.max_pool(model, "x", "p", kernel=2, stride=2)'
    )
    assert first_line(lambda m: brew.spatial_bn(m, "x", "b", 4, is_test=False)).startswith(
        'brew.spatial_bn(model, "x", "b", 4'
    )
    assert first_line(lambda m: brew.conv(m, "x", "c", 3, 8, kernel=5, order="NHWC")).endswith('order="NHWC")')


def test_an_operator_that_no_layer_makes():
    assert first_line(lambda m: m.net.Exp("x", "y")) is None


def test_operators_are_written_as_they_are():
    op = caffe2_pb2.OperatorDef(type="LeakyRelu", input=["x"], output=["y"], name="mine")
    op.arg.add(name="alpha", f=0.1)
    assert operator_call("net", op).text(False) == 'net.LeakyRelu(["x"], ["y"], alpha=0.1, name="mine")'
    unknown = caffe2_pb2.OperatorDef(type="Unknown")
    assert "text_format.Parse" in operator_call("net", unknown).text(False)
