import numpy as np
import pytest

from c2lab.training.batches import padded_pieces, shifted, shuffled


def numbered(count):
    return np.arange(count, dtype=np.float32).reshape(count, 1, 1, 1), np.arange(count, dtype=np.int32)


def test_one_pass_gives_every_picture_at_most_once_with_its_label():
    images, labels = numbered(10)
    batches = list(shuffled(images, labels, 3, np.random.RandomState(0)))
    assert [len(batch) for batch, _ in batches] == [3, 3, 3]
    seen = np.concatenate([batch.ravel() for batch, _ in batches])
    np.testing.assert_array_equal(seen, np.concatenate([label for _, label in batches]))
    assert len(set(seen)) == 9


def test_the_generator_decides_the_order():
    images, labels = numbered(50)

    def order(seed):
        return [list(label) for _, label in shuffled(images, labels, 5, np.random.RandomState(seed), shift=1)]

    assert order(1) == order(1) != order(2)


@pytest.mark.parametrize(("down", "right"), [(0, 0), (2, 1), (-1, 3), (-2, -2)])
def test_a_shift_moves_and_fills_with_black(down, right):
    image = np.random.RandomState(0).rand(1, 2, 6, 7)
    moved = shifted(image, np.array([[down, right]]))
    for row in range(6):
        for column in range(7):
            inside = 0 <= row - down < 6 and 0 <= column - right < 7
            expected = image[0, :, row - down, column - right] if inside else 0
            np.testing.assert_array_equal(moved[0, :, row, column], expected)


def test_shifts_stay_within_their_bound():
    images = np.zeros((200, 1, 9, 9), np.float32)
    images[:, 0, 4, 4] = 1
    ((batch, _),) = shuffled(images, np.zeros(200, np.int32), 200, np.random.RandomState(0), shift=2)
    _, _, rows, columns = np.nonzero(batch)
    assert set(rows) == set(columns) == {2, 3, 4, 5, 6}


def test_pieces_have_one_size_and_say_what_is_real():
    images, _ = numbered(7)
    pieces = list(padded_pieces(images, 3))
    assert [(len(piece), real) for piece, real in pieces] == [(3, 3), (3, 3), (3, 1)]
    assert pieces[-1][0].ravel().tolist() == [6, 0, 0]
