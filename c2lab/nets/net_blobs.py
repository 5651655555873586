"""The blobs of a net: which are defined, which come from outside, which names are free."""

from __future__ import annotations

from typing import Any

from c2lab.nets.blobs import BlobReference, ScopedBlobReference, ScopedName
from c2lab.proto import caffe2_pb2


class NetBlobs:
    """What ``Net`` knows about its blobs.

    The NetDef is the only truth; the look-up tables beside it are made anew when it was handed
    out, since whoever has it may have changed it.
    """

    def __init__(self, proto: caffe2_pb2.NetDef) -> None:
        self._net = proto
        self._next_name_index = self._first_free_index(proto.name)
        self._registered_names: set[str] = set()
        self._written: set[str] = set()
        self._declared: set[str] = set()
        self._counted: tuple[int, int] = (-1, -1)

    def _first_free_index(self, name: str) -> int:
        """One more than the largest number in the ``<name>_blob_<number>`` of the proto."""
        prefix = f"{name}_blob_"
        names = {blob for op in self._net.op for blob in (*op.input, *op.output)}
        numbers = [n.removeprefix(prefix) for n in names if n.startswith(prefix)]
        return max((int(n) + 1 for n in numbers if n.isdecimal()), default=0)

    def Proto(self) -> caffe2_pb2.NetDef:
        """The NetDef of this net; a change to it is a change of the net."""
        self._counted = (-1, -1)
        return self._net

    def Name(self) -> str:
        """The net's name, which no other net of this process has."""
        return self._net.name

    def _look(self) -> None:
        """Brings the look-up tables up to date."""
        counts = (len(self._net.op), len(self._net.external_input))
        if counts != self._counted:
            self._written = {name for op in self._net.op for name in op.output}
            self._declared = set(self._net.external_input)
            self._counted = counts

    def _append(self, op: caffe2_pb2.OperatorDef) -> None:
        """Appends an operator, and keeps the look-up tables up to date."""
        self._look()
        self._net.op.append(op)
        self._written.update(op.output)
        self._counted = (self._counted[0] + 1, self._counted[1])

    # ---- which there are -------------------------------------------------------------------------

    def BlobIsDefined(self, blob: Any) -> bool:
        """Whether an operator of this net writes the blob, or it is an external input."""
        self._look()
        return str(blob) in self._written or str(blob) in self._declared

    def is_external_input(self, blob: Any) -> bool:
        """Whether the blob is declared as there before the net runs."""
        self._look()
        return str(blob) in self._declared

    def UsesBlob(self, blob: Any) -> bool:
        """Whether an operator of this net reads or writes the blob, or it is one of the net's outputs."""
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

    # ---- free names ------------------------------------------------------------------------------

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
        name, number = str(prefix), 0
        while name in self._registered_names or self.BlobIsDefined(name):
            name, number = f"{prefix}_auto_{number}", number + 1
        self._registered_names.add(name)
        return BlobReference(name)

    def NextScopedBlob(self, prefix: Any = "unnamed") -> BlobReference:
        """``NextBlob`` inside the current name scope."""
        return self.NextBlob(ScopedName(prefix))

    # ---- what comes from outside, and what goes there --------------------------------------------

    def AddExternalInput(self, *inputs: Any) -> Any:
        """Declares blobs that are there before the net runs; returns their references.

        Raises:
            AssertionError: One of them is declared already.
        """
        if not inputs:
            raise AssertionError("AddExternalInput needs at least one name.")
        self._look()
        names = [str(name) for name in inputs]
        for position, name in enumerate(names):
            if name in self._declared or name in names[:position]:
                raise AssertionError(f"Net already contains an input named {name}")
        self._net.external_input.extend(names)
        self._declared.update(names)
        self._counted = (self._counted[0], len(self._net.external_input))
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
        """The same as ``AddExternalInput``."""
        return self.AddExternalInput(*inputs)

    def AddExternalOutputs(self, *outputs: Any) -> None:
        """The same as ``AddExternalOutput``."""
        self.AddExternalOutput(*outputs)

    def AddScopedExternalInputs(self, *inputs: Any) -> Any:
        """``AddExternalInput`` of names inside the current name scope."""
        return self.AddExternalInput(*(ScopedBlobReference(name) for name in inputs))

    def AddScopedExternalOutputs(self, *outputs: Any) -> None:
        """``AddExternalOutput`` of names inside the current name scope."""
        self.AddExternalOutput(*(ScopedBlobReference(name) for name in outputs))

    @property
    def external_inputs(self) -> list[BlobReference]:
        """References to the blobs that are there before the net runs."""
        return [BlobReference(name, self) for name in self._net.external_input]

    @property
    def external_outputs(self) -> list[BlobReference]:
        """References to the results of the net."""
        return [BlobReference(name, self) for name in self._net.external_output]
