"""Caffe2's message classes, built at import from the committed descriptor set.

Code that ``protoc`` generates is tied to the runtime it was generated for.  A
``FileDescriptorSet`` is not, so the classes are made from ``caffe2.binpb`` in a
descriptor pool of our own: every supported protobuf runtime can read it, and it
never clashes with another package that registers ``caffe2.proto`` too.

After a change of a ``.proto`` file run ``python c2lab/proto/regenerate.py``.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.internal import enum_type_wrapper

DESCRIPTOR_SET = Path(__file__).with_name("caffe2.binpb")

_pool = descriptor_pool.DescriptorPool()
_files = descriptor_pb2.FileDescriptorSet.FromString(DESCRIPTOR_SET.read_bytes())
for _file in _files.file:
    _pool.Add(_file)


def fill_module(module: ModuleType | str, proto_name: str) -> dict[str, object]:
    """The messages, enums and enum values of one ``.proto`` file, by name.

    Example:
        >>> sorted(fill_module("doc", "hsm"))[:2]
        ['DESCRIPTOR', 'HierarchyProto']
    """
    file = _pool.FindFileByName(f"caffe2/proto/{proto_name}.proto")
    names: dict[str, object] = {"DESCRIPTOR": file}
    for name, message in file.message_types_by_name.items():
        message_class = message_factory.GetMessageClass(message)
        message_class.__module__ = module if isinstance(module, str) else module.__name__
        names[name] = message_class
    for name, enum in file.enum_types_by_name.items():
        names[name] = enum_type_wrapper.EnumTypeWrapper(enum)
        for value in enum.values:
            names[value.name] = value.number
    return names
