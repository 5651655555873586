"""Messages of ``caffe2.proto``, under the module name that ``protoc`` would give them."""

from c2lab.proto.descriptors import fill_module

globals().update(fill_module(__name__, "caffe2"))

# Caffe2 offers the device types without their prefix too: ``caffe2_pb2.CUDA``.
for _name, _number in globals()["DeviceTypeProto"].items():
    globals()[_name.removeprefix("PROTO_")] = _number
