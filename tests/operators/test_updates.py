"""Updates against formulas written once more, in float64 numpy."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import BadArgument, BadValue, NotSupported, ShapeMismatch, TypeMismatch, UnsafeInplace
from tests.operators.calls import call, gradients, wiring

RNG = np.random.default_rng(0)
W, G, M, V = (RNG.uniform(0.1, 1.0, (5, 4)).astype(np.float32) for _ in range(4))
G = G - np.float32(0.5)
LR = np.float32([-0.1])
ITER = np.int64([3])
w, g, m, v, lr = (a.astype(np.float64) for a in (W, G, M, V, LR))
CLOSE = {"rtol": 2e-5, "atol": 1e-6}


def check(got, *want):
    assert len(got) == len(want)
    for number, (value, expected) in enumerate(zip(got, want, strict=True)):
        assert value.dtype == np.float32
        np.testing.assert_allclose(value, expected, **CLOSE, err_msg=f"output {number}")


def test_weighted_sum_and_its_gradient():
    got = call("WeightedSum", W, np.float32([2]), G, np.float32(-3))
    np.testing.assert_allclose(got, 2 * w - 3 * g, **CLOSE)
    dense = gradients("WeightedSum", [W, np.float32([2]), G, np.float32([-3])], [M])
    assert dense[1] is None
    np.testing.assert_allclose(dense[2], -3 * m, **CLOSE)
    full = gradients("WeightedSum", [W, np.float32([2]), G, np.float32([-3])], [M], grad_on_w=True)
    np.testing.assert_allclose(full[3], [(m * g).sum()], **CLOSE)
    assert wiring("WeightedSum", 2)[0] == [("WeightedSumGradient", ["GO0", "I0", "I1"], ["I0_grad"])]
    with pytest.raises(ShapeMismatch):
        call("WeightedSum", W, np.float32([1]), G[:3], np.float32([1]))
    with pytest.raises(TypeMismatch):
        call("WeightedSum", W, np.float32([1]), g, np.float32([1]))


@pytest.mark.parametrize("nesterov", [0, 1])
def test_momentum(nesterov):
    rate = np.float32([0.1])
    new = 0.9 * m + 0.1 * g
    step = 1.9 * new - 0.9 * m if nesterov else new
    options = {"momentum": 0.9, "nesterov": nesterov}
    check(call("MomentumSGD", G, M, rate, outputs=2, **options), step, new)
    check(call("MomentumSGDUpdate", G, M, rate, W, outputs=3, **options), step, new, w - step)


def test_adagrad():
    full = g + 0.1 * w
    total = 0.5 * m + full**2
    rate = -0.1 / (np.sqrt(total) + 1e-3)
    got = call("Adagrad", W, M, G, LR, outputs=4, epsilon=1e-3, decay=0.5, weight_decay=0.1)
    check(got, w + rate * full, total, rate, rate * full)


def adam(mean_square=lambda x: x**2, t=4, b1=0.8, b2=0.95, eps=1e-3):
    first = b1 * m + (1 - b1) * g
    second = b2 * v + (1 - b2) * mean_square(g)
    step = np.sqrt(1 - b2**t) / (1 - b1**t) * first / (np.sqrt(second) + eps)
    return w - 0.1 * step, first, second, step


def test_adam():
    got = call("Adam", W, M, V, G, LR, ITER, outputs=4, beta1=0.8, beta2=0.95, epsilon=1e-3)
    check(got, *adam())


def test_rms_prop():
    squares = m + 0.3 * (g**2 - m)
    step = 0.5 * v + 0.1 * g / np.sqrt(squares + 1e-3)
    got = call("RmsProp", G, M, V, np.float32([0.1]), outputs=3, decay=0.7, momentum=0.5, epsilon=1e-3)
    check(got, step, squares, step)


def test_adadelta():
    squared = 0.9 * m + 0.1 * g**2
    step = np.sqrt(v + 1e-3) / np.sqrt(squared + 1e-3) * g
    got = call("Adadelta", W, M, V, G, LR, outputs=3, epsilon=1e-3, decay=0.9)
    check(got, w - 0.1 * step, squared, 0.9 * v + 0.1 * step**2)


def ftrl(weights, n, z, slope, alpha=0.05, beta=0.5, l1=0.3, l2=0.02):
    total = n + slope**2
    z = z + slope - (np.sqrt(total) - np.sqrt(n)) / alpha * weights
    new = np.where(np.abs(z) <= l1, 0, (l1 * np.sign(z) - z) / ((beta + np.sqrt(total)) / alpha + l2))
    return new, total, z


FTRL = {"alpha": 0.05, "beta": 0.5, "lambda1": 0.3, "lambda2": 0.02}


def test_ftrl_with_the_rate_as_argument_or_input():
    new, n, z = ftrl(w, m, v, g)
    sums = np.stack([M, V], axis=-1)
    check(call("Ftrl", W, sums, G, outputs=2, **FTRL), new, np.stack([n, z], axis=-1))
    by_input = call("Ftrl", W, sums, G, np.float32([0.05]), outputs=2, **{**FTRL, "alpha": 99.0})
    check(by_input, new, np.stack([n, z], axis=-1))


def test_group_ftrl_zeroes_whole_columns():
    _, n, z = ftrl(w, m, v, g)
    norm = np.sqrt((z**2).sum(axis=0))
    bound = float(np.sort(norm)[1] + np.sort(norm)[2]) / 2  # two columns of four fall
    l1 = bound / np.sqrt(5)
    want = np.where(norm <= bound, 0, z * (bound / norm - 1) / ((0.5 + np.sqrt(n)) / 0.05 + 0.02))
    got = call("GFtrl", W, np.stack([M, V], axis=-1), G, outputs=2, **{**FTRL, "lambda1": float(l1)})
    check(got, want, np.stack([n, z], axis=-1))
    assert (got[0] == 0).all(axis=0).sum() == 2


def test_wngrad():
    divisor = 2.0 + 1e-3
    got = call("Wngrad", W, np.float32([2]), G, LR, outputs=4, epsilon=1e-3)
    check(got, w - 0.1 * g / divisor, [2 + (g**2).sum() / divisor], [-0.1 / divisor], -0.1 * g / divisor)


def test_storm():
    total = 3 + (g**2).sum()
    rate = -0.1 * (0.1 + total) ** (-1 / 3)
    kept = g + (1 - 10 * rate**2) * (m - g)
    got = call("Storm", W, M, np.float32([3]), G, LR, outputs=3)
    check(got, w + rate * kept, kept, [total])


def yellow_fin(state, grad, t, beta=0.9, width=3, eps=1e-6):
    """One step, straight from the description of the algorithm."""
    x, mom, rate, mu, win, g_avg, g2_avg, mem = (np.array(a) for a in state)

    def average(old, new):
        return beta * old + (1 - beta) * new

    mom = mu * mom + rate * grad
    x = x - mom
    debias = 1 - beta**t
    g_avg, g2_avg = average(g_avg, grad), average(g2_avg, grad**2)
    size = max(eps, (grad**2).sum())
    mem[1], mem[0] = average(mem[1], size), average(mem[0], np.sqrt(size))
    win[(t - 1) % width] = np.log(size)
    seen = win[: min(width, t)]
    mem[2], mem[3] = average(mem[2], seen.min()), average(mem[3], seen.max())
    low, high = max(eps, np.exp(mem[2] / debias)), max(eps, np.exp(mem[3] / debias))
    variance = max(eps, mem[1] / debias - ((g_avg / debias) ** 2).sum())
    mem[4] = average(mem[4], mem[0] / mem[1])
    if t > 1:
        p = (mem[4] / debias * low) ** 2 / (2 * variance)
        roots = np.roots([1, 0, p, -p])  # x^3 + p x - p = 0 for x = 1 - root: another way to the same number
        shrink = roots[np.abs(roots.imag) < 1e-12].real[0]
        spread = np.sqrt(high / low)
        best = max((1 - shrink) ** 2, ((spread - 1) / (spread + 1)) ** 2)
        rate, mu = average(rate, (1 - np.sqrt(best)) ** 2 / low), average(mu, best)
    return [x, mom, rate, mu, win, g_avg, g2_avg, mem]


def test_yellow_fin_over_five_steps():
    start = [W, np.zeros_like(W), np.float32([0.1]), np.float32([0.2]), np.zeros(3), np.zeros_like(W),
             np.zeros_like(W), np.zeros(5)]  # fmt: skip
    ours = [np.asarray(value, np.float32) for value in start]
    theirs = [np.asarray(value, np.float64) for value in start]
    for t in range(1, 6):
        slope = RNG.normal(size=W.shape).astype(np.float32)
        ours = call("YellowFin", *ours, slope, np.int64([t]), outputs=8, beta=0.9, curv_win_width=3)
        theirs = yellow_fin(theirs, slope.astype(np.float64), t)
        for number, (value, want) in enumerate(zip(ours, theirs, strict=True)):
            np.testing.assert_allclose(value, want, rtol=1e-3, atol=1e-4, err_msg=f"step {t}, output {number}")


def test_lars_clamps_and_rests_without_a_slope():
    ratio = np.sqrt((g**2).sum()) / np.sqrt((w**2).sum())
    one = np.float32([1])
    got = call("Lars", W, G, np.float32([0.01]), np.float32([0.1]), one, offset=0.5, lr_min=0.02)
    np.testing.assert_allclose(got, [0.1 / (ratio + 0.01 + 0.5)], **CLOSE)
    assert call("Lars", W, G, one, np.float32([99]), one)[0] == 1
    assert call("Lars", W, G, one, np.float32([0]), one, lr_min=0.25)[0] == 0.25


def test_learning_rate_adaption():
    cosine = (g * m).sum() / np.sqrt((g**2).sum() * (m**2).sum())
    np.testing.assert_allclose(call("LearningRateAdaption", LR, G, M, lr_alpha=0.5), lr * (1 - 0.5 * cosine), **CLOSE)
    plain = call("LearningRateAdaption", LR, G, M, lr_alpha=0.5, normalized_lr_adaption=False)
    np.testing.assert_allclose(plain, lr - 0.5 * (g * m).sum(), **CLOSE)


@pytest.mark.parametrize(("value", "factor"), [(0.5, 1), (2.0, 1), (4.0, 0.5)])
def test_clip_by_scaling(value, factor):
    np.testing.assert_allclose(call("ClipTensorByScaling", W, np.float32(value), threshold=2.0), factor * w, **CLOSE)
    doubled = call("ClipTensorByScaling", W, np.float32(value), np.float32([2]), threshold=1.0)
    np.testing.assert_allclose(doubled, factor * w, **CLOSE)


@pytest.mark.parametrize(("iteration", "scaled"), [(8, False), (9, True), (10, False), (29, False)])
def test_weight_scale(iteration, scaled):
    got = call("WeightScale", W, np.int64([iteration]), stepsize=10, upper_bound_iter=25, scale=0.5)
    np.testing.assert_allclose(got, w * (0.5 if scaled else 1), **CLOSE)


INDICES = [np.int32([3, 0, 3, 1, 3]), np.int64([4, 4, 2])]


def one_by_one(indices, arrays, slices, step):
    """What the sparse updates promise: each mention on its own, in order."""
    arrays = [np.array(array, np.float64) for array in arrays]
    results = []
    for k, row in enumerate(indices):
        *new, result = step(*(array[row] for array in arrays), slices[k].astype(np.float64))
        for array, value in zip(arrays, new, strict=True):
            array[row] = value
        results.append(result)
    return arrays, np.array(results)


def slices_for(indices):
    return RNG.normal(size=(len(indices), 4)).astype(np.float32)


@pytest.mark.parametrize("indices", INDICES)
def test_scatter_weighted_sum(indices):
    first, second = slices_for(indices), slices_for(indices)
    want = w.copy()
    for row in indices:
        want[row] *= 0.5
    for row, a, b in zip(indices, first, second, strict=True):
        want[row] += 2.0 * a - b
    got = call(
        "ScatterWeightedSum", W, np.float32([0.5]), indices, first, np.float32([2]), second, np.float32([-1]),
        inplace=True,
    )  # fmt: skip
    np.testing.assert_allclose(got, want, **CLOSE)


def sparse(type, arrays, indices, *, order, inplace, outputs, **arguments):
    """Runs a sparse update in place; ``order`` names its inputs by position among ``arrays``."""
    from c2lab.proto import caffe2_pb2
    from c2lab.proto.arguments import make_argument
    from c2lab.workspace import Workspace

    op = caffe2_pb2.OperatorDef(type=type, input=order)
    names = iter(inplace)
    op.output.extend(next(names, f"extra{k}") for k in range(outputs))
    op.arg.extend(make_argument(name, value) for name, value in arguments.items())
    workspace = Workspace("sparse")
    for name, value in {**arrays, "indices": indices}.items():
        workspace.feed(name, value)
    workspace.run_operator(op)
    return [workspace.fetch(name) for name in op.output]


@pytest.mark.parametrize("indices", INDICES)
@pytest.mark.parametrize("nesterov", [0, 1])
def test_sparse_momentum(indices, nesterov):
    slopes = slices_for(indices)

    def step(moment, weights, slope):
        new = 0.9 * moment + 0.1 * slope
        change = 1.9 * new - 0.9 * moment if nesterov else new
        return new, weights - change, change

    (moment, weights), change = one_by_one(indices, [m, w], slopes, step)
    got = sparse(
        "SparseMomentumSGDUpdate",
        {"grad": slopes, "m": M, "lr": np.float32([0.1]), "w": W},
        indices,
        order=["grad", "m", "lr", "w", "indices"],
        inplace=["grad", "m", "w"],
        outputs=3,
        momentum=0.9,
        nesterov=nesterov,
    )
    check(got, change, moment, weights)


@pytest.mark.parametrize("indices", INDICES)
def test_sparse_adagrad(indices):
    slopes = slices_for(indices)

    def step(weights, total, slope):
        slope = slope + 0.1 * weights
        total = total + slope**2
        return weights - 0.1 * slope / (np.sqrt(total) + 1e-3), total, 0

    arrays = {"w": W, "h": M, "grad": slopes, "lr": LR}
    order, inplace = ["w", "h", "indices", "grad", "lr"], ["w", "h"]
    got = sparse("SparseAdagrad", arrays, indices, order=order, inplace=inplace, outputs=2, epsilon=1e-3,
                 weight_decay=0.1)  # fmt: skip
    check(got, *one_by_one(indices, [w, m], slopes, step)[0])
    with pytest.raises(NotSupported, match="decay"):
        sparse("SparseAdagrad", arrays, indices, order=order, inplace=inplace, outputs=2, decay=0.5)

    def row_wise(weights, total, slope):
        total = total + (slope**2).mean()
        return weights - 0.1 * slope / (np.sqrt(total) + 1e-3), total, 0

    got = sparse("RowWiseSparseAdagrad", {**arrays, "h": M[:, 0]}, indices, order=order, inplace=inplace, outputs=2,
                 epsilon=1e-3)  # fmt: skip
    check(got, *one_by_one(indices, [w, m[:, 0]], slopes, row_wise)[0])


@pytest.mark.parametrize("indices", INDICES)
@pytest.mark.parametrize(("rectified", "iteration"), [(0, 3), (1, 0), (1, 50)])
def test_sparse_adam(indices, rectified, iteration):
    slopes, b1, b2, t = slices_for(indices), 0.8, 0.95, iteration + 1
    limit = 2 / (1 - b2) - 1
    length = limit - 2 * t * b2**t / (1 - b2**t)

    def step(weights, first, second, slope):
        first = b1 * first + (1 - b1) * slope
        second = b2 * second + (1 - b2) * slope**2
        change = np.sqrt(1 - b2**t) / (1 - b1**t) * first / (np.sqrt(second) + 1e-3)
        if rectified and length >= 5:
            change = change * np.sqrt((length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length))
        elif rectified:
            change = first / (1 - b1**t)
        return weights - 0.1 * change, first, second, change

    state, change = one_by_one(indices, [w, m, v], slopes, step)
    got = sparse(
        "SparseAdam",
        {"w": W, "m": M, "v": V, "grad": slopes, "lr": LR, "t": np.int64([iteration])},
        indices,
        order=["w", "m", "v", "indices", "grad", "lr", "t"],
        inplace=["w", "m", "v"],
        outputs=4,
        beta1=b1,
        beta2=b2,
        epsilon=1e-3,
        enableRAdam=bool(rectified),
    )
    check(got, *state, change)


@pytest.mark.parametrize("indices", INDICES)
def test_row_wise_sparse_adam(indices):
    slopes, b1, b2, t = slices_for(indices), 0.8, 0.95, 4

    def step(weights, first, second, slope):
        first = b1 * first + (1 - b1) * slope
        second = b2 * second + (1 - b2) * (slope**2).mean()
        change = np.sqrt(1 - b2**t) / (1 - b1**t) * first / (np.sqrt(second) + 1e-3)
        return weights - 0.1 * change, first, second, change

    state, _ = one_by_one(indices, [w, m, v[:, 0]], slopes, step)
    got = sparse(
        "RowWiseSparseAdam",
        {"w": W, "m": M, "v": V[:, 0], "grad": slopes, "lr": LR, "t": ITER},
        indices,
        order=["w", "m", "v", "indices", "grad", "lr", "t"],
        inplace=["w", "m", "v"],
        outputs=3,
        beta1=b1,
        beta2=b2,
        epsilon=1e-3,
    )
    check(got, *state)


@pytest.mark.parametrize("indices", INDICES)
def test_sparse_kin_of_the_dense_updates(indices):
    slopes = slices_for(indices)

    def delta(weights, squared, change, slope):
        squared = 0.9 * squared + 0.1 * slope**2
        step = np.sqrt(change + 1e-3) / np.sqrt(squared + 1e-3) * slope
        return weights - 0.1 * step, squared, 0.9 * change + 0.1 * step**2, 0

    arrays = {"w": W, "m": M, "v": V, "grad": slopes, "lr": LR, "s": np.float32([3])}
    got = sparse("SparseAdadelta", arrays, indices, order=["w", "m", "v", "indices", "grad", "lr"],
                 inplace=["w", "m", "v"], outputs=3, epsilon=1e-3, decay=0.9)  # fmt: skip
    check(got, *one_by_one(indices, [w, m, v], slopes, delta)[0])

    sums = np.stack([M, V], axis=-1)

    def proximal(weights, held, slope):
        new, n, z = ftrl(weights, held[:, 0], held[:, 1], slope)
        return new, np.stack([n, z], axis=-1), 0

    got = sparse("SparseFtrl", {**arrays, "nz": sums}, indices, order=["w", "nz", "indices", "grad"],
                 inplace=["w", "nz"], outputs=2, **FTRL)  # fmt: skip
    check(got, *one_by_one(indices, [w, sums], slopes, proximal)[0])

    squares = (slopes.astype(np.float64) ** 2).sum()
    divisor = 3 + 1e-5
    got = sparse("SparseWngrad", arrays, indices, order=["w", "s", "indices", "grad", "lr"], inplace=["w", "s"],
                 outputs=2)  # fmt: skip
    (weights,), _ = one_by_one(indices, [w], slopes, lambda x, slope: (x - 0.1 * slope / divisor, 0))
    check(got, weights, [3 + squares / divisor])

    rate = -0.1 * (0.1 + 3 + squares) ** (-1 / 3)

    def momentum(weights, kept, slope):
        kept = slope + (1 - 10 * rate**2) * (kept - slope)
        return weights + rate * kept, kept, 0

    got = sparse("SparseStorm", arrays, indices, order=["w", "m", "s", "grad", "indices", "lr"],
                 inplace=["w", "m", "s"], outputs=3)  # fmt: skip
    check(got, *one_by_one(indices, [w, m], slopes, momentum)[0], [3 + squares])


def test_sparse_updates_of_no_rows_change_nothing():
    got = sparse(
        "SparseAdagrad",
        {"w": W, "h": M, "grad": np.zeros((0, 4), np.float32), "lr": LR},
        np.zeros((0,), np.int32),
        order=["w", "h", "indices", "grad", "lr"],
        inplace=["w", "h"],
        outputs=2,
    )
    check(got, W, M)


def test_sparse_updates_refuse_what_does_not_fit():
    arrays = {"w": W, "h": M, "grad": slices_for([0]), "lr": LR}
    order = ["w", "h", "indices", "grad", "lr"]
    with pytest.raises(BadValue, match="has 5 rows"):
        sparse("SparseAdagrad", arrays, np.int32([5]), order=order, inplace=["w", "h"], outputs=2)
    with pytest.raises(ShapeMismatch, match="2 rows"):
        sparse("SparseAdagrad", arrays, np.int32([1, 2]), order=order, inplace=["w", "h"], outputs=2)
    with pytest.raises(TypeMismatch):
        sparse("SparseAdagrad", arrays, np.float32([1]), order=order, inplace=["w", "h"], outputs=2)
    with pytest.raises(UnsafeInplace):
        sparse("SparseAdagrad", arrays, np.int32([1]), order=order, inplace=["a", "b"], outputs=2)


def test_regularizers():
    np.testing.assert_allclose(
        call("EnsureClipped", G, min=-0.1, max=0.2), np.clip(G, np.float32(-0.1), np.float32(0.2))
    )
    got = sparse("EnsureClipped", {"w": G, "grad": G}, np.int32([1, 1, 4]), order=["w", "indices", "grad"],
                 inplace=["w"], outputs=1, min=0.0)  # fmt: skip
    want = np.array(G)
    want[[1, 4]] = np.maximum(want[[1, 4]], 0)
    np.testing.assert_array_equal(got[0], want)
    for p, shrink in ((2.0, lambda x: x * 0.9), (1.0, lambda x: np.sign(x) * np.maximum(abs(x) - 0.1, 0))):
        got = sparse("SparseLpRegularizer", {"w": G}, np.int32([1, 1]), order=["w", "indices"], inplace=["w"],
                     outputs=1, p=p, reg_lambda=0.1)  # fmt: skip
        want = g.copy()
        want[1] = shrink(shrink(want[1]))
        np.testing.assert_allclose(got[0], want, **CLOSE)
    with pytest.raises(BadArgument, match=r"1\.0 or 2\.0"):
        sparse("SparseLpRegularizer", {"w": G}, np.int32([1]), order=["w", "indices"], inplace=["w"], outputs=1, p=3.0)


def test_row_wise_counter_halves_with_time():
    arrays = {"prev": np.int64([0, 5, 9]), "count": np.float64([1, 8, 2]), "t": np.int64([15])}
    got = sparse("RowWiseCounter", arrays, np.int64([1, 1]), order=["prev", "count", "indices", "t"],
                 inplace=["prev", "count"], outputs=2, counter_halflife=5)  # fmt: skip
    np.testing.assert_array_equal(got[0], [0, 15, 9])
    np.testing.assert_allclose(got[1], [1, 1 + (1 + 8 / 4), 2])
