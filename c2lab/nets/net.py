"""``Net``: a NetDef that is written one operator at a time."""

from __future__ import annotations

import importlib
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from c2lab import origins
from c2lab.errors import UnknownOperator
from c2lab.nets.blobs import BlobReference, ScopedBlobReference, ScopedName, blob_list
from c2lab.nets.creation import CreateOperator, OperatorMethod, operator_types
from c2lab.nets.gradients import IR, Gradients
from c2lab.nets.unique import UniqueNames
from c2lab.operators import registry
from c2lab.proto import caffe2_pb2


class Net:
    """A net: operators that read and write named blobs.

    ``net.<Type>(inputs, outputs, **arguments)`` adds an operator and returns a reference to what it
    writes. Inputs that nothing wrote before become external inputs.

    Example:
        >>> net = Net("net_example")
        >>> net.Relu("x", "y")
        BlobReference("y")
        >>> list(net.Proto().external_input)
        ['x']
    """

    _names = UniqueNames()

    def __init__(self, name_or_proto: str | caffe2_pb2.NetDef) -> None:
        self._net = caffe2_pb2.NetDef()
        if isinstance(name_or_proto, caffe2_pb2.NetDef):
            self._net.CopyFrom(name_or_proto)
            name = name_or_proto.name
        else:
            name = str(name_or_proto)
        self._input_record: Any = None
        self._output_record: Any = None
        self._attributes: defaultdict[str, list[Any]] = defaultdict(list)
        self._registered_names: set[str] = set()
        self._written: set[str] = set()
        self._declared: set[str] = set()
        self._stale = True
        self._next_name_index = self._first_free_index(name)
        prefix = self.current_prefix()
        self._net.name = Net._names.take("/".join(part for part in (prefix, name) if part))

    def _first_free_index(self, name: str) -> int:
        """One more than the largest number in the ``<name>_blob_<number>`` of a proto."""
        prefix = f"{name}_blob_"
        names = {blob for op in self._net.op for blob in (*op.input, *op.output)}
        numbers = [n.removeprefix(prefix) for n in names if n.startswith(prefix)]
        return max((int(n) + 1 for n in numbers if n.isdecimal()), default=0)

    @staticmethod
    def current_prefix() -> str:
        """What is put in front of the names of new nets: the name of the net builder around, if any."""
        return ""

    # ---- the proto -----------------------------------------------------------------------------

    def Proto(self) -> caffe2_pb2.NetDef:
        """The NetDef of this net; a change to it is a change of the net."""
        self._stale = True
        return self._net

    def Name(self) -> str:
        return self._net.name

    def __str__(self) -> str:
        return str(self._net)

    def __repr__(self) -> str:
        return f'<Net "{self._net.name}", {len(self._net.op)} operators>'

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """What a notebook shows: the drawn net where the viewer can be had, its text otherwise."""
        try:
            viewer = importlib.import_module("c2lab.widgets.net_viewer")
        except ImportError:
            return {"text/plain": str(self)}
        return viewer.mimebundle(self)

    def _refresh(self) -> None:
        """Looks up anew which blobs the proto writes and declares, in case someone changed it."""
        if self._stale:
            self._written = {name for op in self._net.op for name in op.output}
            self._declared = set(self._net.external_input)
            self._stale = False

    # ---- operators -----------------------------------------------------------------------------

    def __getattr__(self, op_type: str) -> OperatorMethod:
        if op_type.startswith("_"):
            raise AttributeError(f"Net has no attribute {op_type}.")
        definition = registry.get(op_type)
        if definition is None:
            near = ",".join(nearby_types(op_type))
            raise UnknownOperator(f"Method {op_type} is not a registered operator. Did you mean: [{near}]")
        return OperatorMethod(self._add_operator, definition)

    def __dir__(self) -> Iterable[str]:
        return sorted({*object.__dir__(self), *operator_types()})

    def _add_operator(self, op_type: str, inputs: Any, outputs: Any = None, **kwargs: Any) -> Any:
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
        self._extend([op])
        written = tuple(BlobReference(name, self) for name in op.output)
        return None if not written else written[0] if len(written) == 1 else written

    def _extend(self, ops: Iterable[caffe2_pb2.OperatorDef]) -> None:
        self._refresh()
        for op in ops:
            self._net.op.append(op)
            self._written.update(op.output)
            origins.remember(self._net.name, len(self._net.op) - 1)

    def extend_ops(self, new_ops: Iterable[caffe2_pb2.OperatorDef]) -> None:
        """Appends ready OperatorDefs."""
        self._extend(new_ops)

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
        passes = IR(self._net.op[skip:], net_name=self.Name(), first_position=skip)
        ops, gradients = passes.GetBackwardPass(ys)
        self._extend(ops)
        return gradients

    def add_attribute(self, name: str, obj: Any) -> None:
        """Adds an object to the list ``name`` that this net carries along, outside of its proto."""
        self._attributes[name].append(obj)

    def get_attributes(self, name: str) -> list[Any]:
        """The objects that ``add_attribute`` put under ``name``."""
        return self._attributes.get(name, [])

    # ---- blobs and their names -----------------------------------------------------------------

    def BlobIsDefined(self, blob: Any) -> bool:
        """Whether an operator of this net writes the blob, or it is an external input."""
        self._refresh()
        return str(blob) in self._written or str(blob) in self._declared

    def is_external_input(self, blob: Any) -> bool:
        self._refresh()
        return str(blob) in self._declared

    def UsesBlob(self, blob: Any) -> bool:
        """Whether the blob is read or written by an operator of this net, or is one of its outputs."""
        return str(blob) in self.UsedBlobNames()

    def UsedBlobNames(self) -> set[str]:
        """The names of all blobs that operators read or write, and of the external outputs."""
        names = {name for op in self._net.op for name in (*op.input, *op.output)}
        return names | set(self._net.external_output)

    def GetBlobRef(self, blob_name: Any) -> BlobReference:
        """A reference, tied to this net, to a blob that is defined in it."""
        if not self.BlobIsDefined(blob_name):
            raise AssertionError(f'Net "{self.Name()}" neither writes a blob "{blob_name}" nor takes it as an input.')
        return BlobReference(blob_name, self)

    def NextName(self, prefix: str | None = None, output_id: int | None = None) -> str:
        """A free blob name: ``<net>/<prefix>``, or ``<net>_blob_<number>``."""
        if not prefix:
            name = f"{self.Name()}_blob_{self._next_name_index}"
            self._next_name_index += 1
            return name
        ending = "" if output_id is None else f":{output_id}"
        base = f"{self.Name()}/{prefix}"
        name, number = base + ending, 2
        while self.BlobIsDefined(ScopedName(name)):
            name, number = f"{base}_{number}{ending}", number + 1
        return name

    def NextBlob(self, prefix: Any = "unnamed") -> BlobReference:
        """A reference to a blob that no one has: ``prefix``, ``prefix_auto_0``, ..."""
        base = BlobReference(prefix, self)
        blob, number = base, 0
        while str(blob) in self._registered_names or self.BlobIsDefined(blob):
            blob, number = base + f"_auto_{number}", number + 1
        self._registered_names.add(str(blob))
        # Nothing writes the blob yet, so the reference must not claim that this net does.
        return BlobReference(str(blob))

    def NextScopedBlob(self, prefix: Any = "unnamed") -> BlobReference:
        """``NextBlob`` inside the current name scope."""
        return self.NextBlob(ScopedName(prefix))

    def AddExternalInput(self, *inputs: Any) -> Any:
        """Declares blobs that are there before the net runs; returns their references.

        Raises:
            AssertionError: One of them is declared already.
        """
        if not inputs:
            raise AssertionError("AddExternalInput needs at least one name.")
        self._refresh()
        names = [str(name) for name in inputs]
        for position, name in enumerate(names):
            if name in self._declared or name in names[:position]:
                raise AssertionError(f"Net already contains an input named {name}")
        self._net.external_input.extend(names)
        self._declared.update(names)
        references = [BlobReference(name, self) for name in names]
        return references[0] if len(references) == 1 else references

    def AddExternalOutput(self, *outputs: Any) -> None:
        """Declares blobs as results of the net.

        Raises:
            AssertionError: One of them is not defined in the net.
        """
        for output in outputs:
            if not isinstance(output, BlobReference | str):
                raise AssertionError(f"AddExternalOutput takes names and BlobReferences, not {output!r}.")
            if not self.BlobIsDefined(output):
                raise AssertionError(f"{output} is not defined")
        self._net.external_output.extend(str(output) for output in outputs)

    def AddExternalInputs(self, *inputs: Any) -> Any:
        return self.AddExternalInput(*inputs)

    def AddExternalOutputs(self, *outputs: Any) -> None:
        self.AddExternalOutput(*outputs)

    def AddScopedExternalInputs(self, *inputs: Any) -> Any:
        return self.AddExternalInput(*(ScopedBlobReference(name) for name in inputs))

    def AddScopedExternalOutputs(self, *outputs: Any) -> None:
        self.AddExternalOutput(*(ScopedBlobReference(name) for name in outputs))

    @property
    def external_inputs(self) -> list[BlobReference]:
        return [BlobReference(name, self) for name in self._net.external_input]

    @property
    def external_outputs(self) -> list[BlobReference]:
        return [BlobReference(name, self) for name in self._net.external_output]


def nearby_types(op_type: str) -> list[str]:
    """Registered types that differ from ``op_type`` by little."""
    import difflib

    return difflib.get_close_matches(op_type, operator_types(), n=5, cutoff=0.6)
