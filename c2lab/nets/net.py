"""``Net``: a NetDef that is written one operator at a time."""

from __future__ import annotations

import importlib
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from c2lab import events, origins
from c2lab.errors import NotSupported, UnknownOperator
from c2lab.nets import cloning
from c2lab.nets.blobs import BlobReference, blob_list
from c2lab.nets.creation import (
    CreateOperator,
    OperatorMethod,
    nearby_types,
    operator_types,
    python_token,
)
from c2lab.nets.devices import DeviceOption
from c2lab.nets.gradients import IR, Gradients
from c2lab.nets.records import NetRecords
from c2lab.nets.unique import UniqueNames
from c2lab.operators import registry
from c2lab.operators.gradients import GradientSlice
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument

OperatorDef = caffe2_pb2.OperatorDef


class Net(NetRecords):
    """A net: operators that read and write named blobs.

    ``net.<Type>(inputs, outputs, **arguments)`` adds an operator and returns a reference to what it
    writes. Inputs that nothing wrote before become external inputs.

    Args:
        name_or_proto: A name, or a NetDef to begin with, which is copied. A name that another net of
            this process has gets a number.

    Example:
        >>> net = Net("net_example")
        >>> net.Relu("x", "y")
        BlobReference("y")
        >>> list(net.Proto().external_input)
        ['x']
    """

    _names = UniqueNames()

    def __init__(self, name_or_proto: str | caffe2_pb2.NetDef) -> None:
        proto = caffe2_pb2.NetDef()
        if isinstance(name_or_proto, caffe2_pb2.NetDef):
            proto.CopyFrom(name_or_proto)
        else:
            proto.name = str(name_or_proto)
        super().__init__(proto)
        proto.name = Net._names.take("/".join(part for part in (self.current_prefix(), proto.name) if part))
        self._attributes: defaultdict[str, list[Any]] = defaultdict(list)

    @staticmethod
    def current_prefix() -> str:
        """What is put in front of the names of new nets: the name of the net builder around, if any."""
        return Net._names.prefix()

    def __str__(self) -> str:
        return self.Name()

    def __repr__(self) -> str:
        return f'<Net "{self.Name()}", {len(self._net.op)} operators>'

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """What a notebook shows: the drawn net where the viewer can be had, its text otherwise."""
        try:
            viewer = importlib.import_module("c2lab.widgets.net_viewer")
        except ImportError:
            return {"text/plain": str(self._net)}
        return viewer.mimebundle(self)

    # ---- operators -----------------------------------------------------------------------------

    def __getattr__(self, op_type: str) -> OperatorMethod:
        if op_type.startswith("_"):
            raise AttributeError(f"Net has no attribute {op_type}.")
        definition = registry.get(op_type)
        if definition is None:
            near = ", ".join(nearby_types(op_type))
            raise UnknownOperator(f"Method {op_type} is not a registered operator. Did you mean: [{near}]")
        return OperatorMethod(self._CreateAndAddToSelf, definition)

    def __dir__(self) -> Iterable[str]:
        return sorted({*object.__dir__(self), *operator_types()})

    def _CreateAndAddToSelf(self, op_type: str, inputs: Any, outputs: Any = None, **kwargs: Any) -> Any:
        """Adds an operator. Without ``outputs`` it has one, whose name is made up; with a number, so many."""
        references = blob_list(inputs)
        if outputs is None:
            outputs = self.NextName(prefix=op_type)
        elif isinstance(outputs, int) and not isinstance(outputs, bool):
            outputs = [self.NextName(prefix=op_type, output_id=i) for i in range(outputs)]
        op = CreateOperator(op_type, references, blob_list(outputs, net=self), **kwargs)
        for reference in references:
            if not self.BlobIsDefined(reference):
                if reference.Net() is self:
                    raise AssertionError(
                        f'"{reference}" is said to be from net "{self.Name()}", which does not write it.'
                    )
                self.AddExternalInput(reference)
        self._ExtendOps([op])
        written = tuple(BlobReference(name, self) for name in op.output)
        return None if not written else written[0] if len(written) == 1 else written

    def _ExtendOps(self, new_ops: Iterable[OperatorDef]) -> None:
        for op in new_ops:
            self._append(op)
            position = len(self._net.op) - 1
            origins.remember(self.Name(), position)
            events.emit("operator_added", net=self, position=position)

    def extend_ops(self, new_ops: Iterable[OperatorDef]) -> None:
        """Appends ready OperatorDefs."""
        self._ExtendOps(new_ops)

    def insert_op_at_idx(self, op: OperatorDef, op_idx: int) -> None:
        """Puts an OperatorDef in front of the one at ``op_idx``; inputs that nothing writes become external."""
        if op_idx < 0:
            raise AssertionError(f"op_idx is {op_idx}; it must be 0 or more.")
        if op_idx >= len(self._net.op):
            self._ExtendOps([op])
        else:
            lines = origins.operator_tracebacks.get(self.Name(), {})
            shifted = {at + (at >= op_idx): line for at, line in lines.items()}
            lines.clear()
            lines.update(shifted)
            self.Proto().op.insert(op_idx, op)
            origins.remember(self.Name(), op_idx)
        new = [name for name in dict.fromkeys(op.input) if not self.BlobIsDefined(name)]
        if new:
            self.AddExternalInput(*new)

    def reroute_tensor(
        self, tensor: Any, new_producer: OperatorDef, can_modify: Sequence[OperatorDef] | None = None
    ) -> int:
        """Puts an operator that reads ``tensor`` behind the one that writes it, and lets the readers read its output.

        Args:
            tensor: The blob.
            new_producer: An operator that reads it; its first output takes the blob's place.
            can_modify: The readers to change; all of them where left out.

        Returns:
            How many operators were changed.
        """
        name = str(tensor)
        if name not in new_producer.input:
            raise AssertionError(
                f"{new_producer.type} does not read {name}; its inputs are {list(new_producer.input)}."
            )
        writers = [position for position, op in enumerate(self._net.op) if name in op.output]
        position = writers[-1] + 1 if writers else 0
        readers = [
            op
            for op in self._net.op[position:]
            if name in op.input and (can_modify is None or any(op == other for other in can_modify))
        ]
        for op in readers:
            cloning.remap_input(op, {name: new_producer.output[0]})
        self.insert_op_at_idx(new_producer, position)
        return len(readers)

    def AddGradientOperators(self, ys: Any, skip: int = 0) -> Gradients:
        """Appends the gradient operators for ``ys``; returns the gradient of each blob that has one.

        Args:
            ys: Losses, whose gradient is then 1; or, by blob, the gradient to start from.
            skip: How many operators at the front to leave out.

        Example:
            >>> net = Net("gradient_example")
            >>> y = net.Relu("x", "y")
            >>> net.AddGradientOperators([y])["x"]
            BlobReference("x_grad")
        """
        forward = IR(self._net.op[skip:], net_name=self.Name(), first_position=skip)
        ops, gradients = forward.GetBackwardPass(ys)
        for op in ops:
            events.emit("operator_created", op=op)
        self._ExtendOps(ops)
        return gradients

    # ---- operators with a name of their own ----------------------------------------------------

    def Const(self, array: Any, blob_out: Any = None, dtype: Any = None) -> BlobReference:
        """Adds an operator that fills a blob with ``array``.

        Example:
            >>> Net("const_example").Const([1.0, 2.0])
            BlobReference("const_example/GivenTensorFill:0")
        """
        outputs = blob_out or 1
        if isinstance(array, bool):
            return self.ConstantFill([], outputs, dtype=caffe2_pb2.TensorProto.BOOL, value=array)
        array = np.array(array, dtype=dtype)
        fills = {"i4": "Int", "i8": "Int64", "b1": "Bool"}
        kind = "String" if array.dtype.kind in "SUO" else fills.get(array.dtype.str[1:], "")
        fill = getattr(self, f"GivenTensor{kind}Fill")
        # Fills other than these three and text hold floats, whatever the array's type.
        values = array.flatten().tolist() if kind else array.astype(np.float64).flatten().tolist()
        return fill([], outputs, shape=array.shape, values=values)

    def LogInfo(self, *msg_or_blobs: Any) -> None:
        """Adds operators that print texts and blobs."""
        for message in msg_or_blobs:
            if not isinstance(message, BlobReference):
                message = self.GivenTensorStringFill([], self.NextName("log"), shape=[], values=[message])
            self.Print(message, [])

    def DeduplicateGradientSlices(self, g: GradientSlice, aggregator: str = "sum") -> GradientSlice:
        """Adds operators that join the values of a sparse gradient which belong to one row.

        Args:
            g: The sparse gradient.
            aggregator: ``sum`` or ``mean``.
        """
        if not isinstance(g, GradientSlice):
            raise AssertionError(f"DeduplicateGradientSlices takes a GradientSlice, not {g!r}.")
        if aggregator.lower() not in ("sum", "mean"):
            raise ValueError(f"{aggregator} is not supported; the aggregator is 'sum' or 'mean'.")
        unique, remapping = self.Unique([g.indices], 2, engine="SparseHash")
        join = self.UnsortedSegmentSum if aggregator.lower() == "sum" else self.UnsortedSegmentMean
        return GradientSlice(indices=unique, values=join([g.values, remapping], 1))

    def Python(
        self,
        f: Any,
        grad_f: Any = None,
        python_func_type: Any = None,
        pass_workspace: bool = False,
        grad_output_indices: Sequence[int] | None = None,
        grad_input_indices: Sequence[int] | None = None,
    ) -> Callable[..., Any]:
        """A function ``(inputs, outputs)`` that adds an operator which calls ``f(inputs, outputs)``.

        Args:
            f: The function; or ``(factory, args, kwargs)`` of what makes one for each created net.
            grad_f: The gradient, called with the inputs, outputs and output gradients, and the input gradients.
            python_func_type: A class with ``forward`` and ``backward``, made from ``f``.
            pass_workspace: Whether the functions get the workspace as third argument.
            grad_output_indices: The outputs whose gradients ``grad_f`` takes; all where left out.
            grad_input_indices: The inputs for which ``grad_f`` makes gradients; all where left out.
        """
        token = python_token(f, grad_f, python_func_type, pass_workspace)
        given = {
            "token": token,
            "pass_workspace": pass_workspace or None,
            "grad_output_indices": grad_output_indices or None,
            "grad_input_indices": grad_input_indices or None,
        }

        def add(inputs: Any, outputs: Any = None, **kwargs: Any) -> Any:
            return self._CreateAndAddToSelf("Python", inputs, outputs, **given, **kwargs)

        return add

    # ---- the net as a whole --------------------------------------------------------------------

    def AppendNet(self, net: Net, device_option: caffe2_pb2.DeviceOption | None = None) -> Net:
        """Appends the operators of another net, and what it takes from outside; returns this net.

        Args:
            net: The other net.
            device_option: The device for all of its operators.
        """
        if not isinstance(net, Net):
            raise AssertionError(f"AppendNet takes a core.Net, not {type(net).__name__}.")
        other = caffe2_pb2.NetDef()
        other.CopyFrom(net.Proto())
        if device_option is not None:
            _place_all(other, device_option)
        new = [name for name in other.external_input if not self.BlobIsDefined(name)]
        if new:
            self.AddExternalInput(*new)
        known = set(self._net.external_output)
        self._net.external_output.extend(name for name in other.external_output if name not in known)
        self._ExtendOps(other.op)
        return self

    def Clone(
        self,
        name: str,
        blob_remap: Mapping[Any, Any] | None = None,
        op_id_mask: Iterable[int] | None = None,
        remap_funcs: Mapping[str, cloning.Remap] | None = None,
        keep_schema: bool = True,
        update_external_list: bool = False,
    ) -> Net:
        """A copy of this net.

        Args:
            name: The name of the copy.
            blob_remap: New names of blobs, by old name.
            op_id_mask: The positions of the operators to copy; all where left out.
            remap_funcs: By type, functions ``(op, prefix, blob_remap)`` that rename blobs in arguments.
            keep_schema: Whether the copy has the input and output records of this net.
            update_external_list: Whether inputs and outputs are found anew, from what is read and written.
        """
        return cloning.clone(self, name, blob_remap, op_id_mask, remap_funcs, keep_schema, update_external_list)

    def ClonePartial(
        self,
        name: str,
        inputs: Mapping[Any, Any] | Sequence[Any],
        outputs: Sequence[Any],
        remap_funcs: Mapping[str, cloning.Remap] | None = None,
    ) -> tuple[Net, list[BlobReference]]:
        """A copy of the operators that compute ``outputs`` from ``inputs``, and the outputs in that copy.

        Blobs that the copy writes get the prefix ``<name>/``.

        Args:
            name: The name of the copy.
            inputs: Blobs to start from; or, by blob, the blob that takes its place.
            outputs: Blobs to compute.
            remap_funcs: As for ``Clone``.
        """
        return cloning.clone_partial(self, name, inputs, outputs, remap_funcs)

    def add_attribute(self, name: str, obj: Any) -> None:
        """Adds an object to the list ``name`` that this net carries along, outside of its proto."""
        self._attributes[name].append(obj)

    def get_attributes(self, name: str) -> list[Any]:
        """The objects that ``add_attribute`` put under ``name``."""
        return self._attributes.get(name, [])

    def AddArgument(self, arg_name: str, arg_value: Any) -> None:
        """Adds an argument to the net itself."""
        self._net.arg.append(make_argument(arg_name, arg_value))

    def set_rand_seed(self, seed: int = 100, sequence_seed: bool = True, seed_on_op_def: bool = False) -> None:
        """Gives every operator a random seed.

        Args:
            seed: The seed.
            sequence_seed: Whether the operator at position ``i`` has ``seed + i``.
            seed_on_op_def: Whether the seed is made from the operator's text.
        """
        if sequence_seed and seed_on_op_def:
            raise AssertionError("sequence_seed and seed_on_op_def cannot be both set to True.")
        for position, op in enumerate(self._net.op):
            own = zlib.crc32(f"{op}{seed}".encode()) if seed_on_op_def else seed + position * sequence_seed
            op.device_option.random_seed = own

    def RunAllOnGPU(self, gpu_id: int = 0, use_cudnn: bool = False) -> None:
        """Places the whole net on an accelerator."""
        self._net.device_option.CopyFrom(DeviceOption(caffe2_pb2.PROTO_CUDA, gpu_id))
        if use_cudnn:
            for op in self._net.op:
                op.engine = "CUDNN"

    def RunAllOnMKL(self) -> None:
        """Places the whole net on a device of type MKLDNN, of which there is none here."""
        self._net.device_option.CopyFrom(DeviceOption(caffe2_pb2.PROTO_MKLDNN))

    def RunAllOnIDEEP(self) -> None:
        """Places the whole net on a device of type IDEEP, of which there is none here."""
        self._net.device_option.CopyFrom(DeviceOption(caffe2_pb2.PROTO_IDEEP))

    def PopulateProtoWithFileName(self) -> None:
        """Names each operator after the line that added it."""
        for position, origin in origins.operator_tracebacks.get(self.Name(), {}).items():
            if position < len(self._net.op):
                self._net.op[position].name = f"{origin.filename}:{origin.lineno}:{origin.function}"

    def AddObserver(self, observer_type: str) -> Any:
        """Not offered: what a net does is told by ``c2lab.events``."""
        raise NotSupported(f"Nets take no observer ({observer_type}); events.listen tells of each run.")

    def RemoveObserver(self, observer: Any) -> None:
        """Not offered, as there are no observers to remove."""
        raise NotSupported("Nets take no observers, so there is none to remove.")

    def NumObservers(self) -> int:
        """The number of observers, which is always 0."""
        return 0


def _place_all(net: caffe2_pb2.NetDef, device_option: caffe2_pb2.DeviceOption) -> None:
    """Places every operator of a net on a device, those of step nets included."""
    for op in net.op:
        op.device_option.CopyFrom(device_option)
        for argument in op.arg:
            if argument.name.endswith("step_net"):
                _place_all(argument.n, device_option)
