"""Pictures from databases: decoded, cut to size and normalized by threads that work ahead of the net."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from google.protobuf.message import DecodeError

from c2lab.errors import BadArgument, BadValue, DamagedFile, NotSupported, ShapeMismatch, TypeMismatch
from c2lab.operators import pictures
from c2lab.operators.definition import host_operator
from c2lab.operators.pictures import Box
from c2lab.operators.reading_ahead import Preparation, Record
from c2lab.proto import caffe2_legacy_pb2, caffe2_pb2
from c2lab.storage import DBReader
from c2lab.storage.blob_protos import tensor_to_array

_Tensor = caffe2_pb2.TensorProto
_LABEL_TYPES = {0: "one number", 1: "active labels", 2: "a vector"}


class Example(NamedTuple):
    """One record: its picture, brought to size where no chance has a part in that, its label and the rest."""

    picture: np.ndarray
    label: np.ndarray
    others: list[np.ndarray]


@dataclass(frozen=True)
class Settings:
    """What is done to a picture before chance comes in."""

    color: int
    box: Box | None
    scale: int
    minsize: int
    warp: bool
    resizes: bool  # here, not later with random sizes
    use_caffe_datum: bool
    label_type: int
    num_labels: int
    output_sizes: tuple[int, ...]
    outputs: int
    source: str

    def example(self, record: Record) -> Example:
        """The example in a record."""
        key, content = record
        where = f"{self.source}, record {key.decode('utf-8', 'replace')!r}: "
        read = self._datum if self.use_caffe_datum else self._tensors
        picture, box, label, others = read(content, where)
        picture = pictures.with_channels(picture, self.color)
        if box is not None:
            picture = pictures.part(picture, box, where)
        return Example(self.to_size(picture, self.scale or self.minsize) if self.resizes else picture, label, others)

    def to_size(self, picture: np.ndarray, shortest: int) -> np.ndarray:
        """The picture with this shorter side; with minsize it only grows."""
        height, width = picture.shape[:2]
        sizes = (shortest, shortest) if self.warp else pictures.sizes_at_shortest(height, width, shortest)
        if sizes == (height, width) or (not self.scale and sizes[0] <= height and sizes[1] <= width):
            return picture
        return pictures.resized(picture, *sizes)

    def _datum(self, content: bytes, where: str) -> tuple[np.ndarray, Box | None, np.ndarray, list[np.ndarray]]:
        datum = caffe2_legacy_pb2.CaffeDatum()
        _parse(datum, content, where)
        if datum.encoded:
            picture = pictures.decoded(datum.data, self.color, where)
        else:
            shape = datum.channels, datum.height, datum.width
            picture = _pixels(datum.data, shape, where).transpose(1, 2, 0)
        if self.outputs != 2:
            raise ShapeMismatch(f"{where}a Datum has a picture and a label, but there are {self.outputs} outputs")
        return picture, self.box, np.array(datum.label, np.int32), []

    def _tensors(self, content: bytes, where: str) -> tuple[np.ndarray, Box | None, np.ndarray, list[np.ndarray]]:
        protos = caffe2_pb2.TensorProtos()
        _parse(protos, content, where)
        held = len(protos.protos)
        if held not in (self.outputs, self.outputs + 1):
            raise ShapeMismatch(
                f"{where}{held} tensors for {self.outputs} outputs; one each, and perhaps a bounding box behind them"
            )
        box = self.box
        if held > self.outputs:
            corners = tensor_to_array(protos.protos[-1]).reshape(-1)
            if corners.dtype != np.int32 or corners.size != 4:
                raise ShapeMismatch(f"{where}the bounding box must be 4 int32 numbers: ymin, xmin, height, width")
            box = as_box(*corners.tolist())
        picture = self._picture(protos.protos[0], where)
        label = self._label(tensor_to_array(protos.protos[1]), where)
        others = [tensor_to_array(proto).reshape(-1) for proto in protos.protos[2 : self.outputs]]
        for k, (other, size) in enumerate(zip(others, self.output_sizes, strict=True)):
            if other.size != size:
                raise ShapeMismatch(f"{where}output {k + 2} holds {other.size} values, but output_sizes says {size}")
        return picture, box, label, others

    def _picture(self, proto: _Tensor, where: str) -> np.ndarray:
        if proto.data_type == _Tensor.STRING:
            if len(proto.string_data) != 1:
                raise ShapeMismatch(f"{where}the first tensor holds {len(proto.string_data)} texts; it must be one")
            return pictures.decoded(proto.string_data[0], self.color, where)
        if proto.data_type not in (_Tensor.BYTE, _Tensor.UINT8):
            raise TypeMismatch(
                f"{where}the picture has data type {_Tensor.DataType.Name(proto.data_type)}; it must be STRING (a "
                "file such as a JPEG) or BYTE (pixels)"
            )
        dims = tuple(proto.dims)
        if len(dims) not in (2, 3):
            raise ShapeMismatch(f"{where}the pixels are {dims}; they must be (H, W) or (H, W, C)")
        pixels = tensor_to_array(proto).astype(np.uint8)
        return _checked(pixels.reshape(*dims[:2], dims[2] if len(dims) == 3 else 1), where)

    def _label(self, label: np.ndarray, where: str) -> np.ndarray:
        if label.dtype not in (np.int32, np.float32):
            raise TypeMismatch(f"{where}the label is {label.dtype}; it must be int32 or float32")
        label = label.reshape(-1)
        if self.label_type == 0:
            if label.size != 1:
                raise ShapeMismatch(f"{where}the label holds {label.size} values; label_type 0 takes one")
            return label[0]
        if self.label_type == 2:
            if label.size != self.num_labels:
                raise ShapeMismatch(f"{where}the label holds {label.size} values, but num_labels is {self.num_labels}")
            return label
        active = label.astype(np.int64)
        if active.size and not (0 <= active.min() and active.max() < self.num_labels):
            raise BadValue(f"{where}the labels {active.tolist()} must be 0 to {self.num_labels - 1} (num_labels)")
        dense = np.zeros(self.num_labels, label.dtype)
        dense[active] = 1
        return dense


def as_box(ymin: int, xmin: int, height: int, width: int) -> Box | None:
    """A bounding box; none where one of the numbers is negative."""
    return None if min(ymin, xmin, height, width) < 0 else Box(ymin, xmin, height, width)


def _parse(message: Any, content: bytes, where: str) -> None:
    try:
        message.ParseFromString(content)
    except DecodeError as error:
        raise DamagedFile(f"{where}the record is no {type(message).__name__}") from error


def _checked(pixels: np.ndarray, where: str) -> np.ndarray:
    if pixels.shape[2] not in (1, 3) or 0 in pixels.shape:
        raise ShapeMismatch(f"{where}the pixels are {pixels.shape}; there must be some, in 1 or 3 channels")
    return pixels


def _pixels(data: bytes, shape: tuple[int, ...], where: str) -> np.ndarray:
    if any(size < 1 for size in shape) or len(data) != int(np.prod(shape)):
        raise DamagedFile(f"{where}the Datum claims {shape} pixels, but holds {len(data)} bytes")
    if shape[0] not in (1, 3):
        raise ShapeMismatch(f"{where}the Datum has {shape[0]} channels; it must be 1 or 3")
    return np.frombuffer(data, np.uint8).reshape(shape)


def _per_channel(many: tuple[float, ...], one: float, name: str, color: int) -> np.ndarray:
    """One number for each channel."""
    if many and len(many) not in (1, color):
        raise BadArgument(f"{name}_per_channel has {len(many)} numbers; it must be 1 or, with color {color}, {color}")
    return np.broadcast_to(np.float32(many or one), (color,)).astype(np.float32)


def _check_sizes(crop: int, scale: int, minsize: int, random_scale: tuple[int, ...]) -> None:
    if crop < 1:
        raise BadArgument(f"Must provide the cropping value: crop is {crop}; it must be above 0")
    if (scale > 0) == (minsize > 0):
        raise BadArgument(
            f"Must provide one and only one of scaling or minsize: scale is {scale}, minsize {minsize}; "
            "leave one of them out"
        )
    if max(scale, minsize) < crop:
        raise BadArgument(
            f"The scale/minsize value must be no smaller than the crop value: {max(scale, minsize)} < {crop}"
        )
    if random_scale and (len(random_scale) != 2 or random_scale[0] > random_scale[1]):
        raise BadArgument(f"random_scale is {random_scale}; it must be two numbers, smallest and largest")
    if random_scale and -1 < random_scale[0] < crop:
        raise BadArgument(f"random_scale is {random_scale}; it must be no smaller than crop, which is {crop}")


@host_operator("ImageInput", outputs="data, label, *others", gradient="none")
def image_input(
    reader=None,
    *,
    rng,
    state: Any,
    num_outputs: int,
    batch_size: int = 0,
    color: int = 1,
    color_jitter: bool = False,
    img_saturation: float = 0.4,
    img_brightness: float = 0.4,
    img_contrast: float = 0.4,
    color_lighting: bool = False,
    color_lighting_std: float = 0.1,
    scale_jitter_type: int = 0,
    label_type: int = 0,
    num_labels: int = 0,
    scale: int = -1,
    minsize: int = -1,
    warp: bool = False,
    crop: int = -1,
    mirror: bool = False,
    is_test: bool = False,
    mean: float = 0.0,
    mean_per_channel: tuple[float, ...] = (),
    std: float = 1.0,
    std_per_channel: tuple[float, ...] = (),
    bounding_ymin: int = -1,
    bounding_xmin: int = -1,
    bounding_height: int = -1,
    bounding_width: int = -1,
    random_scale: tuple[int, ...] = (),
    use_caffe_datum: bool = False,
    use_gpu_transform: bool = False,
    output_type: Literal["FLOAT", "FLOAT16"] = "FLOAT",
    decode_threads: int = 4,
    output_sizes: tuple[int, ...] = (),
    db: str = "",
    db_type: str = "leveldb",
):
    """Takes the next pictures out of a database: decoded, brought to size, cut to a square, normalized.

    ``data = (pixels - mean) / std``

    A bounding box is cut out first, then the picture is resized, then a square of ``crop`` is cut out: at a
    random place, or in the middle with ``is_test``.  Colours are in the order blue, green, red.  From the
    second run on, threads decode the next batch while the net works on this one.

    Inputs:
        reader: A reader, made by CreateDB. Each record is a `TensorProtos` (the picture as one text with a
            JPEG or PNG file, or as bytes (H, W, C); the label; further outputs; perhaps a bounding box of
            four int32: ymin, xmin, height, width), or a Caffe `Datum`.
    Args:
        batch_size: How many pictures make a batch.
        color: How many colours the output has: 1 or 3.
        color_jitter: Changes saturation, brightness and contrast at random; not with is_test.
        img_saturation: How far the factor of the saturation may be from 1.
        img_brightness: How far the factor of the brightness may be from 1.
        img_contrast: How far the factor of the contrast may be from 1.
        color_lighting: Changes the colour of the light at random; not with is_test.
        color_lighting_std: How much: a standard deviation.
        scale_jitter_type: 1 takes, instead of a resized picture, a random part of random proportions where
            that succeeds; not with is_test. 0 does not.
        label_type: 0: one number. 1: numbers of the active labels, made a vector of 0 and 1. 2: a vector.
        num_labels: The length of the vector.
        scale: The length that the shorter side is resized to; either this or minsize.
        minsize: The length that the shorter side has at least.
        warp: Resizes both sides to that length.
        crop: The sides of the output.
        mirror: Mirrors half of the pictures; not with is_test.
        is_test: Leaves nothing to chance.
        mean: Subtracted from each pixel.
        mean_per_channel: The same, one a colour (blue, green, red).
        std: Divides each pixel.
        std_per_channel: The same, one a colour.
        bounding_ymin: The upper edge of the part of each picture that is used; all where negative.
        bounding_xmin: Its left edge.
        bounding_height: Its height.
        bounding_width: Its width.
        random_scale: Two lengths between which the shorter side is drawn, in place of scale or minsize.
        use_caffe_datum: Each record is a Caffe `Datum`.
        use_gpu_transform: Gives (N, C, H, W) instead of (N, H, W, C).
        output_type: FLOAT or, with use_gpu_transform, FLOAT16.
        decode_threads: How many threads decode.
        output_sizes: The number of values of each further output.
        db: The path of the database, where there is no reader.
        db_type: Its kind.
    Outputs:
        data: (batch_size, crop, crop, color), float32.
        label: (batch_size,) or (batch_size, num_labels), int32 or float32 as stored.
        others: (batch_size, size) each.
    Example:
        >>> import tempfile
        >>> from c2lab.proto import caffe2_legacy_pb2
        >>> from c2lab.storage import DBReader, open_db
        >>> path = tempfile.mkdtemp() + "/pictures.minidb"
        >>> with open_db(path, "minidb", "new") as db, db.new_transaction() as writing:
        ...     datum = caffe2_legacy_pb2.CaffeDatum(channels=1, height=2, width=2, data=bytes([1, 2, 3, 5]), label=7)
        ...     writing.put("first", datum.SerializeToString())
        >>> run("ImageInput", reader=DBReader("minidb", path), batch_size=1, crop=2, scale=2, use_caffe_datum=True,
        ...     mean=1.0, is_test=True, outputs=2)
        data_0 = [[[[0.] [1.]] [[2.] [4.]]]]
        data_1 = [7]
    """
    if batch_size < 1 or color not in (1, 3) or decode_threads < 1:
        raise BadArgument(
            f"batch_size is {batch_size}, color {color} and decode_threads {decode_threads}; they must be above 0, "
            "1 or 3, and above 0"
        )
    _check_sizes(crop, scale, minsize, random_scale)
    if scale_jitter_type not in (0, 1):
        raise BadArgument(f"scale_jitter_type is {scale_jitter_type}; it must be 0 or 1")
    if label_type not in _LABEL_TYPES:
        raise NotSupported(f"label_type is {label_type}; it must be one of {_LABEL_TYPES}")
    if label_type and (num_labels < 1 or use_caffe_datum):
        raise BadArgument(f"label_type {label_type} needs num_labels above 0, and no Datum, which has one number")
    if len(output_sizes) != num_outputs - 2:
        raise BadArgument(f"output_sizes has {len(output_sizes)} numbers for {num_outputs - 2} further outputs")
    if output_type != "FLOAT" and not use_gpu_transform:
        raise BadArgument("output_type FLOAT16 goes with use_gpu_transform only")
    if reader is None:
        reader = state.get("reader") or state.setdefault("reader", DBReader(db_type, os.fspath(db)))
    if not isinstance(reader, DBReader):
        raise BadArgument("the input of ImageInput must be a DB reader, made by CreateDB")

    chance = not is_test
    random_sizes = bool(random_scale) and random_scale[0] > -1
    random_parts = scale_jitter_type == 1 and chance
    if "preparation" not in state:
        settings = Settings(
            color=color,
            box=as_box(bounding_ymin, bounding_xmin, bounding_height, bounding_width),
            scale=max(scale, 0),
            minsize=max(minsize, 0),
            warp=warp,
            resizes=not random_sizes and not random_parts,
            use_caffe_datum=use_caffe_datum,
            label_type=label_type,
            num_labels=num_labels,
            output_sizes=output_sizes,
            outputs=num_outputs,
            source=reader.source,
        )
        state["settings"], state["preparation"] = settings, Preparation(settings.example, decode_threads)
    settings, preparation = state["settings"], state["preparation"]
    means = _per_channel(mean_per_channel, mean, "mean", color)
    factors = 1 / _per_channel(std_per_channel, std, "std", color)
    reach = {"saturation": img_saturation, "brightness": img_brightness, "contrast": img_contrast}

    def finish(picture: np.ndarray, seed: int) -> np.ndarray:
        draw = np.random.default_rng(seed)
        found = pictures.random_part(picture, crop, draw) if random_parts else None
        if found is None:
            if not settings.resizes:
                shortest = int(draw.integers(random_scale[0], random_scale[1] + 1)) if random_sizes else 0
                picture = settings.to_size(picture, shortest or settings.scale or settings.minsize)
            found = pictures.cut_out(picture, crop, draw if chance else None)
        if mirror and chance and draw.random() < 0.5:
            found = found[:, ::-1]
        found = found.astype(np.float32)
        if color == 3 and color_jitter and chance:
            found = pictures.jittered(found, reach, draw)
        if color == 3 and color_lighting and chance:
            found = pictures.lighted(found, color_lighting_std, draw)
        return ((found - means) * factors).astype(np.float32)

    examples: list[Example] = preparation.batch(reader, batch_size)
    seeds = rng.integers(2**63, size=batch_size).tolist()
    data = np.stack(preparation.spread(finish, [example.picture for example in examples], seeds))
    if use_gpu_transform:
        data = data.transpose(0, 3, 1, 2).astype(np.float16 if output_type == "FLOAT16" else np.float32)
    others = [np.stack(column) for column in zip(*(example.others for example in examples), strict=True)]
    return data, np.stack([example.label for example in examples]), *others
