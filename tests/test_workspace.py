"""Workspaces: feeding, fetching, running, and what stays when something fails."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import workspace
from c2lab.errors import BadArgument, BadValue, MissingBlob, MissingNet, TypeMismatch
from c2lab.operators.checks import require
from c2lab.operators.definition import host_operator, operator
from c2lab.proto import caffe2_pb2


@operator("TestLabelledUpdate", inplace="P -> Y")
def labelled_update(P, label):
    """Adds the label to P; labels must be under 3."""
    require(label < 3, "label must be under 3")
    return P + label.astype(P.dtype)


@operator("TestNoise")
def noise(X, *, rng):
    """Uniform noise of the shape of X."""
    import jax

    return jax.random.uniform(rng, X.shape, X.dtype)


@host_operator("TestHostDouble")
def host_double(X):
    """Twice X, on the host."""
    return X * 2


def net_of(*ops, name="net", **fields):
    net = caffe2_pb2.NetDef(name=name, **fields)
    for type, inputs, outputs in ops:
        net.op.add(type=type, input=inputs, output=outputs)
    return net


ALL_TYPES = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "bool"]


@pytest.mark.parametrize("dtype", ALL_TYPES)
@pytest.mark.parametrize("shape", [(), (3,), (0, 3), (2, 1, 2)])
def test_feed_and_fetch_keep_type_and_shape(dtype, shape):
    value = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    assert workspace.FeedBlob("x", value) is True
    fetched = workspace.FetchBlob("x")
    assert fetched.dtype == value.dtype
    assert fetched.shape == shape
    np.testing.assert_array_equal(fetched, value)


def test_wide_types_survive_without_touching_the_users_jax():
    import jax

    before = jax.config.jax_enable_x64
    workspace.FeedBlob("x", np.array([2**40 + 1]))
    workspace.RunOperatorOnce(caffe2_pb2.OperatorDef(type="Copy", input=["x"], output=["y"]))
    assert workspace.FetchBlob("y")[0] == 2**40 + 1
    assert jax.config.jax_enable_x64 == before
    assert jax.numpy.arange(2).dtype == "int32" or before


def test_the_blob_is_a_copy_both_ways():
    value = np.ones(64, np.float32)
    workspace.FeedBlob("x", value)
    value[:] = 7
    fetched = workspace.FetchBlob("x")
    fetched[:] = 9
    np.testing.assert_array_equal(workspace.FetchBlob("x"), np.ones(64, np.float32))


@pytest.mark.parametrize("value", [[1, 2], 3, 1.5, None])
def test_only_arrays_and_strings_are_fed(value):
    with pytest.raises(RuntimeError, match="only numpy array or string"):
        workspace.FeedBlob("x", value)


@pytest.mark.parametrize("dtype", ["uint32", "uint64", "complex64"])
def test_types_that_blobs_do_not_have(dtype):
    with pytest.raises(TypeMismatch, match="This numpy data type is not supported"):
        workspace.FeedBlob("x", np.zeros(2, dtype))


def test_strings_come_back_as_bytes():
    workspace.FeedBlob("s", "grün")
    assert workspace.FetchBlob("s") == "grün".encode()
    workspace.FeedBlob("a", np.array([["ab", "c"]]))
    fetched = workspace.FetchBlob("a")
    assert fetched.dtype == object
    assert fetched.tolist() == [[b"ab", b"c"]]


def test_missing_blob_names_the_nearest():
    workspace.FeedBlob("conv1_w", np.zeros(1, np.float32))
    with pytest.raises(RuntimeError, match=r"Can't find blob: conv1_v\..*conv1_w"):
        workspace.FetchBlob("conv1_v")


def test_blobs_are_sorted_and_reset_keeps_the_name():
    for name in "cab":
        workspace.FeedBlob(name, np.zeros(1, np.float32))
    assert workspace.Blobs() == ["a", "b", "c"]
    assert workspace.ResetBlob("a")
    assert workspace.HasBlob("a")
    assert workspace.FetchBlob("a") == b"a, a C++ native class of type nullptr (uninitialized)."
    workspace.ResetWorkspace()
    assert workspace.Blobs() == []
    assert workspace.CurrentWorkspace() == "default"


def test_workspaces_are_isolated():
    workspace.FeedBlob("x", np.zeros(1, np.float32))
    with pytest.raises(RuntimeError, match="create_if_missing"):
        workspace.SwitchWorkspace("other-unknown")
    workspace.SwitchWorkspace(b"second", True)
    assert workspace.CurrentWorkspace() == "second"
    assert not workspace.HasBlob("x")
    assert "second" in workspace.Workspaces()
    with workspace.WorkspaceGuard("default"):
        assert workspace.HasBlob("x")
    assert workspace.CurrentWorkspace() == "second"


def test_every_blob_a_net_wrote_can_be_fetched():
    workspace.FeedBlob("x", np.float32([-1, 2]))
    workspace.CreateNet(net_of(("Relu", ["x"], ["y"]), ("TestHostDouble", ["y"], ["z"]), ("Relu", ["z"], ["w"])))
    assert workspace.RunNet("net") is True
    for name, want in {"y": [0, 2], "z": [0, 4], "w": [0, 4]}.items():
        np.testing.assert_array_equal(workspace.FetchBlob(name), want)


def test_several_iterations_leave_the_last_ones_values():
    workspace.FeedBlob("p", np.float32([0]))
    workspace.FeedBlob("one", np.int32(1))
    net = net_of(("TestLabelledUpdate", ["p", "one"], ["p"]), ("Relu", ["p"], ["seen"]))
    workspace.CreateNet(net)
    workspace.RunNet("net", 10)
    assert workspace.FetchBlob("p") == workspace.FetchBlob("seen") == 10


def test_create_twice_and_run_unknown():
    net = net_of(("Relu", ["x"], ["y"]))
    workspace.FeedBlob("x", np.zeros(1, np.float32))
    workspace.CreateNet(net)
    with pytest.raises(RuntimeError, match="refuse to overwrite"):
        workspace.CreateNet(net)
    assert workspace.CreateNet(net, overwrite=True)
    with pytest.raises(MissingNet, match=r"Can't find net nett\. *|create it first"):
        workspace.RunNet("nett")
    assert workspace.RunNet("net", allow_fail=True)


def test_missing_input_is_said_at_creation():
    with pytest.raises(MissingBlob, match=r'Relu .operator 0 of net "net".*non-existing input blob: zz'):
        workspace.CreateNet(net_of(("Relu", ["zz"], ["y"])))


def test_unknown_net_type():
    with pytest.raises(BadArgument, match="Could not create net: net of type bogus"):
        workspace.CreateNet(net_of(name="net", type="bogus"))


def test_an_empty_blob_is_said_when_running():
    workspace.CreateBlob("x")
    workspace.CreateNet(net_of(("Relu", ["x"], ["y"])))
    with pytest.raises(MissingBlob, match="nothing has written it yet"):
        workspace.RunNet("net")


def test_a_failed_check_leaves_the_workspace_as_it_was():
    workspace.FeedBlob("p", np.float32([1]))
    workspace.FeedBlob("label", np.int32(2))
    workspace.CreateNet(net_of(("TestLabelledUpdate", ["p", "label"], ["p"]), ("Relu", ["p"], ["seen"])))
    workspace.RunNet("net")
    workspace.FeedBlob("label", np.int32(5))
    with pytest.raises(BadValue, match=r"TestLabelledUpdate .operator 0 .*label must be under 3"):
        workspace.RunNet("net")
    assert workspace.FetchBlob("p") == 3
    assert workspace.FetchBlob("seen") == 3
    workspace.FeedBlob("label", np.int32(1))
    workspace.RunNet("net", 3)
    assert workspace.FetchBlob("p") == 6


def test_shapes_may_change_between_runs():
    workspace.FeedBlob("x", np.zeros((2, 3), np.float32))
    workspace.CreateNet(net_of(("Relu", ["x"], ["y"])))
    for shape in [(2, 3), (4,), (2, 3), (0, 1)]:
        workspace.FeedBlob("x", -np.ones(shape, np.float32))
        workspace.RunNet("net")
        assert workspace.FetchBlob("y").shape == shape


def test_unseeded_draws_never_repeat_and_seeded_ones_do():
    workspace.FeedBlob("x", np.zeros(4, np.float32))
    net = net_of(("TestNoise", ["x"], ["a"]), ("TestNoise", ["x"], ["b"]))
    workspace.RunNetOnce(net)
    first = workspace.FetchBlob("a")
    assert not np.array_equal(first, workspace.FetchBlob("b"))
    workspace.RunNetOnce(net)
    assert not np.array_equal(first, workspace.FetchBlob("a"))

    net.device_option.random_seed = 7
    workspace.CreateNet(net)
    workspace.RunNet("net")
    run1 = workspace.FetchBlob("a")
    np.testing.assert_array_equal(run1, workspace.FetchBlob("b"))
    workspace.RunNet("net")
    assert not np.array_equal(run1, workspace.FetchBlob("a"))
    workspace.CreateNet(net, overwrite=True)
    workspace.RunNet("net")
    np.testing.assert_array_equal(run1, workspace.FetchBlob("a"))


def test_random_state_resumes_bit_for_bit():
    workspace.FeedBlob("x", np.zeros(4, np.float32))
    ws = workspace.current()
    ws.seed(3)
    workspace.CreateNet(net_of(("TestNoise", ["x"], ["a"])))
    workspace.RunNet("net")
    state = ws.random_state()
    workspace.RunNet("net")
    want = workspace.FetchBlob("a")
    workspace.RunNet("net", 4)
    ws.restore_random_state(state)
    workspace.RunNet("net")
    np.testing.assert_array_equal(want, workspace.FetchBlob("a"))


def test_predictor_has_a_workspace_of_its_own():
    workspace.FeedBlob("x", np.float32([5]))
    predict = net_of(("Relu", ["x"], ["y"]), external_input=["x"], external_output=["y"])
    for given in (predict, predict.SerializeToString()):
        predictor = workspace.Predictor(caffe2_pb2.NetDef(), given)
        np.testing.assert_array_equal(predictor.run([np.float32([-1, 2])])[0], [0, 2])
        np.testing.assert_array_equal(predictor.run({"x": np.float32([3])})[0], [3])
        with pytest.raises(BadArgument, match="is no input of net"):
            predictor.run({"q": np.float32([3])})
    assert workspace.FetchBlob("x") == 5
    assert not workspace.HasBlob("y")


def test_infer_shapes_from_given_dimensions():
    shapes, types = workspace.InferShapesAndTypes([net_of(("Relu", ["x"], ["y"]))], {"x": [2, 3]}, nets_proto=True)
    assert shapes["y"] == [2, 3]
    assert types["y"] == caffe2_pb2.TensorProto.FLOAT


def test_blobs_dictionary():
    workspace.blobs["x"] = np.float32([1])
    assert "x" in workspace.blobs
    assert workspace.blobs["x"] == 1
    assert list(workspace.blobs) == ["x"]
