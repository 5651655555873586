"""``CNNModelHelper``: layers as methods of the model, as they were before ``brew``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from c2lab import brew, core
from c2lab.model_helper import ModelHelper
from c2lab.proto import caffe2_pb2

# Each method is the brew layer beside it.
_LAYERS = {
    "Accuracy": "accuracy",
    "AddWeightDecay": "add_weight_decay",
    "AveragePool": "average_pool",
    "Concat": "concat",
    "Conv": "conv",
    "ConvNd": "conv_nd",
    "ConvTranspose": "conv_transpose",
    "DepthConcat": "depth_concat",
    "Dropout": "dropout",
    "FC": "fc",
    "FC_Decomp": "fc_decomp",
    "FC_Prune": "fc_prune",
    "FC_Sparse": "fc_sparse",
    "GroupConv": "group_conv",
    "GroupConv_Deprecated": "group_conv_deprecated",
    "InstanceNorm": "instance_norm",
    "Iter": "iter",
    "LRN": "lrn",
    "MaxPool": "max_pool",
    "MaxPoolWithIndex": "max_pool_with_index",
    "PRelu": "prelu",
    "PackedFC": "packed_fc",
    "Relu": "relu",
    "Softmax": "softmax",
    "SpatialBN": "spatial_bn",
    "SpatialGN": "spatial_gn",
    "Sum": "sum",
    "Transpose": "transpose",
}


class CNNModelHelper(ModelHelper):
    """A model whose layers are methods: ``model.Conv("data", "conv1", 1, 20, 5)``.

    Args:
        order: Where the channels of images stand: NCHW or NHWC.
        name: Name of the net.
        use_cudnn, cudnn_exhaustive_search, ws_nbytes_limit: Passed on to the operators, which ignore them.
        init_params, skip_sparse_optim, param_model: As for ``ModelHelper``.

    Example:
        >>> model = CNNModelHelper(name="cnn_example")
        >>> model.FC("x", "y", 3, 2)
        BlobReference("y")
        >>> [str(param) for param in model.params]
        ['y_w', 'y_b']
    """

    def __init__(
        self,
        order: str = "NCHW",
        name: str | None = None,
        use_cudnn: bool = True,
        cudnn_exhaustive_search: bool = False,
        ws_nbytes_limit: int | None = None,
        init_params: bool = True,
        skip_sparse_optim: bool = False,
        param_model: ModelHelper | None = None,
    ) -> None:
        arg_scope: dict[str, Any] = {
            "order": order,
            "use_cudnn": use_cudnn,
            "cudnn_exhaustive_search": cudnn_exhaustive_search,
        }
        if ws_nbytes_limit:
            arg_scope["ws_nbytes_limit"] = ws_nbytes_limit
        if order not in ("NCHW", "NHWC"):
            raise ValueError(f"Cannot understand the CNN storage order {order}; it is NCHW or NHWC.")
        super().__init__(
            name="CNN" if name is None else name,
            init_params=init_params,
            skip_sparse_optim=skip_sparse_optim,
            param_model=param_model,
            arg_scope=arg_scope,
        )
        self.order = order
        self.use_cudnn = use_cudnn
        self.cudnn_exhaustive_search = cudnn_exhaustive_search
        self.ws_nbytes_limit = ws_nbytes_limit

    def ImageInput(self, blob_in: Any, blob_out: Any, use_gpu_transform: bool = False, **kwargs: Any) -> Any:
        """See ``brew.image_input``."""
        return brew.image_input(
            self, blob_in, blob_out, order=self.order, use_gpu_transform=use_gpu_transform, **kwargs
        )

    def VideoInput(self, blob_in: Any, blob_out: Any, **kwargs: Any) -> Any:
        """See ``brew.video_input``."""
        return brew.video_input(self, blob_in, blob_out, **kwargs)

    def PadImage(self, blob_in: Any, blob_out: Any, **kwargs: Any) -> Any:
        """Pads an image."""
        return self.net.PadImage(blob_in, blob_out, **kwargs)

    @property
    def XavierInit(self) -> tuple[str, dict[str, Any]]:
        """How weights may be filled: see ``XavierFill``."""
        return "XavierFill", {}

    @property
    def ConstantInit(self) -> tuple[str, dict[str, Any]]:
        """How weights may be filled: with 0, or a value that is added."""
        return "ConstantFill", {}

    ZeroInit = ConstantInit

    @property
    def MSRAInit(self) -> tuple[str, dict[str, Any]]:
        """How weights may be filled: see ``MSRAFill``."""
        return "MSRAFill", {}

    @property
    def CPU(self) -> caffe2_pb2.DeviceOption:
        """The CPU as a device option."""
        return core.DeviceOption(caffe2_pb2.PROTO_CPU)

    @property
    def GPU(self) -> caffe2_pb2.DeviceOption:
        """Accelerator 0 as a device option."""
        return core.DeviceOption(caffe2_pb2.PROTO_CUDA, 0)


def _method(old: str, new: str) -> Callable[..., Any]:
    def layer(self: CNNModelHelper, *args: Any, **kwargs: Any) -> Any:
        return getattr(brew, new)(self, *args, **kwargs)

    layer.__name__ = old
    layer.__qualname__ = f"CNNModelHelper.{old}"
    layer.__doc__ = f"See ``brew.{new}``."
    return layer


for _old, _new in _LAYERS.items():
    setattr(CNNModelHelper, _old, _method(_old, _new))
