import base64
import io
import pickle

import numpy as np
import pytest

from c2lab.builder.feeding import Samples, array_from, sample_inputs
from c2lab.graph.canvas import InputShape
from c2lab.graph.document import EditRefused


def npy(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return base64.b64encode(file.getvalue()).decode()


def image(size=(10, 6), kind="PNG"):
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", size, (255, 0, 0)).save(file, kind)
    return base64.b64encode(file.getvalue()).decode()


def test_arrays_come_as_they_are():
    array = np.arange(6, dtype=np.int32).reshape(2, 3)
    found = array_from(npy(array), None)
    assert found.dtype == np.int32
    assert (found == array).all()


def test_pictures_are_brought_to_the_size_of_the_input():
    colours = array_from(image(), InputShape(("N", 3, 12, 8)))
    assert (colours.shape, colours.dtype) == ((1, 3, 12, 8), np.float32)
    assert colours[0, 0].min() > 0.99
    assert colours[0, 1].max() < 0.01
    assert array_from(image(kind="JPEG"), InputShape(("N", 1, 4, 4))).shape == (1, 1, 4, 4)


class Bomb:
    def __reduce__(self):
        return (print, ("never",))


@pytest.mark.parametrize(
    "given",
    ["", "!!", base64.b64encode(b"garbage").decode(), npy(np.zeros(3))[:40],
     base64.b64encode(pickle.dumps(Bomb())).decode(),
     npy(np.array([Bomb()], object), allow_pickle=True), base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 50).decode()],
)  # fmt: skip
def test_damaged_files_and_programs_are_refused(given, capsys):
    with pytest.raises(EditRefused):
        array_from(given, None)
    assert "never" not in capsys.readouterr().out


def test_pictures_need_an_input_for_pictures():
    with pytest.raises(EditRefused, match="height, width"):
        array_from(image(), InputShape(("N", 16)))


def test_values_have_an_end():
    with pytest.raises(EditRefused, match="MiB"):
        array_from("A" * (129 * 2**20), None)


def test_digits_go_where_they_fit():
    assert sample_inputs({"x": InputShape(("N", 1, 16, 16))}) == ("x", None, 16)
    assert sample_inputs({"x": InputShape(("N", 3, 16, 16)), "y": InputShape(("N",), "int32")}) is None
    images, labels = Samples(16).batch(5)
    assert (images.shape, labels.shape, labels.dtype) == ((5, 1, 16, 16), (5,), np.int32)
