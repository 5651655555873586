import numpy as np
import pytest

from c2lab.errors import BadArgument, NotSupported
from c2lab.operators.gradients import GradientSlice, make_gradient
from c2lab.proto import caffe2_pb2
from c2lab.workspace import Workspace
from tests.operators.calls import call, gradients, operator_def, wiring

TYPES = caffe2_pb2.TensorProto
SAME = ["Copy", "CopyFromCPUInput", "EnsureCPUOutput", "EnsureDense", "Alias", "AliasWithName", "StopGradient"]


@pytest.mark.parametrize("type", SAME)
@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.bool_])
def test_values_and_type_stay(type, dtype):
    X = np.array([[0, 1], [2, 3]], dtype)
    Y = call(type, X)
    assert Y.dtype == dtype
    np.testing.assert_array_equal(Y, X)


def test_a_copy_is_not_touched_by_what_happens_to_the_original():
    workspace = Workspace("copies")
    workspace.feed("I0", np.float32([1, -2]))
    workspace.run_operator(operator_def("Copy", 1))
    workspace.run_operator(caffe2_pb2.OperatorDef(type="Relu", input=["I0"], output=["I0"]))
    np.testing.assert_array_equal(workspace.fetch("O0"), [1, -2])


CASTS = [
    (np.float32, TYPES.INT32, np.int32),
    (np.float32, TYPES.INT64, np.int64),
    (np.float32, TYPES.DOUBLE, np.float64),
    (np.float32, TYPES.BOOL, np.bool_),
    (np.int32, TYPES.FLOAT, np.float32),
    (np.int64, TYPES.INT32, np.int32),
    (np.bool_, TYPES.UINT16, np.uint16),
    (np.bool_, TYPES.FLOAT, np.float32),
    (np.int32, TYPES.UINT8, np.uint8),
    (np.float64, TYPES.FLOAT, np.float32),
]


@pytest.mark.parametrize(("source", "code", "target"), CASTS)
@pytest.mark.parametrize("by_name", [False, True])
def test_cast(source, code, target, by_name):
    X = np.array([0, 1, 2.75, 100], source)
    name = TYPES.DataType.Name(code).lower()
    Y = call("Cast", X, to=name if by_name else code)
    assert Y.dtype == target
    np.testing.assert_array_equal(Y, X.astype(target))


def test_cast_goes_towards_zero():
    np.testing.assert_array_equal(call("Cast", np.float32([1.9, -1.9]), to="int32"), [1, -1])


def test_cast_to_text():
    np.testing.assert_array_equal(call("Cast", np.int32([[7], [-12]]), to="string"), [[b"7"], [b"-12"]])


def test_the_gradient_of_cast_goes_back_to_from_type():
    made = gradients("Cast", [np.float32([1, 2])], [np.float64([3, 4])], to="double", from_type="float")
    assert made[0].dtype == np.float32
    np.testing.assert_array_equal(made[0], [3, 4])
    with pytest.raises(BadArgument, match="needs the argument from_type"):
        wiring("Cast", 1, to="double")


def test_types_that_cast_does_not_know():
    with pytest.raises(NotSupported, match="FloatToHalf"):
        call("Cast", np.float32([1]), to="float16")
    with pytest.raises(BadArgument, match="to is 'FLOAT128'"):
        call("Cast", np.float32([1]), to="float128")
    with pytest.raises(BadArgument, match="to is 99"):
        call("Cast", np.float32([1]), to=99)


def test_gradient_wiring():
    assert wiring("Copy", 1) == ([("CopyOnDeviceLike", ["GO0", "I0"], ["I0_grad"])], ["I0_grad"])
    assert wiring("CopyCPUToGPU", 1)[0] == [("CopyGPUToCPU", ["GO0"], ["I0_grad"])]
    assert wiring("CopyGPUToCPU", 1)[0] == [("CopyCPUToGPU", ["GO0"], ["I0_grad"])]
    for type in ("Alias", "EnsureDense"):
        assert wiring(type, 1) == ([], ["GO0"])
    for type in ("StopGradient", "EnsureCPUOutput", "AliasWithName", "CopyFromCPUInput"):
        assert wiring(type, 1) == ([], [None])
    assert wiring("Cast", 1, to=1, from_type=2)[0] == [("Cast", ["GO0"], ["I0_grad"])]


def test_ensure_dense_makes_a_sparse_gradient_dense():
    made = make_gradient(operator_def("EnsureDense", 1), [GradientSlice("indices", "values")])
    assert [(o.type, list(o.input), list(o.output)) for o in made.ops] == [
        ("SparseToDense", ["indices", "values", "I0"], ["I0_grad"])
    ]
