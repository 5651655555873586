"""What is registered about an operator."""

from __future__ import annotations

from c2lab.compat.operator_schema import OpSchema


def test_counts_and_inplace_pairs():
    relu = OpSchema.get("Relu")
    assert relu.num_inputs_outputs_allowed(1, 1)
    assert not relu.num_inputs_allowed(2)
    assert relu.inplace(0, 0)
    assert not OpSchema.get("FC").inplace(0, 0)
    conv = OpSchema.get("Conv")
    assert (conv.min_input, conv.max_input) == (2, 3)
    assert OpSchema.get("Sum").max_input > 1000


def test_arguments_and_files():
    scale = OpSchema.get("LeakyRelu")
    assert [argument.name for argument in scale.args] == ["alpha"]
    assert not scale.args[0].required
    assert scale.doc
    assert OpSchema.get_cpu_impl("LeakyRelu").endswith(".py")
    assert OpSchema.get_cuda_impl("NoSuchOperator") == ""
    assert OpSchema.get("NoSuchOperator") is None


def test_what_must_be_in_place():
    schema = OpSchema.get("ScatterWeightedSum")
    pairs = schema.enforced_pairs()
    assert pairs == [(0, 0)]
    assert schema.inplace_enforced(0, 0)
    assert not schema.inplace_enforced(1, 0)
    assert OpSchema.get("Relu").enforced_pairs() == []
