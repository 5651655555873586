"""``ModelHelper``: a net together with the net that fills its parameters."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from c2lab.brew_layers.inputs import db_input
from c2lab.nets.blobs import BlobReference
from c2lab.nets.net import Net
from c2lab.nets.prediction import ExtractPredictorNet
from c2lab.nets.scopes import SEPARATOR, CurrentNameScope
from c2lab.operators.gradients import GradientSlice
from c2lab.parameters.contexts import DEFAULT_OPTIM, OptimizerContext, RegularizerContext
from c2lab.parameters.info import ParameterInfo, ParameterTags
from c2lab.parameters.initializers import ParameterMaker
from c2lab.parameters.sharing import parameter_sharing_context
from c2lab.proto import caffe2_pb2

__all__ = ["ExtractPredictorNet", "ModelHelper", "ParameterInfo", "ParameterTags"]

# Ends the debug_info of the operators that fill, in a complete net.
_INIT_MARK = "/param_init_net"

logger = logging.getLogger(__name__)


class ModelHelper:
    """A model in the making: ``net``, ``param_init_net`` that fills its parameters, and the parameters.

    ``model.<Type>(...)`` adds an operator to ``net``; ``brew`` adds layers.

    Args:
        name: Name of the net; the init net is ``<name>_init``.
        init_params: Whether layers fill their parameters. A model that only tests takes them from the workspace.
        allow_not_known_ops: Kept for old scripts; every registered operator is known here.
        skip_sparse_optim: Whether parameters with sparse gradients are left out of the optimization.
        param_model: Another model, whose parameters and init net this one uses.
        arg_scope: Arguments for all brew layers of this model: ``{"order": "NHWC"}``.

    Example:
        >>> model = ModelHelper("model_example")
        >>> model.Relu("x", "y")
        BlobReference("y")
    """

    def __init__(
        self,
        name: str | None = None,
        init_params: bool = True,
        allow_not_known_ops: bool = True,
        skip_sparse_optim: bool = False,
        param_model: ModelHelper | None = None,
        arg_scope: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name or "model"
        self.net = Net(self.name)
        if param_model is not None:
            self.param_init_net = param_model.param_init_net
            self.param_to_grad = param_model.param_to_grad
            self.params = param_model.params
            self._parameters_info = param_model._parameters_info
            self._computed_params = param_model._computed_params
        else:
            self.param_init_net = Net(self.name + "_init")
            self.param_to_grad: dict[BlobReference, Any] = {}
            self.params: list[BlobReference] = []
            self._parameters_info: dict[Any, ParameterInfo] = {}
            self._computed_params: list[BlobReference] = []
        self.weights: list[BlobReference] = []
        self.biases: list[BlobReference] = []
        self.grad_map: dict[Any, Any] = {}
        self.gradient_ops_added = False
        self.init_params = init_params
        self.allow_not_known_ops = allow_not_known_ops
        self.skip_sparse_optim = skip_sparse_optim
        self._devices: list[Any] = []
        self._arg_scope = {"order": "NCHW", "use_cudnn": True, "cudnn_exhaustive_search": False, **(arg_scope or {})}

    @property
    def arg_scope(self) -> dict[str, Any]:
        """The arguments that every brew layer of this model gets."""
        return self._arg_scope

    def get_name(self) -> str:
        """The name that the model was made with."""
        return self.name

    # ---- parameters ----------------------------------------------------------------------------

    def create_param(
        self, param_name: str | BlobReference, shape: Sequence[int], initializer: ParameterMaker, tags: Any = None
    ) -> BlobReference:
        """A parameter, or the one of this name that is there already.

        Args:
            param_name: Text is put in the current name scope, or in the one that it shares parameters with;
                a BlobReference is taken as it stands.
            shape: Its shape.
            initializer: What fills it.
            tags: ``ParameterTags``, one or a list.

        Raises:
            AssertionError: There is one with another shape.
        """
        if isinstance(param_name, BlobReference):
            name = str(param_name)
        elif isinstance(param_name, str):
            name = parameter_sharing_context.get_parameter_name(param_name)
        else:
            raise TypeError(f"A parameter's name is text or a BlobReference, not {param_name!r}.")

        known = self._parameters_info.get(name)
        if known is not None:
            if list(known.shape or []) != list(shape):
                raise AssertionError(
                    f'The parameter "{name}" is there already with shape {known.shape}; a layer of the same name '
                    f"asks for {shape}. Give the layer another name, or the same sizes to share the parameter."
                )
            return known.blob

        info = initializer.create_param(param_name=BlobReference(name), init_net=self.param_init_net, shape=shape)
        optimizers = OptimizerContext.current()
        for tag in [*sorted(_tag_set(tags)), DEFAULT_OPTIM]:
            if optimizers.has_optimizer(tag) and (tag != DEFAULT_OPTIM or info.optimizer is None):
                info.optimizer = optimizers.get_optimizer(tag)
        info.regularizer = RegularizerContext.current()
        self._parameters_info[name] = info
        self.AddParameter(info.blob, tags)
        return info.blob

    def get_param_info(self, param: BlobReference) -> ParameterInfo | None:
        """What is known about a parameter."""
        if not isinstance(param, BlobReference):
            raise AssertionError(f"A parameter is a BlobReference, not {param!r}.")
        return self._parameters_info.get(param)

    def AddParameter(self, param: BlobReference, tags: Any = None) -> None:
        """Counts a blob among the parameters.

        Args:
            param: The blob.
            tags: ``ParameterTags``, one or a list; a computed parameter is not optimized.
        """
        if not isinstance(param, BlobReference):
            raise AssertionError(f"A parameter is a BlobReference, not {param!r}.")
        tags = _tag_set(tags)
        (self._computed_params if ParameterTags.COMPUTED_PARAM in tags else self.params).append(param)
        if ParameterTags.WEIGHT in tags:
            self.weights.append(param)
        if ParameterTags.BIAS in tags:
            self.biases.append(param)

    def add_param_DEPRECATED(
        self, param: BlobReference, key: Any = None, shape: Sequence[int] | None = None, length: int | None = None
    ) -> ParameterInfo:
        """The older way to count a blob among the parameters; ``create_param`` makes it, too."""
        logger.warning("add_param method is DEPRECATED")
        self.AddParameter(param)
        shape = shape if shape is not None else self._filled_shape(param)
        return ParameterInfo(len(self.params) - 1, param, key=key, shape=shape, length=length)

    def _filled_shape(self, param: Any) -> list[int] | None:
        """The shape that the init net fills a blob with, where one operator says it."""
        for op in self.param_init_net.Proto().op:
            if str(param) in op.output:
                for argument in op.arg:
                    if argument.name == "shape":
                        return list(argument.ints)
        return None

    def GetParams(self, namescope: str | None = None, top_scope: bool = False) -> list[BlobReference]:
        """The parameters that are optimized, of a name scope and those inside of it.

        Args:
            namescope: The scope; the current one where left out, all for ``""``.
            top_scope: Kept for old scripts; scopes inside are always included.
        """
        return _inside(self.params, namescope)

    def GetComputedParams(self, namescope: str | None = None) -> list[BlobReference]:
        """The parameters that are computed rather than optimized, like running means."""
        return _inside(self._computed_params, namescope)

    def GetAllParams(self, namescope: str | None = None) -> list[BlobReference]:
        """The parameters that are optimized, then those that are computed."""
        return self.GetParams(namescope) + self.GetComputedParams(namescope)

    def Validate(self) -> None:
        """Checks that no parameter was added twice.

        Raises:
            AssertionError: With the names of those that were.
        """
        twice = self._Validate()
        if twice:
            raise AssertionError(f"Duplicate params: {twice}")

    def _Validate(self) -> list[str]:
        """The names of the parameters that were added twice."""
        times = Counter(map(str, self.params))
        return sorted(name for name, count in times.items() if count > 1)

    # ---- gradients -----------------------------------------------------------------------------

    def AddGradientOperators(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        """Adds the backward pass from the given losses to the net; returns ``{blob: its gradient}``.

        Raises:
            RuntimeError: It was added before.
        """
        if self.gradient_ops_added:
            raise RuntimeError("You cannot run AddGradientOperators twice.")
        self.Validate()
        self.gradient_ops_added = True
        self.grad_map = self.net.AddGradientOperators(*args, **kwargs)
        self.param_to_grad = self.get_param_to_grad(self.params)
        for param, gradient in self.param_to_grad.items():
            info = self.get_param_info(param)
            if info is None:
                shape = self._filled_shape(param)
                self._parameters_info[str(param)] = ParameterInfo(None, param, shape=shape, grad=gradient)
            else:
                info.grad = gradient
        return self.grad_map

    def get_param_to_grad(self, params: Iterable[BlobReference]) -> dict[BlobReference, Any]:
        """``{parameter: its gradient}`` for those of ``params`` that have one."""
        if not self.gradient_ops_added:
            raise RuntimeError("You need to run AddGradientOperators first.")
        return {param: self.grad_map[str(param)] for param in params if str(param) in self.grad_map}

    def GetOptimizationParamInfo(self, params: Iterable[BlobReference] | None = None) -> list[ParameterInfo]:
        """The parameters to optimize, each with its gradient.

        Raises:
            RuntimeError: There are no gradients yet.
        """
        if not self.gradient_ops_added:
            raise RuntimeError("Need to call AddGradientOperators first")
        param_to_grad = self.get_param_to_grad(params) if params else self.param_to_grad
        return [
            self._parameters_info[str(param)]
            for param, gradient in param_to_grad.items()
            if not (self.skip_sparse_optim and isinstance(gradient, GradientSlice))
        ]

    # ---- nets ----------------------------------------------------------------------------------

    def Proto(self) -> caffe2_pb2.NetDef:
        """The NetDef of the net."""
        return self.net.Proto()

    def InitProto(self) -> caffe2_pb2.NetDef:
        """The NetDef of the init net."""
        return self.param_init_net.Proto()

    def RunAllOnGPU(self, *args: Any, **kwargs: Any) -> None:
        """Places both nets on a GPU."""
        self.param_init_net.RunAllOnGPU(*args, **kwargs)
        self.net.RunAllOnGPU(*args, **kwargs)

    def GetDevices(self) -> list[Any]:
        """The devices that a data-parallel model runs on."""
        if not self._devices:
            raise AssertionError("This model runs on one device; a data-parallel model runs on several.")
        return self._devices

    def CreateDB(self, blob_out: Any, db: str, db_type: str, **kwargs: Any) -> BlobReference:
        """A reader of a database, opened by the init net."""
        return self.param_init_net.CreateDB([], blob_out, db=db, db_type=db_type, **kwargs)

    def TensorProtosDBInput(
        self, unused_blob_in: Any, blob_out: Any, batch_size: int, db: str, db_type: str, **kwargs: Any
    ) -> Any:
        """Batches of samples from a database, whose reader this model opens itself."""
        if len(unused_blob_in) != 0:
            raise AssertionError(
                "A model opens its reader itself; to read from one that you have, use model.net.TensorProtosDBInput."
            )
        return db_input(self, blob_out, batch_size, db, db_type, **kwargs)

    def GetCompleteNet(self) -> Net:
        """One net that fills the parameters and then runs."""
        complete = self.param_init_net.Clone(self.name + "_complete_net", keep_schema=True)
        for op in complete.Proto().op:
            op.debug_info += _INIT_MARK
        complete.AppendNet(self.net)
        if self.net.Proto().HasField("type"):
            complete.Proto().type = self.net.Proto().type
        return complete

    def ConstructInitTrainNetfromNet(self, net: Net) -> None:
        """Takes apart what ``GetCompleteNet`` made, for instance after it went through a transformation."""
        ops = net.Proto().op
        fills = [k for k, op in enumerate(ops) if op.debug_info.endswith(_INIT_MARK)]
        others = [k for k, op in enumerate(ops) if not op.debug_info.endswith(_INIT_MARK)]

        def part(name: str, positions: list[int]) -> Net:
            return net.Clone(f"{net.Name()}/{name}", op_id_mask=positions, keep_schema=True, update_external_list=True)

        self.param_init_net, self.net = part("generated_param_init_net", fills), part("generated_net", others)

    # ---- operators -----------------------------------------------------------------------------

    def __getattr__(self, op_type: str) -> Any:
        # Copying and unpickling ask for attributes before there is a net.
        if op_type.startswith("_") or op_type == "net":
            raise AttributeError(op_type)
        return getattr(self.net, op_type)

    def __dir__(self) -> Iterable[str]:
        return sorted({*object.__dir__(self), *dir(self.net)})

    def __repr__(self) -> str:
        return f'<ModelHelper "{self.name}", {len(self.net.Proto().op)} operators, {len(self.params)} parameters>'


def _tag_set(tags: Any) -> set[str]:
    return set(tags or ()) if isinstance(tags, list | tuple | set | None) else {tags}


def _inside(params: list[BlobReference], namescope: str | None) -> list[BlobReference]:
    """Those whose name begins with a scope."""
    scope = CurrentNameScope() if namescope is None else namescope
    if scope and not scope.endswith(SEPARATOR):
        scope += SEPARATOR
    return [param for param in params if param.GetNameScope().startswith(scope)]
