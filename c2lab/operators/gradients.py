"""Gradient makers: from a forward OperatorDef to the OperatorDefs of its gradient.

A maker knows nothing of kernels. It answers which operators the original emits, wired
to which blobs; ``c2lab.graph.backward`` strings them together into a backward net.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from c2lab.errors import NoGradient, SchemaError
from c2lab.operators import registry
from c2lab.operators.schema import Slot, bind
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import argument_value, make_argument


class GradientSlice(NamedTuple):
    """A sparse gradient: ``values[k]`` belongs to row ``indices[k]`` of the parameter."""

    indices: Any
    values: Any


Gradient = str | GradientSlice | None


class NetGradients(NamedTuple):
    """The gradient operators of a net, and the gradients of the blobs that it finds, as it finds them."""

    ops: list[caffe2_pb2.OperatorDef]
    found: dict[str, str | GradientSlice]


# (net, gradients of blobs as the net leaves them, blobs that exist before it) -> its gradients
Differentiate = Callable[[caffe2_pb2.NetDef, Mapping[str, str], Iterable[str]], NetGradients]


class GradientWriter:
    """What a maker works with: the forward operator's blobs, and where the gradients go.

    ``I(k)``, ``O(k)`` are the names of forward inputs and outputs, ``GO(k)`` the gradient
    that flows in at output ``k``, ``GI(k)`` the name for the gradient of input ``k``.
    """

    def __init__(
        self,
        op: caffe2_pb2.OperatorDef,
        output_gradients: Sequence[Gradient],
        differentiate: Differentiate | None = None,
    ) -> None:
        self.op = op
        self.output_gradients = tuple(output_gradients)
        self.input_gradients: list[Gradient] = [None] * len(op.input)
        self._differentiate = differentiate

    def differentiate(
        self, net: caffe2_pb2.NetDef, gradients: Mapping[str, str], known: Iterable[str] = ()
    ) -> NetGradients:
        """The gradient operators of a net inside the operator.

        Args:
            net: The net.
            gradients: By blob, the gradient of what the net leaves in it.
            known: Blobs that exist before the net runs, whether it reads them or not.
        """
        if self._differentiate is None:
            raise NoGradient(
                f"{self.op.type} holds a net, whose gradient only a whole backward pass can make; "
                "ask core.GradientRegistry or Net.AddGradientOperators"
            )
        return self._differentiate(net, gradients, known)

    def I(self, index: int) -> str:  # noqa: E743 - the names Caffe2's makers go by
        """The name of forward input ``index``."""
        return self.op.input[index]

    def O(self, index: int) -> str:  # noqa: E743
        """The name of forward output ``index``."""
        return self.op.output[index]

    def GO(self, index: int) -> str:
        """The dense gradient of output ``index``.

        Raises:
            NoGradient: It does not exist, or is sparse.
        """
        gradient = self.output_gradients[index]
        if gradient is None:
            raise NoGradient(
                f"{self.op.type} needs the gradient of its output {index} ({self.O(index)}), which has none"
            )
        if isinstance(gradient, GradientSlice):
            raise NoGradient(f"Input [{gradient}] of the gradient of {self.op.type} is sparse; it must be dense")
        return str(gradient)

    def has_GO(self, index: int) -> bool:
        """Whether a gradient flows in at output ``index``."""
        return index < len(self.output_gradients) and self.output_gradients[index] is not None

    def GI(self, index: int) -> str:
        """The name for the dense gradient of input ``index``, which is thereby promised."""
        name = f"{self.op.input[index]}_grad"
        self.input_gradients[index] = name
        return name

    def GI_slice(self, index: int) -> tuple[str, str]:
        """The names for the sparse gradient of input ``index``: indices and values."""
        base = self.op.input[index]
        names = GradientSlice(f"{base}_grad_indices", f"{base}_grad_values")
        self.input_gradients[index] = names
        return names.indices, names.values

    def set_dense(self, index: int, name: str) -> None:
        """Passes an existing blob on as the gradient of input ``index``."""
        self.input_gradients[index] = name

    def set_sparse(self, index: int, indices: str, values: str) -> None:
        """Gives input ``index`` a sparse gradient of existing blobs."""
        self.input_gradients[index] = GradientSlice(indices, values)

    def argument(self, name: str, default: Any = None) -> Any:
        """The raw value of an argument of the forward operator."""
        for argument in self.op.arg:
            if argument.name == name:
                return argument_value(argument)
        return default

    def define(
        self,
        type: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        *,
        copy_arguments: bool = True,
        leave_out: Sequence[str] = (),
        **arguments: Any,
    ) -> caffe2_pb2.OperatorDef:
        """A gradient OperatorDef with the forward operator's device, engine and arguments, and ``arguments``."""
        op = caffe2_pb2.OperatorDef(name="")
        op.type = type
        op.input.extend(inputs)
        op.output.extend(outputs)
        if copy_arguments:
            op.arg.extend(a for a in self.op.arg if a.name not in arguments and a.name not in leave_out)
        op.arg.extend(make_argument(name, value) for name, value in arguments.items())
        if self.op.HasField("device_option"):
            op.device_option.CopyFrom(self.op.device_option)
        if self.op.HasField("engine"):
            op.engine = self.op.engine
        op.is_gradient_op = True
        return op


Maker = Callable[[GradientWriter], Sequence[caffe2_pb2.OperatorDef]]


def wired_maker(
    inputs: Sequence[Slot], outputs: Sequence[Slot], left: Sequence[Slot], right: Sequence[Slot], type: str
) -> Maker:
    """The maker that emits one operator, wired as ``left -> right`` says by name."""

    def maker(g: GradientWriter) -> Sequence[caffe2_pb2.OperatorDef]:
        try:
            positions = bind(inputs, range(len(g.op.input)))
            output_positions = bind(outputs, range(len(g.op.output)))
        except SchemaError as error:
            raise SchemaError(f"the operator does not fit its schema, so it has no gradient: {error}") from None
        sources: list[str] = []
        for slot in left:
            if slot.name in positions:
                found, name_of = positions[slot.name], g.I
            elif slot.name in output_positions:
                found, name_of = output_positions[slot.name], g.O
            elif slot.name.removeprefix("d") in output_positions:
                found, name_of = output_positions[slot.name.removeprefix("d")], g.GO
            else:
                raise SchemaError(f"{type}: {slot.name} is no input, output or output gradient of {g.op.type}")
            if found is None or (slot.optional and name_of == g.GO and not g.has_GO(found)):
                continue
            sources.extend(map(name_of, found) if isinstance(found, tuple) else [name_of(found)])
        targets: list[str] = []
        for slot in right:
            found = positions.get(slot.name.removeprefix("d"))
            if found is None:
                continue
            targets.extend(map(g.GI, found) if isinstance(found, tuple) else [g.GI(found)])
        return [g.define(type, sources, targets)]

    return maker


class GradientOperators(NamedTuple):
    """The OperatorDefs of one gradient and, an input each, the gradient that they make."""

    ops: list[caffe2_pb2.OperatorDef]
    input_gradients: list[Gradient]


def make_gradient(
    op: caffe2_pb2.OperatorDef, output_gradients: Sequence[Gradient], differentiate: Differentiate | None = None
) -> GradientOperators:
    """The gradient operators of ``op`` for the gradients that flow in at its outputs.

    Args:
        op: The operator.
        output_gradients: A gradient for each of its outputs.
        differentiate: Makes the gradients of the nets that it holds.

    Raises:
        NoGradient: The operator refuses a gradient, or has none yet.

    Example:
        >>> from c2lab.proto import caffe2_pb2
        >>> relu = caffe2_pb2.OperatorDef(type="Relu", input=["x"], output=["y"])
        >>> grad = make_gradient(relu, ["y_grad"])
        >>> grad.ops[0].type, list(grad.ops[0].input), grad.input_gradients
        ('ReluGradient', ['y', 'y_grad'], ['x_grad'])
    """
    operator = registry.find(op.type)
    if operator.gradient_status == "refused":
        raise NoGradient(
            f"Exception when creating gradient for [{op.type}]: One should not call gradient for operator {op.type}."
        )
    if operator.gradient_status == "not implemented":
        raise NoGradient(
            f"Exception when creating gradient for [{op.type}]: Operator {op.type} should have a gradient "
            "but is not implemented yet."
        )
    if operator.maker is None:
        return GradientOperators([], [None] * len(op.input))
    writer = GradientWriter(op, output_gradients, differentiate)
    ops = list(operator.maker(writer))
    return GradientOperators(ops, writer.input_gradients)
