from c2lab import brew
from c2lab.builder.fitting import filled_shapes, fitted, parameter_shapes, with_filled_shapes
from c2lab.builder.session import Session
from c2lab.graph.canvas import InputShape
from c2lab.graph.document import empty_document
from c2lab.model_helper import ModelHelper
from tests.builder.canvases import do, lenet, node, session


def test_a_layer_that_is_wired_later_fits():
    canvas = session(
        {"command": "add", "kind": "layer", "type": "conv"}, {"command": "add", "kind": "input", "type": "pictures"}
    )
    assert filled_shapes(canvas.document)["conv1_w"] == (20, 1, 5, 5)
    data = next(iter(canvas.document.outside()))
    do(canvas, "connect", source=data, output=0, target=canvas.document.ids[0], input=0)
    assert filled_shapes(canvas.document)["conv1_w"] == (20, 3, 5, 5)


def test_what_follows_fits_too():
    canvas = lenet()
    do(canvas, "set_argument", node=node(canvas, "Conv"), name="dim_out", value=7)
    shapes = filled_shapes(canvas.document)
    assert (shapes["conv1_w"], shapes["conv1_b"], shapes["conv2_w"]) == ((7, 1, 5, 5), (7,), (50, 7, 5, 5))


def test_the_size_of_the_input_is_followed():
    canvas = lenet()
    do(canvas, "set_argument", node=next(iter(canvas.document.outside())), name="shape", value="N,1,32,32")
    assert filled_shapes(canvas.document)["fc3_w"] == (500, 50 * 25)


def test_a_net_with_a_mistake_is_left_alone():
    model = ModelHelper("wrong")
    brew.fc(model, "data", "fc1", 99, 10)
    canvas = Session(model).closed()
    canvas.say_inputs({"data": InputShape(("N", 64))})
    do(canvas, "add", type="Relu", **{"from": canvas.document.ids[0]})
    assert filled_shapes(canvas.document)["fc1_w"] == (10, 99)
    do(canvas, "set_argument", node=next(iter(canvas.document.outside())), name="shape", value="N,99")
    do(canvas, "set_argument", node=next(iter(canvas.document.outside())), name="shape", value="N,50")
    assert filled_shapes(canvas.document)["fc1_w"] == (10, 50)


def test_normalizations_and_transposed_convolutions_fit():
    canvas = session({"command": "add", "kind": "input", "type": "pictures"})
    last = next(iter(canvas.document.outside()))
    for layer in ("spatial_bn", "conv_transpose", "instance_norm", "prelu"):
        (last,) = do(canvas, "add", kind="layer", type=layer, **{"from": last})["placed"]
    do(canvas, "set_argument", node=next(iter(canvas.document.outside())), name="shape", value="N,5,64,64")
    shapes = filled_shapes(canvas.document)
    assert shapes["bn1_s"] == shapes["bn1_riv"] == (5,)
    assert shapes["deconv1_w"] == (5, 20, 2, 2)


def test_shapes_are_set_and_nothing_to_do_is_nothing_done():
    canvas = lenet()
    document = canvas.document
    assert fitted(document, document) is document
    changed = with_filled_shapes(document, {"conv1_b": (3,)})
    assert filled_shapes(changed)["conv1_b"] == (3,)
    assert filled_shapes(document)["conv1_b"] == (20,)
    assert parameter_shapes(document, document.net.op[0], 0) == {"conv1_w": (20, 1, 5, 5), "conv1_b": (20,)}
    assert parameter_shapes(document, document.net.op[1], 1) is None
    assert filled_shapes(empty_document("n")) == {}
