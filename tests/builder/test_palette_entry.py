from c2lab.builder.palette_entry import Entry


def test_an_entry_is_plain_data():
    assert Entry("Relu", "operator", "activations", "A rectifier.", "relu").told() == {
        "type": "Relu", "kind": "operator", "family": "activations", "summary": "A rectifier.", "words": "relu",
        "gradient": False,
    }  # fmt: skip
