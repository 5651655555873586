"""Regions of images, as the operators that pool over them take them."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from c2lab.operators.checks import require, require_shape


def regions_of(images: Any, rois: Any, size: int) -> tuple[Any, Any]:
    """The image's number and the box of each region."""
    require_shape(images.ndim == 4, f"X is {images.shape}; it must have four dimensions")
    require_shape(
        rois.ndim == 2 and rois.shape[1] in (size, size + 1),
        f"the regions are {rois.shape}; they must be (R, {size + 1}), or (R, {size}) without the image's number",
    )
    if rois.shape[1] == size:
        return jnp.zeros(rois.shape[0], jnp.int32), rois
    number = rois[:, 0].astype(jnp.int32)
    require(
        (number >= 0) & (number < images.shape[0]),
        f"a region names an image outside 0 to {images.shape[0]} - 1",
        number,
    )
    return number, rois[:, 1:]
