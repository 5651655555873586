"""Caffe2's protobuf messages: ``caffe2_pb2``, ``metanet_pb2``, ``predictor_consts_pb2`` and kin."""

from c2lab.proto import caffe2_legacy_pb2, caffe2_pb2, hsm_pb2, metanet_pb2, predictor_consts_pb2

__all__ = ["caffe2_legacy_pb2", "caffe2_pb2", "hsm_pb2", "metanet_pb2", "predictor_consts_pb2"]
