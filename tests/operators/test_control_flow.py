"""Nets inside operators, on the blobs around them."""

from __future__ import annotations

import os
import signal
import threading

import numpy as np
import pytest

from c2lab import core
from c2lab.errors import C2LabError
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument
from c2lab.workspace import Workspace


def net_of(*ops, **fields):
    net = caffe2_pb2.NetDef(**fields)
    net.op.extend(ops)
    return net


def op(type, inputs, outputs, **arguments):
    made = caffe2_pb2.OperatorDef(type=type, input=inputs, output=outputs)
    made.arg.extend(make_argument(name, value) for name, value in arguments.items())
    return made


@pytest.mark.parametrize("condition", [True, False])
def test_if_runs_one_branch_on_the_blobs_around_it(condition):
    workspace = Workspace()
    workspace.feed("c", np.array([condition]))
    workspace.feed("x", np.float32([1, 2]))
    double, negate = net_of(op("Add", ["x", "x"], ["y"])), net_of(op("Negative", ["x"], ["y"]))
    workspace.run_operator(op("If", ["c", "x"], ["y"], then_net=double, else_net=negate))
    np.testing.assert_array_equal(workspace["y"], [2, 4] if condition else [-1, -2])


def test_if_without_else_leaves_blobs_alone():
    workspace = Workspace()
    workspace.feed("c", np.array([False]))
    workspace.feed("y", np.float32([7]))
    workspace.run_operator(op("If", ["c"], ["y"], then_net=net_of(op("Negative", ["y"], ["y"]))))
    np.testing.assert_array_equal(workspace["y"], [7])


def test_condition_must_be_one_bool():
    workspace = Workspace()
    workspace.feed("c", np.int32([1]))
    with pytest.raises(C2LabError, match=r"condition c is int32\[1\]; it must hold one bool"):
        workspace.run_operator(op("If", ["c"], [], then_net=net_of()))


@pytest.mark.parametrize("runs", [1, 3])
def test_a_net_inside_sees_what_was_written_before_it_even_where_nothing_says_so(runs):
    workspace = Workspace()
    workspace.feed("c", np.array([True]))
    workspace.feed("x", np.float32([1]))
    inner = net_of(op("Add", ["a", "a"], ["b"]))
    workspace.create(
        net_of(
            op("Exp", ["x"], ["a"]),
            op("If", ["c"], [], then_net=inner),
            op("Negative", ["b"], ["d"]),
            op("ConstantFill", [], ["a"], shape=[1], value=0.0),
            name="hidden",
            external_output=["d"],
        ),
        input_blobs=["b"],
    )
    workspace.run("hidden", runs)
    np.testing.assert_allclose(workspace["d"], [-2 * np.e], rtol=1e-6)
    np.testing.assert_array_equal(workspace["a"], [0])


def test_while_asks_its_condition_net_before_each_round():
    workspace = Workspace()
    for name, value in {"c": np.array([False]), "i": np.int64([0]), "n": np.int64([5]), "one": np.int64([1]),
                        "s": np.int64([0])}.items():  # fmt: skip
        workspace.feed(name, value)
    condition = net_of(op("LT", ["i", "n"], ["c"]))
    body = net_of(op("Add", ["i", "one"], ["i"]), op("Add", ["s", "i"], ["s"]))
    loop = op("While", ["c", "i", "n", "one", "s"], ["c", "i", "s"], loop_net=body, cond_net=condition)
    workspace.create(net_of(loop, name="loop"))
    workspace.run("loop")
    assert workspace["s"] == 15
    workspace.run("loop")
    assert workspace["s"] == 15


def test_while_without_a_condition_net_stops_by_its_body():
    workspace = Workspace()
    for name, value in {"c": np.array([True]), "i": np.int64([0]), "n": np.int64([5]), "one": np.int64([1])}.items():
        workspace.feed(name, value)
    body = net_of(op("Add", ["i", "one"], ["i"]), op("LT", ["i", "n"], ["c"]))
    workspace.run_operator(op("While", ["c", "i", "n", "one"], ["c", "i"], loop_net=body))
    assert workspace["i"] == 5


def test_free_empties_and_names_are_listed():
    workspace = Workspace()
    workspace.feed("x", np.float32([1]))
    workspace.run_operator(op("Free", ["x"], ["x"]))
    with pytest.raises(C2LabError, match="empty"):
        workspace.run_operator(op("Exp", ["x"], ["y"]))
    workspace.run_operator(op("GetAllBlobNames", [], ["names"]))
    assert list(workspace["names"]) == [b"names", b"x", b"y"]
    with pytest.raises(C2LabError):
        workspace.run_operator(op("Free", ["x"], ["y"]))


def test_core_writes_nets_as_arguments():
    made = core.CreateOperator("If", ["c"], ["y"], then_net=net_of(op("Exp", ["x"], ["y"])))
    assert made.arg[0].n.op[0].type == "Exp"


def test_an_interrupt_ends_an_endless_loop():
    workspace = Workspace()
    workspace.feed("c", np.array([True]))
    workspace.feed("n", np.int64([0]))
    started = threading.Event()

    def count(inputs, outputs):
        outputs[0].feed(inputs[0].data + 1)
        started.set()

    net, body = core.Net("endless"), core.Net("body")
    body.Python(count)("n", "n")
    net.While(["c", "n"], ["n"], loop_net=body.Proto())
    net.Exp("x", "y")
    workspace.feed("x", np.float32([1]))

    def interrupt():
        started.wait(20)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        workspace.run_once(net.Proto())
    thread.join()
    # The net did not end, so nothing has happened.
    assert workspace["n"] == 0
