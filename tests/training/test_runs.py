import pytest

import c2lab as c2
from c2lab.errors import BadArgument
from tests.training.models import classifier, pictures


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    train, test = pictures()
    for name, rate in (("slow", 0.01), ("fast", 0.3)):
        c2.train(classifier(), train, evaluate=test, epochs=1, rate=rate, folder=folder, name=name, block=True)
    return folder


def test_all_that_is_kept_newest_first(folder):
    found = c2.runs(folder)
    assert [run.name.split("-")[0] for run in found] == ["fast", "slow"]
    assert [run.state for run in found] == ["done", "done"]
    assert len(c2.runs(folder, match="slow")) == 1
    assert found[found[0].name] is found[0]
    assert len(found[:1]) == 1
    with pytest.raises(BadArgument, match="there is no run"):
        found["quick"]


def test_the_table_compares(folder):
    fast, slow = c2.runs(folder).table()
    assert fast["steps"] == slow["steps"] == 22
    assert fast["test_loss"] < slow["test_loss"]
    assert fast["rate"] == pytest.approx(0.3)
    text = repr(c2.runs(folder)).splitlines()
    assert text[0].split()[:3] == ["run", "state", "steps"]
    assert text[1].startswith("fast-")
    page = c2.runs(folder)._repr_html_()
    assert page.count("<tr>") == 3
    assert c2.runs(folder).csv().count("\n") == 3


def test_the_curves_lie_over_each_other(folder):
    figure = c2.runs(folder).plot("loss")
    (ax,) = figure.axes
    assert len(ax.get_legend().get_texts()) == 2
    assert c2.runs(folder)._repr_svg_().startswith("<?xml")
    assert c2.runs(folder)[0].plot().axes


def test_nothing_there(tmp_path):
    assert len(c2.runs(tmp_path / "nowhere")) == 0
    assert repr(c2.runs(tmp_path)) == "run  state  steps"
