import random
import subprocess
import sys

import pytest

from c2lab import core, optimizer
from c2lab.brew_layers.networks import BUILDERS
from c2lab.builder.code import python_code
from c2lab.builder.gradients import model_of
from c2lab.builder.session import Session, open_model
from c2lab.graph.document import Document
from c2lab.graph.sources import Source
from c2lab.model_helper import ModelHelper
from c2lab.operators import registry
from c2lab.proto import caffe2_pb2
from tests.builder.canvases import do, lenet, random_command, session
from tests.graph.test_scene import random_net


def nameless(net):
    copied = caffe2_pb2.NetDef()
    copied.CopyFrom(net)
    copied.ClearField("name")
    return copied


def built(text):
    """The nets that a text builds: net, and init net or ``None``; and the parameters."""
    names = {}
    exec(compile(text, "generated", "exec"), names)
    if "model" in names:
        model = names["model"]
        return model.Proto(), model.InitProto(), Session(model).closed().document.parameters
    return names["net"].Proto(), caffe2_pb2.NetDef(), {}


def assert_the_same(document):
    code = python_code(document)
    net, init, parameters = built(code.text)
    assert nameless(net) == nameless(document.net), code.text
    assert nameless(init) == nameless(document.init), code.text
    if document.init.op:
        assert dict(parameters) == dict(document.parameters)
    return code


@pytest.mark.parametrize("name", BUILDERS)
def test_whole_networks_are_written_with_brew(name):
    model = ModelHelper(name)
    BUILDERS[name](model, "data", 3, 10)
    code = assert_the_same(Session(model).closed().document)
    assert code.level == ("mixed" if name == "shufflenet" else "brew")


@pytest.mark.parametrize("name", ["LeNet", "ResNet-18", "U-Net", "Character RNN"])
def test_templates(name):
    assert_the_same(session({"command": "add", "kind": "template", "type": name}).document)


def test_training_is_two_lines():
    canvas = lenet()
    do(canvas, "add_optimizer", name="sgd", arguments={"policy": "step", "momentum": 0.5})
    code = assert_the_same(canvas.document)
    assert 'model.AddGradientOperators(["loss"])' in code.text
    assert "optimizer.build_sgd(model, 0.01, momentum=0.5" in code.text
    assert len(code.text.splitlines()) < 20


@pytest.mark.parametrize(
    "build", [optimizer.build_adam, optimizer.build_adagrad, optimizer.build_rms_prop, optimizer.build_yellowfin]
)
def test_other_optimizers_are_the_same_in_some_way(build):
    model = model_of(lenet().document)
    model.AddGradientOperators(["loss"])
    optimizer.reset_optimizer_instance_count()
    build(model, base_learning_rate=0.01)
    assert_the_same(Session(model).closed().document)


def test_random_canvases():
    source = random.Random(11)
    for _ in range(60):
        canvas = session()
        for _ in range(8):
            canvas.handle(random_command(canvas, source))
        assert_the_same(canvas.document)


def test_500_random_nets_by_code():
    source = random.Random(12)
    for _ in range(500):
        net = random_net(source)
        made, init, _ = built(python_code(Document.of(Source(net), None)).text)
        assert nameless(made) == nameless(net)
        assert not init.op


def test_a_new_process_builds_the_same_names_too():
    document = lenet().document
    renamed = caffe2_pb2.NetDef()
    renamed.CopyFrom(document.net)
    renamed.name = "written"
    text = python_code(Document(renamed, document.init, document.parameters, document.canvas)).text
    program = f"{text}\nimport sys\nsys.stdout.buffer.write(model.Proto().SerializeToString())"
    made = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
    assert caffe2_pb2.NetDef.FromString(made) == renamed


HOSTILE = [
    "'); raise SystemExit('",
    '"""',
    "\\",
    "\n",
    "{x}",
    "\u202e",
    "<b>",
    "x" * 5000,
    "__import__('os')",
    "\x00",
    "é",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_run_nothing(name):
    net = caffe2_pb2.NetDef(name=name)
    net.op.add(type="Relu", input=[name], output=[name + "y"], name=name, engine=name)
    net.op.add(type=name, output=["z"]).arg.add(name=name, s=name.encode())
    net.op.add(type="Relu", input=["z"], output=["q"]).arg.add(name=name, i=3)
    net.op.add(type="__class__", output=["c"])
    net.op.add(type="Proto", output=["p"])
    made, _, _ = built(python_code(Document.of(Source(net))).text)
    assert nameless(made) == nameless(net)


def test_operators_that_only_a_text_can_say():
    net = caffe2_pb2.NetDef(name="n", type="dag", num_workers=3, external_input=["unused"], external_output=["y"])
    net.arg.add(name="mine", f=0.5)
    inner = caffe2_pb2.NetDef(op=[caffe2_pb2.OperatorDef(type="Relu")])
    net.op.add(type="If", input=["c"]).arg.add(name="then_net").n.CopyFrom(inner)
    net.op.add(type="Relu", input=["x"], output=["y"], debug_info="debug", is_gradient_op=True, control_input=["c"])
    net.op.add(type="Relu", input=["x"], output=["y"]).arg.extend([caffe2_pb2.Argument(name="a", i=1)] * 2)
    net.op.add(type="Python", input=["x"], output=["y"]).arg.add(name="token", s=b"t")
    net.device_option.device_type = 1
    assert_the_same(Document.of(Source(net)))


def test_every_operator_type_is_written_down():
    net = caffe2_pb2.NetDef(name="all")
    for operator in registry.all_operators():
        op = net.op.add(type=operator.type)
        op.output.append(f"{operator.type}_y")
    assert_the_same(Document.of(Source(net)))


def test_nets_without_parameters_need_no_model():
    net = core.Net("plain")
    net.Relu("x", "y")
    code = python_code(Session(open_model(net)).closed().document)
    assert code.level == "operator"
    assert "model" not in code.text
    assert code.text.splitlines()[-1] == 'net.Relu(["x"], ["y"])'
