import base64
import io
import json

import numpy as np
import pytest

from c2lab.builder.looking import look_at, png


def picture(found):
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(base64.b64decode(found["image"]))))


def test_numbers_and_histogram():
    found = look_at(np.float32([[0, 1], [2, 3]]))
    assert (found["shape"], found["dtype"], found["bytes"]) == ("(2, 2)", "float32", 16)
    assert found["stats"]["mean"] == 1.5
    assert found["stats"]["zeros"] == 0.25
    assert sum(found["histogram"]["counts"]) == 4
    assert (found["histogram"]["low"], found["histogram"]["high"]) == (0.0, 3.0)
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize(
    "value",
    [
        np.float32([np.nan, np.inf, 1]), np.float32([np.nan]), np.zeros((0, 3), np.float32), np.float32(3),
        np.int32([[1]]),
        np.array([True, False]), np.array(["a", "b"], object), b"text", None, np.float64([1e308, -1e308]),
        np.full((2, 2), np.nan, np.float32), np.float16([1, 2]),
    ],
)  # fmt: skip
def test_every_value_can_be_looked_at(value):
    json.dumps(look_at(value), allow_nan=False)


def test_what_is_not_a_number_is_counted():
    found = look_at(np.float32([np.nan, np.inf, 1, 1]))
    assert (found["stats"]["nan"], found["stats"]["infinite"], found["stats"]["mean"]) == (1, 1, 1.0)


def test_pictures_of_a_batch_and_maps_of_a_sample():
    batch = np.zeros((4, 1, 8, 8), np.float32)
    batch[3] = 1
    found = picture(look_at(batch))
    assert found.shape[0] == found.shape[1]
    assert found[0, 0] == 0
    assert found[-1, -1] == 255
    maps = look_at(np.random.RandomState(0).rand(2, 9, 6, 6).astype(np.float32))
    assert picture(maps).shape[:2] == tuple(maps["image_size"][::-1])
    colours = picture(look_at(np.random.RandomState(0).rand(2, 3, 6, 6).astype(np.float32)))
    assert colours.shape[2] == 3


def test_large_pictures_stay_small():
    found = look_at(np.zeros((1, 1, 3000, 3000), np.float32))
    assert len(found["image"]) < 200_000


def test_png_is_what_it_says():
    from PIL import Image

    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert (np.asarray(Image.open(io.BytesIO(png(pixels)))) == pixels).all()
