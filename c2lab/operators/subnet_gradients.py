"""Gradients of operators that hold nets: ``Do``, ``If`` and ``While`` go back through the nets that ran.

A ``Do`` goes back in the scope that it left, where its own blobs still stand, and the blobs around it as
they were when it began and when it ended.  An ``If`` is an ``If`` again, on the same condition, whose nets
are the gradients of its nets.  A ``While`` is a ``While`` that goes on as long as there are scopes; gradients
of blobs that each round changes go from round to round, those of blobs that are only read are added up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from c2lab.errors import NoGradient
from c2lab.operators.gradients import Gradient, GradientSlice, GradientWriter, NetGradients
from c2lab.operators.subnets import net_argument, reads_of, rename_blobs, writes_of
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument

OperatorDef = caffe2_pb2.OperatorDef


def _op(type: str, inputs: Iterable[str], outputs: Iterable[str], **arguments: object) -> OperatorDef:
    made = OperatorDef(type=type, name="", input=inputs, output=outputs, is_gradient_op=True)
    made.arg.extend(make_argument(name, value) for name, value in arguments.items())
    return made


def _zeros(like: str, output: str) -> OperatorDef:
    return _op("ConstantFill", [like], [output], value=0.0)


def _net(name: str, ops: Sequence[OperatorDef]) -> caffe2_pb2.NetDef:
    net = caffe2_pb2.NetDef(name=name, op=ops)
    net.external_input.extend(sorted(reads_of(net)))
    net.external_output.extend(sorted(writes_of(net)))
    return net


def _dense(gradient: Gradient, like: str, output: str) -> OperatorDef:
    """The operator that writes ``output`` with a gradient: a copy, or rows put in their places; zeros where none."""
    if gradient is None:
        return _zeros(like, output)
    if isinstance(gradient, GradientSlice):
        return _op("SparseToDense", [gradient.indices, gradient.values, like], [output])
    return _op("Copy", [gradient], [output])


# ---- Do ------------------------------------------------------------------------------------------


class Bindings:
    """Which names in the net of a ``Do`` stand for which blobs around it."""

    def __init__(self, op: OperatorDef) -> None:
        arguments = {argument.name: argument for argument in op.arg}
        names = [*op.input, *op.output]
        inner = [name.decode() for name in arguments["inner_blobs"].strings] if "inner_blobs" in arguments else []
        places = list(arguments["outer_blobs_idx"].ints) if "outer_blobs_idx" in arguments else []
        if len(inner) != len(places) or any(not 0 <= place < len(names) for place in places):
            raise NoGradient(
                f"inner_blobs {inner} and outer_blobs_idx {places} must be equally many, and the positions below "
                f"{len(names)}"
            )
        self.inner = {name: names[place] for name, place in zip(inner, places, strict=True)}
        self.outer = {outer: name for name, outer in self.inner.items()}
        if len(self.outer) < len(self.inner):
            raise NoGradient(f"two blobs inside stand for one outside: {self.inner}; give each one of its own")


def dedupe_g_output(op: OperatorDef, g_output: Sequence[str | None]) -> tuple[list[OperatorDef], list[str | None]]:
    """Copies for gradients that flow in at more than one output, so that each output has its own.

    Args:
        op: The forward operator.
        g_output: A gradient for each of its outputs.

    Returns:
        The operators that copy, and the gradients with the copies in place.
    """
    seen: set[str] = set()
    copies: list[OperatorDef] = []
    gradients: list[str | None] = []
    for output, gradient in zip(op.output, g_output, strict=True):
        if gradient is not None and gradient in seen:
            own = f"{gradient}_{output}_deduped"
            copies.append(_op("Copy", [gradient], [own]))
            gradient = own
        if gradient is not None:
            seen.add(gradient)
        gradients.append(gradient)
    return copies, gradients


def _flowing_in(g: GradientWriter) -> dict[str, str]:
    """The gradient of each output that has one."""
    return {output: g.GO(k) for k, output in enumerate(g.op.output) if g.has_GO(k)}


def do_gradient(g: GradientWriter) -> list[OperatorDef]:
    """The maker of ``Do``."""
    if g.argument("reuse_workspace", 0):
        raise NoGradient("Do with reuse_workspace keeps no scope for a gradient; leave reuse_workspace out")
    net, scopes, bindings = net_argument(g.op, "net"), g.op.input[-1], Bindings(g.op)
    copies, gradients = dedupe_g_output(g.op, [g.GO(k) if g.has_GO(k) else None for k in range(len(g.op.output))])
    flowing = {bindings.outer[o]: gradient for o, gradient in zip(g.op.output, gradients, strict=True)
               if gradient is not None and o in bindings.outer}  # fmt: skip
    start = {inner: f"{inner}_grad_from_outside" for inner in flowing}

    apart, before = _first_values_apart(net, bindings.inner)
    made = g.differentiate(apart, start, [before.get(name, name) for name in bindings.inner])
    ops, results = list(made.ops), {}
    produced = {name for op in ops for name in op.output}
    for k, outer in enumerate(g.op.input[:-1]):
        inner = bindings.outer.get(outer)
        if inner is None:
            continue
        first = before.get(inner, inner)
        gradient = made.found.get(first)
        if gradient is None and not (inner in start and outer in g.op.output):
            continue  # nothing of it reaches an output that has a gradient
        if isinstance(gradient, str) and gradient in produced and gradient not in results:
            results[gradient] = g.GI(k)
        else:
            result = f"{inner}_grad_to_outside"
            ops.append(_dense(gradient, first, result))
            results[result] = g.GI(k)
    # What of the inputs and outputs is bound inside, in this order.
    inputs = [*flowing.values(), scopes]
    outputs = [*results.values(), scopes]
    inner_blobs = [*(start[inner] for inner in flowing), *results]
    places = [*range(len(flowing)), *(len(inputs) + k for k in range(len(results)))]
    backward = _net(f"{net.name}_grad", ops)
    needed = sorted(reads_of(backward) - set(start.values()))
    first_values = {apart_name: name for name, apart_name in before.items() if apart_name in needed}
    return [
        *copies,
        g.define(
            "Do",
            inputs,
            outputs,
            copy_arguments=False,
            net=backward,
            inner_blobs=inner_blobs,
            outer_blobs_idx=places,
            saved_fwd_blobs=[name for name in needed if name not in first_values],
            **({"first_values_of": list(first_values.values()), "first_values": list(first_values)}
               if first_values else {}),
        ),
    ]  # fmt: skip


def _first_values_apart(net: caffe2_pb2.NetDef, bound: Iterable[str]) -> tuple[caffe2_pb2.NetDef, dict[str, str]]:
    """A net in which the first value of a bound blob has a name of its own, where the net overwrites it.

    The scope keeps that value, so that gradients may read it.
    """
    written = writes_of(net)
    before = {name: f"{name}_at_first" for name in bound if name in written}
    apart = caffe2_pb2.NetDef(name=net.name)
    now = dict(before)
    for op in net.op:
        writes = writes_of(caffe2_pb2.NetDef(op=[op]))
        if _holds_nets(op):
            # Its nets read and write one name, and have scopes of their own to go back in.
            for name in sorted(now.keys() & writes & reads_of(caffe2_pb2.NetDef(op=[op]))):
                apart.op.append(_op("Copy", [now[name]], [name]))
        apart.op.append(op)
        if _holds_nets(op):
            rename_blobs(apart.op[-1], {name: first for name, first in now.items() if name not in writes})
        else:
            apart.op[-1].input[:] = [now.get(name, name) for name in op.input]
        for name in writes:
            now.pop(name, None)
    return apart, before


def _holds_nets(op: OperatorDef) -> bool:
    return op.type in ("If", "While", "Do", "AsyncIf")


# ---- names ---------------------------------------------------------------------------------------


def _kept_apart(ops: Sequence[OperatorDef], prefix: str, stay: Iterable[str]) -> dict[str, str]:
    """Gives all that gradient operators write names of their own, so that they meet no others; returns the names.

    The nets of an ``If`` or ``While`` write blobs around it, where other gradients wait to be used.
    """
    names = {name: prefix + name for name in writes_of(caffe2_pb2.NetDef(op=ops)) - set(stay)}
    for op in ops:
        rename_blobs(op, names)
    return names


def _renamed_starts(ops: Sequence[OperatorDef], names: dict[str, str]) -> dict[str, str]:
    """Lets gradient operators read what flows in where it stands; they never write it."""
    for op in ops:
        rename_blobs(op, names)
    return names


def _under(names: Mapping[str, str], gradient: Gradient) -> Gradient:
    if isinstance(gradient, GradientSlice):
        return GradientSlice(*(names.get(part, part) for part in gradient))
    return gradient if gradient is None else names.get(gradient, gradient)


def _input_gradient(g: GradientWriter, index: int, taken: Iterable[str]) -> str:
    """The name for the gradient of an input, other than the gradients that flow in."""
    name = g.GI(index)
    if name in taken:
        name = f"{g.I(index)}_before_grad"
        g.set_dense(index, name)
    return name


def _require_inputs(g: GradientWriter, found: Iterable[str], word: str) -> None:
    unnamed = sorted(set(found) - set(g.op.input))
    if unnamed:
        raise NoGradient(
            f"the gradient of {g.op.type} flows to {', '.join(unnamed)}, which {word} reads, or leaves as it was, but "
            f"{g.op.type} does not name among its inputs; name it there"
        )


# ---- If ------------------------------------------------------------------------------------------


def if_gradient(g: GradientWriter) -> list[OperatorDef]:
    """The maker of ``If``."""
    op, condition = g.op, g.I(0)
    words = ("then_net", "else_net")
    nets = {word: net_argument(op, word) for word in words}
    if any(condition in writes_of(net) for net in nets.values()):
        raise NoGradient(
            f"the nets of If overwrite its condition {condition}, so the way back cannot tell which one ran; "
            "write another blob"
        )
    flowing, known = _flowing_in(g), [*op.input, *op.output]
    start = {name: f"{name}_grad_after_branch" for name in flowing}
    made: dict[str, NetGradients] = {}
    for word, net in nets.items():
        ops, found = g.differentiate(net, start, known)
        _require_inputs(g, found, word)
        # Scopes that are made in the net itself are written on the way back, too.
        names = _kept_apart(ops, f"{op.output[0]}/{word}_", {*known, *reads_of(net), *writes_of(net)})
        names |= _renamed_starts(ops, {start[name]: gradient for name, gradient in flowing.items()})
        made[word] = NetGradients(ops, {name: _under(names, gradient) for name, gradient in found.items()})
    results = {
        name: _input_gradient(g, k, flowing.values())
        for k, name in enumerate(op.input)
        if any(name in found for _, found in made.values())
    }
    if not results:
        return []
    backward = {}
    for word, (ops, found) in made.items():
        finish = [_dense(found.get(name), name, result) for name, result in results.items()]
        backward[word] = _net(f"{nets[word].name or word}_grad", [*ops, *finish])
    mentioned = {*known, *flowing.values()}
    inputs = sorted({name for net in backward.values() for name in reads_of(net)} & mentioned - {condition})
    outputs = [*results.values(), *(name for name in op.output if any(name in writes_of(n) for n in backward.values()))]
    return [g.define("If", [condition, *inputs], outputs, copy_arguments=False, **backward)]


# ---- While ---------------------------------------------------------------------------------------


def while_gradient(g: GradientWriter) -> list[OperatorDef]:
    """The maker of ``While``."""
    op, body = g.op, net_argument(g.op, "loop_net")
    if len(body.op) != 1 or body.op[0].type != "Do":
        raise NoGradient(
            f"the loop of a While that has a gradient must be one Do operator, whose scopes keep what each round "
            f"computed; it is {[inner.type for inner in body.op]}. Build it with ops.WhileNet or brew.loop"
        )
    scopes = body.op[0].output[-1]
    round_trip = _RoundTrip(g, body, scopes)
    changed, read = round_trip.changed, round_trip.read
    state = {name: f"{scopes}/{name}_grad" for name in (*changed, *read)}

    flowing = _flowing_in(g)
    begin = [_dense(flowing.get(name), name, state[name]) for name in state]
    end = [_op("Copy", [state[name]], [g.GI(k)]) for k, name in enumerate(op.input) if name in state]
    names = _kept_apart(round_trip.ops, f"{scopes}/round_", {scopes})
    names |= _renamed_starts(round_trip.ops, {grad: state[name] for name, grad in round_trip.start.items()})
    found = {name: _under(names, gradient) for name, gradient in round_trip.found.items()}
    carry: list[OperatorDef] = []
    for name in changed:
        carry.append(_dense(found.get(name), name, state[name]))
    for name in read:
        carry.append(_op("Sum", [state[name], found[name]], [state[name]]))
    loop_net = _net(f"{body.name}_grad", [*round_trip.ops, *carry])
    more = f"{scopes}/more"
    cond_net = _net(f"{body.name}_grad_condition", [_op("HasScope", [scopes], [more])])
    first = _op("HasScope", [scopes], [more])
    inputs = [more, scopes, *state.values()]
    loop = g.define("While", inputs, [*state.values(), scopes, more], copy_arguments=False,
                    loop_net=loop_net, cond_net=cond_net)  # fmt: skip
    return [first, *begin, loop, *end]


class _RoundTrip:
    """The way back through one round of a loop.

    ``changed`` are the blobs that the rounds change and whose gradients matter, ``read`` those that they only
    read; ``start`` is the name of the gradient after the round, ``found`` of that before it, by blob.
    """

    def __init__(self, g: GradientWriter, body: caffe2_pb2.NetDef, scopes: str) -> None:
        op = g.op
        written = writes_of(body) - {scopes}
        changed = {name for name in op.output if name in written and name in _flowing_in(g)}
        while True:
            # What one round reads matters to the round before it: until no more blobs come in.
            self.start = {name: f"{name}_grad_after_round" for name in sorted(changed)}
            self.ops, self.found = g.differentiate(body, self.start, [*op.input, *op.output])
            more = {name for name in self.found if name in written} - changed
            if not more:
                break
            changed |= more
        self.changed = sorted(changed)
        self.read = sorted(name for name in self.found if name not in changed)
        _require_inputs(g, [*self.changed, *self.read], "loop_net")
        asked = net_argument(op, "cond_net")
        meddling = sorted(changed & writes_of(asked))
        if meddling:
            raise NoGradient(
                f"the condition's net of While writes {', '.join(meddling)}, whose gradient flows through the loop; "
                "nothing goes back through a condition: write it in loop_net"
            )
