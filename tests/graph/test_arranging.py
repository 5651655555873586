import pytest

from c2lab.graph import arranging
from c2lab.graph.document import EditRefused, empty_document

BOXES = {"o0": (0.0, 0.0, 10.0, 20.0), "o1": (50.0, 30.0, 30.0, 10.0), "o2": (20.0, 100.0, 20.0, 20.0)}


def test_moving_places_boxes_and_comments():
    document, note = arranging.comment(empty_document("n"), "hello", (1.0, 2.0))
    made = arranging.move(document, {note: (5.0, 6.0), "o0": (7.0, 8.0)}, [note, "o0"])
    assert made.canvas.positions == {"o0": (7.0, 8.0)}
    assert made.canvas.comments[0][2:] == (5.0, 6.0)
    with pytest.raises(EditRefused, match="no box 'o9'"):
        arranging.move(made, {"o9": (0.0, 0.0)}, ["o0"])
    assert arranging.laid_out(made).canvas.positions == {}


def test_comments_are_changed_and_taken_away():
    document, note = arranging.comment(empty_document("n"), "hello", (1.0, 2.0))
    changed, same = arranging.comment(document, "bye", (0.0, 0.0), note)
    assert same == note
    assert changed.canvas.comments[0].text == "bye"
    assert arranging.comment(changed, "", (0.0, 0.0), note)[0].canvas.comments == ()
    for text, node in (("", None), ("x", "c9")):
        with pytest.raises(EditRefused):
            arranging.comment(document, text, (0.0, 0.0), node)


def test_groups_close_and_open():
    closed = arranging.collapse(empty_document("n"), "a/b", True)
    assert closed.canvas.closed == {"a/b"}
    opened = arranging.collapse(closed, "a/b", False)
    assert (opened.canvas.closed, opened.canvas.opened) == (frozenset(), {"a/b"})


@pytest.mark.parametrize(
    ("how", "places"),
    [
        ("left", [(0, 0), (0, 30), (0, 100)]),
        ("right", [(70, 0), (50, 30), (60, 100)]),
        ("centre", [(35, 0), (25, 30), (30, 100)]),
        ("top", [(0, 0), (50, 0), (20, 0)]),
        ("bottom", [(0, 100), (50, 110), (20, 100)]),
        ("middle", [(0, 50), (50, 55), (20, 50)]),
        ("across", [(0, 0), (54, 30), (22, 100)]),
        ("down", [(0, 0), (50, 55), (20, 100)]),
    ],
)
def test_lining_up(how, places):
    made = arranging.aligned(empty_document("n"), BOXES, list(BOXES), how)
    assert [made.canvas.positions[name] for name in BOXES] == [tuple(map(float, place)) for place in places]


def test_lining_up_takes_two_boxes_and_a_way():
    for nodes, how in ((["o0"], "left"), (["o0", "o1"], "sideways")):
        with pytest.raises(EditRefused):
            arranging.aligned(empty_document("n"), BOXES, nodes, how)


def test_shifting_puts_boxes_beside_places():
    made = arranging.shifted(empty_document("n"), ["o5", "o6"], {"o5": (1.0, 2.0)}, 40.0)
    assert made.canvas.positions == {"o5": (41.0, 42.0)}
