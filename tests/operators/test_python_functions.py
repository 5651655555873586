"""Operators that call Python functions."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core, errors, workspace
from c2lab.operators import python_functions
from c2lab.operators.python_functions import Tensor


def twice(inputs, outputs):
    outputs[0].feed(2 * inputs[0].data)


def run(f, x, outputs="y", **options):
    workspace.FeedBlob("x", x)
    workspace.RunOperatorOnce(core.CreatePythonOperator(f, ["x"], outputs, **options))
    return workspace.FetchBlob(outputs)


def test_a_function_feeds_its_output():
    np.testing.assert_array_equal(run(twice, np.float32([1, 2])), np.float32([2, 4]))


def test_a_function_writes_into_its_output():
    def f(inputs, outputs):
        outputs[0].reshape(inputs[0].shape)
        outputs[0].data[...] = inputs[0].data + 1

    np.testing.assert_array_equal(run(f, np.float32([[1, 2]])), np.float32([[2, 3]]))


def test_in_place():
    def f(inputs, outputs):
        assert inputs[0] is outputs[0]
        outputs[0].data[...] *= 3

    np.testing.assert_array_equal(run(f, np.float32([1, 2]), "x"), np.float32([3, 6]))


def test_types_and_text_pass():
    assert run(twice, np.int64([1])).dtype == np.int64
    assert run(lambda i, o: o[0].feed("text"), np.float32([1])) == b"text"


def test_an_output_that_is_not_touched_stays():
    workspace.FeedBlob("y", np.float32([7]))
    np.testing.assert_array_equal(run(lambda i, o: None, np.float32([1])), np.float32([7]))


def test_an_output_keeps_its_values_from_run_to_run():
    def count(inputs, outputs):
        outputs[0].data[...] += 1

    workspace.FeedBlob("n", np.int32([0]))
    net = core.Net("counting")
    net.Python(count)([], ["n"])
    workspace.CreateNet(net)
    workspace.RunNet(net.Name(), 3)
    np.testing.assert_array_equal(workspace.FetchBlob("n"), np.int32([3]))


def test_gradients():
    net = core.Net("python_gradient")
    y = net.Python(twice, lambda inputs, outputs: outputs[0].feed(2 * inputs[2].data))("x", "y")
    gradients = net.AddGradientOperators([y])
    op = net.Proto().op[-1]
    assert (op.type, list(op.input), list(op.output)) == ("PythonGradient", ["x", "y", "y_autogen_grad"], ["x_grad"])
    workspace.FeedBlob("x", np.float32([1, 2]))
    workspace.RunNetOnce(net)
    np.testing.assert_array_equal(workspace.FetchBlob(gradients["x"]), np.float32([2, 2]))


def test_gradients_of_some_inputs_and_outputs():
    net = core.Net("some")
    net.Python(twice, twice, grad_output_indices=[0], grad_input_indices=[1])(["a", "b"], ["c", "d"])
    gradients = net.AddGradientOperators({"c": "dc"})
    op = net.Proto().op[-1]
    assert list(op.input) == ["a", "b", "c", "d", "dc"]
    assert list(op.output) == ["b_grad"]
    assert "a" not in gradients


def test_a_missing_gradient_says_so():
    net = core.Net("no_gradient")
    net.AddGradientOperators([net.Python(twice)("x", "y")])
    workspace.FeedBlob("x", np.float32([1]))
    with pytest.raises(RuntimeError, match=r"has no gradient; give one: net.Python\(f, grad_f=g\)"):
        workspace.RunNetOnce(net)


def test_a_function_of_another_process_says_so():
    workspace.FeedBlob("x", np.float32([1]))
    op = core.CreateOperator("Python", ["x"], ["y"], token="gone")
    with pytest.raises(errors.BadArgument, match='No Python function is kept under the token "gone"'):
        workspace.RunOperatorOnce(op)


def test_factories_and_pairs_of_methods():
    def factory(factor, plus=0):
        return lambda inputs, outputs: outputs[0].feed(inputs[0].data * factor + plus)

    class Negative:
        def __init__(self, factor):
            self.factor = factor

        def forward(self, inputs, outputs):
            outputs[0].feed(-self.factor * inputs[0].data)

        def backward(self, inputs, outputs):
            outputs[0].feed(-self.factor * inputs[2].data)

    x = np.float32([1, 2])
    np.testing.assert_array_equal(run((factory, (3,), {"plus": 1}), x), np.float32([4, 7]))
    np.testing.assert_array_equal(run(np.float32(2), x, python_func_type=Negative), np.float32([-2, -4]))


def test_each_created_net_has_a_function_of_its_own_from_a_factory():
    made = []

    def factory():
        made.append(0)
        own = len(made) - 1

        def count(inputs, outputs):
            made[own] += 1

        return count

    net = core.Net("own_functions")
    net.Python((factory, [], {}))([], [])
    assert made == []
    for runs in (3, 2):
        workspace.CreateNet(net, overwrite=True)
        workspace.RunNet(net, runs)
    assert made == [3, 2]


def test_the_workspace_is_passed_on_request():
    def f(inputs, outputs, ws):
        ws.create_blob("inside").feed(inputs[0].data)
        outputs[0].feed(ws.blobs["x"].fetch() + 1)

    np.testing.assert_array_equal(run(f, np.float32([1]), pass_workspace=True), np.float32([2]))
    np.testing.assert_array_equal(workspace.FetchBlob("inside"), np.float32([1]))


def test_a_failing_function_names_its_operator():
    def f(inputs, outputs):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine") as caught:
        run(f, np.float32([1]))
    assert caught.value.__notes__ == ["raised in Python"]


def test_tensors_by_themselves():
    tensor = Tensor()
    assert tensor.shape == ()
    tensor.init([2, 1], core.DataType.INT64)
    assert (tensor.shape, tensor._shape, tensor.data.dtype) == ((2, 1), (2, 1), np.int64)
    tensor.data[...] = 5
    tensor.reshape([2])
    np.testing.assert_array_equal(tensor.fetch(), [5, 5])
    tensor.reshape([3])
    np.testing.assert_array_equal(tensor.fetch(), [0, 0, 0])
    with pytest.raises(errors.TypeMismatch, match="feed takes a numpy array or a string, not list"):
        tensor.feed([1])


def test_tokens_are_never_shared():
    assert python_functions.keep(twice) != python_functions.keep(twice)
