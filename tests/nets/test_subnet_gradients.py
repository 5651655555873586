"""The old names of gradients through nets."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core
from c2lab.nets.branches import add_if_op, add_while_op
from c2lab.nets.subnet_gradients import (
    dedupe_g_output,
    disambiguate_grad_if_op_output,
    gen_do_gradient,
    gen_if_gradient,
    gen_while_gradient,
    getNetArgument,
)
from c2lab.proto import caffe2_pb2
from c2lab.workspace import Workspace


def holder(add):
    net, inside = core.Net("outer"), core.Net("inside")
    inside.Mul(["x", "w"], ["x"])
    add(net, "c", ["x"], inside)
    return net.Proto().op[-1]


def test_each_makes_the_gradient_of_its_type():
    branch, loop = holder(add_if_op), holder(add_while_op)
    do = getNetArgument(branch, "then_net").op[0]
    for make, op in ((gen_if_gradient, branch), (gen_while_gradient, loop), (gen_do_gradient, do)):
        ops, gradients = make(op, ["x_grad", None])
        assert ops[-1].is_gradient_op
        assert op.type in {made.type for made in ops}
        assert [gradient is not None for gradient in gradients] == [name in ("x", "w") for name in op.input]
        with pytest.raises(AssertionError, match=r"Different number of gradient blobs .*give None"):
            make(op, ["x_grad"])
        with pytest.raises(AssertionError, match=r"Expected \w+ op, got Relu"):
            make(caffe2_pb2.OperatorDef(type="Relu"), [])


def test_a_net_argument_that_is_not_there():
    assert getNetArgument(holder(add_if_op), "else_net") is None


def test_copies_of_gradients_are_made_once_each():
    op = caffe2_pb2.OperatorDef(type="Do", output=["a", "b"])
    assert dedupe_g_output(op, ["g", "h"]) == ([], ["g", "h"])


@pytest.mark.parametrize("condition", [True, False])
def test_an_if_still_computes_what_it_did_under_a_new_name(condition):
    then_net, else_net = core.Net("then"), core.Net("else")
    then_net.Copy("a", "made")
    else_net.Copy("b", "between")
    else_net.Copy("between", "made")
    op = core.CreateOperator("If", ["c", "a", "b"], ["made"], then_net=then_net.Proto(), else_net=else_net.Proto())
    disambiguate_grad_if_op_output(op, 0, "_made_autosplit_0")
    workspace = Workspace()
    for name, value in {"c": np.array(condition), "a": np.float32(1), "b": np.float32(2)}.items():
        workspace.feed(name, value)
    workspace.run_operator(op)
    assert list(op.output) == ["_made_autosplit_0"]
    assert workspace["_made_autosplit_0"] == (1 if condition else 2)
    assert "made" not in workspace
