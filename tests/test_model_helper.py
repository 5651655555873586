"""Models: parameters, their sharing and their gradients, and nets made from models."""

from __future__ import annotations

import pytest

from c2lab import brew, core
from c2lab.model_helper import ModelHelper
from c2lab.parameters.info import ParameterTags
from c2lab.parameters.initializers import ExternalInitializer, Initializer
from c2lab.parameters.sharing import ParameterSharing
from tests.written_nets import written

ZERO = Initializer("ConstantFill")


def names(blobs) -> list[str]:
    return [str(blob) for blob in blobs]


def test_nets_are_named_after_the_model():
    model = ModelHelper("named_model")
    assert model.net.Name() == "named_model"
    assert model.param_init_net.Name() == "named_model_init"
    assert model.get_name() == "named_model"
    assert model.Proto() is model.net.Proto()
    assert model.InitProto() is model.param_init_net.Proto()


def test_a_model_without_a_name_is_called_model():
    assert ModelHelper().name == "model"


def test_arguments_for_all_layers_have_the_defaults_of_the_original():
    defaults = {"order": "NCHW", "use_cudnn": True, "cudnn_exhaustive_search": False}
    assert ModelHelper("m").arg_scope == defaults
    assert ModelHelper("m", arg_scope={"order": "NHWC"}).arg_scope == {**defaults, "order": "NHWC"}


def test_a_parameter_is_filled_and_counted():
    model = ModelHelper("m")
    blob = model.create_param("w", [2, 3], Initializer("XavierFill"), tags=ParameterTags.WEIGHT)
    assert isinstance(blob, core.BlobReference)
    assert written(model.param_init_net) == ["XavierFill() -> w shape=[2,3]"]
    assert model.params == model.weights == ["w"]
    assert model.biases == []
    info = model.get_param_info(blob)
    assert (info.name, info.shape, info.size, info.grad) == ("w", [2, 3], 6, None)


def test_tags_come_singly_or_as_a_list():
    model = ModelHelper("m")
    model.create_param("b", [2], ZERO, tags=[ParameterTags.BIAS, ParameterTags.COMPUTED_PARAM])
    assert model.biases == ["b"]
    assert model.GetParams() == []
    assert model.GetComputedParams() == model.GetAllParams() == ["b"]


def test_a_name_asked_for_twice_is_one_parameter():
    model = ModelHelper("m")
    assert model.create_param("w", [2], ZERO) == model.create_param("w", [2], ZERO)
    assert len(model.params) == len(model.InitProto().op) == 1


def test_a_name_asked_for_with_another_shape_is_refused():
    model = ModelHelper("m")
    model.create_param("w", [2], ZERO)
    with pytest.raises(AssertionError, match=r'"w" is there already with shape \[2\].*asks for \[3\]'):
        model.create_param("w", [3], ZERO)


def test_text_is_put_in_the_scope_and_references_are_not():
    model = ModelHelper("m")
    with core.NameScope("a"):
        model.create_param("w", [2], ZERO)
        model.create_param(core.BlobReference("v"), [2], ZERO)
    assert names(model.params) == ["a/w", "v"]
    with pytest.raises(TypeError, match="text or a BlobReference"):
        model.create_param(3, [2], ZERO)


def test_parameters_of_a_scope():
    model = ModelHelper("m")
    for scope in ("a", "a/b", "c"):
        with core.NameScope(scope):
            model.create_param("w", [2], ZERO)
            model.create_param("m", [2], ZERO, tags=ParameterTags.COMPUTED_PARAM)
    assert names(model.GetParams()) == ["a/w", "a/b/w", "c/w"]
    assert names(model.GetParams("a")) == names(model.GetParams("a/")) == ["a/w", "a/b/w"]
    assert names(model.GetParams("")) == ["a/w", "a/b/w", "c/w"]
    assert names(model.GetAllParams("c")) == ["c/w", "c/m"]
    with core.NameScope("a"):
        assert names(model.GetParams()) == ["a/w", "a/b/w"]


def test_a_parameter_added_twice_is_found_out():
    model = ModelHelper("m")
    for _ in range(2):
        model.AddParameter(core.BlobReference("w"))
    with pytest.raises(AssertionError, match=r"Duplicate params: \['w'\]"):
        model.Validate()
    with pytest.raises(AssertionError, match="BlobReference"):
        model.AddParameter("w")


def test_a_model_that_fills_nothing_takes_parameters_from_outside():
    model = ModelHelper("m", init_params=False)
    brew.fc(model, "x", "y", 3, 2)
    assert len(model.InitProto().op) == 0
    assert names(model.params) == ["y_w", "y_b"]
    assert list(model.Proto().external_input) == ["x", "y_w", "y_b"]


def test_external_initializer_puts_text_in_the_scope():
    net = core.Net("external_init")
    with core.NameScope("a"):
        assert ExternalInitializer().create_param("w", net, [1]).blob == "a/w"
        assert ExternalInitializer().create_param(core.BlobReference("w"), net, [1]).blob == "w"
    with pytest.raises(TypeError):
        ExternalInitializer().create_param(3, net, [1])


def test_one_model_uses_the_parameters_of_another():
    train = ModelHelper("train")
    brew.fc(train, "x", "y", 3, 2)
    test = ModelHelper("test", param_model=train)
    brew.fc(test, "x", "y", 3, 2)
    assert test.params is train.params
    assert names(test.params) == ["y_w", "y_b"]
    assert len(train.InitProto().op) == 2


@pytest.mark.parametrize(
    ("scopes", "inside", "expected"),
    [
        ({"b": "a"}, "b", "a/w"),
        ({"b": "a"}, "a", "a/w"),
        ({"b": "a"}, "c", "c/w"),
        ({"b": "a"}, "b/child", "a/child/w"),
        ({"b": "a", "a": "z"}, "b", "z/w"),
        ({"b/": "a/"}, "b", "a/w"),
        ({"b": ""}, "b", "w"),
        ({"b": "a", "b/shared": "common"}, "b/shared", "common/w"),
    ],
)
def test_scopes_share_parameters(scopes, inside, expected):
    model = ModelHelper("m")
    with ParameterSharing(scopes), core.NameScope(inside):
        assert model.create_param("w", [2], ZERO) == expected


def test_sharing_is_relative_to_the_scope_around_and_ends_with_the_block():
    model = ModelHelper("m")
    with core.NameScope("top"):
        with ParameterSharing({"b": "a"}), core.NameScope("b"):
            assert model.create_param("w", [2], ZERO) == "top/a/w"
            with ParameterSharing({"inner": ""}), core.NameScope("inner"):
                assert model.create_param("v", [2], ZERO) == "top/a/v"
        with core.NameScope("b"):
            assert model.create_param("w", [2], ZERO) == "top/b/w"


def test_layers_of_shared_scopes_have_one_parameter_and_two_outputs():
    model = ModelHelper("m")
    with ParameterSharing({"right": "left"}):
        for scope in ("left", "right"):
            with core.NameScope(scope):
                brew.fc(model, "x", "y", 3, 2)
    assert names(model.params) == ["left/y_w", "left/y_b"]
    assert [list(op.input) for op in model.Proto().op] == [
        ["left/x", "left/y_w", "left/y_b"],
        ["right/x", "left/y_w", "left/y_b"],
    ]
    assert [op.output[0] for op in model.Proto().op] == ["left/y", "right/y"]


def test_a_scope_cannot_share_with_one_inside_of_it():
    with pytest.raises(AssertionError, match="lies inside"), ParameterSharing({"a": "a/b"}):
        pass


def small_model() -> tuple[ModelHelper, core.BlobReference]:
    model = ModelHelper("small")
    y = brew.fc(model, "x", "y", 3, 1)
    return model, model.AveragedLoss(model.SquaredL2Distance([y, "t"], "distance"), "loss")


def test_gradients_are_known_to_the_parameters():
    model, loss = small_model()
    gradients = model.AddGradientOperators([loss])
    assert gradients["y_w"] == "y_w_grad"
    assert model.param_to_grad == {"y_w": "y_w_grad", "y_b": "y_b_grad"}
    assert [(str(info), str(info.grad)) for info in model.GetOptimizationParamInfo()] == [
        ("y_w", "y_w_grad"),
        ("y_b", "y_b_grad"),
    ]
    only_bias = model.GetOptimizationParamInfo([core.BlobReference("y_b")])
    assert [str(info) for info in only_bias] == ["y_b"]


def test_gradients_are_added_once():
    model, loss = small_model()
    with pytest.raises(RuntimeError, match="Need to call AddGradientOperators first"):
        model.GetOptimizationParamInfo()
    with pytest.raises(RuntimeError, match="AddGradientOperators first"):
        model.get_param_to_grad(model.params)
    model.AddGradientOperators([loss])
    with pytest.raises(RuntimeError, match="twice"):
        model.AddGradientOperators([loss])


def test_a_parameter_counted_by_hand_gets_its_gradient_too():
    model = ModelHelper("by_hand")
    w = model.param_init_net.UniformFill([], "w", shape=[1, 3])
    model.AddParameter(w)
    b = model.param_init_net.ConstantFill([], "b", shape=[1])
    loss = model.AveragedLoss(model.SquaredL2Distance([model.FC(["x", w, b], "y"), "t"], "d"), "loss")
    model.AddGradientOperators([loss])
    (info,) = model.GetOptimizationParamInfo()
    assert (info.name, str(info.grad), info.shape) == ("w", "w_grad", [1, 3])


def test_sparse_gradients_can_be_left_out():
    for skip, expected in ((False, ["table"]), (True, [])):
        model = ModelHelper("sparse", skip_sparse_optim=skip)
        table = model.create_param("table", [5, 1], Initializer("UniformFill"))
        rows = model.Gather([table, "indices"], "rows")
        model.AddGradientOperators([model.AveragedLoss(model.SquaredL2Distance([rows, "t"], "d"), "loss")])
        assert [str(info) for info in model.GetOptimizationParamInfo()] == expected


def test_operators_are_attributes():
    model = ModelHelper("m")
    assert model.Relu("x", "y") == "y"
    with pytest.raises(AttributeError, match="Method Rellu is not a registered operator"):
        model.Rellu("x", "y")
    assert "Relu" in dir(model)
    assert "AddGradientOperators" in dir(model)


def test_the_complete_net_can_be_taken_apart_again():
    model, _ = small_model()
    fills, layers = written(model.param_init_net), written(model.net)
    model.Proto().type = "dag"
    complete = model.GetCompleteNet()
    assert complete.Name() == "small_complete_net"
    assert written(complete) == fills + layers
    assert complete.Proto().type == "dag"
    model.ConstructInitTrainNetfromNet(complete)
    assert (written(model.param_init_net), written(model.net)) == (fills, layers)


def test_reading_from_a_database():
    model = ModelHelper("reading")
    with pytest.raises(AssertionError, match=r"model\.net\.TensorProtosDBInput"):
        model.TensorProtosDBInput(["reader"], ["data"], batch_size=2, db="x.db", db_type="minidb")
    data, label = model.TensorProtosDBInput([], ["data", "label"], batch_size=2, db="x.db", db_type="minidb")
    assert (data, label) == ("data", "label")
    assert written(model.param_init_net) == ["CreateDB() -> dbreader_x.db db=x.db db_type=minidb"]
    assert written(model.net) == ["TensorProtosDBInput(dbreader_x.db) -> data, label batch_size=2"]


def test_devices_are_for_data_parallel_models():
    with pytest.raises(AssertionError, match="one device"):
        ModelHelper("m").GetDevices()
