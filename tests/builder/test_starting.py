import pytest

from c2lab.builder.starting import new_operator, output_names, stem_of
from c2lab.graph.document import EditRefused, empty_document
from c2lab.operators import registry


def test_every_operator_can_be_placed():
    for operator in registry.all_operators():
        op = new_operator(empty_document("n"), operator.type)
        assert op.type == operator.type
        assert len(set(op.output)) == len(op.output)
        required = [slot for slot in operator.outputs if not (slot.optional or slot.variadic)]
        assert len(op.output) >= len(required)
        # Nets inside of operators cannot be made up.
        if not any(
            spec.required and spec.kind in ("net", "tensor", "any", "bytes") for spec in operator.arguments.values()
        ):
            operator.read_arguments(op)


def test_names_are_free_and_numbered():
    document = empty_document("n")
    document.net.op.add(type="Relu", output=["relu1"])
    assert output_names(document, registry.find("Relu")) == ["relu2"]
    assert output_names(document, registry.find("SoftmaxWithLoss")) == ["softmax1", "softmax1_loss"]
    assert stem_of("<b>!") == "b"
    assert stem_of("???") == "op"


def test_unknown_types_are_refused_with_near_ones():
    with pytest.raises(EditRefused, match="Did you mean: Relu"):
        new_operator(empty_document("n"), "Rleu")
