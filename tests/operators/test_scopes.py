import numpy as np
import pytest

from c2lab.errors import BadArgument, BadValue, NoGradient
from c2lab.operators.subnets import BoundBlobs, Scopes
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument
from c2lab.workspace import Workspace
from tests.operators.calls import wiring


def net_of(*steps):
    net = caffe2_pb2.NetDef()
    for type, inputs, outputs in steps:
        net.op.add(type=type, input=inputs, output=outputs)
    return net


def op(type, inputs, outputs, *, backward=False, **arguments):
    made = caffe2_pb2.OperatorDef(type=type, input=inputs, output=outputs, is_gradient_op=backward)
    made.arg.extend(make_argument(name, value) for name, value in arguments.items())
    return made


@pytest.fixture
def workspace():
    workspace = Workspace()
    workspace.run_operator(op("CreateScope", [], ["scopes"]))
    workspace.feed("x", np.float32([0.5, -1]))
    return workspace


FORWARD = net_of(("Exp", ["in"], ["local"]), ("Negative", ["local"], ["out"]))


def forward(**arguments):
    bound = {"net": FORWARD, "inner_blobs": ["in", "out"], "outer_blobs_idx": [0, 2]}
    return op("Do", ["x", "scopes"], ["y", "scopes"], **(bound | arguments))


def backward(**arguments):
    net = net_of(("Mul", ["local", "in"], ["found"]))
    bound = {"net": net, "inner_blobs": ["found"], "outer_blobs_idx": [1], "saved_fwd_blobs": ["local"]}
    return op("Do", ["scopes"], ["z", "scopes"], backward=True, **(bound | arguments))


def test_create_scope_makes_none_yet(workspace):
    scopes = workspace.blobs["scopes"]
    assert isinstance(scopes, Scopes)
    assert scopes.entered == []


@pytest.mark.parametrize("entered", [0, 1, 2])
def test_has_scope(workspace, entered):
    workspace.blobs["scopes"].entered.extend(BoundBlobs({}, {}, {}) for _ in range(entered))
    workspace.run_operator(op("HasScope", ["scopes"], ["more"]))
    assert workspace["more"].dtype == bool
    np.testing.assert_array_equal(workspace["more"], [entered > 0])


def test_do_leaves_its_blobs_in_the_scope(workspace):
    workspace.run_operator(forward())
    np.testing.assert_allclose(workspace["y"], -np.exp(np.float32([0.5, -1])), rtol=1e-6)
    (scope,) = workspace.blobs["scopes"].entered
    assert list(scope.own) == ["local"]
    assert scope.bindings == {"in": "x", "out": "y"}


def test_the_way_back_sees_what_the_forward_run_saw(workspace):
    workspace.run_operator(forward())
    workspace.run_operator(backward())
    x = np.float64([0.5, -1])
    np.testing.assert_allclose(workspace["z"], x * np.exp(x), rtol=1e-6)
    assert workspace.blobs["scopes"].entered == []


def test_the_way_back_sees_bound_blobs_as_they_were(workspace):
    """Before and after the forward run, whatever became of them since."""
    net = net_of(("Negative", ["in"], ["in"]))
    workspace.run_operator(op("Do", ["x", "scopes"], ["x", "scopes"], net=net, inner_blobs=["in"],
                              outer_blobs_idx=[0], copy_external_blobs=True))  # fmt: skip
    workspace.feed("x", np.float32([7, 7]))
    for name, sign in (("first", 1), ("in", -1)):
        workspace.blobs["scopes"].entered.append(workspace.blobs["scopes"].entered[-1])
        back = net_of(("Copy", [name], ["found"]))
        given = {"first_values": ["first"], "first_values_of": ["in"]} if name == "first" else {}
        workspace.run_operator(backward(net=back, saved_fwd_blobs=[] if given else ["in"], **given))
        np.testing.assert_allclose(workspace["z"], np.float32([0.5, -1]) * sign)
    with pytest.raises(BadValue, match=r"has no blobs \['out'\]"):
        workspace.run_operator(backward(first_values=["first"], first_values_of=["out"], saved_fwd_blobs=[]))


def test_a_reused_scope_keeps_its_blobs(workspace):
    workspace.run_operator(forward())
    workspace.run_operator(forward(net=net_of(("Copy", ["local"], ["out"])), reuse_workspace=True))
    np.testing.assert_allclose(workspace["y"], np.exp(np.float32([0.5, -1])), rtol=1e-6)
    assert len(workspace.blobs["scopes"].entered) == 1


def test_gradients_of_the_scopes_are_refused():
    with pytest.raises(NoGradient):
        wiring("CreateScope", 0)
    with pytest.raises(NoGradient):
        wiring("HasScope", 1)


def test_refusals(workspace):
    workspace.feed("number", np.float32([1]))
    with pytest.raises(BadValue, match="expected scopes made by CreateScope"):
        workspace.run_operator(op("HasScope", ["number"], ["more"]))
    with pytest.raises(BadArgument, match="must be equally many"):
        workspace.run_operator(forward(outer_blobs_idx=[0]))
    with pytest.raises(BadValue, match="no scope to go back in"):
        workspace.run_operator(backward())
    workspace.run_operator(forward())
    with pytest.raises(BadValue, match=r"has no blobs \['elsewhere'\]"):
        workspace.run_operator(backward(saved_fwd_blobs=["local", "elsewhere"]))
