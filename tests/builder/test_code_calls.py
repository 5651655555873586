import pytest

from c2lab import core
from c2lab.builder.code_calls import Call, literal, raw_call, short_float
from c2lab.model_helper import ModelHelper
from c2lab.nets.blobs import BlobReference


@pytest.mark.parametrize(
    "value",
    [1, -2.5, float("inf"), float("-inf"), "plain", 'with "quotes"', "it's", "back\\slash", "new\nline", "ä", b"\xff",
     [1, 2], (1,), (), {"a": [1.5]}, True, None, ["a", "b'"]],
)  # fmt: skip
def test_literals_are_the_same_value_again(value):
    assert eval(literal(value)) == value


def test_literals_of_messages():
    assert eval(literal(BlobReference("a'b")), {"core": core}) == BlobReference("a'b")
    option = core.DeviceOption(1, 2, extra_info=["x"])
    from c2lab.proto import caffe2_pb2

    assert eval(literal(option), {"caffe2_pb2": caffe2_pb2}) == option


@pytest.mark.parametrize("value", [0.1, 1e-8, 3.0, 1.0 / 3.0, 12345.678])
def test_short_numbers_are_the_same_in_single_precision(value):
    import numpy as np

    single = float(np.float32(value))
    assert np.float32(short_float(single)) == np.float32(value)
    assert len(repr(short_float(single))) <= len(repr(single))


def test_a_line_does_what_it_says():
    for call in (
        Call("brew.fc", ("x", "fc", 3, 4)),
        Call("net.Relu", (["x"], ["y"]), {"name": "r"}),
        Call("AddParameter", (BlobReference("w"), "WEIGHT")),
        Call("net.external_input", (["a", "b"],), kind="list"),
        Call("net.type", ("dag",), kind="field"),
        raw_call("net", 'type: "Unknown"'),
        raw_call("param_init_net", 'op { type: "Unknown" }', whole=True),
    ):
        done, written = ModelHelper("done"), ModelHelper("written")
        call.apply(done)
        names = {"model": written}
        head = (
            "from google.protobuf import text_format\nfrom c2lab import brew, core\n"
            "from c2lab.model_helper import ParameterTags\nfrom c2lab.proto import caffe2_pb2\n"
        )
        exec(head + call.text(True), names)
        for net in ("net", "param_init_net"):
            first, second = getattr(done, net).Proto(), getattr(written, net).Proto()
            second.name = first.name
            assert first == second
        assert list(map(str, done.params)) == list(map(str, written.params))


def test_long_lines_are_broken():
    text = Call("net.Sum", ([f"blob_number_{k}" for k in range(20)], ["y"])).text(True)
    assert text.count("\n") == 3
