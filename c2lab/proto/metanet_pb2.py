"""Messages of ``metanet.proto``, under the module name that ``protoc`` would give them."""

from c2lab.proto.descriptors import fill_module

globals().update(fill_module(__name__, "metanet"))
