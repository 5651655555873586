"""The Python that builds a document: layers of ``brew`` where they say the same, operators elsewhere.

Each line is a ``Call`` that can be written down and done.  Lines are tried on an empty model; one that does
not make the very same operators is not used, so that running the text gives the identical nets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from google.protobuf import text_format

from c2lab.builder.code_calls import Call, literal, raw_call
from c2lab.builder.code_layers import layer_calls, operator_call
from c2lab.builder.code_training import gradient_call, optimizer_calls
from c2lab.errors import C2LabError
from c2lab.graph.document import Document
from c2lab.graph.draft import is_backward
from c2lab.model_helper import ModelHelper
from c2lab.nets.blobs import BlobReference
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import argument_value

OperatorDef = caffe2_pb2.OperatorDef


class Code(NamedTuple):
    """The text, and how high it could be written: ``brew``, ``operator`` or ``mixed``."""

    text: str
    level: str


def python_code(document: Document) -> Code:
    """The Python that builds a document; it leaves a ``model``, or a ``net`` where nothing is filled.

    Example:
        >>> from c2lab.graph.document import empty_document
        >>> print(python_code(empty_document("n")).text)
        from c2lab import core
        <BLANKLINE>
        net = core.Net("n")
    """
    return _Writer(document).code()


@dataclass
class _State:
    """How far the nets are written."""

    op: int = 0
    fill: int = 0


class _Writer:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.whole = bool(document.init.op or document.parameters)
        self.calls: list[Call] = []
        self.state = _State()
        self.model = ModelHelper("canvas_scratch")
        self.levels: set[str] = set()

    def code(self) -> Code:
        net, init = self.document.net, self.document.init
        self._inputs()
        while self.state.op < len(net.op):
            self._next()
        for op in init.op[self.state.fill :]:
            self._fill(op)
        self._parameters()
        self._rest()
        level = "mixed" if len(self.levels) > 1 else next(iter(self.levels), "brew" if self.whole else "operator")
        return Code(self._text(), level)

    # ---- lines -------------------------------------------------------------------------------

    def _do(self, call: Call, level: str) -> None:
        call.apply(self.model)
        self.calls.append(call)
        if level:
            self.levels.add(level)

    def _inputs(self) -> None:
        """What comes from outside and is declared before anything reads it."""
        outside = set(self.document.outside().values())
        leading = []
        for name in self.document.net.external_input:
            if name not in outside:
                break
            leading.append(name)
        if leading:
            self._do(Call("net.AddExternalInput", tuple(leading)), "")

    def _next(self) -> None:
        net = self.document.net
        op = net.op[self.state.op]
        if self.whole:
            if (is_backward(op) or self.model.gradient_ops_added) and self._training():
                return
            for call in layer_calls(self.document, op):
                if self._layer(call):
                    return
        call = operator_call("net", op)
        self._do(call, "operator")
        self.state.op += 1

    def _layer(self, call: Call) -> bool:
        """Writes a layer, where it makes the next operators and fills as they are."""
        made = ModelHelper("canvas_scratch")
        try:
            call.apply(made)
        except (C2LabError, AssertionError, ValueError, TypeError, KeyError, AttributeError):
            return False
        ops, fills = list(made.net.Proto().op), list(made.param_init_net.Proto().op)
        start = self.state.op
        if not ops or list(self.document.net.op[start : start + len(ops)]) != ops:
            return False
        place = self._find_fills(fills)
        if place is None:
            return False
        for fill in self.document.init.op[self.state.fill : place]:
            self._fill(fill)
        kinds = {str(p): "" for p in made.params} | {str(p): "computed" for p in made.GetComputedParams("")}
        if any(name not in self.document.parameters for name in kinds):
            return False
        self._do(call, "brew")
        self.state.op += len(ops)
        self.state.fill = place + len(fills)
        return True

    def _find_fills(self, fills: list[OperatorDef]) -> int | None:
        """Where the init net has these fills, from where it is written on."""
        init, start = self.document.init.op, self.state.fill
        if not fills:
            return start
        for place in range(start, len(init) - len(fills) + 1):
            if init[place] == fills[0]:
                return place if list(init[place : place + len(fills)]) == fills else None
        return None

    def _fill(self, op: OperatorDef) -> None:
        self._do(operator_call("param_init_net", op), "")
        self.state.fill += 1

    def _training(self) -> bool:
        """Writes the gradients, or an optimizer, as one line where they are the same."""
        self._parameters()
        start = self.state.op
        found = gradient_call(self.document, start)
        if found is not None:
            call, count = found
            self._do(call, "brew")
            self.state.op += count
            return True
        for call in optimizer_calls(self.document, start):
            trial = self._trial(call)
            if trial is None:
                continue
            ops, fills = trial
            if list(self.document.net.op[start : start + len(ops)]) != ops or not ops:
                continue
            if list(self.document.init.op[self.state.fill : self.state.fill + len(fills)]) != fills:
                continue
            self._do(call, "brew")
            self.state.op += len(ops)
            self.state.fill += len(fills)
            return True
        return False

    def _trial(self, call: Call) -> tuple[list[OperatorDef], list[OperatorDef]] | None:
        """What a line would add to the model as it stands; the model is as before afterwards."""
        net, init = self.model.net.Proto(), self.model.param_init_net.Proto()
        before = net.SerializeToString(), init.SerializeToString()
        counts = len(net.op), len(init.op)
        kept = list(self.model.params), list(self.model._computed_params), dict(self.model._parameters_info)
        try:
            call.apply(self.model)
            return list(net.op[counts[0] :]), list(init.op[counts[1] :])
        except (C2LabError, AssertionError, ValueError, TypeError, KeyError, RuntimeError):
            return None
        finally:
            self.model.net.Proto().ParseFromString(before[0])
            self.model.param_init_net.Proto().ParseFromString(before[1])
            self.model.params[:], self.model._computed_params[:] = kept[0], kept[1]
            self.model._parameters_info.clear()
            self.model._parameters_info.update(kept[2])

    def _parameters(self) -> None:
        """The parameters that no layer made."""
        known = {str(p) for p in (*self.model.params, *self.model.GetComputedParams(""))}
        for name, kind in self.document.parameters.items():
            if name not in known:
                tags = {"weight": "WEIGHT", "bias": "BIAS", "computed": "COMPUTED_PARAM"}.get(kind)
                arguments: tuple[Any, ...] = (BlobReference(name),) + ((tags,) if tags else ())
                self._do(Call("AddParameter", arguments), "")

    def _rest(self) -> None:
        """What the lines so far leave different: lists of inputs and results, and the fields of the net."""
        net, made = self.document.net, self.model.net.Proto()
        if list(made.external_input) != list(net.external_input):
            self._do(Call("net.external_input", (list(net.external_input),), kind="list"), "")
        if list(made.external_output) != list(net.external_output):
            self._do(Call("net.external_output", (list(net.external_output),), kind="list"), "")
        for field in ("type", "num_workers"):
            if net.HasField(field):
                self._do(Call(f"net.{field}", (getattr(net, field),), kind="field"), "")
        for argument in net.arg:
            self._do(Call("net.AddArgument", (argument.name, argument_value(argument))), "")
        for name, whole, live in (
            ("net", net, self.model.net.Proto()),
            ("param_init_net", self.document.init, self.model.param_init_net.Proto()),
        ):
            if not _alike(whole, live):
                rest = caffe2_pb2.NetDef()
                rest.CopyFrom(whole)
                rest.ClearField("name")
                self._do(raw_call(name, text_format.MessageToString(rest), whole=True), "operator")

    # ---- text --------------------------------------------------------------------------------

    def _text(self) -> str:
        owner = "model" if self.whole else "net"
        lines = [call.text(self.whole) for call in self.calls]
        names = {name for call in self.calls for name in call.needs}
        modules = sorted({"core"} | names & {"brew", "model_helper", "optimizer"}) if not self.whole else sorted(
            {"model_helper"} | names & {"brew", "core", "optimizer"}
        )  # fmt: skip
        head = []
        if "text_format" in names:
            head += ["from google.protobuf import text_format", ""]
        head.append(f"from c2lab import {', '.join(modules)}")
        if "ParameterTags" in names:
            head.append("from c2lab.model_helper import ParameterTags")
        if "caffe2_pb2" in names:
            head.append("from c2lab.proto import caffe2_pb2")
        name = literal(self.document.net.name)
        made = f"{owner} = model_helper.ModelHelper({name})" if self.whole else f"{owner} = core.Net({name})"
        return "\n".join([*head, "", made, *lines])


def _alike(whole: caffe2_pb2.NetDef, made: caffe2_pb2.NetDef) -> bool:
    """Whether two nets differ in nothing but their names."""
    first, second = caffe2_pb2.NetDef(), caffe2_pb2.NetDef()
    for copied, net in ((first, whole), (second, made)):
        copied.CopyFrom(net)
        copied.ClearField("name")
    if len(first.op) == 0 and not first.external_input:
        return len(second.op) == 0
    return first == second
