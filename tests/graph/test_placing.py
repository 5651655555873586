import itertools
import random

from c2lab.graph.placing import place


def overlap(a, b, size):
    return abs(a[0] - b[0]) < size[0] and abs(a[1] - b[1]) < size[1]


def chain(count, **options):
    ids = [f"o{k}" for k in range(count)]
    return place(ids, [(80, 40)] * count, list(itertools.pairwise(ids)), lanes=[0] * count, **options)


def test_short_nets_go_rightwards_and_long_ones_down():
    short, long = chain(5, kept={}), chain(40, kept={})
    assert short.direction == "right"
    assert long.direction == "down"
    assert [short.corners[f"o{k}"][0] for k in range(5)] == sorted(short.corners[f"o{k}"][0] for k in range(5))
    assert long.corners["o39"][1] > long.corners["o0"][1]


def test_what_the_user_placed_stays():
    kept = {"o1": (500.0, 300.0), "o3": (-20.0, 10.0)}
    found = chain(5, kept=kept)
    assert {name: found.corners[name] for name in kept} == kept


def test_the_rest_comes_along_with_its_neighbours():
    still, moved = chain(3, kept={}), chain(3, kept={"o1": (1000.0, 1000.0)})
    for name in ("o0", "o2"):
        assert moved.corners[name][0] - moved.corners["o1"][0] == still.corners[name][0] - still.corners["o1"][0]


def test_nothing_covers_what_the_user_placed():
    source = random.Random(3)
    for _ in range(20):
        ids = [f"o{k}" for k in range(14)]
        edges = [(ids[a], ids[b]) for a, b in itertools.combinations(range(14), 2) if source.random() < 0.2]
        kept = {name: (source.uniform(0, 700), source.uniform(0, 300)) for name in ids[::5]}
        found = place(ids, [(80, 40)] * 14, edges, lanes=[0] * 14, kept=kept)
        for a, b in itertools.combinations(ids, 2):
            if a not in kept or b not in kept:
                assert not overlap(found.corners[a], found.corners[b], (80, 40)), (a, b)


def test_places_of_boxes_that_are_not_there_do_no_harm():
    assert chain(2, kept={"gone": (1.0, 2.0)}).corners == chain(2, kept={}).corners


def test_nothing_to_place():
    assert place([], [], [], lanes=[], kept={}).corners == {}
