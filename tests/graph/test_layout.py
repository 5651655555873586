from __future__ import annotations

import itertools
import random
import time

import pytest

from c2lab.graph.layout import arrange, longest_path_ranks


def random_graph(count: int, seed: int = 0) -> list[tuple[int, int]]:
    """A chain with shortcuts, as nets are."""
    draw = random.Random(seed)
    near = [(max(0, i - draw.choice([1, 1, 1, 2, 3])), i) for i in range(1, count)]
    far = [(max(0, i - draw.randint(1, 30)), i) for i in range(1, count, 2)]
    return near + far


def overlaps(layout, sizes) -> list[tuple[int, int]]:
    boxes = [
        (x - w / 2, y - h / 2, x + w / 2, y + h / 2) for (x, y), (w, h) in zip(layout.positions, sizes, strict=True)
    ]
    return [
        (i, j)
        for (i, a), (j, b) in itertools.combinations(enumerate(boxes), 2)
        if a[0] < b[2] - 0.01 and b[0] < a[2] - 0.01 and a[1] < b[3] - 0.01 and b[1] < a[3] - 0.01
    ]


def test_ranks_follow_the_edges():
    edges = random_graph(300)
    ranks = longest_path_ranks(300, edges)
    assert all(ranks[u] < ranks[v] for u, v in edges)
    assert min(ranks) == 0


def test_a_late_source_stands_beside_its_reader():
    # 0 -> 1 -> 2 -> 3, and 4 is read by 3 alone.
    assert longest_path_ranks(5, [(0, 1), (1, 2), (2, 3), (4, 3)])[4] == 2


def test_a_cycle_does_no_harm():
    ranks = longest_path_ranks(3, [(0, 1), (1, 2), (2, 0)])
    assert ranks == [0, 1, 2]
    layout = arrange([(10, 10)] * 3, [(0, 1), (1, 2), (2, 0), (1, 1)])
    assert len(layout.routes) == 4


def test_nothing_is_a_layout_too():
    layout = arrange([], [])
    assert (layout.positions, layout.width, layout.height) == ([], 0, 0)


@pytest.mark.parametrize("rightwards", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_boxes_never_overlap_and_stay_inside(rightwards, seed):
    draw = random.Random(seed)
    sizes = [(draw.randint(40, 200), draw.randint(20, 70)) for _ in range(60)]
    lanes = [draw.randint(0, 2) for _ in range(60)]
    layout = arrange(sizes, random_graph(60, seed), rightwards=rightwards, lanes=lanes)
    assert overlaps(layout, sizes) == []
    for (x, y), (w, h) in zip(layout.positions, sizes, strict=True):
        assert -0.01 <= x - w / 2
        assert x + w / 2 <= layout.width + 0.01
        assert -0.01 <= y - h / 2
        assert y + h / 2 <= layout.height + 0.01


def test_routes_join_the_sides_of_their_boxes():
    sizes = [(100, 40)] * 3
    layout = arrange(sizes, [(0, 1), (1, 2), (0, 2)], gap_along=50)
    long_way = layout.routes[2]
    assert long_way[0][1] == 40
    assert long_way[-1][1] == layout.positions[2][1] - 20
    # On its way it passes the middle rank beside the box that stands there.
    bends = long_way[1:-1]
    assert len(bends) == 2
    assert all(abs(x - layout.positions[1][0]) > 50 for x, _ in bends)


def test_a_chain_is_straight():
    layout = arrange([(100, 40)] * 6, [(i, i + 1) for i in range(5)])
    assert len({x for x, _ in layout.positions}) == 1


def test_crossings_are_taken_out():
    # Two sources whose readers were given in the opposite order.
    layout = arrange([(10, 10)] * 6, [(0, 4), (1, 3), (0, 5), (1, 2)])
    left = layout.positions[0][0] < layout.positions[1][0]
    assert (layout.positions[4][0] < layout.positions[3][0]) == left
    assert (layout.positions[5][0] < layout.positions[2][0]) == left


def test_lanes_are_columns():
    edges = [(0, 1), (1, 2), (0, 3), (1, 4), (3, 4)]
    layout = arrange([(50, 20)] * 5, edges, lanes=[0, 0, 0, 1, 1])
    right_of_all = max(layout.positions[i][0] for i in range(3))
    assert all(layout.positions[i][0] > right_of_all for i in (3, 4))


def test_unconnected_parts_fill_rows():
    layout = arrange([(300, 40)] * 7, [], fill=1000, gap_across=20)
    assert layout.width <= 1000
    assert len({y for _, y in layout.positions}) == 3


def test_five_thousand_operators_are_quick():
    edges = random_graph(5000)
    sizes = [(120.0, 40.0)] * 5000
    ranking, ordering = [], []
    for _ in range(3):
        start = time.process_time()
        longest_path_ranks(5000, edges)
        ranking.append(time.process_time() - start)
        start = time.process_time()
        arrange(sizes, edges)
        ordering.append(time.process_time() - start)
    assert min(ranking) < 0.1
    assert min(ordering) < 0.5 * 1.5  # half a second, and room for a busy machine


def test_edges_across_the_whole_net_do_not_multiply():
    # Each operator of the first half is read by its gradient in the second: bends would be millions.
    count = 4000
    edges = [(i, i + 1) for i in range(count - 1)] + [(i, count - 1 - i) for i in range(count // 2)]
    start = time.process_time()
    layout = arrange([(100.0, 40.0)] * count, edges)
    assert time.process_time() - start < 2
    assert len(layout.routes) == len(edges)
