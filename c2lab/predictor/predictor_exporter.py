"""A whole model in one database file: its nets, its parameters and what belongs together.

The first record holds a ``MetaNetDef``, the table of contents; the parameters follow.
"""

from __future__ import annotations

import collections
from typing import Any

from c2lab import core, workspace
from c2lab.errors import BadArgument
from c2lab.predictor import predictor_py_utils, serde
from c2lab.proto import caffe2_pb2, metanet_pb2, predictor_consts_pb2

_KEYS = predictor_consts_pb2.PredictorConsts()

_Fields = collections.namedtuple(
    "PredictorExportMeta",
    "predict_net, parameters, inputs, outputs, shapes, name, "
    "extra_init_net, global_init_net, net_type, num_workers, trainer_prefix",
)


class WrongPart(BadArgument, AssertionError):
    """A blob that cannot play the part it was given."""


class PredictorExportMeta(_Fields):
    """What belongs to a model: its net, and which blobs are parameters, inputs and outputs.

    Args:
        predict_net: The net, a ``core.Net`` or ``NetDef``.
        parameters: Blobs that are saved with it.
        inputs: Blobs that whoever predicts feeds.
        outputs: Blobs that hold the answer.
        shapes: Shapes of inputs and outputs, by name, as far as they are known.
        name: Tells several models of one file apart.
        extra_init_net: Run after the inputs were made.
        global_init_net: Run once, before all.
        net_type: Executor of the original (kept; every one runs the same way here).
        num_workers: Threads of that executor (kept).
        trainer_prefix: Name of the trainer the parameters are taken from (kept).

    Raises:
        WrongPart: A parameter is also an input or output, or a blob is named twice.
        BadArgument: ``predict_net`` is no net.
    """

    def __new__(
        cls,
        predict_net: Any,
        parameters: Any,
        inputs: Any,
        outputs: Any,
        shapes: dict[Any, Any] | None = None,
        name: str = "",
        extra_init_net: Any = None,
        global_init_net: Any = None,
        net_type: str | None = None,
        num_workers: int | None = None,
        trainer_prefix: str | None = None,
    ) -> PredictorExportMeta:
        parts = {
            "inputs": [str(blob) for blob in inputs],
            "parameters": [str(blob) for blob in parameters],
            "outputs": [str(blob) for blob in outputs],
        }
        known_shapes = {str(blob): shape for blob, shape in (shapes or {}).items()}
        _check_parts(parts)
        if isinstance(predict_net, (core.Net, core.Plan)):
            predict_net = predict_net.Proto()
        if not isinstance(predict_net, caffe2_pb2.NetDef):
            raise BadArgument(f"predict_net is a {type(predict_net).__name__}; give a core.Net or a NetDef")
        return super().__new__(
            cls, predict_net, parts["parameters"], parts["inputs"], parts["outputs"], known_shapes, name,
            extra_init_net, global_init_net, net_type, num_workers, trainer_prefix,
        )  # fmt: skip

    def inputs_name(self) -> str:
        """The key of the inputs."""
        return predictor_py_utils.get_comp_name(_KEYS.INPUTS_BLOB_TYPE, self.name)

    def outputs_name(self) -> str:
        """The key of the outputs."""
        return predictor_py_utils.get_comp_name(_KEYS.OUTPUTS_BLOB_TYPE, self.name)

    def parameters_name(self) -> str:
        """The key of the parameters."""
        return predictor_py_utils.get_comp_name(_KEYS.PARAMETERS_BLOB_TYPE, self.name)

    def global_init_name(self) -> str:
        """The key of the net that loads the parameters."""
        return predictor_py_utils.get_comp_name(_KEYS.GLOBAL_INIT_NET_TYPE, self.name)

    def predict_init_name(self) -> str:
        """The key of the net that makes the inputs."""
        return predictor_py_utils.get_comp_name(_KEYS.PREDICT_INIT_NET_TYPE, self.name)

    def predict_net_name(self) -> str:
        """The key of the net that predicts."""
        return predictor_py_utils.get_comp_name(_KEYS.PREDICT_NET_TYPE, self.name)

    def train_init_plan_name(self) -> str:
        """The key of the plan that prepares training."""
        return predictor_py_utils.get_comp_name(_KEYS.TRAIN_INIT_PLAN_TYPE, self.name)

    def train_plan_name(self) -> str:
        """The key of the plan that trains."""
        return predictor_py_utils.get_comp_name(_KEYS.TRAIN_PLAN_TYPE, self.name)


def _check_parts(parts: dict[str, list[str]]) -> None:
    for part, blobs in parts.items():
        for blob in blobs:
            if blobs.count(blob) > 1:
                raise WrongPart(f'"{blob}" stands twice in {part}')
            if part != "parameters" and blob in parts["parameters"]:
                raise WrongPart(
                    f'"{blob}" stands in {part} and in parameters; a parameter is neither fed nor an answer'
                )


def get_predictor_exporter_helper(submodelNetName: str) -> PredictorExportMeta:
    """A description without any blobs: it only knows the keys of the model ``submodelNetName``."""
    return PredictorExportMeta(core.Net(submodelNetName), parameters=[], inputs=[], outputs=[], name=submodelNetName)


def get_meta_net_def(
    predictor_export_meta: PredictorExportMeta, ws: Any = None, db_type: str | None = None
) -> metanet_pb2.MetaNetDef:
    """The table of contents of a model: its nets, and which blobs play which part."""
    meta = metanet_pb2.MetaNetDef()
    meta.modelInfo.predictorType = _KEYS.SINGLE_PREDICTOR
    for key, net in (
        (predictor_export_meta.global_init_name(), _global_init_net(predictor_export_meta, db_type)),
        (
            predictor_export_meta.predict_init_name(),
            predictor_py_utils.create_predict_init_net(ws, predictor_export_meta),
        ),
        (predictor_export_meta.predict_net_name(), predictor_py_utils.create_predict_net(predictor_export_meta)),
    ):
        predictor_py_utils.AddNet(meta, key, net)
    for key, blobs in (
        (predictor_export_meta.parameters_name(), predictor_export_meta.parameters),
        (predictor_export_meta.inputs_name(), predictor_export_meta.inputs),
        (predictor_export_meta.outputs_name(), predictor_export_meta.outputs),
    ):
        predictor_py_utils.AddBlobs(meta, key, blobs)
    return meta


def _global_init_net(meta: PredictorExportMeta, db_type: str | None) -> caffe2_pb2.NetDef:
    """A net that loads the parameters from the file, which a DBReader blob holds open."""
    net = core.Net("global-init")
    if meta.parameters:
        # The database's type is the reader's business; the original names it here too.
        named_type = {"db_type": db_type} if db_type else {}
        net.Load([_KEYS.PREDICTOR_DBREADER], meta.parameters, **named_type)
    if meta.global_init_net is not None:
        net.AppendNet(meta.global_init_net)
    return net.Proto()


def set_model_info(meta_net_def: metanet_pb2.MetaNetDef, project_str: str, model_class_str: str, version: str) -> None:
    """Says in the table of contents which project, class and version a model is of."""
    meta_net_def.modelInfo.project = project_str
    meta_net_def.modelInfo.modelClass = model_class_str
    meta_net_def.modelInfo.version = version


def save_to_db(
    db_type: str,
    db_destination: str,
    predictor_export_meta: PredictorExportMeta,
    use_ideep: bool = False,
    *args: Any,
    **kwargs: Any,
) -> None:
    """Saves a model into one database: the table of contents first, then its parameters.

    Args:
        db_type: "minidb", or another that is registered.
        db_destination: The file to write.
        predictor_export_meta: What belongs to the model.
        use_ideep: Accepted; there is no such device here.
        kwargs: More arguments for ``Save``.
    """
    meta_net_def = get_meta_net_def(predictor_export_meta, db_type=db_type)
    with core.DeviceScope(core.DeviceOption(caffe2_pb2.PROTO_CPU)):
        workspace.FeedBlob(_KEYS.META_NET_DEF, serde.serialize_protobuf_struct(meta_net_def))
        workspace.RunOperatorOnce(
            core.CreateOperator(
                "Save",
                [_KEYS.META_NET_DEF, *predictor_export_meta.parameters],
                [],
                absolute_path=True,
                db=db_destination,
                db_type=db_type,
                **kwargs,
            )
        )


def load_from_db(
    filename: str, db_type: str, device_option: Any = None, *args: Any, **kwargs: Any
) -> metanet_pb2.MetaNetDef:
    """Opens a model's database and reads its table of contents.

    The database stays open as the blob ``!!PREDICTOR_DBREADER``; the parameters are loaded
    when the global init net runs.

    Args:
        filename: The file.
        db_type: "minidb", or another that is registered.
        device_option: Where the nets shall run; by default the current device scope, else
            what the nets say themselves.

    Raises:
        DamagedFile: The table of contents cannot be read.
    """
    workspace.RunOperatorOnce(
        core.CreateOperator("CreateDB", [], [_KEYS.PREDICTOR_DBREADER], db=filename, db_type=db_type)
    )
    workspace.RunOperatorOnce(core.CreateOperator("Load", [_KEYS.PREDICTOR_DBREADER], [_KEYS.META_NET_DEF]))
    meta_net_def = serde.deserialize_protobuf_struct(workspace.FetchBlob(_KEYS.META_NET_DEF), metanet_pb2.MetaNetDef)
    device = device_option if device_option is not None else core.CurrentDeviceScope()
    if device is not None:
        for entry in meta_net_def.nets:
            for op in entry.value.op:
                op.device_option.CopyFrom(device)
    return meta_net_def


def prepare_prediction_net(
    filename: str, db_type: str, device_option: Any = None, *args: Any, **kwargs: Any
) -> core.Net:
    """Loads a model so that only its inputs need to be fed: ``RunNet`` on the result predicts.

    Returns:
        The net, created in the current workspace.
    """
    meta_net_def = load_from_db(filename, db_type, device_option)
    for key in (_KEYS.GLOBAL_INIT_NET_TYPE, _KEYS.PREDICT_INIT_NET_TYPE):
        workspace.RunNetOnce(predictor_py_utils.GetNet(meta_net_def, key))
    predict_net = core.Net(predictor_py_utils.GetNet(meta_net_def, _KEYS.PREDICT_NET_TYPE))
    workspace.CreateNet(predict_net)
    return predict_net
