"""Gradients of blobs that have several readers: when, in which order and under which names they are joined."""

from __future__ import annotations

import random

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.core import CreateOperator, GradientRegistry, GradientSlice
from c2lab.proto import caffe2_pb2
from tests.graph.gradient_chains import backward, chain

pytestmark = pytest.mark.usefixtures("made_up_gradients")


# ---- several readers ---------------------------------------------------------------------------------


def test_two_readers_are_summed():
    ops, gradients = backward(chain("Direct x -> h", "Direct h -> a", "Direct h -> b"), {"a": "da", "b": "db"})
    assert ops == [
        "DirectGradient db -> h_grad",
        "DirectGradient da -> _h_grad_autosplit_0",
        "Sum h_grad _h_grad_autosplit_0 -> h_grad",
        "DirectGradient h_grad -> x_grad",
    ]
    assert gradients["h"] == "h_grad"


def test_three_readers_are_summed_once():
    steps = chain("Direct h -> a", "Direct h -> b", "Direct h -> c")
    ops, _ = backward(steps, {"a": "da", "b": "db", "c": "dc"})
    assert ops[-1] == "Sum h_grad _h_grad_autosplit_0 _h_grad_autosplit_1 -> h_grad"
    assert len(ops) == 4


def test_the_underscore_stands_in_front_of_the_scope():
    with core.NameScope("s"):
        ops = chain("Direct x -> a", "Direct x -> b")
    made, _ = backward(ops, {"s/a": "da", "s/b": "db"})
    assert made[-1] == "Sum s/x_grad _s/x_grad_autosplit_0 -> s/x_grad"


def test_one_operator_that_reads_a_blob_twice_is_summed():
    ops, _ = backward(chain("Direct x x -> y"), {"y": "dy"})
    assert ops == ["DirectGradient dy -> x_grad _x_grad_autosplit_0", "Sum x_grad _x_grad_autosplit_0 -> x_grad"]


def test_a_loss_that_is_also_read_is_summed():
    ops, gradients = backward(chain("Direct x -> h", "Direct h -> y"), ["h", "y"])
    assert ops == [
        "ConstantFill h -> h_autogen_grad",
        "ConstantFill y -> y_autogen_grad",
        "DirectGradient y_autogen_grad -> _h_grad_autosplit_0",
        "Sum h_autogen_grad _h_grad_autosplit_0 -> h_autogen_grad",
        "DirectGradient h_autogen_grad -> x_grad",
    ]
    assert gradients["h"] == "h_autogen_grad"


def test_gradients_that_are_passed_on_are_summed_under_the_blobs_own_name():
    ops, gradients = backward(chain("PassOn x -> a", "PassOn x -> b"), {"a": "da", "b": "db"})
    assert ops == ["Sum db da -> x_grad"]
    assert gradients["x"] == "x_grad"


def test_a_gradient_passed_on_and_one_written_are_summed_in_place():
    ops, _ = backward(chain("Direct x -> a", "PassOn x -> b"), {"a": "da", "b": "db"})
    assert ops == ["DirectGradient da -> x_grad", "Sum x_grad db -> x_grad"]


def test_the_sum_is_emitted_as_soon_as_all_are_there():
    steps = chain("Direct x -> h", "Direct h -> a", "Direct h -> b", "Direct z -> y")
    ops, _ = backward(steps, {"a": "da", "b": "db", "y": "dy"})
    assert ops.index("Sum h_grad _h_grad_autosplit_0 -> h_grad") == 3


def test_the_sum_is_no_gradient_operator_but_has_their_device():
    gpu = core.DeviceOption(caffe2_pb2.CUDA, 1)

    @GradientRegistry.RegisterGradient("OnDevice")
    def _(op, g):
        name = f"{op.input[0]}_grad"
        return CreateOperator("G", g[0], name, device_option=op.device_option), [name]

    with core.DeviceScope(gpu):
        steps = chain("OnDevice x -> a", "OnDevice x -> b")
    ops, _ = GradientRegistry.GetBackwardPass(steps, ["a", "b"])
    assert ops[-1].type == "Sum"
    assert all(core.device_option_equal(op.device_option, gpu) for op in ops)
    assert list(ops[-1].device_option.extra_info) == ["is_auto_gen_sum_ops:1"]


def test_a_given_gradient_is_on_no_device():
    (relu,) = chain("Relu h -> y")
    relu.device_option.CopyFrom(core.DeviceOption(caffe2_pb2.CUDA, 1))
    with core.DeviceScope(core.DeviceOption(caffe2_pb2.CUDA, 0)):
        ops, _ = GradientRegistry.GetBackwardPass([relu], {"h": "dh", "y": "dy"})
    assert [(op.type, op.device_option.device_id) for op in ops] == [("ReluGradient", 1), ("Sum", 1)]


def test_readers_on_two_devices_are_an_error():
    @GradientRegistry.RegisterGradient("OnDevice")
    def _(op, g):
        name = f"{op.input[0]}_grad"
        return CreateOperator("G", g[0], name, device_option=op.device_option), [name]

    steps = chain("OnDevice x -> a", "OnDevice x -> b")
    for number, op in enumerate(steps):
        op.device_option.CopyFrom(core.DeviceOption(caffe2_pb2.CUDA, number))
    with pytest.raises(RuntimeError, match=r"Gradients for param 'x' failed .*not all grad ops have the same device"):
        GradientRegistry.GetBackwardPass(steps, {"a": "da", "b": "db"})


# ---- sparse ------------------------------------------------------------------------------------------


def test_one_sparse_gradient_is_a_slice():
    _, gradients = backward(chain("Rows w i -> y"), {"y": "dy"})
    assert gradients["w"] == GradientSlice("i", "dy")


def test_two_sparse_gradients_are_concatenated():
    ops, gradients = backward(chain("Rows w i -> a", "Rows w j -> b"), {"a": "da", "b": "db"})
    assert ops == [
        "Concat j i -> w_grad_indices_concat w_grad_indices_concat_split",
        "Concat db da -> w_grad_values_concat w_grad_values_concat_split",
    ]
    assert gradients["w"] == GradientSlice("w_grad_indices_concat", "w_grad_values_concat")


def test_the_sparse_concat_is_along_the_rows():
    ops, _ = GradientRegistry.GetBackwardPass(chain("Rows w i -> a", "Rows w j -> b"), ["a", "b"])
    assert [(a.name, a.i) for a in ops[-1].arg] == [("axis", 0)]


def test_computed_slices_step_aside():
    ops, gradients = backward(chain("Hash w -> a", "Hash w -> b"), {"a": "da", "b": "db"})
    assert ops[:2] == [
        "HashGradient db -> _w_grad_indices_autosplit_0 _w_grad_values_autosplit_0",
        "HashGradient da -> _w_grad_indices_autosplit_1 _w_grad_values_autosplit_1",
    ]
    assert ops[2].startswith("Concat _w_grad_indices_autosplit_0 _w_grad_indices_autosplit_1 -> w_grad_indices_concat")
    assert gradients["w"].values == "w_grad_values_concat"


def test_sparse_and_dense_do_not_mix():
    with pytest.raises(RuntimeError, match=r"Gradients for param 'w' .*mix of sparse and dense gradients is not supp"):
        backward(chain("Rows w i -> a", "Direct w -> b"), {"a": "da", "b": "db"})


def test_a_slice_can_be_given():
    _, gradients = backward(chain("PassOn w -> v"), {"v": GradientSlice("i", "g")})
    assert gradients["w"] == GradientSlice("i", "g")


# ---- gradients of several operators ---


def test_a_gradient_that_is_finished_in_place_is_one_gradient():
    @GradientRegistry.RegisterGradient("TwoSteps")
    def _(op, g):
        return [CreateOperator("First", g[0], "x_grad"), CreateOperator("Second", "x_grad", "x_grad")], ["x_grad"]

    ops, _ = backward(chain("TwoSteps x -> a", "Direct x -> b"), {"a": "da", "b": "db"})
    assert ops == [
        "DirectGradient db -> x_grad",
        "First da -> _x_grad_autosplit_0",
        "Second _x_grad_autosplit_0 -> _x_grad_autosplit_0",
        "Sum x_grad _x_grad_autosplit_0 -> x_grad",
    ]


def test_a_gradient_that_reads_another_one_of_its_own_follows_the_new_name():
    @GradientRegistry.RegisterGradient("Minus")
    def _(op, g):
        made = [f"{name}_grad" for name in op.input]
        ops = [CreateOperator("First", g[0], made[0]), CreateOperator("Negative", made[0], made[1])]
        return ops, made

    ops, _ = backward(chain("Minus x z -> a", "Direct x -> b"), {"a": "da", "b": "db"})
    assert ops[1:3] == ["First da -> _x_grad_autosplit_0", "Negative _x_grad_autosplit_0 -> z_grad"]


# ---- any net ---


FORWARD = {
    "Tanh": lambda x: jnp.tanh(x),
    "Sigmoid": lambda x: 1 / (1 + jnp.exp(-x)),
    "Mul": lambda x, y: x * y,
    "Sub": lambda x, y: x - y,
    "Add": lambda x, y: x + y,
    "Sum": lambda *xs: sum(xs),
}


def random_net(seed):
    """Operators that read any blobs written before, some twice, some in place."""
    choose = random.Random(seed)
    net, blobs = core.Net(f"random_{seed}"), ["x", "w"]
    for number in range(12):
        kind = choose.choice(list(FORWARD))
        count = {"Tanh": 1, "Sigmoid": 1, "Sum": 3}.get(kind, 2)
        inputs = [choose.choice(blobs) for _ in range(count)]
        # A blob may be overwritten as long as no gradient needs its old values: the newest, unread one.
        in_place = kind in ("Tanh", "Sigmoid") and choose.random() < 0.5 and len(blobs) > 2
        if in_place:
            inputs = [blobs[-1]]
        output = inputs[0] if in_place and not any(inputs[0] in op.input for op in net.Proto().op) else f"h{number}"
        if output in blobs and net.Proto().op[-1].type in ("Tanh", "Sigmoid"):
            output = f"h{number}"  # the gradient of the one before reads its output
        getattr(net, kind)(inputs, output)
        blobs = [*(blob for blob in blobs if blob != output), output]
    return net


@pytest.mark.parametrize("seed", range(8))
def test_the_gradient_of_any_net_is_right(seed):
    net = random_net(seed)
    forward = list(net.Proto().op)
    last = forward[-1].output[0]

    def loss(given):
        blobs = dict(given)
        for op in forward:
            blobs[op.output[0]] = FORWARD[op.type](*(blobs[name] for name in op.input))
        return blobs[last].sum()

    values = {name: np.random.default_rng(seed).uniform(-1, 1, 4).astype(np.float32) for name in ("x", "w")}
    gradients = net.AddGradientOperators([last])
    for name, value in values.items():
        workspace.FeedBlob(name, value)
    workspace.RunNetOnce(net)
    for name, expected in jax.grad(loss)(values).items():
        got = workspace.FetchBlob(gradients[name]) if name in gradients else np.zeros(4, np.float32)
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)
