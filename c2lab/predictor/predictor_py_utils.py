"""Reading and filling a ``MetaNetDef``: the table of contents of a predictor file."""

from __future__ import annotations

from typing import Any

from c2lab import core
from c2lab.errors import C2LabError
from c2lab.proto import caffe2_pb2, metanet_pb2


class MissingEntry(C2LabError, KeyError, ValueError):
    """A name that the table of contents does not have."""

    __str__ = C2LabError.__str__


def create_predict_net(predictor_export_meta: Any) -> caffe2_pb2.NetDef:
    """The net of an export description, with its own inputs, parameters and outputs declared."""
    net = core.Net(predictor_export_meta.predict_net.name or "predict")
    proto = net.Proto()
    proto.op.extend(predictor_export_meta.predict_net.op)
    proto.partition_info.extend(predictor_export_meta.predict_net.partition_info)
    proto.external_input.extend([*predictor_export_meta.inputs, *predictor_export_meta.parameters])
    proto.external_output.extend(predictor_export_meta.outputs)
    proto.arg.extend(predictor_export_meta.predict_net.arg)
    if predictor_export_meta.net_type is not None:
        proto.type = predictor_export_meta.net_type
    if predictor_export_meta.num_workers is not None:
        proto.num_workers = predictor_export_meta.num_workers
    return proto


def create_predict_init_net(ws: Any, predictor_export_meta: Any) -> caffe2_pb2.NetDef:
    """A net that makes every input and output that is not there yet, so that the predict net can be created.

    Inputs with a known shape are filled with zeros of it, others with an empty tensor.
    """
    net = core.Net("predict-init")

    def create_blob(blob: str, shape: Any) -> None:
        net.ConstantFill([], blob, shape=list(shape), value=0.0)

    for blob in predictor_export_meta.inputs:
        create_blob(blob, predictor_export_meta.shapes.get(blob, (0,)))
    for blob in predictor_export_meta.outputs:
        if blob in predictor_export_meta.shapes:
            create_blob(blob, predictor_export_meta.shapes[blob])
    if predictor_export_meta.extra_init_net is not None:
        net.AppendNet(predictor_export_meta.extra_init_net)
    net.AddExternalOutput(*predictor_export_meta.inputs)
    return net.Proto()


def get_comp_name(string: str, name: str | None) -> str:
    """The key of a part of a model: ``PREDICT_NET_TYPE`` for the model, ``PREDICT_NET_TYPE_x`` for its part x."""
    return f"{string}_{name}" if name else string


def GetNet(meta_net_def: metanet_pb2.MetaNetDef, key: str) -> caffe2_pb2.NetDef:
    """The net under a key."""
    return _value(meta_net_def.nets, key, "net")


def GetPlan(meta_net_def: metanet_pb2.MetaNetDef, key: str) -> caffe2_pb2.PlanDef:
    """The plan under a key."""
    return _value(meta_net_def.plans, key, "plan")


def GetBlobs(meta_net_def: metanet_pb2.MetaNetDef, key: str) -> list[str]:
    """The blob names under a key; empty where there are none."""
    return next((list(entry.value) for entry in meta_net_def.blobs if entry.key == key), [])


def GetBlobsByTypePrefix(meta_net_def: metanet_pb2.MetaNetDef, blob_type_prefix: str) -> list[str]:
    """The blob names, each once and sorted, under all keys that start with a prefix."""
    found = {name for entry in meta_net_def.blobs if entry.key.startswith(blob_type_prefix) for name in entry.value}
    return sorted(found)


def GetApplicationSpecificInfo(meta_net_def: metanet_pb2.MetaNetDef, key: str) -> str:
    """The text that an application left under a key."""
    return _value(meta_net_def.applicationSpecificInfo, key, "application specific info")


def GetNetOriginal(meta_net_def: metanet_pb2.MetaNetDef, key: str) -> caffe2_pb2.NetDef | None:
    """The net under a key, or None."""
    return next((entry.value for entry in meta_net_def.nets if entry.key == key), None)


def GetPlanOriginal(meta_net_def: metanet_pb2.MetaNetDef, key: str) -> caffe2_pb2.PlanDef | None:
    """The plan under a key, or None."""
    return next((entry.value for entry in meta_net_def.plans if entry.key == key), None)


def AddBlobs(meta_net_def: metanet_pb2.MetaNetDef, blob_name: str, blob_def: Any) -> None:
    """Adds blob names to those under a key."""
    _blobs(meta_net_def, blob_name).value.extend(str(blob) for blob in blob_def)


def ReplaceBlobs(meta_net_def: metanet_pb2.MetaNetDef, blob_name: str, blob_def: Any) -> None:
    """Puts other blob names under a key."""
    _blobs(meta_net_def, blob_name).value[:] = [str(blob) for blob in blob_def]


def _blobs(meta_net_def: metanet_pb2.MetaNetDef, key: str) -> metanet_pb2.BlobsMap:
    for entry in meta_net_def.blobs:
        if entry.key == key:
            return entry
    return meta_net_def.blobs.add(key=key)


def AddNet(meta_net_def: metanet_pb2.MetaNetDef, net_name: str, net_def: caffe2_pb2.NetDef) -> None:
    """Adds a net under a key."""
    meta_net_def.nets.add(key=net_name, value=net_def)


def AddPlan(meta_net_def: metanet_pb2.MetaNetDef, plan_name: str, plan_def: caffe2_pb2.PlanDef) -> None:
    """Adds a plan under a key."""
    meta_net_def.plans.add(key=plan_name, value=plan_def)


def SetBlobsOrder(meta_net_def: metanet_pb2.MetaNetDef, blobs_order: Any) -> None:
    """Sets the order in which blobs are written."""
    meta_net_def.blobsOrder[:] = list(blobs_order)


def GetBlobsOrder(meta_net_def: metanet_pb2.MetaNetDef) -> Any:
    """The order in which blobs are written."""
    return meta_net_def.blobsOrder


def SetPreLoadBlobs(meta_net_def: metanet_pb2.MetaNetDef, pre_load_blobs: Any) -> None:
    """Names the blobs to load before all others."""
    meta_net_def.preLoadBlobs[:] = list(pre_load_blobs)


def SetRequestOnlyEmbeddings(meta_net_def: metanet_pb2.MetaNetDef, request_only_embeddings: Any) -> None:
    """Names the embeddings that depend on the request only."""
    meta_net_def.requestOnlyEmbeddings[:] = list(request_only_embeddings)


def SetTensorBoundShapes(
    meta_net_def: metanet_pb2.MetaNetDef, tensor_bound_shapes: caffe2_pb2.TensorBoundShapes
) -> None:
    """Sets the largest shapes that tensors may take."""
    meta_net_def.tensorBoundShapes.CopyFrom(tensor_bound_shapes)


def SetAOTConfig(meta_net_def: metanet_pb2.MetaNetDef, aot_config: caffe2_pb2.AOTConfig) -> None:
    """Sets the configuration for compiling ahead of time."""
    meta_net_def.aotConfig.CopyFrom(aot_config)


def GetArgumentByName(net_def: caffe2_pb2.NetDef, arg_name: str) -> caffe2_pb2.Argument | None:
    """The argument of a net under a name, or None."""
    return next((arg for arg in net_def.arg if arg.name == arg_name), None)


def AddModelIdArg(meta_net_def: metanet_pb2.MetaNetDef, net_def: caffe2_pb2.NetDef) -> None:
    """Copies the model's number, where it has one, into an argument of the net."""
    model_id = meta_net_def.modelInfo.modelId
    if not model_id.isdigit():
        return
    arg = GetArgumentByName(net_def, "model_id") or net_def.arg.add(name="model_id")
    arg.i = int(model_id)


def _value(entries: Any, key: str, what: str) -> Any:
    for entry in entries:
        if entry.key == key:
            return entry.value
    have = ", ".join(entry.key for entry in entries) or "none"
    raise MissingEntry(f'the predictor file has no {what} "{key}"; it has: {have}')
