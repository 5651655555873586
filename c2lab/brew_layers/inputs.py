"""Reading samples from databases."""

from __future__ import annotations

from typing import Any

from c2lab.nets.blobs import BlobReference


def image_input(
    model: Any, blob_in: Any, blob_out: Any, order: str = "NCHW", use_gpu_transform: bool = False, **kwargs: Any
) -> Any:
    """Decodes and crops pictures from a database reader.

    Args:
        blob_in: The reader.
        blob_out: Names for the pictures and for what else is read.
        kwargs: ``is_test`` (required), ``batch_size``, ``crop``, ... as in the operator ImageInput.
    """
    if "is_test" not in kwargs:
        raise AssertionError("Argument is_test is required: is_test=True to predict, False to train.")
    if order != "NCHW":
        return model.net.ImageInput(blob_in, blob_out, **kwargs)
    if use_gpu_transform:
        return model.net.ImageInput(blob_in, blob_out, use_gpu_transform=1, **kwargs)
    # The operator writes NHWC.
    pictures, *rest = model.net.ImageInput(blob_in, [blob_out[0] + "_nhwc", *blob_out[1:]], **kwargs)
    return (model.net.NHWC2NCHW(pictures, blob_out[0]), *rest)


def video_input(model: Any, blob_in: Any, blob_out: Any, **kwargs: Any) -> Any:
    """Decodes clips from a database reader, as the operator VideoInput says."""
    return model.net.VideoInput(blob_in, blob_out, **kwargs)


def db_input(model: Any, blobs_out: Any, batch_size: int, db: str, db_type: str) -> Any:
    """Batches of samples that are stored in a database as TensorProtos.

    Args:
        blobs_out: A name for each tensor of a sample: ``["data", "label"]``.
        batch_size: Samples in a batch.
        db, db_type: Path and kind of the database; its reader is the blob ``dbreader_<path>``.
    """
    reader: BlobReference = model.param_init_net.CreateDB([], "dbreader_" + db, db=db, db_type=db_type)
    return model.net.TensorProtosDBInput(reader, blobs_out, batch_size=batch_size)
