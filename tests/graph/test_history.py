import pytest

from c2lab.graph.document import EditRefused, empty_document
from c2lab.graph.history import History


def names(history):
    return history.present.net.name, history.undo_label, history.redo_label


def test_there_and_back():
    history = History(empty_document("a"))
    history.do("to b", empty_document("b"))
    history.do("to c", empty_document("c"))
    assert names(history) == ("c", "to c", None)
    assert history.undo() == "to c"
    assert names(history) == ("b", "to b", "to c")
    assert history.undo() == "to b"
    assert names(history) == ("a", None, "to b")
    assert history.redo() == "to b"
    assert history.redo() == "to c"
    assert names(history) == ("c", "to c", None)


def test_doing_something_else_forgets_what_was_undone():
    history = History(empty_document("a"))
    history.do("to b", empty_document("b"))
    history.undo()
    history.do("to d", empty_document("d"))
    assert names(history) == ("d", "to d", None)


def test_the_ends_are_refused():
    history = History(empty_document("a"))
    with pytest.raises(EditRefused, match="nothing to undo"):
        history.undo()
    with pytest.raises(EditRefused, match="nothing to redo"):
        history.redo()


def test_the_oldest_steps_are_forgotten(monkeypatch):
    monkeypatch.setattr(History, "MOST", 3)
    history = History(empty_document("0"))
    for k in range(1, 8):
        history.do(str(k), empty_document(str(k)))
    while history.undo_label:
        history.undo()
    assert history.present.net.name == "4"


def test_going_back_to_where_it_was():
    history = History(empty_document("a"))
    history.do("to b", empty_document("b"))
    present, steps = history.present, history.steps()
    history.do("to c", empty_document("c"))
    history.undo()
    history.undo()
    history.restore(present, steps)
    assert names(history) == ("b", "to b", None)
