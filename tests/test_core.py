"""The face of core: what it adds itself, and that every old name is there."""

from __future__ import annotations

import pytest

from c2lab import core
from c2lab.proto import caffe2_pb2


def test_data_types_are_those_of_tensors():
    assert core.DataType.FLOAT == caffe2_pb2.TensorProto.FLOAT == 1
    assert core.DataType.INT64 == 10


def test_flags_are_kept():
    core.GlobalInit(["program", "--caffe2_log_level=0"])
    assert core.GetGlobalInitArgs()[-1] == "--caffe2_log_level=0"


def test_outputs_as_a_list():
    x = core.BlobReference("x")
    assert core.output_to_list(None) == []
    assert core.output_to_list(x) == [x]
    assert core.output_to_list((x, x)) == [x, x]


@pytest.mark.parametrize("name", core.__all__)
def test_every_name_is_there(name):
    assert getattr(core, name) is not None


def test_the_compiled_module_is_the_workspaces():
    from c2lab import workspace

    assert core.C is workspace.C
    assert core.workspace is workspace


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute Nett"):
        core.__getattr__("Nett")
