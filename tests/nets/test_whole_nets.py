"""What is done to whole nets: copies, insertions, seeds, devices, records."""

from __future__ import annotations

import pytest

from c2lab import core, errors
from c2lab.nets import records
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument


@pytest.fixture
def net():
    net = core.Net("whole")
    net.Relu("x", "h")
    net.Relu("h", "y")
    net.Relu("h", "z")
    net.AddExternalOutput("y")
    return net


def wiring(net):
    return [f"{' '.join(op.input)} -> {' '.join(op.output)}" for op in net.Proto().op]


# ---- clones ------------------------------------------------------------------------------------------


def test_a_clone_is_a_copy_with_a_name_of_its_own(net):
    clone = net.Clone("copy")
    assert clone.Name() != net.Name()
    assert wiring(clone) == wiring(net)
    clone.Relu("y", "more")
    assert len(net.Proto().op) == 3


def test_blobs_can_be_renamed(net):
    clone = net.Clone("copy", blob_remap={"x": "in", core.BlobReference("y"): core.BlobReference("out")})
    assert wiring(clone) == ["in -> h", "h -> out", "h -> z"]
    assert list(clone.Proto().external_input) == ["in"]
    assert list(clone.Proto().external_output) == ["out"]


def test_some_operators_can_be_copied_and_the_ends_found_anew(net):
    clone = net.Clone("copy", op_id_mask=[1, 2], update_external_list=True)
    assert wiring(clone) == ["h -> y", "h -> z"]
    assert list(clone.Proto().external_input) == ["h"]
    assert list(clone.Proto().external_output) == ["y", "z"]


def test_attributes_go_along_but_are_not_shared(net):
    net.add_attribute("notes", 1)
    clone = net.Clone("copy")
    clone.add_attribute("notes", 2)
    assert clone.get_attributes("notes") == [1, 2]
    assert net.get_attributes("notes") == [1]
    assert net.get_attributes("none") == []


def test_nets_in_arguments_are_renamed_too():
    inner = caffe2_pb2.NetDef(op=[core.CreateOperator("Relu", "x", "y")], external_input=["x"], external_output=["y"])
    net = core.Net("outer")
    for kind, name in (("If", "then_net"), ("While", "loop_net"), ("RecurrentNetwork", "step_net")):
        op = core.CreateOperator(kind, ["x"], ["y"], arg=[make_argument(name, inner)])
        net.extend_ops([op])
    net.Proto().op[2].arg.extend([make_argument("link_external", ["x", "other"]), make_argument("timestep", "y")])
    clone = net.Clone("copy", {"x": "in", "y": "out"})
    for op in clone.Proto().op:
        (step,) = op.arg[0].n.op
        assert (step.input[0], step.output[0]) == ("in", "out")
        assert list(op.arg[0].n.external_input) == ["in"]
    links, timestep = clone.Proto().op[2].arg[1:]
    assert list(links.strings) == [b"in", b"other"]
    assert timestep.s == b"out"


def test_own_remap_functions_are_called(net):
    asked = []
    net.Clone("copy", {"x": "in"}, remap_funcs={"Relu": lambda op, prefix, names: asked.append((prefix, dict(names)))})
    assert asked == [("copy/", {"x": "in"})] * 3


def test_partial_clones_compute_what_is_asked(net):
    clone, outputs = net.ClonePartial("part", ["h"], ["y"])
    assert wiring(clone) == ["h -> part/y"]
    assert outputs == ["part/y"]
    assert list(clone.Proto().external_input) == ["h"]
    assert list(clone.Proto().external_output) == ["part/y"]
    clone, outputs = net.ClonePartial("part", {"x": "in"}, ["z"])
    assert wiring(clone) == ["in -> part/h", "part/h -> part/z"]
    clone, outputs = net.ClonePartial("part", [("x", "in")], ["h"])
    assert wiring(clone) == ["in -> part/h"]


def test_partial_clones_keep_other_inputs():
    net = core.Net("two_inputs")
    net.Add(["x", "bias"], "y")
    clone, _ = net.ClonePartial("part", {"x": "in"}, ["y"])
    assert list(clone.Proto().external_input) == ["in", "bias"]


def test_partial_clones_refuse_the_impossible(net):
    with pytest.raises(AssertionError, match=r"Cannot partially clone net: .*Relu"):
        net.ClonePartial("part", ["y"], ["z"])
    with pytest.raises(AssertionError, match="nowhere is not defined"):
        net.ClonePartial("part", ["x"], ["nowhere"])


def test_clone_and_bind(net):
    clone, renames = core.clone_and_bind_net(net, "bound", "p/", {"z": "Z"})
    assert wiring(clone) == ["x -> p/h", "p/h -> p/y", "p/h -> Z"]
    assert renames == {"x": "x", "h": "p/h", "y": "p/y", "z": "Z"}


# ---- static single assignment ------------------------------------------------------------------------


def test_ssa_counts_versions():
    net = core.Net("ssa")
    net.Relu("x", "h")
    net.Relu("h", "h")
    ssa, versions = core.get_ssa(net)
    assert ssa == [([("x", 0)], [("h", 1)]), ([("h", 1)], [("h", 2)])]
    assert versions == {"x": 0, "h": 2}
    assert core.get_undefined_blobs(ssa) == {"x"}
    assert core.get_output_producers(ssa) == {("h", 1): 0, ("h", 2): 1}
    assert core.get_op_ids_in_path(ssa, versions, ["x"], ["h"]) == [0, 1]


# ---- more operators ----------------------------------------------------------------------------------


def test_appending_a_net(net):
    other = core.Net("other")
    other.Relu("y", "w")
    other.Relu("v", "u")
    other.AddExternalOutput("w", "u")
    assert net.AppendNet(other, core.DeviceOption(caffe2_pb2.CUDA, 2)) is net
    assert wiring(net)[3:] == ["y -> w", "v -> u"]
    assert list(net.Proto().external_input) == ["x", "v"]
    assert list(net.Proto().external_output) == ["y", "w", "u"]
    assert [op.device_option.device_id for op in net.Proto().op[3:]] == [2, 2]
    assert not other.Proto().op[0].HasField("device_option")
    with pytest.raises(AssertionError, match=r"AppendNet takes a core.Net"):
        net.AppendNet(other.Proto())


def test_inserting_an_operator(net):
    net.insert_op_at_idx(core.CreateOperator("Add", ["h", "bias"], "h"), 1)
    assert wiring(net)[:2] == ["x -> h", "h bias -> h"]
    assert net.is_external_input("bias")
    with pytest.raises(AssertionError, match="op_idx is -1"):
        net.insert_op_at_idx(net.Proto().op[0], -1)


def test_rerouting_a_blob(net):
    normalize = core.CreateOperator("Add", ["h", "bias"], "h_shifted")
    assert net.reroute_tensor("h", normalize, [net.Proto().op[1]]) == 1
    assert wiring(net) == ["x -> h", "h bias -> h_shifted", "h_shifted -> y", "h -> z"]
    assert net.reroute_tensor("x", core.CreateOperator("Relu", "x", "x_clean")) == 1
    assert wiring(net)[:2] == ["x -> x_clean", "x_clean -> h"]
    with pytest.raises(AssertionError, match="does not read q"):
        net.reroute_tensor("q", normalize)


def test_ready_operators(net):
    net.extend_ops([core.CreateOperator("Relu", "z", "w")])
    assert net.BlobIsDefined("w")


# ---- options -----------------------------------------------------------------------------------------


def test_seeds(net):
    net.set_rand_seed(10)
    assert [op.device_option.random_seed for op in net.Proto().op] == [10, 11, 12]
    net.set_rand_seed(10, sequence_seed=False)
    assert [op.device_option.random_seed for op in net.Proto().op] == [10, 10, 10]
    net.set_rand_seed(10, sequence_seed=False, seed_on_op_def=True)
    assert len({op.device_option.random_seed for op in net.Proto().op}) == 3
    with pytest.raises(AssertionError, match="cannot be both set"):
        net.set_rand_seed(1, True, True)


def test_devices(net):
    net.RunAllOnGPU(3, use_cudnn=True)
    assert net.Proto().device_option == core.DeviceOption(caffe2_pb2.CUDA, 3)
    assert {op.engine for op in net.Proto().op} == {"CUDNN"}
    net.RunAllOnIDEEP()
    assert net.Proto().device_option.device_type == caffe2_pb2.IDEEP
    net.RunAllOnMKL()
    assert net.Proto().device_option.device_type == caffe2_pb2.MKLDNN


def test_arguments_of_a_net(net):
    net.AddArgument("depth", 3)
    assert [(a.name, a.i) for a in net.Proto().arg] == [("depth", 3)]


def test_observers_are_not_offered(net):
    assert net.NumObservers() == 0
    with pytest.raises(errors.NotSupported):
        net.AddObserver("TimeObserver")


# ---- records -----------------------------------------------------------------------------------------


class Record:
    """The least that a record can be."""

    def __init__(self, **fields):
        self.fields = fields

    def has_blobs(self):
        return all(self.fields.values())

    def field_names(self):
        return list(self.fields)

    def field_blobs(self):
        return list(self.fields.values())


def NewRecord(net, record):
    return Record(**{name: net.NextScopedBlob(name) for name in record.fields})


def from_blob_list(record, blobs):
    return Record(**dict(zip(record.fields, blobs, strict=True)))


def test_input_records_declare_their_blobs(net):
    record = net.set_input_record(Record(data=None))
    assert record.field_blobs() == [f"{net.Name()}/data"]
    assert net.input_record() is record
    assert net.is_external_input(f"{net.Name()}/data")
    with pytest.raises(AssertionError, match="Input schema cannot be reset"):
        net.set_input_record(Record(data="x"))


def test_output_records_declare_their_blobs(net):
    record = Record(result=core.BlobReference("z"))
    net.set_output_record(record)
    assert net.output_record() is record
    assert list(net.Proto().external_output) == ["y", "z"]
    with pytest.raises(AssertionError, match="nowhere is not defined"):
        core.Net("empty").set_output_record(Record(result=core.BlobReference("nowhere")))


def test_clones_have_the_records_of_their_blobs(net):
    net.set_input_record(Record(data=core.BlobReference("x")))
    assert net.Clone("copy", {"x": "in"}).input_record().field_blobs() == ["in"]
    assert net.Clone("copy", keep_schema=False).input_record() is None


def test_binding_renames_the_fields_of_the_input(net):
    net.set_input_record(Record(data=core.BlobReference("x")))
    clone, _ = core.clone_and_bind_net(net, "bound", "p/", inputs=Record(data="mine", more="m"))
    assert wiring(clone)[0] == "mine -> p/h"
    with pytest.raises(AssertionError, match=r"The inputs lack fields .*: data"):
        core.clone_and_bind_net(net, "bound", "p/", inputs=Record(other="m"))


def test_what_is_no_record_is_said_so():
    with pytest.raises(TypeError, match="is no record"):
        records.new_record(core.Net("n"), {"a": 1})
