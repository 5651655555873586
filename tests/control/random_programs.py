"""Programs of loops and branches at random, built with blocks and computed with numpy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from c2lab.control.net_builder import NetBuilder
from c2lab.control.operations import ops

VARIABLES, PARAMETERS = ("a", "b", "c"), ("v", "w")
FUNCTIONS = {
    "Mul": np.multiply,
    "Add": np.add,
    "Sub": np.subtract,
    "Tanh": np.tanh,
    "Sin": np.sin,
    "Negative": np.negative,
    "Copy": np.copy,
}
TWO = ("Mul", "Add", "Sub")


def program(rng: np.random.Generator, depth: int = 0, size: int = 4) -> list[Any]:
    """``("set", name, function, arguments)``, ``("if", condition, yes, no)``, ``("while", times, body)``, ..."""
    statements: list[Any] = []
    for _ in range(int(rng.integers(1, size + 1))):
        kind = rng.random()
        if depth < 3 and kind < 0.25:
            no = program(rng, depth + 1, 2) if rng.random() < 0.6 else []
            condition = str(rng.choice([*VARIABLES, "yes", "no"]))
            statements.append(("if", condition, program(rng, depth + 1, 3), no))
        elif depth < 3 and kind < 0.45:
            statements.append(("while", int(rng.integers(0, 4)), program(rng, depth + 1, 3)))
        else:
            function = str(rng.choice(list(FUNCTIONS)))
            count = 2 if function in TWO else 1
            arguments = [str(name) for name in rng.choice([*VARIABLES, *PARAMETERS], size=count)]
            statements.append(("set", str(rng.choice(VARIABLES)), function, arguments))
    return statements


def compute(statements: list[Any], held: dict[str, Any]) -> None:
    """Runs a program on arrays, in place."""
    for statement in statements:
        if statement[0] == "set":
            _, name, function, arguments = statement
            held[name] = FUNCTIONS[function](*(held[argument] for argument in arguments))
        elif statement[0] == "if":
            _, condition, yes, no = statement
            holds = {"yes": True, "no": False}.get(condition)
            compute(yes if (held[condition].sum() > 0.1 if holds is None else holds) else no, held)
        else:
            for _ in range(statement[1]):
                compute(statement[2], held)


def changed(statements: list[Any]) -> set[str]:
    """The variables that a program may set."""
    names: set[str] = set()
    for statement in statements:
        if statement[0] == "set":
            names.add(statement[1])
        else:
            for body in statement[2:]:
                names |= changed(body)
    return names


def build(statements: list[Any], now: dict[str, Any]) -> None:
    """Adds a program to the builder around.

    Gradients need what blobs held, so each value is a blob of its own; a block writes the blobs around it
    at its end.

    Args:
        statements: The program.
        now: The blob of each variable, brought up to date.
    """
    for statement in statements:
        if statement[0] == "set":
            _, name, function, arguments = statement
            now[name] = getattr(ops, function)([now[argument] for argument in arguments])
            continue
        _, condition, *bodies = statement
        own = {name: ops.Copy(now[name]) for body in bodies for name in changed(body)}
        now.update(own)
        if statement[0] == "if":
            if condition in ("yes", "no"):
                holds = ops.Const(condition == "yes")
            else:
                holds = ops.GT([ops.SumElements(now[condition]), ops.Const(np.float32(0.1))])
            # A blob that both branches overwrite without a look at it could have no gradient before them.
            with ops.IfNet(holds):
                _block(bodies[0], now, changed(bodies[0]) & changed(bodies[1]))
            if bodies[1]:
                with ops.Else():
                    _block(bodies[1], now)
        else:
            count = ops.Const(0)
            with ops.WhileNet():
                with ops.Condition():
                    ops.LT([count, ops.Const(condition)])
                _block(bodies[0], now)
                ops.Add([count, ops.Const(1)], [count])


def _block(statements: list[Any], around: dict[str, Any], read: Iterable[str] = ()) -> None:
    now = dict(around)
    build(statements, now)
    for name in sorted(changed(statements)):
        result = now[name]
        if name in read:
            result = ops.Add([result, ops.Scale(around[name], scale=0.0)])
        ops.Copy(result, around[name])


def built(statements: list[Any]) -> Any:
    """A net of the program, whose loss adds all variables up."""
    with NetBuilder(_use_control_ops=True, initial_scope=[*VARIABLES, *PARAMETERS]) as builder:
        now: dict[str, Any] = {name: name for name in (*VARIABLES, *PARAMETERS)}
        build(statements, now)
        product = ops.SumElements(ops.Mul([ops.Add([now["a"], now["b"]]), now["c"]]))
        ops.Add([product, ops.SumElements(now["b"])], "loss")
    (net,) = builder.get()
    return net


def loss(statements: list[Any], *values: Any) -> Any:
    """What the net computes."""
    held = dict(zip((*VARIABLES, *PARAMETERS), values, strict=True))
    compute(statements, held)
    return np.sum((held["a"] + held["b"]) * held["c"]) + np.sum(held["b"])
