"""Pictures: decoded, resized, cut, coloured; against pixel-by-pixel formulas."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from c2lab.errors import BadValue, DamagedFile
from c2lab.operators import pictures
from c2lab.operators.pictures import Box


def encoded(pixels, kind="PNG"):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def random_picture(seed, height, width, channels=3):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels)).astype(np.uint8)


def test_colours_are_blue_green_red():
    pixels = random_picture(0, 5, 7)
    np.testing.assert_array_equal(pictures.decoded(encoded(pixels), 3), pixels[:, :, ::-1])
    grey = pictures.decoded(encoded(pixels), 1)
    assert grey.shape == (5, 7, 1)
    assert np.abs(grey[..., 0] - pixels @ [0.299, 0.587, 0.114]).max() <= 1
    np.testing.assert_array_equal(pictures.decoded(encoded(pixels[:, :, 0]), 3), np.repeat(pixels[:, :, :1], 3, axis=2))
    smooth = np.broadcast_to(np.arange(64, dtype=np.uint8)[:, None, None] * 3, (64, 64, 3))
    assert np.abs(pictures.decoded(encoded(smooth, "JPEG"), 3).astype(int) - smooth).max() <= 3
    with pytest.raises(DamagedFile, match="here: 3 bytes are no picture"):
        pictures.decoded(b"abc", 3, "here: ")
    with pytest.raises(DamagedFile):
        pictures.decoded(encoded(pixels)[:60], 3)


def test_channels():
    pixels = random_picture(1, 4, 4)
    assert pictures.with_channels(pixels, 3) is pixels
    grey = pictures.with_channels(pixels, 1)
    assert np.abs(grey[..., 0] - pixels @ [0.114, 0.587, 0.299]).max() <= 0.501
    np.testing.assert_array_equal(pictures.with_channels(grey, 3), np.repeat(grey, 3, axis=2))


def area_average(picture, height, width):
    """Every old pixel weighed by the area of it that a new one covers, in loops."""
    old_height, old_width, channels = picture.shape
    result = np.zeros((height, width, channels))
    for y in range(height):
        for x in range(width):
            total = 0.0
            for i in range(old_height):
                tall = min((y + 1) * old_height / height, i + 1) - max(y * old_height / height, i)
                for j in range(old_width):
                    wide = min((x + 1) * old_width / width, j + 1) - max(x * old_width / width, j)
                    if tall > 1e-9 and wide > 1e-9:
                        result[y, x] += tall * wide * picture[i, j].astype(float)
                        total += tall * wide
            result[y, x] /= total
    return result


@pytest.mark.parametrize("sizes", [((8, 6), (4, 3)), ((9, 7), (4, 5)), ((10, 10), (10, 3)), ((5, 5), (5, 5))])
def test_a_smaller_picture(sizes):
    (old, new) = sizes
    picture = random_picture(sum(old), *old)
    made = pictures.resized(picture, *new)
    assert made.dtype == np.uint8
    assert np.abs(made - area_average(picture, *new)).max() <= 0.501


def test_a_larger_picture():
    picture = random_picture(3, 4, 3)
    np.testing.assert_array_equal(pictures.resized(picture, 8, 6), picture.repeat(2, axis=0).repeat(2, axis=1))
    row = np.uint8([[[0], [100]]])
    # three pixels out of two: the middle one covers half of each
    assert pictures.resized(row, 1, 3)[0, :, 0].tolist() == [0, 50, 100]
    flat = np.full((3, 5, 1), 77, np.uint8)
    assert (pictures.resized(flat, 7, 11) == 77).all()


def test_sizes_at_shortest():
    assert pictures.sizes_at_shortest(100, 50, 20) == (40, 20)
    assert pictures.sizes_at_shortest(50, 101, 20) == (20, 40)
    assert pictures.sizes_at_shortest(50, 50, 20) == (20, 20)


def test_parts():
    picture = random_picture(4, 6, 8)
    np.testing.assert_array_equal(pictures.part(picture, Box(1, 2, 3, 4)), picture[1:4, 2:6])
    with pytest.raises(BadValue, match="not within the picture of 6 x 8"):
        pictures.part(picture, Box(4, 0, 3, 4))
    np.testing.assert_array_equal(pictures.cut_out(picture, 4, None), picture[1:5, 2:6])
    rng = np.random.default_rng(0)
    places = {pictures.cut_out(picture, 5, rng).tobytes() for _ in range(200)}
    assert places == {picture[y : y + 5, x : x + 5].tobytes() for y in range(2) for x in range(4)}


def test_random_parts():
    picture = random_picture(5, 60, 80)
    rng = np.random.default_rng(0)
    found = [pictures.random_part(picture, 10, rng) for _ in range(50)]
    parts = [part for part in found if part is not None]
    assert len(parts) > 30
    assert {part.shape for part in parts} == {(10, 10, 3)}
    assert len({part.tobytes() for part in parts}) > 25
    assert pictures.random_part(picture, 61, rng) is None


def test_jitter():
    rng = np.random.default_rng(0)
    picture = random_picture(6, 4, 5).astype(np.float32)
    still = pictures.jittered(picture, {"saturation": 0.0, "brightness": 0.0, "contrast": 0.0}, rng)
    np.testing.assert_allclose(still, picture, rtol=1e-5)
    bright = pictures.jittered(picture, {"brightness": 0.5}, rng)
    factors = bright / picture
    assert 0.5 <= np.nanmin(factors)
    np.testing.assert_allclose(factors[picture > 0], factors[picture > 0][0], rtol=1e-5)
    weights = np.float32([0.114, 0.587, 0.299])
    pale = pictures.jittered(picture, {"saturation": 0.5}, rng)
    np.testing.assert_allclose(pale @ weights, picture @ weights, rtol=1e-4)  # the brightness stays
    assert not np.allclose(pale, picture)
    contrast = pictures.jittered(picture, {"contrast": 0.5}, rng)
    np.testing.assert_allclose((contrast @ weights).mean(), (picture @ weights).mean(), rtol=1e-4)


def test_light():
    rng = np.random.default_rng(0)
    picture = random_picture(7, 3, 3).astype(np.float32)
    shifts = np.stack([(pictures.lighted(picture, 0.1, rng) - picture)[0, 0] for _ in range(4000)])
    want = pictures.COLOR_DIRECTIONS.astype(float) @ np.diag((0.1 * pictures.COLOR_REACH.astype(float)) ** 2)
    np.testing.assert_allclose(np.cov(shifts.T), want @ pictures.COLOR_DIRECTIONS.T, rtol=0.12)
