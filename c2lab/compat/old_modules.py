"""The table of old module names: where each one, or each of its names, lives now."""

from __future__ import annotations

from collections.abc import Iterable

from c2lab.compat.finder import Target


def _names(module: str, names: Iterable[str] | str) -> dict[str, str]:
    """Names that live in one module under the same name."""
    return dict.fromkeys(names.split() if isinstance(names, str) else names, module)


_SCOPE = _names(
    "c2lab.nets.scopes",
    "CurrentNameScope CurrentDeviceScope NameScope DeviceScope EmptyNameScope EmptyDeviceScope",
)
_CONTEXTS = "c2lab.parameters.contexts"
_OLD_PROTOS = "c2lab.compat.old_protos"
_UTILS = {
    "MakeArgument": "c2lab.proto.arguments:make_argument",
    "BuildUniqueMutexIter": "c2lab.optimizers.iteration",
    **_names(
        _OLD_PROTOS,
        "OpAlmostEqual CaffeBlobToNumpyArray Caffe2TensorToNumpyArray NumpyArrayToCaffe2Tensor TryReadProtoWithClass "
        "GetContentFromProto GetContentFromProtoString ConvertProtoToBinary GetGPUMemoryUsageStats ResetBlobs "
        "raiseIfNotEqual debug DebugMode EnumClassKeyVals ArgsToDict NHWC2NCHW NCHW2NHWC",
    ),
}

_HELPERS = {
    "algebra": "algebra",
    "arg_scope": "argument_scopes",
    "array_helpers": "joining",
    "control_ops": "control",
    "conv": "convolution",
    "db_input": "inputs",
    "dropout": "dropout",
    "elementwise_linear": "elementwise",
    "fc": "fully_connected",
    "nonlinearity": "activations",
    "normalization": "normalization",
    "pooling": "pooling",
    "quantization": "quantization",
    "tools": "inputs",
    "train": "training",
}

MODULES: dict[str, Target] = {
    "caffe2.proto.caffe2_pb2": "c2lab.proto.caffe2_pb2",
    "caffe2.proto.caffe2_legacy_pb2": "c2lab.proto.caffe2_legacy_pb2",
    "caffe2.proto.hsm_pb2": "c2lab.proto.hsm_pb2",
    "caffe2.proto.metanet_pb2": "c2lab.proto.metanet_pb2",
    "caffe2.proto.predictor_consts_pb2": "c2lab.proto.predictor_consts_pb2",
    "caffe2.python._import_c_extension": "c2lab.compat.c_extension",
    "caffe2.python.attention": "c2lab.sequences.attention",
    "caffe2.python.brew": "c2lab.brew",
    "caffe2.python.build": {
        "CAFFE2_NO_OPERATOR_SCHEMA": "c2lab.compat.c_extension:define_caffe2_no_operator_schema",
        "build_options": "c2lab.compat.c_extension",
    },
    "caffe2.python.cached_reader": "c2lab.data.cached_reader",
    "caffe2.python.checkpoint": "c2lab.jobs.checkpoint",
    "caffe2.python.cnn": "c2lab.compat.cnn",
    "caffe2.python.context": _names(_CONTEXTS, "Managed DefaultManaged"),
    "caffe2.python.control": "c2lab.control.steps",
    "caffe2.python.control_ops_grad": "c2lab.nets.subnet_gradients",
    "caffe2.python.control_ops_util": "c2lab.nets.branches",
    "caffe2.python.core": "c2lab.core",
    "caffe2.python.crf": "c2lab.sequences.crf",
    "caffe2.python.data_workers": "c2lab.jobs.data_workers",
    "caffe2.python.dataio": {
        **_names("c2lab.data.streams", "Reader Writer ReaderBuilder PipedReaderBuilder Pipe"),
        **_names(
            "c2lab.data.limited_readers",
            "CounterReader ReaderWithLimitBase ReaderWithLimit ReaderWithTimeLimit ReaderWithDelay CountUntil",
        ),
        **_names("c2lab.data.composite_readers", "CompositeReader CompositeReaderBuilder"),
    },
    "caffe2.python.dataset": "c2lab.data.dataset",
    "caffe2.python.db_file_reader": "c2lab.data.db_file_reader",
    "caffe2.python.device_checker": "c2lab.compat.device_checker",
    "caffe2.python.dyndep": "c2lab.compat.dyndep",
    "caffe2.python.experiment_util": "c2lab.compat.experiment_log",
    "caffe2.python.extension_loader": "c2lab.compat.extension_loader",
    "caffe2.python.functional": "c2lab.compat.functional",
    "caffe2.python.gradient_checker": "c2lab.compat.gradient_checker",
    "caffe2.python.gru_cell": "c2lab.sequences.gru_cell",
    "caffe2.python.lazy": "c2lab.compat.lazy",
    "caffe2.python.lazy_dyndep": "c2lab.compat.lazy_dyndep",
    "caffe2.python.memonger": "c2lab.compat.memonger",
    "caffe2.python.model_helper": "c2lab.model_helper",
    "caffe2.python.modifier_context": _names(_CONTEXTS, "ModifierContext UseModifierBase"),
    "caffe2.python.net_builder": {
        "NetBuilder": "c2lab.control.net_builder",
        **_names("c2lab.control.operations", "Operations ops"),
    },
    "caffe2.python.net_drawer": "c2lab.graph.net_drawer",
    "caffe2.python.net_printer": "c2lab.graph.net_printer",
    "caffe2.python.normalizer": "c2lab.optimizers.normalizers",
    "caffe2.python.normalizer_context": _names(_CONTEXTS, "NormalizerContext UseNormalizer"),
    "caffe2.python.optimizer": "c2lab.optimizer",
    "caffe2.python.optimizer_context": _names(_CONTEXTS, "OptimizerContext UseOptimizer"),
    "caffe2.python.parallel_workers": "c2lab.jobs.parallel_workers",
    "caffe2.python.pipeline": "c2lab.data.pipeline",
    "caffe2.python.predictor_constants": "c2lab.compat.predictor_constants",
    "caffe2.python.queue_util": "c2lab.data.queues",
    "caffe2.python.record_queue": "c2lab.data.record_queue",
    "caffe2.python.recurrent": "c2lab.sequences.recurrent",
    "caffe2.python.regularizer": "c2lab.optimizers.regularizers",
    "caffe2.python.regularizer_context": _names(_CONTEXTS, "RegularizerContext UseRegularizer"),
    "caffe2.python.rnn_cell": "c2lab.sequences.rnn_cell",
    "caffe2.python.schema": "c2lab.data.schema",
    "caffe2.python.scope": _SCOPE,
    "caffe2.python.session": "c2lab.control.session",
    "caffe2.python.task": "c2lab.control.task",
    "caffe2.python.text_file_reader": "c2lab.data.text_file_reader",
    "caffe2.python.timeout_guard": "c2lab.compat.timeout_guard",
    "caffe2.python.utils": _UTILS,
    "caffe2.python.visualize": "c2lab.widgets.patches",
    "caffe2.python.workspace": "c2lab.workspace",
    **{f"caffe2.python.helpers.{old}": f"c2lab.brew_layers.{new}" for old, new in _HELPERS.items()},
    "caffe2.python.modeling.initializers": "c2lab.parameters.initializers",
    "caffe2.python.modeling.parameter_info": "c2lab.parameters.info",
    "caffe2.python.modeling.parameter_sharing": "c2lab.parameters.sharing",
    "caffe2.python.models.resnet": "c2lab.brew_layers.networks.resnet",
    "caffe2.python.models.shufflenet": "c2lab.brew_layers.networks.shufflenet",
    "caffe2.python.models.squeezenet": "c2lab.brew_layers.networks.squeezenet",
    "caffe2.python.predictor.mobile_exporter": "c2lab.predictor.mobile_exporter",
    "caffe2.python.predictor.predictor_exporter": "c2lab.predictor.predictor_exporter",
    "caffe2.python.predictor.predictor_py_utils": "c2lab.predictor.predictor_py_utils",
    "caffe2.python.predictor.serde": "c2lab.predictor.serde",
}
