"""The backward pass on operators that exist only here, so that nothing but the pass itself is tested."""

from __future__ import annotations

import pytest

from c2lab import core, errors
from c2lab.core import CreateOperator, GradientRegistry
from c2lab.graph.backward import BackwardPass
from c2lab.proto import caffe2_pb2
from tests.graph.gradient_chains import backward, chain, written

pytestmark = pytest.mark.usefixtures("made_up_gradients")


# ---- seeds -------------------------------------------------------------------------------------------


def test_a_list_of_blobs_is_seeded_with_ones():
    ops, _ = GradientRegistry.GetBackwardPass(chain("Direct x -> y"), ["y"])
    assert written(ops) == ["ConstantFill y -> y_autogen_grad", "DirectGradient y_autogen_grad -> x_grad"]
    (value,) = ops[0].arg
    assert (value.name, value.f) == ("value", 1.0)
    assert not ops[0].is_gradient_op


def test_a_dictionary_gives_the_gradients_to_start_from():
    ops, gradients = backward(chain("Direct x -> y"), {"y": "dy"})
    assert ops == ["DirectGradient dy -> x_grad"]
    assert gradients == {"y": "dy", "x": "x_grad"}


def test_none_in_the_dictionary_means_ones():
    ops, _ = backward(chain("Direct x -> y", "Direct x -> z"), {"y": "dy", "z": None})
    assert ops[0] == "ConstantFill z -> z_autogen_grad"


def test_blob_references_are_names():
    ops, gradients = backward(chain("Direct x -> y"), {core.BlobReference("y"): core.BlobReference("dy")})
    assert ops == ["DirectGradient dy -> x_grad"]
    assert gradients["x"] == "x_grad"


def test_anything_else_is_a_type_error():
    with pytest.raises(TypeError, match=r"ys should either be a list or a dict"):
        GradientRegistry.GetBackwardPass(chain("Direct x -> y"), "y")


def test_gradients_are_blob_references():
    _, gradients = GradientRegistry.GetBackwardPass(chain("Direct x -> y"), ["y"])
    assert all(isinstance(name, core.BlobReference) for name in [*gradients, *gradients.values()])


# ---- chains ------------------------------------------------------------------------------------------


def test_the_order_is_reversed():
    ops, _ = backward(chain("Direct x -> h", "UseInput h -> k", "UseOutput k -> y"), {"y": "dy"})
    assert ops == [
        "UseOutputGradient y dy -> k_grad",
        "UseInputGradient h k_grad -> h_grad",
        "DirectGradient h_grad -> x_grad",
    ]


def test_operators_away_from_the_loss_get_no_gradient():
    ops, gradients = backward(chain("Direct x -> y", "Direct x -> other"), {"y": "dy"})
    assert ops == ["DirectGradient dy -> x_grad"]
    assert "other" not in gradients


def test_no_gradient_cuts():
    ops, gradients = backward(chain("Direct x -> h", "NoGrad h -> k", "Direct k -> y"), {"y": "dy"})
    assert ops == ["DirectGradient dy -> k_grad"]
    assert gradients == {"y": "dy", "k": "k_grad"}


def test_a_branch_without_gradient_leaves_the_other_one():
    ops, gradients = backward(chain("Direct x -> h", "NoGrad h -> k", "Direct h -> y"), {"y": "dy"})
    assert ops == ["DirectGradient dy -> h_grad", "DirectGradient h_grad -> x_grad"]
    assert gradients["h"] == "h_grad"


def test_the_name_scope_stays_in_front():
    with core.NameScope("a"):
        _, gradients = GradientRegistry.GetBackwardPass(chain("Direct x -> y"), [core.ScopedBlobReference("y")])
    assert gradients["a/x"] == "a/x_grad"
    assert gradients["a/y"] == "a/y_autogen_grad"


# ---- versions ----------------------------------------------------------------------------------------


def test_in_place_operators_are_versions():
    ops, gradients = backward(chain("Direct x -> h", "UseOutput h -> h", "Direct h -> y"), {"y": "dy"})
    assert ops == [
        "DirectGradient dy -> h_grad",
        "UseOutputGradient h h_grad -> h_grad",
        "DirectGradient h_grad -> x_grad",
    ]
    assert gradients["x"] == "x_grad"


def test_in_place_and_two_readers_are_summed_at_their_version():
    steps = chain("Direct x -> h", "Direct h -> h", "Direct h -> a", "Direct h -> b")
    ops, _ = backward(steps, {"a": "da", "b": "db"})
    assert ops[2:] == [
        "Sum h_grad _h_grad_autosplit_0 -> h_grad",
        "DirectGradient h_grad -> h_grad",
        "DirectGradient h_grad -> x_grad",
    ]


def test_a_cut_in_place_leaves_no_gradient_behind():
    _, gradients = backward(chain("Direct x -> h", "NoGrad h -> h", "Direct h -> y"), {"y": "dy"})
    assert "h" not in gradients
    assert "x" not in gradients


def test_an_input_that_is_overwritten_names_both_operators():
    steps = chain("Direct x -> h", "UseInput h -> k", "Direct h -> h", "Direct h -> z")
    with pytest.raises(errors.UnsafeInplace) as caught:
        backward(steps, {"k": "dk", "z": "dz"})
    told = str(caught.value)
    assert 'Gradient operator needs input "h" at version 0, but currently we have version 1' in told
    assert "UseInput (operator 1)" in told
    assert "Direct (operator 2) has overwritten it" in told
    assert 'Version history of blob "h"' in told
    assert "version 0: written by Direct (operator 0), read by UseInput (operator 1), Direct (operator 2)" in told


def test_an_output_that_is_overwritten_is_an_error_too():
    with pytest.raises(RuntimeError, match=r'needs output "h" at version 0, but currently we have version 1'):
        backward(chain("UseOutput x -> h", "Direct h -> h"), {"h": "dh"})


def test_a_blob_written_twice_without_reading_is_an_error():
    with pytest.raises(RuntimeError, match=r'Gradient name "dh" is expected to correspond to version 0 of "h"'):
        backward(chain("Direct x -> h", "Direct z -> h"), {"h": "dh"})


def test_a_gradient_operator_may_not_read_strangers():
    GradientRegistry.RegisterGradient("Odd")(
        lambda op, g: (CreateOperator("G", ["stranger", g[0]], "x_grad"), ["x_grad"])
    )
    with pytest.raises(RuntimeError, match=r'Blob name "stranger" not in the scope of operator Odd'):
        backward(chain("Odd x -> y"), {"y": "dy"})


def test_a_gradient_of_several_operators_reads_its_own_blobs():
    @GradientRegistry.RegisterGradient("TwoSteps")
    def _(op, g):
        return [CreateOperator("First", g[0], "between"), CreateOperator("Second", "between", "x_grad")], ["x_grad"]

    ops, _ = backward(chain("TwoSteps x -> y"), {"y": "dy"})
    assert ops == ["First dy -> between", "Second between -> x_grad"]


# ---- makers and stops --------------------------------------------------------------------------------


def test_an_orphaned_stop_is_a_value_error():
    steps = chain("Direct x -> h", "StopGradient h -> stopped", "Direct h -> y")
    with pytest.raises(ValueError, match=r"StopGradient's output 'stopped' is orphan.*same input and output"):
        backward(steps, {"y": "dy"})


def test_a_refused_gradient_names_operator_net_and_line():
    net = core.Net("refused")
    net.Accuracy(["p", "l"], "acc")
    with pytest.raises(Exception, match=r"should not call gradient for operator Accuracy") as caught:
        net.AddGradientOperators(["acc"])
    assert 'Accuracy (operator 0 of net "refused", added at test_backward.py line' in str(caught.value)


def test_a_maker_that_fails_says_for_which_operator():
    @GradientRegistry.RegisterGradient("Broken")
    def _(op, g):
        raise KeyError("oops")

    with pytest.raises(RuntimeError, match=r"Exception when creating gradient for \[Broken\]: 'oops'"):
        backward(chain("Broken x -> y"), {"y": "dy"})


def test_a_registered_gradient_comes_before_the_built_in_one():
    GradientRegistry.RegisterGradient("Relu")(lambda op, g: (CreateOperator("Mine", g[0], "x_grad"), ["x_grad"]))
    assert backward(chain("Relu x -> y"), {"y": "dy"})[0] == ["Mine dy -> x_grad"]


def test_the_built_in_gradient_is_marked():
    (op,), _ = GradientRegistry.GetBackwardPass(chain("Relu x -> y"), {"y": "dy"})
    assert op.is_gradient_op
    assert written([op]) == ["ReluGradient y dy -> x_grad"]


def test_gradient_of_one_operator():
    ops, g_input = GradientRegistry.GetGradientForOp(CreateOperator("Relu", "x", "y"), [core.BlobReference("dy")])
    assert written(ops) == ["ReluGradient y dy -> x_grad"]
    assert list(g_input) == ["x_grad"]


def test_zero_gradient_is_asked_without_any_gradient():
    asked = []
    GradientRegistry.RegisterGradient("ZeroGradient")(lambda op, g: (asked.append(g), ([], [None]))[1])
    backward(chain("ZeroGradient x -> ", "Direct x -> y"), {"y": "dy"})
    assert asked == [[]]


def test_the_forward_pass_is_left_as_it_was():
    steps = chain("Direct x -> a", "Direct x -> b")
    before = [op.SerializeToString() for op in steps]
    backward(steps, ["a", "b"])
    assert [op.SerializeToString() for op in steps] == before


def test_seeds_are_made_where_the_loss_is():
    gpu = core.DeviceOption(caffe2_pb2.CUDA, 1)
    (step,) = chain("Direct x -> y")
    step.device_option.CopyFrom(gpu)
    seed = BackwardPass([step], GradientRegistry.GetGradientForOp).gradients_of(["y"]).ops[0]
    assert seed.device_option == gpu
    with core.DeviceScope(core.DeviceOption(caffe2_pb2.CUDA, 0)):
        (seed, *_), _ = GradientRegistry.GetBackwardPass([step], ["y"])
    assert seed.device_option.device_id == 0


def test_skip_leaves_the_first_operators_out():
    net = core.Net("skipping")
    net.extend_ops(chain("Direct x -> h", "Direct h -> y"))
    gradients = net.AddGradientOperators(["y"], skip=1)
    assert "h" in gradients
    assert "x" not in gradients
