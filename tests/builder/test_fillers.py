from c2lab.builder.fillers import filler_fields, set_filler_field
from tests.builder.canvases import do, lenet, node


def told(canvas, name):
    return {field["name"]: field["value"] for field in filler_fields(canvas.document, name)}


def test_outputs_and_fills_are_fields():
    canvas = lenet()
    assert told(canvas, node(canvas, "Conv")) == {
        "dim_out": 20, "filter.fill": "XavierFill", "bias.fill": "ConstantFill", "bias.fill.value": 0.0,
    }  # fmt: skip
    assert filler_fields(canvas.document, node(canvas, "Relu")) == []


def test_another_fill_keeps_the_shape():
    canvas = lenet()
    conv = node(canvas, "Conv")
    do(canvas, "set_argument", node=conv, name="filter.fill", value="GaussianFill")
    do(canvas, "set_argument", node=conv, name="filter.fill.std", value="0.02")
    fill = canvas.model.param_init_net.Proto().op[0]
    assert (fill.type, list(fill.arg[0].ints)) == ("GaussianFill", [20, 1, 5, 5])
    assert abs(fill.arg[1].f - 0.02) < 1e-6
    do(canvas, "set_argument", node=conv, name="filter.fill", value="MSRAFill")
    assert [arg.name for arg in canvas.model.param_init_net.Proto().op[0].arg] == ["shape"]


def test_transposed_convolutions_have_their_outputs_elsewhere():
    canvas = lenet()
    (deconv,) = do(canvas, "add", kind="layer", type="conv_transpose", **{"from": node(canvas, "MaxPool")})["placed"]
    assert told(canvas, deconv)["dim_out"] == 20
    do(canvas, "set_argument", node=deconv, name="dim_out", value=6)
    shapes = {op.output[0]: list(op.arg[0].ints) for op in canvas.document.init.op}
    assert (shapes["deconv1_w"], shapes["deconv1_b"]) == ([20, 6, 2, 2], [6])


def test_other_fields_are_not_theirs():
    canvas = lenet()
    assert set_filler_field(canvas.document, node(canvas, "Conv"), "kernel", 3) is None
    assert set_filler_field(canvas.document, node(canvas, "Relu"), "dim_out", 3) is None
