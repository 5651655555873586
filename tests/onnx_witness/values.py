"""ONNX operators that go value by value, and reductions, as nets of ours."""

from __future__ import annotations

import numpy as np

from tests.onnx_witness.translation import DATA_TYPES, translates

_SAME = {
    "Abs": "Abs", "Acos": "Acos", "Asin": "Asin", "Atan": "Atan", "Ceil": "Ceil", "Cos": "Cos", "Cosh": "Cosh",
    "Erf": "Erf", "Exp": "Exp", "Floor": "Floor", "Log": "Log", "Neg": "Negative", "Reciprocal": "Reciprocal",
    "Relu": "Relu", "Sigmoid": "Sigmoid", "Sign": "Sign", "Sin": "Sin", "Sinh": "Sinh", "Softplus": "Softplus",
    "Softsign": "Softsign", "Sqrt": "Sqrt", "Tan": "Tan", "Tanh": "Tanh", "Not": "Not", "Identity": "Copy",
    "Mish": "Mish",
}  # fmt: skip


@translates(*_SAME)
def _same(t, type):
    return t.op(_SAME[type], [t[0]])


@translates("Elu", "LeakyRelu", "ThresholdedRelu")
def _with_alpha(t, type):
    return t.op(type, [t[0]], alpha=t.get("alpha", 0.01 if type == "LeakyRelu" else 1.0))


@translates("Selu")
def _selu(t, type):
    return t.op("Selu", [t[0]], alpha=t.get("alpha", 1.6732632423543772), scale=t.get("gamma", 1.0507009873554804))


@translates("HardSigmoid")
def _hard_sigmoid(t, type):
    return t.op("HardSigmoid", [t[0]], alpha=t.get("alpha", 0.2), beta=t.get("beta", 0.5))


@translates("Gelu")
def _gelu(t, type):
    return t.op("Gelu", [t[0]], fast_gelu=t.get("approximate", "none") == "tanh")


@translates("Swish")
def _swish(t, type):
    t.only(t.get("alpha", 1.0) == 1.0, "Swish of the original has no factor")
    return t.op("Swish", [t[0]])


@translates("PRelu")
def _prelu(t, type):
    x, slope = t.array(0), t.array(1)
    shared = slope.size == 1 or (slope.size == x.shape[1] and slope.shape[-1] == 1)
    t.only(shared, "a slope is for all or for a channel, not for each element")
    return t.op("PRelu", [t[0], t.feed(slope.reshape(-1))])


@translates("IsNaN")
def _is_nan(t, type):
    t.only(t.array(0).dtype != np.float16, "IsNaN is for float32 and float64")
    return t.op("Cast", [t.op("IsNaN", [t[0]])], to=DATA_TYPES[9])


@translates("Clip")
def _clip(t, type):
    t.only(t.array(0).dtype == np.float32, "Clip is for float32")
    ends = {name: float(t.array(k)) for k, name in ((1, "min"), (2, "max")) if t.has(k)}
    t.only(ends.get("min", -np.inf) <= ends.get("max", np.inf), "ends that cross are an error")
    return t.op("Clip", [t[0]], **ends)


@translates("Cast")
def _cast(t, type):
    t.only(t.get("to") in DATA_TYPES, "an element type that blobs do not have")
    return t.op("Cast", [t[0]], to=DATA_TYPES[t.get("to")])


_PAIRS = {
    "Add": "Add", "Sub": "Sub", "Mul": "Mul", "Div": "Div", "And": "And", "Or": "Or", "Xor": "Xor", "Equal": "EQ",
    "Greater": "GT", "GreaterOrEqual": "GE", "Less": "LT", "LessOrEqual": "LE", "BitwiseAnd": "BitwiseAnd",
    "BitwiseOr": "BitwiseOr", "BitwiseXor": "BitwiseXor",
}  # fmt: skip


@translates(*_PAIRS)
def _pairs(t, type):
    small = t.array(0).dtype in (np.uint8, np.uint16, np.uint32, np.uint64, np.int8, np.int16)
    t.only(not small, "arithmetic is on int32, int64 and floating point numbers")
    return t.op(_PAIRS[type], [t[0], t[1]])


@translates("Pow")
def _pow(t, type):
    t.only(t.array(0).dtype == t.array(1).dtype == np.float32, "Pow is for float32 and its exponents of one type")
    return t.op("Pow", [t[0], t[1]], broadcast=1 if t.array(0).shape != t.array(1).shape else None)


@translates("Mod")
def _mod(t, type):
    t.only(False, "the divisor is an argument, one number for all")


@translates("Max", "Min", "Sum", "Mean")
def _of_many(t, type):
    kinds = {array.dtype.name for array in t.arrays}
    t.only(kinds <= {"float32", "float64", "int32", "int64"}, "many tensors are of int32, int64, float32 or float64")
    t.only(len({array.shape for array in t.arrays}) == 1, "many tensors are of one shape")
    return t.op(type, [t[k] for k in range(len(t.arrays))])


@translates("Where")
def _where(t, type):
    t.only(len({array.shape for array in t.arrays}) == 1, "the three tensors are of one shape")
    return t.op("Where", [t[0], t[1], t[2]])


@translates("Dropout")
def _dropout(t, type):
    training = t.has(2) and bool(t.array(2))
    t.only(not training, "what falls out is drawn at random")
    t.only(t.outputs == 1, "a test leaves no mask")
    return t.op("Dropout", [t[0]], 2, is_test=1)[:1]


# --- reductions ----------------------------------------------------------------------------------


@translates("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare",
             "ReduceLogSum", "ReduceLogSumExp")  # fmt: skip
def _reduce(t, type):
    axes = t.array(1).tolist() if t.has(1) else t.get("axes")
    if axes is not None and not axes:
        axes = None
        t.only(not t.get("noop_with_empty_axes", 0), "no axes are all axes")
    axes = [axis % t.array(0).ndim for axis in axes] if axes else None
    x, more = t[0], {"axes": axes, "keepdims": t.get("keepdims", 1)}
    t.only(t.array(0).size > 0, "the largest of nothing, and kin, are errors")
    t.only(t.array(0).dtype in (np.float32, np.float64, np.int32, np.int64), "an element type that is not reduced")
    if type == "ReduceSumSquare":
        return t.op("ReduceSum", [t.op("Sqr", [x])], **more)
    if type == "ReduceLogSum":
        return t.op("Log", [t.op("ReduceSum", [x], **more)])
    if type == "ReduceLogSumExp":
        t.only(t.array(0).dtype == np.float32, "Exp is for float32")
        return t.op("Log", [t.op("ReduceSum", [t.op("Exp", [x])], **more)])
    return t.op(type, [x], **more)


@translates("ArgMax", "ArgMin")
def _arg(t, type):
    t.only(not t.get("select_last_index", 0), "of equal values the first is found")
    return t.op(type, [t[0]], axis=t.get("axis", 0) % t.array(0).ndim, keepdims=t.get("keepdims", 1))


@translates("TopK")
def _top_k(t, type):
    t.only(t.get("largest", 1) == 1, "only the largest are found")
    k, axis = int(t.array(1).reshape(-1)[0]), t.get("axis", -1) % t.array(0).ndim
    t.only(t.array(0).dtype == np.float32, "TopK is for float32")
    return t.op("TopK", [t[0]], 2, k=k, axis=axis)
