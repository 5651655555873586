"""Where the first values of a parameter come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from c2lab.nets.blobs import BlobReference, ScopedBlobReference
from c2lab.nets.net import Net
from c2lab.parameters.info import ParameterInfo
from c2lab.proto import caffe2_pb2

Fill = tuple[str, Mapping[str, Any]]


class ParameterMaker(Protocol):
    """What ``ModelHelper.create_param`` asks of an initializer."""

    def create_param(self, param_name: Any, init_net: Net, shape: Sequence[int]) -> ParameterInfo:
        """The parameter, filled by ``init_net`` or expected from outside."""
        ...


class Initializer:
    """Fills a parameter with an operator of the init net.

    Example:
        >>> net = Net("initializer_example")
        >>> Initializer("ConstantFill", value=0.5).create_param("w", net, [2]).blob
        BlobReference("w")
    """

    def __init__(self, operator_name: str | None = None, **kwargs: Any) -> None:
        self.operator_name = operator_name
        self.operator_kwargs: Mapping[str, Any] = kwargs

    def update(self, operator_name: str, kwargs: Mapping[str, Any]) -> None:
        """Names the filling operator of an initializer that was made without one."""
        if self.operator_name is not None:
            raise Exception(f"This initializer fills with {self.operator_name}; it cannot become {operator_name}.")
        self.operator_name = operator_name
        self.operator_kwargs = kwargs

    def _fill(self, name: Any, init_net: Net, shape: Sequence[int]) -> BlobReference:
        if self.operator_name is None:
            raise AssertionError(f'No operator was named that could fill "{name}".')
        return getattr(init_net, self.operator_name)([], name, shape=shape, **self.operator_kwargs)

    def create_param(self, param_name: Any, init_net: Net, shape: Sequence[int]) -> ParameterInfo:
        """Adds the fill to ``init_net``; returns what is known of the parameter."""
        return ParameterInfo(param_id=None, param=self._fill(param_name, init_net, shape), shape=shape)


class ExternalInitializer:
    """Fills nothing: the blob is in the workspace already, or will be before the net runs."""

    def create_param(self, param_name: Any, init_net: Net, shape: Sequence[int]) -> ParameterInfo:
        """A reference to the blob, and nothing that fills it."""
        if isinstance(param_name, BlobReference):
            param = BlobReference(str(param_name), init_net)
        elif isinstance(param_name, str):
            param = ScopedBlobReference(param_name, init_net)
        else:
            raise TypeError(f"A parameter's name is text or a BlobReference, not {param_name!r}.")
        return ParameterInfo(param_id=None, param=param, shape=shape)


class PseudoFP16Initializer(Initializer):
    """A parameter in half precision, with a float32 master copy ``<name>_fp32`` that is updated."""

    def create_param(self, param_name: Any, init_net: Net, shape: Sequence[int]) -> ParameterInfo:
        """Adds the fill of the master copy, and its rounding."""
        master = self._fill(param_name + "_fp32", init_net, shape)
        param = init_net.FloatToHalf(master, param_name)
        return ParameterInfo(None, param, shape=shape, blob_copy={caffe2_pb2.TensorProto.FLOAT: master})


class ReversePseudoFP16Initializer(Initializer):
    """A float32 parameter with a copy in half precision, ``<name>_fp16``."""

    def create_param(self, param_name: Any, init_net: Net, shape: Sequence[int]) -> ParameterInfo:
        """Adds the fill, and the rounding of the copy."""
        param = self._fill(param_name, init_net, shape)
        half = init_net.FloatToHalf(param, param_name + "_fp16")
        return ParameterInfo(None, param, shape=shape, blob_copy={caffe2_pb2.TensorProto.FLOAT16: half})


def update_initializer(
    initializer_class: Any, operator_name_and_kwargs: Fill | None, default_operator_name_and_kwargs: Fill
) -> Any:
    """The initializer that a layer uses.

    Args:
        initializer_class: The class, or a ready initializer, that the caller of the layer gave.
        operator_name_and_kwargs: The filling operator that the caller gave.
        default_operator_name_and_kwargs: The one to use otherwise.

    Example:
        >>> update_initializer(None, None, ("XavierFill", {})).operator_name
        'XavierFill'
    """
    name, arguments = operator_name_and_kwargs or default_operator_name_and_kwargs
    if initializer_class is None:
        return Initializer(name, **arguments)
    if isinstance(initializer_class, ExternalInitializer) or initializer_class is ExternalInitializer:
        return ExternalInitializer()
    if isinstance(initializer_class, Initializer):
        if initializer_class.operator_name is None:
            initializer_class.update(name, arguments)
        return initializer_class
    return initializer_class(name, **arguments)


def layer_initializer(model: Any, given: Any, fill: Fill | None, default: Fill) -> Any:
    """``update_initializer`` for a layer of ``model``; a model that fills nothing takes its parameters from outside."""
    return update_initializer(given, fill, default) if model.init_params else ExternalInitializer()


def add_filled_parameter(model: Any, name: Any, shape: Sequence[int], fill: Fill, tags: Any = None) -> BlobReference:
    """A parameter that is filled anew on every call and never shared: what the older layers do."""
    if model.init_params:
        operator, arguments = fill
        blob = getattr(model.param_init_net, operator)([], name, shape=shape, **arguments)
    else:
        blob = ScopedBlobReference(name, model.param_init_net)
    model.AddParameter(blob, tags)
    return blob
