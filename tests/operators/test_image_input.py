"""ImageInput on databases of pictures."""

from __future__ import annotations

import gc
import threading
import time

import numpy as np
import pytest

from c2lab import brew, core, model_helper, workspace
from c2lab.errors import BadArgument, BadValue, DamagedFile, NotSupported, ShapeMismatch, TypeMismatch
from c2lab.operators import pictures
from c2lab.proto import caffe2_legacy_pb2, caffe2_pb2
from c2lab.storage import open_db
from c2lab.storage.blob_protos import array_to_tensor
from tests.operators.test_pictures import area_average, encoded, random_picture

SIZES = [(12, 9), (8, 8), (9, 14)]


@pytest.fixture(autouse=True)
def empty():
    workspace.ResetWorkspace()


def open_reader(tmp_path, records):
    path = str(tmp_path / "pictures.minidb")
    with open_db(path, "minidb", "new") as db, db.new_transaction() as writing:
        for k, record in enumerate(records):
            writing.put(f"{k:04}", record.SerializeToString())
    workspace.RunOperatorOnce(core.CreateOperator("CreateDB", [], ["reader"], db=path, db_type="minidb"))


def example(picture, label, *others, raw=False):
    """A record; ``picture`` is (H, W, 3), red green blue."""
    if raw:
        first = caffe2_pb2.TensorProto(
            dims=picture.shape, data_type=caffe2_pb2.TensorProto.BYTE, byte_data=picture[:, :, ::-1].tobytes()
        )
    else:
        first = caffe2_pb2.TensorProto(
            data_type=caffe2_pb2.TensorProto.STRING, dims=[1], string_data=[encoded(picture)]
        )
    tensors = [array_to_tensor(np.asarray(value)) for value in (label, *others)]
    return caffe2_pb2.TensorProtos(protos=[first, *tensors])


def run(outputs=2, **arguments):
    names = ["data", "label", "third", "fourth"][:outputs]
    given = {"batch_size": 3, "color": 3, "is_test": 1, **arguments}
    workspace.RunOperatorOnce(core.CreateOperator("ImageInput", ["reader"], names, **given))
    return [workspace.FetchBlob(name) for name in names]


def middle(picture, crop):
    y, x = ((n - crop) // 2 for n in picture.shape[:2])
    return picture[y : y + crop, x : x + crop]


PICTURES = [random_picture(k, *size) for k, size in enumerate(SIZES)]


@pytest.mark.parametrize("raw", [False, True])
def test_scaled_cut_and_normalized(tmp_path, raw):
    open_reader(tmp_path, [example(p, np.int32(k), raw=raw) for k, p in enumerate(PICTURES)])
    data, label = run(scale=6, crop=5, mean_per_channel=[1.0, 2.0, 3.0], std_per_channel=[2.0, 4.0, 8.0])
    assert (data.shape, data.dtype, label.dtype) == ((3, 5, 5, 3), np.float32, np.int32)
    assert label.tolist() == [0, 1, 2]
    for got, picture in zip(data, PICTURES, strict=True):
        h, w = picture.shape[:2]
        size = (h * 6 // w, 6) if h > w else (6, w * 6 // h)
        want = (middle(area_average(picture[:, :, ::-1], *size), 5) - [1, 2, 3]) / [2, 4, 8]
        assert np.abs(got - want).max() <= 0.251  # half a level of the first colour


def test_one_mean_for_all_and_grey(tmp_path):
    open_reader(tmp_path, [example(p, np.float32(k / 2), raw=True) for k, p in enumerate(PICTURES)])
    data, label = run(minsize=8, crop=8, color=1, mean=10.0, std=5.0)
    assert (data.shape, label.dtype, label.tolist()) == ((3, 8, 8, 1), np.float32, [0, 0.5, 1])
    grey = middle(PICTURES[0] @ [0.299, 0.587, 0.114], 8)
    assert np.abs(data[0, :, :, 0] - (grey - 10) / 5).max() <= 0.11


def test_minsize_only_enlarges_and_warp_forgets_proportions(tmp_path):
    open_reader(tmp_path, [example(p, np.int32(0)) for p in PICTURES])
    data, _ = run(minsize=8, crop=8)
    for got, picture in zip(data, PICTURES, strict=True):
        np.testing.assert_array_equal(got, middle(picture[:, :, ::-1], 8))
    workspace.current().blobs["reader"].seek_to_first()
    data, _ = run(minsize=16, crop=16, batch_size=2)
    want = middle(pictures.resized(PICTURES[0][:, :, ::-1], 21, 16), 16)
    np.testing.assert_array_equal(data[0], want)
    np.testing.assert_array_equal(data[1], PICTURES[1][:, :, ::-1].repeat(2, axis=0).repeat(2, axis=1))
    workspace.current().blobs["reader"].seek_to_first()
    data, _ = run(scale=6, crop=6, warp=1, batch_size=1)
    assert np.abs(data[0] - area_average(PICTURES[0][:, :, ::-1], 6, 6)).max() <= 0.501


@pytest.mark.parametrize("packed", [False, True])
def test_bounding_boxes(tmp_path, packed):
    box = np.int32([1, 2, 7, 6])
    records = [example(p, np.int32(0), *([box] if packed else [])) for p in PICTURES[:1]]
    open_reader(tmp_path, records)
    names = ("bounding_ymin", "bounding_xmin", "bounding_height", "bounding_width")
    arguments = {} if packed else dict(zip(names, box.tolist(), strict=True))
    data, _ = run(minsize=6, crop=6, batch_size=1, **arguments)
    np.testing.assert_array_equal(data[0], middle(PICTURES[0][1:8, 2:8, ::-1], 6))
    if not packed:
        with pytest.raises(BadValue, match="not within the picture of 12 x 9"):
            run(minsize=6, crop=6, batch_size=1, **{**arguments, "bounding_height": 40})


@pytest.mark.parametrize("is_encoded", [False, True])
def test_datum(tmp_path, is_encoded):
    records = []
    for k, picture in enumerate(PICTURES):
        height, width, channels = picture.shape
        data = encoded(picture) if is_encoded else picture[:, :, ::-1].transpose(2, 0, 1).tobytes()
        records.append(
            caffe2_legacy_pb2.CaffeDatum(
                channels=channels, height=height, width=width, data=data, label=k + 5, encoded=is_encoded
            )
        )
    open_reader(tmp_path, records)
    data, label = run(minsize=8, crop=8, use_caffe_datum=1)
    assert (label.tolist(), label.dtype) == ([5, 6, 7], np.int32)
    for got, picture in zip(data, PICTURES, strict=True):
        np.testing.assert_array_equal(got, middle(picture[:, :, ::-1], 8))


def test_kinds_of_labels(tmp_path):
    open_reader(tmp_path, [example(PICTURES[0], np.int32([1, 3]))])
    assert run(scale=8, crop=8, batch_size=2, label_type=1, num_labels=4)[1].tolist() == [[0, 1, 0, 1]] * 2
    with pytest.raises(BadValue, match=r"the labels \[1, 3\] must be 0 to 2"):
        run(scale=8, crop=8, label_type=1, num_labels=3)
    assert run(scale=8, crop=8, batch_size=1, label_type=2, num_labels=2)[1].tolist() == [[1, 3]]
    with pytest.raises(ShapeMismatch, match="label_type 0 takes one"):
        run(scale=8, crop=8)
    with pytest.raises(NotSupported, match="label_type is 4"):
        run(scale=8, crop=8, label_type=4)


def test_further_outputs(tmp_path):
    records = [example(p, np.int32(k), np.float32([k, 0.5]), np.int64([[k]])) for k, p in enumerate(PICTURES)]
    open_reader(tmp_path, records)
    _, _, third, fourth = run(4, scale=8, crop=8, output_sizes=[2, 1])
    assert third.tolist() == [[0, 0.5], [1, 0.5], [2, 0.5]]
    assert (fourth.tolist(), fourth.dtype) == ([[0], [1], [2]], np.int64)
    with pytest.raises(ShapeMismatch, match="output 2 holds 2 values, but output_sizes says 5"):
        run(4, scale=8, crop=8, output_sizes=[5, 1])
    with pytest.raises(BadArgument, match="output_sizes has 1 numbers for 2 further outputs"):
        run(4, scale=8, crop=8, output_sizes=[5])


def test_chance_cuts_and_mirrors(tmp_path):
    picture = random_picture(9, 6, 7)
    open_reader(tmp_path, [example(picture, np.int32(0))])
    data, _ = run(minsize=6, crop=6, batch_size=300, is_test=0, mirror=1)
    bgr = picture[:, :, ::-1].astype(np.float32)
    cuts = [bgr[:, x : x + 6] for x in range(2)]
    possible = {cut.tobytes(): k for k, cut in enumerate([*cuts, *(cut[:, ::-1] for cut in cuts)])}
    counts = np.bincount([possible[d.tobytes()] for d in data], minlength=4)
    assert counts.min() > 40
    data, _ = run(minsize=6, crop=6, batch_size=50, is_test=1, mirror=1)
    assert {d.tobytes() for d in data} == {cuts[0].tobytes()}


def test_chance_follows_the_seed_and_the_run(tmp_path):
    open_reader(tmp_path, [example(random_picture(k, 20, 20), np.int32(k)) for k in range(4)])

    def runs():
        workspace.current().blobs["reader"].seek_to_first()
        net = core.Net("input")
        net.ImageInput("reader", ["data", "label"], batch_size=4, color=3, crop=8, minsize=10, random_scale=[9, 15],
                       mirror=1, color_jitter=1, color_lighting=1, scale_jitter_type=1)  # fmt: skip
        net.Proto().op[0].device_option.random_seed = 11
        workspace.CreateNet(net, overwrite=True)
        found = []
        for _ in range(4):
            workspace.RunNet(net)
            found.append(workspace.FetchBlob("data"))
        return found

    first, again = runs(), runs()
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(first[0], first[1])
    assert all(np.isfinite(data).all() for data in first)


def test_random_sizes(tmp_path):
    open_reader(tmp_path, [example(np.full((20, 30, 3), 9, np.uint8), np.int32(0))])
    data, _ = run(scale=10, crop=8, is_test=0, random_scale=[8, 19], batch_size=5)
    assert (data == 9).all()
    for wrong in ([5, 9], [12, 9], [9]):
        with pytest.raises(BadArgument, match="random_scale"):
            run(scale=10, crop=8, random_scale=wrong)


def test_a_net_goes_round_the_database_with_threads_that_end(tmp_path):
    open_reader(tmp_path, [example(random_picture(k, 12, 12), np.int32(k)) for k in range(7)])

    def running():
        return sum(thread.name.startswith("c2lab-examples") for thread in threading.enumerate())

    net = core.Net("input")
    net.ImageInput("reader", ["data", "label"], batch_size=3, color=3, crop=8, scale=8, is_test=1, decode_threads=2)
    net.ReduceBackMean("data", "mean", num_reduce_dim=3)
    workspace.CreateNet(net)
    for k in range(6):
        workspace.RunNet(net)
        assert workspace.FetchBlob("label").tolist() == [(3 * k + i) % 7 for i in range(3)]
        assert workspace.current().blobs["reader"].state()["records"] == (3 * k + 3) % 7
    assert 1 <= running() <= 2
    workspace.ResetWorkspace()
    del net
    for _ in range(300):
        gc.collect()
        if not running():
            break
        time.sleep(0.01)
    assert running() == 0


def test_with_its_own_reader_and_channels_first(tmp_path):
    open_reader(tmp_path, [example(p, np.int32(k)) for k, p in enumerate(PICTURES)])
    path = str(tmp_path / "pictures.minidb")
    op = core.CreateOperator(
        "ImageInput", [], ["data", "label"], db=path, db_type="minidb", batch_size=2, color=3, crop=8, minsize=8,
        is_test=1, use_gpu_transform=1, output_type="FLOAT16",
    )  # fmt: skip
    workspace.RunOperatorOnce(op)
    data = workspace.FetchBlob("data")
    assert (data.shape, data.dtype) == ((2, 3, 8, 8), np.float16)
    np.testing.assert_array_equal(data[0], middle(PICTURES[0][:, :, ::-1], 8).transpose(2, 0, 1))


@pytest.mark.parametrize("gpu", [False, True])
def test_as_a_layer(tmp_path, gpu):
    open_reader(tmp_path, [example(p, np.int32(k)) for k, p in enumerate(PICTURES)])
    model = model_helper.ModelHelper("pictures")
    brew.image_input(model, "reader", ["data", "label"], batch_size=3, color=3, crop=8, minsize=8, is_test=True,
                     use_gpu_transform=gpu)  # fmt: skip
    workspace.RunNetOnce(model.net)
    for got, picture in zip(workspace.FetchBlob("data"), PICTURES, strict=True):
        np.testing.assert_array_equal(got, middle(picture[:, :, ::-1], 8).transpose(2, 0, 1))


def test_what_arguments_must_be(tmp_path):
    open_reader(tmp_path, [example(PICTURES[0], np.int32(0))])
    for arguments, words in (
        ({"crop": 8}, "one and only one of scaling or minsize"),
        ({"crop": 8, "scale": 9, "minsize": 9}, "one and only one"),
        ({"scale": 8}, "Must provide the cropping value"),
        ({"crop": 8, "scale": 7}, "no smaller than the crop value: 7 < 8"),
        ({"crop": 8, "scale": 8, "batch_size": 0}, "batch_size is 0"),
        ({"crop": 8, "scale": 8, "color": 2}, "color 2"),
        ({"crop": 8, "scale": 8, "mean_per_channel": [1.0, 2.0]}, "mean_per_channel has 2 numbers"),
        ({"crop": 8, "scale": 8, "label_type": 1}, "needs num_labels"),
        ({"crop": 8, "scale": 8, "output_type": "FLOAT16"}, "goes with use_gpu_transform"),
        ({"crop": 8, "scale": 8, "scale_jitter_type": 3}, "scale_jitter_type is 3"),
    ):
        with pytest.raises(BadArgument, match=words):
            run(**arguments)


def test_damaged_records(tmp_path):
    good = example(PICTURES[0], np.int32(0))
    broken = caffe2_pb2.TensorProtos()
    broken.CopyFrom(good)
    broken.protos[0].string_data[0] = b"no picture"
    numbers = caffe2_pb2.TensorProtos(protos=[array_to_tensor(np.float32([1])), array_to_tensor(np.int32(0))])
    alone = caffe2_pb2.TensorProtos(protos=good.protos[:1])
    datum = caffe2_legacy_pb2.CaffeDatum(channels=3, height=2, width=2, data=b"short", label=1)
    for record, error, words, arguments in (
        (broken, DamagedFile, "record '0000': 10 bytes are no picture", {}),
        (numbers, TypeMismatch, "data type FLOAT; it must be STRING", {}),
        (alone, ShapeMismatch, "1 tensors for 2 outputs", {}),
        (datum, DamagedFile, "holds 5 bytes", {"use_caffe_datum": 1}),
    ):
        open_reader(tmp_path, [record])
        with pytest.raises(error, match=words):
            run(scale=8, crop=8, batch_size=1, **arguments)
