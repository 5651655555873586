"""A model as the nets of a training run: gradients and updates added where they lack, and what a run steers."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from c2lab import model_helper, optimizer
from c2lab.backend.half_compute import BFLOAT16
from c2lab.errors import BadArgument
from c2lab.nets.net import Net
from c2lab.operators import registry
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument

RATE_SCALE = "training_rate_scale"
LOSS_SCALE = "training_loss_scale"
CLIP_NORM = "training_clip_norm"
SQUARE_SUM = "training_square_sum"
_SEED = "_autogen_grad"
_SUM = "_training_sum"
_PRODUCTS = frozenset(["Conv", "ConvTranspose", "FC", "FCTransposed", "MatMul", "BatchMatMul"])
_COUNTERS = ("Iter", "AtomicIter", "LearningRate")

OptimizerBuilder = Callable[[model_helper.ModelHelper], Any]


@dataclass
class TrainingNets:
    """What a run needs to know of its nets.

    Attributes:
        init: Fills parameters and the optimizer's state.
        step: One step; with accumulation one that adds gradients up.
        update: With accumulation the net that updates; else ``None``.
        forward: From the data to the metrics, as one tests.
        loss: The blob that is made small.
        metrics: Blobs of one number that are recorded, the loss first.
        parameters: The blobs that are learnt.
        state: Every blob that lasts from step to step, parameters included.
        rates: The blobs that hold learning rates, before they are scaled.
        prediction, label: Of a classifier: (N, classes), and (N,).
        inputs: What a batch must bring.
    """

    init: caffe2_pb2.NetDef
    step: caffe2_pb2.NetDef
    update: caffe2_pb2.NetDef | None
    forward: caffe2_pb2.NetDef
    loss: str
    metrics: list[str]
    parameters: list[str]
    state: list[str]
    rates: list[str]
    prediction: str | None = None
    label: str | None = None
    inputs: list[str] = field(default_factory=list)


def prepare(
    model: Any,
    *,
    loss: str | None = None,
    metrics: Sequence[str] | None = None,
    optimizer: str | OptimizerBuilder = "sgd",
    rate: float = 0.05,
    options: Mapping[str, Any] | None = None,
    clip: float | None = None,
    accumulate: int = 1,
    loss_scale: float | None = None,
    label: str = "label",
    precision: str = "float32",
) -> TrainingNets:
    """The nets that train a model, which itself stays as it is.

    Args:
        model: A ``ModelHelper``, or (init net, net). Without a loss it gets the cross entropy of its last
            softmax; without gradients and updates it gets them.
        loss: The blob to make small, where the model does not say.
        metrics: Further blobs of one number; where left out, every accuracy.
        optimizer: ``"sgd"``, ``"adam"``, ... (``optimizer.build_<name>``), or a function of the model that adds one.
        rate: The learning rate, for a model without updates.
        options: Further arguments of the optimizer: ``momentum``, ``policy``, ...
        clip: The length that all gradients together are cut to.
        accumulate: How many batches one update is the mean of.
        loss_scale: What the loss is multiplied by before the gradients, which are divided by it again.
        label: The blob with the labels, for a model without a loss.
        precision: ``"bfloat16"`` lets products of matrices and convolutions compute so; blobs stay float32.

    Raises:
        BadArgument: It is not clear what to make small, or something is not supported together.
    """
    made = _copied(model)
    _add_loss(made, loss, label)
    losses = [loss] if loss else _losses(made)
    if not losses:
        raise BadArgument(
            f'net "{made.name}" has neither a loss nor a softmax at its end; say loss="..." (the blob to make small)'
        )
    if not any(output.endswith(_SEED) for op in made.Proto().op for output in op.output):
        made.AddGradientOperators(losses)
    params = _parameters(made)
    if not _updated(made, params):
        _build(made, optimizer, rate, dict(options or {}))
    net, init = copy.deepcopy(made.Proto()), copy.deepcopy(made.InitProto())
    _compute_in(net, precision)
    return _assembled(net, init, params, losses, metrics, clip, accumulate, loss_scale)


def _copied(model: Any) -> model_helper.ModelHelper:
    if hasattr(model, "param_init_net"):
        return copy.deepcopy(model)
    try:
        init, net = (part if isinstance(part, caffe2_pb2.NetDef) else part.Proto() for part in model)
    except (TypeError, ValueError, AttributeError):
        raise BadArgument(
            f"model is {type(model).__name__}; it must be a ModelHelper, or the two nets (init_net, net)"
        ) from None
    made = model_helper.ModelHelper(name=net.name or "model")
    made.param_init_net, made.net = Net(init), Net(net)
    read = {name for op in net.op for name in op.input}
    filled = dict.fromkeys(name for op in init.op for name in op.output if name in read)
    for name in filled:
        made.AddParameter(made.param_init_net.GetBlobRef(name))
    return made


def _add_loss(model: Any, loss: str | None, label: str) -> None:
    """Cross entropy and accuracy for a model that ends in a softmax."""
    ops = model.Proto().op
    if loss is not None or _losses(model):
        return
    softmax = [op.output[0] for op in ops if op.type == "Softmax"]
    if softmax:
        made = {name for op in ops for name in op.output}
        entropy = model.net.LabelCrossEntropy([softmax[-1], label], model.net.NextName(prefix="cross_entropy"))
        model.net.AveragedLoss(entropy, "loss" if "loss" not in made else model.net.NextName(prefix="loss"))
        if not any(op.type == "Accuracy" for op in ops):
            model.net.Accuracy(
                [softmax[-1], label], "accuracy" if "accuracy" not in made else model.net.NextName(prefix="accuracy")
            )


def _losses(model: Any) -> list[str]:
    """Those that gradients go back from, else those that operators of losses make, else one of that name."""
    ops = model.Proto().op
    begun = [out.removesuffix(_SEED) for op in ops for out in op.output if out.endswith(_SEED)]
    if begun:
        return begun
    averaged = [op.output[-1] for op in ops if op.type in ("AveragedLoss", "SoftmaxWithLoss")]
    return averaged or ["loss"] * any("loss" in op.output for op in ops)


def _parameters(model: Any) -> list[str]:
    known = [str(name) for name in model.params]
    if known:
        return list(dict.fromkeys(known))
    read = {name for op in model.Proto().op for name in op.input}
    return list(dict.fromkeys(n for op in model.InitProto().op for n in op.output if n in read))


def _updated(model: Any, params: Sequence[str]) -> bool:
    wanted = set(params)
    return any(name in wanted for op in model.Proto().op[_seed_at(model.Proto()) :] for name in op.output)


def _seed_at(net: caffe2_pb2.NetDef) -> int:
    return next((k for k, op in enumerate(net.op) if any(o.endswith(_SEED) for o in op.output)), len(net.op))


def _build(model: Any, kind: str | OptimizerBuilder, rate: float, options: dict[str, Any]) -> None:
    if callable(kind):
        kind(model)
        return
    builder = getattr(optimizer, f"build_{kind}", None)
    if builder is None:
        known = ", ".join(sorted(name.removeprefix("build_") for name in dir(optimizer) if name.startswith("build_")))
        raise BadArgument(f'there is no optimizer "{kind}"; there are {known}')
    name = "base_learning_rate" if "base_learning_rate" in inspect.signature(builder).parameters else "alpha"
    builder(model, **{name: rate, **options})


def _assembled(
    net: caffe2_pb2.NetDef,
    init: caffe2_pb2.NetDef,
    params: list[str],
    losses: list[str],
    wanted: Sequence[str] | None,
    clip: float | None,
    accumulate: int,
    loss_scale: float | None,
) -> TrainingNets:
    seed = _seed_at(net)
    forward = _as_tested(net, seed)
    metrics = _metrics(net, seed, losses, wanted)
    gradients = _gradients(net, seed, params)
    border = _border(net, seed, params, gradients)
    rates = [op.output[0] for op in net.op if op.type == "LearningRate"]
    ops = [copy.deepcopy(op) for op in net.op]
    forward_ops, backward, updates = ops[:seed], ops[seed:border], ops[border:]
    init.op.append(_fill(RATE_SCALE, 1.0))
    if loss_scale is not None:
        init.op.append(_fill(LOSS_SCALE, loss_scale))
        backward = _scaled_seeds(backward)
    between: list[caffe2_pb2.OperatorDef] = []
    dense = [name for name in gradients.values() if name]
    if (clip is not None or accumulate > 1 or loss_scale is not None) and len(dense) < len(gradients):
        raise BadArgument(
            "clip, accumulate and loss_scale need whole gradients, but "
            f"{', '.join(sorted(k for k, g in gradients.items() if not g))} has sparse ones"
        )
    adding: list[caffe2_pb2.OperatorDef] = []
    if accumulate > 1:
        for name, gradient in gradients.items():
            init.op.append(_op("ConstantFill", [name], [gradient + _SUM], value=0.0))
            adding.append(_op("Add", [gradient + _SUM, gradient], [gradient + _SUM]))
            between.append(_op("Scale", [gradient + _SUM], [gradient], scale=1.0 / accumulate))
    if loss_scale is not None:
        between += [_op("Div", [gradient, LOSS_SCALE], [gradient], broadcast=1) for gradient in dense]
    if clip is not None:
        init.op.append(_fill(CLIP_NORM, float(clip), scalar=True))
        between += _clipping(dense)
    updates = _steered(updates)
    last = _lasting([*forward_ops, *backward, *adding, *between, *updates])
    floats = [name for name in params if any(name in op.output for op in updates)]
    updates += _watch(floats)
    if accumulate > 1:
        updates += [_op("Scale", [g + _SUM], [g + _SUM], scale=0.0) for g in dense]
        step = _net(net, "step", [*forward_ops, *backward, *adding])
        update = _net(net, "update", [*between, *updates])
        last = _lasting([*step.op, *update.op])
    else:
        step, update = _net(net, "step", [*forward_ops, *backward, *between, *updates]), None
    filled = {name for op in init.op for name in op.output}
    found = [name for op in step.op for name in op.input]
    made: set[str] = set()
    inputs = []
    for op in step.op:
        inputs += [name for name in op.input if name not in made and name not in filled and name not in inputs]
        made.update(op.output)
    prediction, label = _classifier(net, seed)
    assert found or not step.op
    return TrainingNets(
        init, step, update, forward, losses[0], metrics, floats or params, last, rates, prediction, label, inputs
    )


def _compute_in(net: caffe2_pb2.NetDef, precision: str) -> None:
    if precision not in ("float32", "bfloat16"):
        raise BadArgument(f'precision is "{precision}"; it may be "float32" or "bfloat16"')
    if precision == "bfloat16":
        for op in net.op:
            if op.type.removesuffix("Gradient") in _PRODUCTS:
                op.engine = BFLOAT16


def _metrics(net: caffe2_pb2.NetDef, seed: int, losses: list[str], wanted: Sequence[str] | None) -> list[str]:
    made = [name for op in net.op[:seed] for name in op.output]
    if wanted is not None:
        missing = [str(name) for name in wanted if str(name) not in made]
        if missing:
            raise BadArgument(f"no operator makes {', '.join(missing)}, which metrics names")
        return list(dict.fromkeys([*losses, *map(str, wanted)]))
    return list(dict.fromkeys([*losses, *(op.output[0] for op in net.op[:seed] if op.type == "Accuracy")]))


def _gradients(net: caffe2_pb2.NetDef, seed: int, params: Sequence[str]) -> dict[str, str]:
    """``{parameter: its gradient}``, empty text for one that is sparse."""
    made = {name for op in net.op[seed:] for name in op.output}
    found = {}
    for name in params:
        if f"{name}_grad" in made:
            found[name] = f"{name}_grad"
        elif name in made:
            found[name] = ""  # updated, but without a gradient of its own shape
    return found


def _border(net: caffe2_pb2.NetDef, seed: int, params: Sequence[str], gradients: Mapping[str, str]) -> int:
    """Where the gradients are ready: behind the last that is made before anything is updated."""
    wanted, ready = set(gradients.values()), set(params)
    border = seed
    for position in range(seed, len(net.op)):
        op = net.op[position]
        if op.type in _COUNTERS or ready & set(op.output):
            break
        if wanted & set(op.output) or any(o.endswith(("_grad", _SEED)) or "_grad_" in o for o in op.output):
            border = position + 1
    return border


def _as_tested(net: caffe2_pb2.NetDef, seed: int) -> caffe2_pb2.NetDef:
    """The forward part, with what only trains switched off."""
    forward = _net(net, "forward", net.op[:seed])
    for op in forward.op:
        definition = registry.find(op.type)
        if definition is None or "is_test" not in definition.arguments:
            continue
        kept = [argument for argument in op.arg if argument.name != "is_test"]
        del op.arg[:]
        op.arg.extend([*kept, make_argument("is_test", 1)])
        del op.output[1:]
    return forward


def _scaled_seeds(backward: Sequence[caffe2_pb2.OperatorDef]) -> list[caffe2_pb2.OperatorDef]:
    result = []
    for op in backward:
        result.append(op)
        result += [_op("Mul", [out, LOSS_SCALE], [out], broadcast=1) for out in op.output if out.endswith(_SEED)]
    return result


def _clipping(gradients: Sequence[str]) -> list[caffe2_pb2.OperatorDef]:
    squares = [f"{name}_training_square" for name in gradients]
    ops = [_op("SumSqrElements", [g], [s]) for g, s in zip(gradients, squares, strict=True)]
    total, norm = "training_gradient_square", "training_gradient_norm"
    longer, ratio = "training_longer_norm", "training_clip_ratio"
    ops += [_op("Sum", squares, [total]), _op("Pow", [total], [norm], exponent=0.5)]
    ops += [_op("Max", [norm, CLIP_NORM], [longer]), _op("Div", [CLIP_NORM, longer], [ratio])]
    return ops + [_op("Mul", [g, ratio], [g], broadcast=1) for g in gradients]


def _steered(updates: Sequence[caffe2_pb2.OperatorDef]) -> list[caffe2_pb2.OperatorDef]:
    """Every learning rate times a blob: moving that blob compiles nothing."""
    result = []
    for op in updates:
        result.append(op)
        if op.type == "LearningRate":
            result.append(_op("Mul", [op.output[0], RATE_SCALE], [op.output[0]], broadcast=1))
    return result


def _watch(params: Sequence[str]) -> list[caffe2_pb2.OperatorDef]:
    """One number that is not finite as soon as one of the parameters is not."""
    if not params:
        return []
    squares = [f"{name}_training_square_sum" for name in params]
    ops = [_op("SumSqrElements", [name], [square]) for name, square in zip(params, squares, strict=True)]
    return [*ops, _op("Sum", squares, [SQUARE_SUM])]


def _lasting(ops: Sequence[caffe2_pb2.OperatorDef]) -> list[str]:
    """The blobs that are read before they are written, and written: what one step leaves to the next."""
    written, first = {name for op in ops for name in op.output}, dict[str, None]()
    made: set[str] = set()
    for op in ops:
        first.update(dict.fromkeys(name for name in op.input if name not in made and name in written))
        made.update(op.output)
    return list(first)


def _classifier(net: caffe2_pb2.NetDef, seed: int) -> tuple[str | None, str | None]:
    for kind in ("Accuracy", "LabelCrossEntropy"):
        for op in net.op[:seed]:
            if op.type == kind and len(op.input) == 2:
                return op.input[0], op.input[1]
    for op in net.op[:seed]:
        if op.type == "SoftmaxWithLoss":
            return op.output[0], op.input[1]
    return None, None


def _net(like: caffe2_pb2.NetDef, part: str, ops: Sequence[caffe2_pb2.OperatorDef]) -> caffe2_pb2.NetDef:
    net = caffe2_pb2.NetDef(name=f"{like.name}/{part}", type=like.type)
    if like.HasField("device_option"):
        net.device_option.CopyFrom(like.device_option)
    net.arg.extend(like.arg)
    net.op.extend(ops)
    made: set[str] = set()
    outside: dict[str, None] = {}
    for op in ops:
        outside.update(dict.fromkeys(name for name in op.input if name not in made))
        made.update(op.output)
    net.external_input.extend(outside)
    return net


def _op(kind: str, inputs: Sequence[str], outputs: Sequence[str], **arguments: Any) -> caffe2_pb2.OperatorDef:
    made = [make_argument(name, value) for name, value in arguments.items()]
    return caffe2_pb2.OperatorDef(type=kind, input=inputs, output=outputs, arg=made)


def _fill(name: str, value: float, *, scalar: bool = False) -> caffe2_pb2.OperatorDef:
    op = _op("ConstantFill", [], [name], value=value)
    argument = op.arg.add(name="shape")
    argument.ints.extend([] if scalar else [1])
    return op
