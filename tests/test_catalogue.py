from c2lab import catalogue
from c2lab.operators import registry


def test_examples_are_run():
    (result,) = catalogue.results(registry.find("Relu"))
    assert result.startswith("Y = [")


def test_every_operator_has_a_page_and_stands_in_the_index(tmp_path, monkeypatch):
    some = [registry.find("Relu"), registry.find("Sigmoid")]
    monkeypatch.setattr(catalogue.registry, "all_operators", lambda: some)
    assert catalogue.write(tmp_path / "pages") == 2
    assert sorted(path.name for path in (tmp_path / "pages").iterdir()) == ["Relu.md", "Sigmoid.md", "index.md"]
    assert "- [Relu](Relu.md): " in (tmp_path / "pages" / "index.md").read_text()
    assert (tmp_path / "pages" / "Relu.md").read_text().startswith("# Relu\n")
