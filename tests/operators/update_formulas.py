"""What the tests of updates share: a parameter, its gradient and state, and sparse updates one row at a time."""

from __future__ import annotations

import numpy as np

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


def adam(mean_square=lambda x: x**2, t=4, b1=0.8, b2=0.95, eps=1e-3):
    first = b1 * m + (1 - b1) * g
    second = b2 * v + (1 - b2) * mean_square(g)
    step = np.sqrt(1 - b2**t) / (1 - b1**t) * first / (np.sqrt(second) + eps)
    return w - 0.1 * step, first, second, step


def ftrl(weights, n, z, slope, alpha=0.05, beta=0.5, l1=0.3, l2=0.02):
    total = n + slope**2
    z = z + slope - (np.sqrt(total) - np.sqrt(n)) / alpha * weights
    new = np.where(np.abs(z) <= l1, 0, (l1 * np.sign(z) - z) / ((beta + np.sqrt(total)) / alpha + l2))
    return new, total, z


FTRL = {"alpha": 0.05, "beta": 0.5, "lambda1": 0.3, "lambda2": 0.02}


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
