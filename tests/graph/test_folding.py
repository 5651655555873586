from c2lab.graph.folding import MOST_BOXES, shown
from c2lab.graph.view import NetView
from c2lab.proto import caffe2_pb2


def nodes(names):
    net = caffe2_pb2.NetDef(name="n")
    last = "data"
    for name in names:
        net.op.add(type="Relu", input=[last], output=[name])
        last = name
    return [node for node in NetView.of(net).nodes if node.kind == "operator"]


def everything(found):
    return sorted([*found.operators, *(member for group in found.closed for member in group.members)])


SMALL = nodes(["a/x", "a/b/y", "a/b/z", "c"])
LARGE = nodes([f"stage{s}/block{b}/op{o}" for s in range(4) for b in range(10) for o in range(6)])


def test_a_small_net_is_shown_whole_with_frames():
    found = shown(SMALL, closed=(), opened=(), fold_above=150)
    assert found.operators == [0, 1, 2, 3]
    assert [(group.path, group.members) for group in found.open] == [("a", (0, 1, 2)), ("a/b", (1, 2))]


def test_a_closed_scope_is_one_box():
    found = shown(SMALL, closed={"a/b"}, opened=(), fold_above=150)
    assert found.operators == [0, 3]
    assert [(group.path, group.members) for group in found.closed] == [("a/b", (1, 2))]
    assert [group.path for group in found.open] == ["a"]


def test_the_outermost_closed_scope_counts():
    found = shown(SMALL, closed={"a", "a/b"}, opened=(), fold_above=150)
    assert [(group.path, group.members) for group in found.closed] == [("a", (0, 1, 2))]
    assert found.open == []


def test_a_large_net_starts_with_few_boxes():
    found = shown(LARGE, closed=(), opened=(), fold_above=150)
    assert 1 < len(found.operators) + len(found.closed) <= MOST_BOXES
    assert everything(found) == list(range(240))


def test_opening_and_closing_a_group():
    first = shown(LARGE, closed=(), opened=(), fold_above=150)
    path = first.closed[0].path
    opened = shown(LARGE, closed=(), opened={path}, fold_above=150)
    assert path in {group.path for group in opened.open}
    assert everything(opened) == list(range(240))
    again = shown(LARGE, closed={path}, opened=(), fold_above=150)
    assert path in {group.path for group in again.closed}


def test_every_group_can_be_opened_down_to_the_operators():
    opened = set()
    for _ in range(20):
        found = shown(LARGE, closed=(), opened=opened, fold_above=150)
        if not found.closed:
            break
        opened |= {group.path for group in found.closed}
    assert sorted(found.operators) == list(range(240))


def test_paths_are_different():
    found = shown(LARGE, closed=(), opened=(), fold_above=150)
    paths = [group.path for group in [*found.closed, *found.open]]
    assert len(paths) == len(set(paths))


def test_like_neighbours_are_folded_into_one():
    found = shown(nodes([f"block{b}/op{o}" for b in range(70) for o in range(8)]), closed=(), opened=(), fold_above=150)
    assert [group.repeats for group in found.closed] == [70]


def test_a_net_without_scopes_is_cut_into_pieces():
    found = shown(nodes([f"q{k}x" for k in range(1000)]), closed=(), opened=(), fold_above=150)
    assert len(found.operators) + len(found.closed) <= MOST_BOXES
    assert everything(found) == list(range(1000))
