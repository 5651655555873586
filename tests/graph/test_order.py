import random

import pytest

from c2lab.graph.document import EditRefused
from c2lab.graph.order import order_for, wires_of
from c2lab.proto import caffe2_pb2


def op(inputs, outputs, type="Sum"):
    return caffe2_pb2.OperatorDef(type=type, input=inputs, output=outputs)


def test_an_order_that_is_right_is_left_alone():
    ops = [op(["x"], ["a"]), op(["a"], ["a"]), op(["a"], ["b"])]
    assert order_for(ops, wires_of(ops)) == [0, 1, 2]


def test_a_reader_goes_behind_its_writer():
    ops = [op(["b"], ["c"]), op(["x"], ["b"]), op(["c"], ["d"])]
    assert order_for(ops, [[1], [None], [0]]) == [1, 0, 2]


def test_a_reader_of_an_overwritten_blob_goes_in_between():
    ops = [op(["x"], ["a"]), op(["a"], ["a"]), op(["a"], ["b"])]
    order = order_for(ops, [[None], [0], [0]])
    assert order == [0, 2, 1]


def test_what_comes_from_outside_is_read_before_it_is_overwritten():
    ops = [op(["x"], ["x"]), op(["x"], ["y"])]
    assert order_for(ops, [[None], [None]]) == [1, 0]


def test_a_circle_is_refused_with_its_members():
    ops = [op(["b"], ["a"], "Relu"), op(["a"], ["b"], "Tanh")]
    with pytest.raises(EditRefused, match=r"circle.*Relu 'a'") as refused:
        order_for(ops, [[1], [0]])
    assert "Tanh 'b'" in refused.value.message


def test_reading_what_is_overwritten_in_time_is_refused_with_advice():
    ops = [op(["x"], ["a"]), op(["a"], ["a"]), op(["a"], ["b"]), op(["b", "a"], ["c"])]
    with pytest.raises(EditRefused, match="another name"):
        # c needs the first a, but also b, which is made of the second.
        order_for(ops, [[None], [0], [1], [2, 0]])


def test_any_order_that_was_shuffled_is_found_again():
    random_source = random.Random(5)
    for _ in range(50):
        names = [f"b{k}" for k in range(6)]
        ops = [
            op([random_source.choice(names) for _ in range(random_source.randrange(3))], [random_source.choice(names)])
            for _ in range(12)
        ]
        wires = wires_of(ops)
        place = list(range(len(ops)))
        random_source.shuffle(place)
        # Writers of one blob keep their order, as that is what versions are counted by.
        for name in names:
            spots = sorted(k for k, i in enumerate(place) if name in ops[i].output)
            for spot, i in zip(spots, sorted(place[s] for s in spots), strict=True):
                place[spot] = i
        if sorted(place) != list(range(len(ops))):
            continue
        moved = [ops[i] for i in place]
        new = {old: k for k, old in enumerate(place)}
        wanted = [[None if w is None else new[w] for w in wires[i]] for i in place]
        order = order_for(moved, wanted)
        final = [moved[k] for k in order]
        spot = {k: s for s, k in enumerate(order)}
        assert wires_of(final) == [[None if w is None else spot[w] for w in wanted[k]] for k in order]
