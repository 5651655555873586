from c2lab.builder.gradient_pairs import pairs_of
from tests.builder.canvases import do, lenet


def test_each_gradient_stands_by_its_operator():
    canvas = lenet()
    assert pairs_of(canvas.document) == {}
    do(canvas, "add_gradients")
    document = canvas.document
    told = {
        (document.op(a).type, document.op(a).input[0], document.op(b).type, document.op(b).output[0])
        for a, b in pairs_of(document).items()
    }
    assert ("ReluGradient", "fc3", "Relu", "fc3") in told
    assert ("ConvGradient", "data", "Conv", "conv1") in told
    assert ("ConvGradient", "pool1", "Conv", "conv2") in told
    assert ("FCGradient", "pool2", "FC", "fc3") in told
    assert ("FCGradient", "fc3", "FC", "pred") in told
    assert len(told) == 8
