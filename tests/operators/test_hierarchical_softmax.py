import numpy as np
import pytest

from c2lab.errors import BadArgument, BadValue, ShapeMismatch
from c2lab.proto import hsm_pb2
from tests.operators.calls import call, gradients, wiring
from tests.operators.slopes import slope

rng = np.random.default_rng(17)

# Words 0, 1, 2 hang below the first branch of a root of two; word 3 is the second branch itself.
PATHS = {0: [(0, 2, 0), (2, 3, 0)], 1: [(0, 2, 0), (2, 3, 1)], 2: [(0, 2, 0), (2, 3, 2)], 3: [(0, 2, 1)]}


def hierarchy():
    message = hsm_pb2.HierarchyProto(size=5)
    for word, nodes in PATHS.items():
        path = message.paths.add(word_id=word)
        for index, length, target in nodes:
            path.path_nodes.add(index=index, length=length, target=target)
    return message.SerializeToString()


def losses(X, W, b, labels):
    result = []
    for x, label in zip(X, labels, strict=True):
        loss = 0.0
        for first, rows, target in PATHS[label]:
            scores = W[first : first + rows] @ x + b[first : first + rows]
            loss -= scores[target] - np.log(np.exp(scores).sum())
        result.append(loss)
    return np.array(result)


def arrays():
    return [rng.normal(size=shape).astype(np.float32) for shape in ((4, 3), (5, 3), (5,))]


def test_h_softmax():
    X, W, b = arrays()
    labels = np.int32([3, 0, 2, 1])
    Y, kept = call("HSoftmax", X, W, b, labels, outputs=2, hierarchy=hierarchy())
    np.testing.assert_allclose(Y, losses(X, W, b, labels), rtol=1e-4)
    assert kept.shape == (2 * (2 + 3 * 5),)
    dY = rng.normal(size=4).astype(np.float32)
    made = gradients("HSoftmax", [X, W, b, labels], [dY, None], hierarchy=hierarchy())
    for which in range(3):
        want = slope(lambda *v: losses(*v, labels), [X, W, b], which, dY)
        np.testing.assert_allclose(made[which], want, atol=1e-3)


def test_h_softmax_says_what_does_not_fit():
    X, W, b = arrays()
    with pytest.raises(BadValue, match="labels holds 7, which the hierarchy has no path to; it knows 4 words"):
        call("HSoftmax", X, W, b, np.int32([0, 1, 2, 7]), outputs=2, hierarchy=hierarchy())
    with pytest.raises(ShapeMismatch, match="with the 5 rows of the hierarchy"):
        call("HSoftmax", X, W[:4], b, np.int32([0, 1, 2, 3]), outputs=2, hierarchy=hierarchy())
    with pytest.raises(BadArgument, match="hierarchy cannot be read"):
        call("HSoftmax", X, W, b, np.int32([0, 1, 2, 3]), outputs=2, hierarchy=b"\xff\xff")


def test_gradient_wiring():
    sources, targets = ["I0", "I1", "I2", "I3", "O1", "GO0"], ["I0_grad", "I1_grad", "I2_grad", "GO1"]
    assert wiring("HSoftmax", 4, 2) == ([("HSoftmaxGradient", sources, targets)], [*targets[:3], None])
