"""``@operator`` and ``@host_operator``: one function is one operator.

The signature is the schema (positional parameters are inputs, keyword-only ones are
arguments), the docstring is the page, the body is the lowering.  Shape inference, the
gradient, the palette entry and ``net.<Type>`` are made from it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from c2lab.errors import BadArgument, C2LabError, SchemaError, UnsafeInplace
from c2lab.operators import registry
from c2lab.operators.checks import require_type
from c2lab.operators.gradients import Maker, wired_maker
from c2lab.operators.schema import (
    ArgumentFold,
    ArgumentSpec,
    Slot,
    bind,
    describe_counts,
    parse_slots,
    signature_arguments,
    signature_inputs,
)
from c2lab.operators.vjp import gradient_slots, vjp_kernel
from c2lab.proto import caffe2_pb2

Kind = Literal["pure", "random", "region", "host"]
GradientStatus = Literal["maker", "none", "refused", "not implemented", "unregistered"]

# Keyword-only parameters that the backend fills in; everything else is an argument of the OperatorDef.
RESERVED = frozenset({"rng", "num_outputs", "op", "workspace", "subnets", "state"})


@dataclass(eq=False)
class Operator:
    """One operator type: its schema, its function and its gradient."""

    type: str
    function: Callable[..., Any]
    inputs: tuple[Slot, ...]
    outputs: tuple[Slot, ...]
    arguments: dict[str, ArgumentSpec]
    kind: Kind
    family: str
    reserved: frozenset[str] = frozenset()
    fold: ArgumentFold | None = None
    inplace: frozenset[tuple[int, int]] | None = frozenset()  # None: every pair is allowed
    inplace_enforced: frozenset[tuple[int, int]] = frozenset()
    input_counts: tuple[int, ...] = ()
    output_counts: tuple[int, ...] = ()
    static_inputs: frozenset[str] = frozenset()
    static_when: dict[str, str] = field(default_factory=dict)  # input -> the argument that makes it static
    host_when: Callable[[caffe2_pb2.OperatorDef], bool] | None = None
    opaque_inputs: frozenset[str] = frozenset()
    from_shapes: frozenset[str] = frozenset()
    host_rng: bool = False
    types: dict[str, tuple[str, ...]] = field(default_factory=dict)
    maker: Maker | None = None
    shape_rule: Callable[..., Any] | None = None
    gradient_status: GradientStatus = "unregistered"
    gradient_of: str = ""

    @property
    def doc(self) -> str:
        """The docstring of the function."""
        return inspect.getdoc(self.function) or ""

    @property
    def host(self) -> bool:
        """Whether it always runs on the host."""
        return self.kind == "host"

    def host_for(self, op: caffe2_pb2.OperatorDef) -> bool:
        """Whether ``op`` runs on the host (a few operators do for some arguments only: a fill with text)."""
        return self.host or (self.host_when is not None and self.host_when(op))

    def static_for(self, op: caffe2_pb2.OperatorDef) -> frozenset[str]:
        """The inputs of ``op`` whose values decide shapes (for some, only where an argument says so)."""
        if not self.static_when:
            return self.static_inputs
        given = {argument.name for argument in op.arg if argument.i}
        return frozenset(n for n in self.static_inputs if self.static_when.get(n, "") in given | {""})

    def read_arguments(self, op: caffe2_pb2.OperatorDef) -> dict[str, Any]:
        """The keyword arguments of the function, read from ``op`` with strict types.

        Arguments that the schema does not name are ignored, as in the original.

        Raises:
            BadArgument: A value in the wrong field, or not among the choices.
            SchemaError: A required argument is absent.
        """
        specs = self.arguments
        values: dict[str, Any] = {}
        for argument in op.arg:
            spec = specs.get(argument.name)
            if spec is not None:
                values[spec.name] = spec.read(argument)
        for spec in specs.values():
            if spec.name not in values:
                if spec.required:
                    raise SchemaError(
                        f"Operator def did not pass schema checking: argument {spec.name} ({spec.kind}) is required"
                    )
                values[spec.name] = spec.default
        if self.fold is not None:
            folded = self.fold.function(**{name: values.pop(name) for name in self.fold.arguments})
            values.update(folded)
        return values

    def check(self, op: caffe2_pb2.OperatorDef) -> None:
        """Checks the counts of inputs and outputs, and who may overwrite whom.

        Raises:
            SchemaError, UnsafeInplace: With the counts or names at fault.
        """
        prefix = "Operator def did not pass schema checking: "
        for word, names, slots, counts in (
            ("inputs", op.input, self.inputs, self.input_counts),
            ("outputs", op.output, self.outputs, self.output_counts),
        ):
            low = sum(not (slot.optional or slot.variadic) for slot in slots)
            high = len(slots) if not any(slot.variadic for slot in slots) else None
            if len(names) < low or (high is not None and len(names) > high) or (counts and len(names) not in counts):
                want = " or ".join(map(str, counts)) if counts else describe_counts(slots)
                raise SchemaError(f"{prefix}{self.type} takes {want} {word}, got {len(names)}: {list(names)}")
        for i, name in enumerate(op.input):
            for o, output in enumerate(op.output):
                if name == output and self.inplace is not None and (i, o) not in self.inplace | self.inplace_enforced:
                    raise UnsafeInplace(
                        f"{prefix}{self.type} may not write output {o} over its input {i} ({name}); "
                        "give the output another name"
                    )
        for i, o in self.inplace_enforced:
            if i < len(op.input) and o < len(op.output) and op.input[i] != op.output[o]:
                raise UnsafeInplace(
                    f"{prefix}{self.type} must write output {o} ({op.output[o]}) in place of input {i} ({op.input[i]})"
                )

    def call(
        self, values: Sequence[Any], arguments: dict[str, Any], *, num_outputs: int, **reserved: Any
    ) -> tuple[Any, ...]:
        """Applies the function to positional input values and returns ``num_outputs`` outputs.

        Args:
            values: One value an input of the OperatorDef.
            arguments: What ``read_arguments`` returned.
            num_outputs: How many outputs the OperatorDef names.
            reserved: What the function may ask for besides: ``rng``, ``op``, ``workspace``, ``subnets``.
        """
        bound = bind(self.inputs, values)
        for name, allowed in self.types.items():
            held = bound.get(name)
            for value in held if isinstance(held, tuple) else (held,):
                if value is not None and hasattr(value, "dtype"):
                    require_type(name, value, allowed)
        extra = {"num_outputs": num_outputs, **reserved}
        keywords = {name: extra.get(name) for name in self.reserved}
        positional: list[Any] = []
        for slot in self.inputs:
            positional.extend(bound[slot.name] if slot.variadic else [bound[slot.name]])
        try:
            result = self.function(*positional, **arguments, **keywords)
        except C2LabError:
            raise
        outputs = tuple(result) if isinstance(result, (tuple, list)) else (result,)
        if len(outputs) < num_outputs:
            raise SchemaError(f"{self.type} made {len(outputs)} outputs where the operator names {num_outputs}")
        return outputs[:num_outputs]

    def gradient(self, wiring: str, *, type: str = "", **options: Any) -> Callable[[Callable[..., Any]], Operator]:
        """Registers a handwritten gradient kernel for this operator.

        Args:
            wiring: Inputs and outputs of the gradient operator, ``"Y, dY -> dX"``: names of the
                forward operator's inputs and outputs, and ``d<name>`` for their gradients.
            type: The gradient operator's type; ``<Type>Gradient`` where left out.
            options: As for ``@operator``, and ``kind``: "host" or "pure" where the gradient does not
                run where the forward operator runs (its shapes are known, or are not).
        """

        def wrap(function: Callable[..., Any]) -> Operator:
            return _register_gradient(self, wiring, type or f"{self.type}Gradient", function, options)

        return wrap

    def gradient_maker(self, maker: Maker) -> Maker:
        """Registers ``maker(g)``, which returns the gradient OperatorDefs, where a wiring does not say it all."""
        self.maker, self.gradient_status = maker, "maker"
        return maker

    def shapes(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Registers ``rule(*inputs, **arguments)``: shape and type of each output, None where only a run tells."""
        self.shape_rule = rule
        return rule


def operator(
    type: str,
    *,
    outputs: str = "Y",
    gradient: str = "",
    inplace: str | Iterable[tuple[int, int]] = "",
    input_counts: Iterable[int] = (),
    output_counts: Iterable[int] = (),
    fold: ArgumentFold | None = None,
    static: str = "",
    host_when: Callable[[caffe2_pb2.OperatorDef], bool] | None = None,
    opaque: str = "",
    from_shapes: str = "",
    host_rng: bool = False,
    types: dict[str, str] | None = None,
    family: str = "",
) -> Callable[[Callable[..., Any]], Operator]:
    """Registers a function of JAX arrays as an operator.

    Args:
        type: The operator's type, as it stands in an OperatorDef.
        outputs: Output names: ``"Y"``, ``"Y, mask?"`` (optional), ``"*Y"`` (any number).
        gradient: How the gradient operator is wired (``"X, filter, dY -> dfilter, dX"``: its kernel is
            then the ``jax.vjp`` of the function), or ``"none"`` (gradients stop here silently),
            ``"refused"`` (asking is an error), ``"not implemented"`` (should have one, has none).
        inplace: Which outputs may overwrite which inputs: ``"X -> Y"``; ``"mean => mean_out"`` where it
            must; ``"*"`` for every pair; or pairs of positions.
        input_counts, output_counts: The exact counts allowed, where a range is not enough.
        fold: Other spellings of arguments.
        static: Inputs whose *values* decide output shapes; the function gets them as numpy arrays.
            ``"X if input_as_shape"``: only where that argument is set.
        host_when: Says of an OperatorDef whether it runs on the host, as a ``@host_operator`` does.
        opaque: Inputs that are no tensors (a mutex); the function gets ``None`` for them.
        from_shapes: Outputs that hold sizes of inputs; as numpy arrays they may be another operator's
            ``static`` input without cutting the net.
        host_rng: The function also takes a ``numpy.random.Generator`` as ``rng`` (see ``draws``), so that
            a net of nothing but fills need not compile it.
        types: Allowed element types by input name: ``{"X": "float32 float64"}``.
        family: The palette category; the name of the defining file where left out.

    Example:
        >>> @operator("DoctestTwice", gradient="X, dY -> dX")
        ... def twice(X, *, offset: float = 0.0):
        ...     "Twice the input, plus an offset."
        ...     return 2 * X + offset
        >>> registry.find("DoctestTwice").arguments["offset"].kind
        'float'
    """

    def wrap(function: Callable[..., Any]) -> Operator:
        return _define(
            type,
            function,
            kind=None,
            outputs=outputs,
            gradient=gradient,
            inplace=inplace,
            input_counts=input_counts,
            output_counts=output_counts,
            fold=fold,
            static=static,
            host_when=host_when,
            opaque=opaque,
            from_shapes=from_shapes,
            host_rng=host_rng,
            types=types,
            family=family,
        )

    return wrap


def host_operator(type: str, **options: Any) -> Callable[[Callable[..., Any]], Operator]:
    """Registers a function that runs on the host: numpy arrays (and other objects) in and out, never traced.

    The options are those of ``@operator``.  The function may ask for the keywords ``workspace``
    (blobs by name, ``root_folder``), ``op`` (the OperatorDef), ``rng`` (a ``numpy.random.Generator``),
    ``num_outputs``, and ``state`` (a dict that lives as long as the net that the operator stands in).
    """

    def wrap(function: Callable[..., Any]) -> Operator:
        return _define(type, function, kind="host", **options)

    return wrap


def _define(
    type: str,
    function: Callable[..., Any],
    *,
    kind: Kind | None,
    outputs: str = "Y",
    gradient: str = "",
    inplace: str | Iterable[tuple[int, int]] = "",
    input_counts: Iterable[int] = (),
    output_counts: Iterable[int] = (),
    fold: ArgumentFold | None = None,
    static: str = "",
    host_when: Callable[[caffe2_pb2.OperatorDef], bool] | None = None,
    opaque: str = "",
    from_shapes: str = "",
    host_rng: bool = False,
    types: dict[str, str] | None = None,
    family: str = "",
    inputs: tuple[Slot, ...] | None = None,
    arguments: dict[str, ArgumentSpec] | None = None,
    gradient_of: str = "",
) -> Operator:
    parameters = inspect.signature(function).parameters
    reserved = frozenset(n for n, p in parameters.items() if p.kind is p.KEYWORD_ONLY and n in RESERVED)
    if kind is None:
        kind = "region" if "subnets" in reserved else "random" if "rng" in reserved else "pure"
    folded = fold.gives if fold else ()
    specs = signature_arguments(function, leave_out={*RESERVED, *folded}) if arguments is None else dict(arguments)
    if fold:
        specs = {**fold.arguments, **specs}
    input_slots = signature_inputs(function) if inputs is None else inputs
    output_slots = parse_slots(outputs)
    allowed, enforced = _parse_inplace(type, inplace, input_slots, output_slots)
    static_parts = [part.split(" if ") for part in filter(None, (p.strip() for p in static.split(",")))]
    definition = Operator(
        type=type,
        function=function,
        inputs=input_slots,
        outputs=output_slots,
        arguments=specs,
        kind=kind,
        family=family or function.__module__.rpartition(".")[2],
        reserved=reserved,
        fold=fold,
        inplace=allowed,
        inplace_enforced=enforced,
        input_counts=tuple(input_counts),
        output_counts=tuple(output_counts),
        static_inputs=frozenset(part[0] for part in static_parts),
        static_when={part[0]: part[1] for part in static_parts if len(part) == 2},
        host_when=host_when,
        opaque_inputs=frozenset(n.strip() for n in opaque.split(",") if n.strip()),
        from_shapes=frozenset(n.strip() for n in from_shapes.split(",") if n.strip()),
        host_rng=host_rng,
        types={name: tuple(text.split()) for name, text in (types or {}).items()},
        gradient_of=gradient_of,
    )
    registry.register(definition)
    if gradient in ("none", "refused", "not implemented"):
        definition.gradient_status = gradient  # type: ignore[assignment] - one of the literals just tested
    elif gradient:
        _register_gradient(definition, gradient, f"{type}Gradient", None, {})
    return definition


def _parse_inplace(
    type: str, inplace: str | Iterable[tuple[int, int]], inputs: tuple[Slot, ...], outputs: tuple[Slot, ...]
) -> tuple[frozenset[tuple[int, int]] | None, frozenset[tuple[int, int]]]:
    if not isinstance(inplace, str):
        return frozenset(inplace), frozenset()
    if inplace == "*":
        return None, frozenset()
    allowed, enforced = set(), set()
    input_index = {slot.name: i for i, slot in enumerate(inputs)}
    output_index = {slot.name: i for i, slot in enumerate(outputs)}
    for part in filter(None, (p.strip() for p in inplace.split(","))):
        must = "=>" in part
        source, target = (n.strip() for n in part.split("=>" if must else "->"))
        if source not in input_index or target not in output_index:
            raise BadArgument(f"{type}: in-place pair {part!r} names no input and output of this operator")
        (enforced if must else allowed).add((input_index[source], output_index[target]))
    return frozenset(allowed), frozenset(enforced)


def _register_gradient(
    forward: Operator, wiring: str, type: str, kernel: Callable[..., Any] | None, options: dict[str, Any]
) -> Operator:
    left, right = gradient_slots(forward, wiring)
    automatic = kernel is None
    function = vjp_kernel(forward, left, right) if kernel is None else kernel
    own = {} if automatic else signature_arguments(function, leave_out=RESERVED)
    if forward.fold:
        own = {name: spec for name, spec in own.items() if name not in forward.fold.gives}
        options.setdefault("fold", forward.fold)
    if any(p.kind is p.VAR_KEYWORD for p in inspect.signature(function).parameters.values()):
        own = {**forward.arguments, **own}
    definition = _define(
        type,
        function,
        kind=options.pop("kind", "host" if forward.host else None),
        outputs=", ".join(f"{'*' if s.variadic else ''}{s.name}{'?' if s.optional else ''}" for s in right),
        inputs=left,
        arguments=own,
        family=forward.family,
        gradient_of=forward.type,
        **options,
    )
    if forward.maker is None:
        forward.maker = wired_maker(forward.inputs, forward.outputs, left, right, type)
        forward.gradient_status = "maker"
    return definition
