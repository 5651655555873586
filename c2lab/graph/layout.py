"""A layered layout: boxes in ranks, along the way the data flows.

Four steps, each a function: ranks by longest path, few crossings by median sweeps,
straight lines by pulling each box towards its neighbours, and routes for the edges
around the boxes between their ends.  Pure Python and linear in what it is given
(up to sorting), so nets of thousands of operators stay quick.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

Point = tuple[float, float]
Edge = tuple[int, int]


@dataclass(frozen=True)
class Layout:
    """Centres of the boxes, a route for each edge, and the size of the whole.

    A route starts at the source's side and ends at the target's side; where an edge
    passes between other boxes it has two points a rank, one at each side of the rank.
    """

    positions: list[Point]
    routes: list[list[Point]]
    ranks: list[int]
    width: float
    height: float


def arrange(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[Edge],
    *,
    rightwards: bool = False,
    lanes: Sequence[int] | None = None,
    gap_along: float = 48,
    gap_across: float = 28,
    tail: float = 0,
    fill: float = 960,
) -> Layout:
    """Places boxes of these sizes so that edges go downwards (or rightwards).

    Args:
        sizes: Width and height of each box.
        edges: Pairs of box positions.  Cycles do no harm: one of their edges goes backwards.
        rightwards: Ranks from left to right instead of from top to bottom.
        lanes: A column number for each box; boxes of one rank stand in the order of their lanes.
        gap_along: Room between two ranks.
        gap_across: Room between two boxes of one rank.
        tail: Room behind the last rank of each part.
        fill: Parts that no edge connects stand side by side up to this width.

    Example:
        >>> arrange([(10, 10), (10, 10)], [(0, 1)], gap_along=20).positions
        [(5.0, 5.0), (5.0, 35.0)]
    """
    if not sizes:
        return Layout([], [], [], 0, 0)
    # Inside, ranks always go downwards: `a` is a size across the flow, `b` along it.
    across_along = [(h, w) for w, h in sizes] if rightwards else list(sizes)
    lane_of = list(lanes) if lanes is not None else [0] * len(sizes)
    positions: list[Point] = [(0, 0)] * len(sizes)
    routes: list[list[Point]] = [[] for _ in edges]
    ranks = [0] * len(sizes)
    shelf_x = shelf_y = shelf_height = width = 0.0
    for boxes, lines in _parts(len(sizes), edges):
        part = _place(boxes, [edges[i] for i in lines], across_along, lane_of, gap_along, gap_across)
        along = part.along + tail
        turned = (along, part.across) if rightwards else (part.across, along)
        if shelf_x and shelf_x + turned[0] > fill:
            shelf_x, shelf_y, shelf_height = 0.0, shelf_y + shelf_height + gap_across, 0.0
        for box in boxes:
            a, b = part.centres[box]
            positions[box] = (b + shelf_x, a + shelf_y) if rightwards else (a + shelf_x, b + shelf_y)
            ranks[box] = part.ranks[box]
        for line, route in zip(lines, part.routes, strict=True):
            routes[line] = [(b + shelf_x, a + shelf_y) if rightwards else (a + shelf_x, b + shelf_y) for a, b in route]
        width = max(width, shelf_x + turned[0])
        shelf_x += turned[0] + gap_across
        shelf_height = max(shelf_height, turned[1])
    return Layout(positions, routes, ranks, width, shelf_y + shelf_height)


def longest_path_ranks(count: int, edges: Sequence[Edge]) -> list[int]:
    """A rank for each of ``count`` boxes, so that edges lead to higher ranks.

    Boxes with more readers than sources stand as close to their readers as they can.
    Where edges form a cycle, those that lead back to its first box are disregarded.

    Example:
        >>> longest_path_ranks(4, [(0, 1), (1, 2), (3, 2)])
        [0, 1, 2, 1]
    """
    after: list[list[int]] = [[] for _ in range(count)]
    waits = [0] * count
    for u, v in edges:
        if u != v:
            after[u].append(v)
            waits[v] += 1
    before = waits.copy()
    ranks = [0] * count
    order: list[int] = []
    placed = [False] * count
    ready = [i for i in range(count) if not waits[i]]
    next_stuck = 0
    while len(order) < count:
        if not ready:
            while placed[next_stuck]:
                next_stuck += 1
            ready.append(next_stuck)
        u = ready.pop()
        placed[u] = True
        order.append(u)
        for v in after[u]:
            if not placed[v]:
                ranks[v] = max(ranks[v], ranks[u] + 1)
                waits[v] -= 1
                if not waits[v]:
                    ready.append(v)
    for u in reversed(order):
        if len(after[u]) > before[u]:
            nearest = min((ranks[v] for v in after[u] if ranks[v] > ranks[u]), default=ranks[u] + 1)
            ranks[u] = max(ranks[u], nearest - 1)
    lowest = min(ranks, default=0)
    return [rank - lowest for rank in ranks]


_FAR = 1e6
"""How far lanes are apart before they are closed up."""


@dataclass
class _Part:
    centres: dict[int, Point]
    routes: list[list[Point]]
    ranks: dict[int, int]
    across: float
    along: float


@dataclass
class _Layers:
    """Boxes and the bends of long edges, as items in ranks; items from ``boxes`` on are bends."""

    rows: list[list[int]]
    rank: list[int]
    lane: list[float]
    above: list[list[int]]
    below: list[list[int]]
    chains: list[list[int]] = field(default_factory=list)


def _parts(count: int, edges: Sequence[Edge]) -> list[tuple[list[int], list[int]]]:
    """The connected parts: their boxes and their edges, in the order of their first boxes."""
    root = list(range(count))

    def find(i: int) -> int:
        while root[i] != i:
            root[i] = root[root[i]]
            i = root[i]
        return i

    for u, v in edges:
        u, v = find(u), find(v)
        root[max(u, v)] = min(u, v)
    parts: dict[int, tuple[list[int], list[int]]] = {}
    for i in range(count):
        parts.setdefault(find(i), ([], []))[0].append(i)
    for i, (u, _) in enumerate(edges):
        parts[find(u)][1].append(i)
    return list(parts.values())


def _place(
    boxes: list[int],
    edges: list[Edge],
    sizes: Sequence[tuple[float, float]],
    lanes: list[int],
    gap_along: float,
    gap_across: float,
) -> _Part:
    local = {box: i for i, box in enumerate(boxes)}
    own_edges = [(local[u], local[v]) for u, v in edges]
    ranks = longest_path_ranks(len(boxes), own_edges)
    layers = _layers(ranks, own_edges, [lanes[box] for box in boxes])
    items = len(layers.rank)
    # Small pictures are polished, large ones are done when their time is up.
    rounds = max(2, min(12, 30_000 // items))
    _order(layers, rounds)
    across = [sizes[box][0] for box in boxes] + [2.0] * (items - len(boxes))
    xs = _straighten(layers, across, gap_across, len(boxes), rounds)

    tops, top = [], 0.0
    heights = [max((sizes[boxes[i]][1] for i in row if i < len(boxes)), default=0.0) for row in layers.rows]
    for height in heights:
        tops.append(top)
        top += height + gap_along
    centres = {box: (xs[i], tops[ranks[i]] + heights[ranks[i]] / 2) for box, i in local.items()}
    routes = []
    for (u, v), chain in zip(own_edges, layers.chains, strict=True):
        down = ranks[u] <= ranks[v]
        route = [_side(centres[boxes[u]], sizes[boxes[u]][1], 1 if down else -1)]
        for bend in chain:
            rank = layers.rank[bend]
            ends = [(xs[bend], tops[rank]), (xs[bend], tops[rank] + heights[rank])]
            route.extend(ends if down else reversed(ends))
        route.append(_side(centres[boxes[v]], sizes[boxes[v]][1], -1 if down else 1))
        routes.append(route)
    right = max(xs[i] + across[i] / 2 for i in range(items))
    return _Part(centres, routes, {box: ranks[i] for box, i in local.items()}, right, top - gap_along)


def _side(centre: Point, along: float, sign: int) -> Point:
    return centre[0], centre[1] + sign * along / 2


def _layers(ranks: list[int], edges: list[Edge], lanes: list[int]) -> _Layers:
    count = len(ranks)
    rank, lane = list(ranks), [float(x) for x in lanes]
    above: list[list[int]] = [[] for _ in range(count)]
    below: list[list[int]] = [[] for _ in range(count)]
    chains = []
    # Bends grow with the length of the edges; past a budget only short edges get them.
    spans = sorted(abs(ranks[u] - ranks[v]) for u, v in edges)
    longest, budget = 0, 4 * count + 400
    for span in spans:
        budget -= span
        if budget < 0:
            break
        longest = span
    for u, v in edges:
        top, bottom = (u, v) if ranks[u] <= ranks[v] else (v, u)
        span = ranks[bottom] - ranks[top]
        chain = []
        if span and span <= max(longest, 1):
            last = top
            for r in range(ranks[top] + 1, ranks[bottom]):
                bend = len(rank)
                rank.append(r)
                lane.append((lane[u] + lane[v]) / 2)
                above.append([last])
                below.append([])
                below[last].append(bend)
                chain.append(bend)
                last = bend
            below[last].append(bottom)
            above[bottom].append(last)
        chains.append(chain if top == u else chain[::-1])
    rows: list[list[int]] = [[] for _ in range(max(rank) + 1)]
    for item, r in enumerate(rank):
        rows[r].append(item)
    for row in rows:
        row.sort(key=lambda item: lane[item])
    return _Layers(rows, rank, lane, above, below, chains)


def _order(layers: _Layers, sweeps: int) -> None:
    """Sorts each rank by the median place of the neighbours, downwards and upwards in turn; the best is kept."""
    place = [0.0] * len(layers.rank)

    def number(row: list[int]) -> None:
        for i, item in enumerate(row):
            place[item] = float(i)

    for row in layers.rows:
        number(row)
    count_crossings = len(layers.rank) <= 3000
    best, fewest = [list(row) for row in layers.rows], _crossings(layers, place) if count_crossings else 0
    for sweep in range(sweeps):
        if count_crossings and fewest == 0:
            break
        downwards = sweep % 2 == 0
        neighbours = layers.above if downwards else layers.below
        for row in layers.rows if downwards else reversed(layers.rows):
            if len(row) > 1:
                keys = {item: (layers.lane[item], _median(neighbours[item], place, place[item])) for item in row}
                row.sort(key=keys.__getitem__)
                number(row)
        if count_crossings:
            crossings = _crossings(layers, place)
            if crossings < fewest:
                best, fewest = [list(row) for row in layers.rows], crossings
    if count_crossings:
        layers.rows[:] = best


def _median(neighbours: list[int], place: list[float], default: float) -> float:
    if not neighbours:
        return default
    places = sorted(place[n] for n in neighbours)
    middle = len(places) // 2
    return places[middle] if len(places) % 2 else (places[middle - 1] + places[middle]) / 2


def _crossings(layers: _Layers, place: list[float]) -> int:
    total = 0
    for row in layers.rows:
        seen: list[float] = []
        for item in row:
            ends = sorted(place[n] for n in layers.below[item])
            total += sum(len(seen) - bisect.bisect_right(seen, end) for end in ends)
            for end in ends:
                bisect.insort(seen, end)
    return total


def _straighten(layers: _Layers, across: list[float], gap: float, boxes: int, passes: int) -> list[float]:
    """Coordinates across the flow: each item near its neighbours, in the order of its rank."""
    # Lanes start far apart, so that no column is pushed aside by another, and are closed up in the end.
    lane = [number * _FAR for number in layers.lane]
    xs = [0.0] * len(across)
    for row in layers.rows:
        x = 0.0
        for item in row:
            xs[item] = lane[item] + x + across[item] / 2
            x += across[item] + gap
    for turn in range(passes):
        downwards = turn % 2 == 0
        first, second = (layers.above, layers.below) if downwards else (layers.below, layers.above)
        for row in layers.rows if downwards else reversed(layers.rows):
            wanted, weights = [], []
            for item in row:
                near = first[item] or second[item]
                # Columns stay straight: a neighbour of the same lane counts before all others.
                own = [n for n in near if lane[n] == lane[item]] or [n for n in second[item] if lane[n] == lane[item]]
                places = sorted(xs[n] + lane[item] - lane[n] for n in own or near) or [xs[item]]
                wanted.append((places[(len(places) - 1) // 2] + places[len(places) // 2]) / 2)
                # A bend that leaves the straight line shows more than a box that does.
                weights.append(0.05 if not own else 4.0 if item >= boxes else 1.0)
            for item, x in zip(row, _keep_apart(row, wanted, weights, across, gap), strict=True):
                xs[item] = x
    _close_up(layers, xs, across, gap)
    left = min(x - size / 2 for x, size in zip(xs, across, strict=True))
    return [x - left for x in xs]


def _close_up(layers: _Layers, xs: list[float], across: list[float], gap: float) -> None:
    """Moves whole lanes together, until the nearest boxes of two lanes are ``gap`` apart."""
    lane = layers.lane
    for border in sorted(set(lane))[1:]:
        slack = float("inf")
        for row in layers.rows:
            for left, right in itertools.pairwise(row):
                if lane[left] < border <= lane[right]:
                    room = xs[right] - across[right] / 2 - xs[left] - across[left] / 2
                    slack = min(slack, room - gap)
        if 0 < slack < float("inf"):
            for item, own in enumerate(lane):
                if own >= border:
                    xs[item] -= slack


def _keep_apart(
    row: list[int], wanted: list[float], weights: list[float], across: list[float], gap: float
) -> list[float]:
    """The places nearest to ``wanted`` (least squares) that keep the order and the gaps of ``row``.

    With the least distances subtracted this is a monotone regression, which pooling of
    neighbours that stand in each other's way solves in one pass.
    """
    if len(row) == 1:
        return wanted
    offsets = [0.0]
    for left, right in itertools.pairwise(row):
        offsets.append(offsets[-1] + (across[left] + across[right]) / 2 + gap)
    pools: list[tuple[float, float, int]] = []
    for want, weight, offset in zip(wanted, weights, offsets, strict=True):
        mean, total, count = want - offset, weight, 1
        while pools and pools[-1][0] > mean:
            last_mean, last_total, last_count = pools.pop()
            mean = (mean * total + last_mean * last_total) / (total + last_total)
            total, count = total + last_total, count + last_count
        pools.append((mean, total, count))
    means = [mean for mean, _, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]
