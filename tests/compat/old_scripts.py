"""Scripts as people wrote them for the original, each a text that is run unchanged."""

from __future__ import annotations

TOY_REGRESSION = """
from __future__ import absolute_import, division, print_function
from caffe2.python import core, workspace
import numpy as np

init_net = core.Net("init")
W_gt = init_net.GivenTensorFill([], "W_gt", shape=[1, 2], values=[2.0, 1.5])
B_gt = init_net.GivenTensorFill([], "B_gt", shape=[1], values=[0.5])
ONE = init_net.ConstantFill([], "ONE", shape=[1], value=1.0)
ITER = init_net.ConstantFill([], "ITER", shape=[1], value=0, dtype=core.DataType.INT64)
W = init_net.UniformFill([], "W", shape=[1, 2], min=-1., max=1.)
B = init_net.ConstantFill([], "B", shape=[1], value=0.0)

train_net = core.Net("train")
X = train_net.GaussianFill([], "X", shape=[64, 2], mean=0.0, std=1.0, run_once=0)
Y_gt = X.FC([W_gt, B_gt], "Y_gt")
Y_noise = train_net.StopGradient(Y_gt, "Y_noise")
Y_pred = X.FC([W, B], "Y_pred")
dist = train_net.SquaredL2Distance([Y_noise, Y_pred], "dist")
loss = dist.AveragedLoss([], ["loss"])
gradient_map = train_net.AddGradientOperators([loss])
train_net.Iter(ITER, ITER)
LR = train_net.LearningRate(ITER, "LR", base_lr=-0.1, policy="step", stepsize=20, gamma=0.9)
train_net.WeightedSum([W, ONE, gradient_map[W], LR], W)
train_net.WeightedSum([B, ONE, gradient_map[B], LR], B)

workspace.RunNetOnce(init_net)
workspace.CreateNet(train_net)
for i in range(100):
    workspace.RunNet(train_net.Proto().name)
assert np.allclose(workspace.FetchBlob("W"), workspace.FetchBlob("W_gt"), atol=0.05)
assert np.allclose(workspace.FetchBlob("B"), 0.5, atol=0.05)
print("ITER %d" % workspace.FetchBlob("ITER")[0])
"""

LENET = """
import os, sys
import numpy as np
from caffe2.proto import caffe2_pb2
from caffe2.python import brew, core, model_helper, net_drawer, optimizer, utils, visualize, workspace

core.GlobalInit(['caffe2', '--caffe2_log_level=0'])
folder = sys.argv[1]
rng = np.random.RandomState(0)


def write_db(db_type, db_name, count):
    db = workspace.C.create_db(db_type, db_name, workspace.C.Mode.write)
    transaction = db.new_transaction()
    for i in range(count):
        label = i % 4
        image = rng.rand(1, 28, 28).astype(np.float32) * 80
        image[0, 7 * label:7 * label + 7] += 150
        protos = caffe2_pb2.TensorProtos()
        protos.protos.extend([
            utils.NumpyArrayToCaffe2Tensor(image.astype(np.uint8)),
            utils.NumpyArrayToCaffe2Tensor(np.array(label, dtype=np.int32)),
        ])
        transaction.put('%08d' % i, protos.SerializeToString())
    transaction.commit()
    del transaction
    del db


def AddInput(model, batch_size, db, db_type):
    data_uint8, label = model.TensorProtosDBInput(
        [], ["data_uint8", "label"], batch_size=batch_size, db=db, db_type=db_type)
    data = model.Cast(data_uint8, "data", to=core.DataType.FLOAT)
    data = model.Scale(data, data, scale=float(1. / 256))
    data = model.StopGradient(data, data)
    return data, label


def AddLeNetModel(model, data):
    conv1 = brew.conv(model, data, 'conv1', dim_in=1, dim_out=4, kernel=5)
    pool1 = brew.max_pool(model, conv1, 'pool1', kernel=2, stride=2)
    conv2 = brew.conv(model, pool1, 'conv2', dim_in=4, dim_out=8, kernel=5)
    pool2 = brew.max_pool(model, conv2, 'pool2', kernel=2, stride=2)
    fc3 = brew.fc(model, pool2, 'fc3', dim_in=8 * 4 * 4, dim_out=16)
    relu = brew.relu(model, fc3, fc3)
    pred = brew.fc(model, relu, 'pred', 16, 10)
    softmax = brew.softmax(model, pred, 'softmax')
    return softmax


def AddTrainingOperators(model, softmax, label):
    xent = model.LabelCrossEntropy([softmax, label], 'xent')
    loss = model.AveragedLoss(xent, "loss")
    brew.accuracy(model, [softmax, label], "accuracy")
    model.AddGradientOperators([loss])
    optimizer.build_sgd(model, base_learning_rate=0.1, policy="step", stepsize=1, gamma=0.999)


train_db = os.path.join(folder, "train.minidb")
write_db("minidb", train_db, 64)
workspace.ResetWorkspace(folder)
arg_scope = {"order": "NCHW"}
train_model = model_helper.ModelHelper(name="mnist_train", arg_scope=arg_scope)
data, label = AddInput(train_model, batch_size=16, db=train_db, db_type='minidb')
softmax = AddLeNetModel(train_model, data)
AddTrainingOperators(train_model, softmax, label)
deploy_model = model_helper.ModelHelper(name="mnist_deploy", arg_scope=arg_scope, init_params=False)
AddLeNetModel(deploy_model, "data")
with open(os.path.join(folder, "train_net.pbtxt"), 'w') as fid:
    fid.write(str(train_model.net.Proto()))

workspace.RunNetOnce(train_model.param_init_net)
workspace.CreateNet(train_model.net, overwrite=True)
accuracy = np.zeros(60)
for i in range(60):
    workspace.RunNet(train_model.net)
    accuracy[i] = workspace.blobs['accuracy']
assert accuracy[-4:].mean() > 0.9, accuracy

from caffe2.python.predictor import predictor_exporter as pe
meta = pe.PredictorExportMeta(
    predict_net=deploy_model.net.Proto(), parameters=[str(b) for b in deploy_model.params],
    inputs=["data"], outputs=["softmax"])
pe.save_to_db("minidb", os.path.join(folder, "model.minidb"), meta)
batch = workspace.FetchBlob("data")
expected = workspace.FetchBlob("softmax")
workspace.ResetWorkspace(folder)
predict_net = pe.prepare_prediction_net(os.path.join(folder, "model.minidb"), "minidb")
workspace.FeedBlob("data", batch)
workspace.RunNetOnce(predict_net)
print("saved and loaded", workspace.FetchBlob("softmax").shape)
"""

BASICS = """
from caffe2.python import core, workspace
from caffe2.proto import caffe2_pb2
import numpy as np

print("Has X?", workspace.HasBlob("X"))
X = np.random.randn(2, 3).astype(np.float32)
workspace.FeedBlob("X", X)
workspace.FeedBlob("on_cpu", X, device_option=core.DeviceOption(caffe2_pb2.CPU, 0))
assert (workspace.FetchBlob("on_cpu") == X).all()
try:
    workspace.FetchBlob("invincible_pink_unicorn")
except RuntimeError as err:
    print("RuntimeError")
print(workspace.CurrentWorkspace(), workspace.Workspaces())
workspace.SwitchWorkspace("gutentag", True)
print(workspace.Blobs())
workspace.SwitchWorkspace("default")
workspace.ResetWorkspace()
with core.DeviceScope(core.DeviceOption(caffe2_pb2.CPU)):
    op = core.CreateOperator(
        "GaussianFill", [], ["Z"], shape=[100, 100], mean=1.0, std=1.0)
print(op.type, op.device_option.device_type)
workspace.RunOperatorOnce(op)
print(workspace.FetchBlob("Z").shape)
m = core.Net("my first net")
X = m.GaussianFill([], ["X"], mean=0.0, std=1.0, shape=[2, 3], run_once=0)
W = m.GaussianFill([], ["W"], mean=0.0, std=1.0, shape=[5, 3], run_once=0)
b = m.ConstantFill([], ["b"], shape=[5,], value=1.0, run_once=0)
Y = X.FC([W, b], ["Y"])
workspace.RunNetOnce(m)
print(workspace.Blobs())
plan = core.Plan("plan")
plan.AddStep(core.execution_step("twice", [m], num_iter=2))
print(workspace.RunPlan(plan))
shapes, types = workspace.InferShapesAndTypes([m])
print(shapes["Y"], types["Y"] == core.DataType.FLOAT)
"""

PYTHON_OPERATOR = """
import numpy as np
from caffe2.python import core, gradient_checker, workspace
from caffe2.python.core import CreatePythonOperator

def forward(inputs, outputs):
    outputs[0].reshape(inputs[0].shape)
    outputs[0].data[...] = inputs[0].data * 2

def backward(inputs, outputs):
    grad = inputs[2]
    outputs[0].reshape(grad.shape)
    outputs[0].data[...] = grad.data * 2

x = np.random.rand(3, 2).astype(np.float32)
op = CreatePythonOperator(forward, ["x"], ["y"], grad_f=backward)
checker = gradient_checker.GradientChecker(stepsize=0.05, threshold=0.01, workspace_name="checking")
fine, grad, estimated = checker.CheckSimple(op, [x], 0, [0])
print(fine, grad.shape)

net = core.Net("with python")
net.Python(forward, backward)(["x"], ["y"])
loss = net.SumElements("y", "loss")
grads = net.AddGradientOperators([loss])
workspace.FeedBlob("x", x)
workspace.RunNetOnce(net)
print(workspace.FetchBlob(str(grads["x"])).tolist())
"""
