"""Caffe2's ``visualize``: images, and stacks of images, by matplotlib.

``NHWC`` and ``NCHW`` name the layout of what they show: ``NCHW.ShowMultiple(batch)``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class PatchVisualizer:
    """Shows patches side by side, ``gap`` pixels apart."""

    def __init__(self, gap: int = 1) -> None:
        self.gap = gap

    def ShowSingle(self, patch: Array, cmap: Any = None) -> Array:
        """One patch: height x width, or height x width x 3 or 4; returns what was shown."""
        shown = _as_picture(patch)
        _show(shown, cmap)
        return shown

    def ShowMultiple(
        self,
        patches: Array,
        ncols: int | None = None,
        cmap: Any = None,
        bg_func: Callable[[Array], Any] = np.mean,
    ) -> Array:
        """Patches (count x height x width, or with channels last) in a grid of ``ncols`` columns.

        Args:
            patches: The patches.
            ncols: Columns; a square grid where left out.
            cmap: A colour map; grey for patches without channels.
            bg_func: Makes the colour between the patches from all values.
        """
        patches = np.asarray(patches)
        if patches.ndim == 2:
            patches = patches[:, None, :]
        if patches.ndim == 4 and patches.shape[-1] == 1:
            patches = patches[..., 0]
        if patches.ndim not in (3, 4):
            raise ValueError(
                f"patches are (count, height, width) or (count, height, width, channels), not {patches.shape}"
            )
        count = len(patches)
        columns = max(1, int(np.ceil(np.sqrt(count))) if ncols is None else ncols)
        rows = -(-count // columns)
        height, width = patches.shape[1:3]
        step_y, step_x = height + self.gap, width + self.gap
        grid = np.full(
            (rows * step_y - self.gap, columns * step_x - self.gap, *patches.shape[3:]),
            bg_func(patches) if count else 0,
            dtype=patches.dtype,
        )
        for position, patch in enumerate(patches):
            y, x = position // columns * step_y, position % columns * step_x
            grid[y : y + height, x : x + width] = patch
        _show(grid, cmap)
        return grid

    def ShowImages(self, patches: Array, *args: Any, **kwargs: Any) -> Array:
        """Like ``ShowMultiple``, with the values stretched to 0..1."""
        patches = np.asarray(patches, dtype=np.float32)
        low, high = (float(patches.min()), float(patches.max())) if patches.size else (0.0, 1.0)
        return self.ShowMultiple((patches - low) / max(high - low, 1e-12), *args, **kwargs)

    def ShowChannels(self, patch: Array, cmap: Any = None, bg_func: Callable[[Array], Any] = np.mean) -> Array:
        """The channels of one patch (height x width x channels), side by side."""
        if np.ndim(patch) != 3:
            raise ValueError(f"a patch with channels is (height, width, channels), not {np.shape(patch)}")
        return self.ShowMultiple(np.moveaxis(np.asarray(patch), -1, 0), cmap=cmap, bg_func=bg_func)

    def get_patch_shape(self, patch: Array) -> tuple[int, ...]:
        """Height and width of a patch."""
        return tuple(np.shape(patch)[:2])


class NHWC:
    """Shows patches whose channels come last."""

    @staticmethod
    def ShowSingle(*args: Any, **kwargs: Any) -> Array:
        """One patch."""
        return _visualizer.ShowSingle(*args, **kwargs)

    @staticmethod
    def ShowMultiple(*args: Any, **kwargs: Any) -> Array:
        """Patches in a grid."""
        return _visualizer.ShowMultiple(*args, **kwargs)

    @staticmethod
    def ShowImages(*args: Any, **kwargs: Any) -> Array:
        """Patches in a grid, with the values stretched to 0..1."""
        return _visualizer.ShowImages(*args, **kwargs)

    @staticmethod
    def ShowChannels(*args: Any, **kwargs: Any) -> Array:
        """The channels of one patch, side by side."""
        return _visualizer.ShowChannels(*args, **kwargs)


class NCHW:
    """Shows patches whose channels come before height and width, as Caffe2's blobs have them."""

    @staticmethod
    def ShowSingle(patch: Array, *args: Any, **kwargs: Any) -> Array:
        """One patch."""
        return _visualizer.ShowSingle(ChannelLast(patch), *args, **kwargs)

    @staticmethod
    def ShowMultiple(patch: Array, *args: Any, **kwargs: Any) -> Array:
        """Patches in a grid."""
        return _visualizer.ShowMultiple(ChannelLast(patch), *args, **kwargs)

    @staticmethod
    def ShowImages(patch: Array, *args: Any, **kwargs: Any) -> Array:
        """Patches in a grid, with the values stretched to 0..1."""
        return _visualizer.ShowImages(ChannelLast(patch), *args, **kwargs)

    @staticmethod
    def ShowChannels(patch: Array, *args: Any, **kwargs: Any) -> Array:
        """The channels of one patch, side by side."""
        return _visualizer.ShowChannels(ChannelLast(patch), *args, **kwargs)


def ChannelFirst(arr: Array) -> Array:
    """(..., height, width, channels) as (..., channels, height, width); (height, width) stays."""
    return np.asarray(arr) if np.ndim(arr) < 3 else np.moveaxis(np.asarray(arr), -1, -3)


def ChannelLast(arr: Array) -> Array:
    """(..., channels, height, width) as (..., height, width, channels); (height, width) stays."""
    return np.asarray(arr) if np.ndim(arr) < 3 else np.moveaxis(np.asarray(arr), -3, -1)


def _as_picture(patch: Array) -> Array:
    patch = np.asarray(patch)
    return patch[..., 0] if patch.ndim == 3 and patch.shape[-1] == 1 else patch


def _show(picture: Array, cmap: Any) -> None:
    from matplotlib import pyplot

    grey = cmap is None and picture.ndim == 2
    pyplot.imshow(picture, cmap="gray" if grey else cmap, interpolation="nearest")
    pyplot.axis("off")


def show_images(images: Array, titles: Sequence[str] = (), *, columns: int = 10, wrong: Sequence[bool] = ()) -> Any:
    """Small pictures with titles, for a look at a data set or at mistakes.

    Args:
        images: count x 1 x height x width, or count x height x width.
        titles: A text above each picture.
        columns: Pictures a row.
        wrong: Which titles are red.

    Returns:
        The matplotlib figure.
    """
    from matplotlib import pyplot

    images = np.asarray(images)
    images = images.reshape(len(images), *images.shape[-2:])
    rows = max(1, -(-len(images) // columns))
    # In inches: a cell holds its picture and the lines of its title, and is as wide as the longest of them.
    lines = [line for title in titles for line in title.split("\n")]
    cell = max([0.95, *(0.1 + 0.075 * len(line) for line in lines)])
    title_height = 0.17 * max((title.count("\n") + 1 for title in titles), default=0)
    width, height = columns * cell, rows * (cell + title_height)
    figure, axes = pyplot.subplots(rows, columns, figsize=(width, height))
    figure.subplots_adjust(
        left=0.01,
        right=0.99,
        bottom=0.05 / height,
        top=1 - title_height / height,
        wspace=0.05,
        hspace=(title_height + 0.06) / (cell - 0.06),
    )
    for position, ax in enumerate(np.ravel(axes)):
        ax.axis("off")
        if position < len(images):
            ax.imshow(images[position], cmap="gray_r", interpolation="nearest")
        if position < min(len(titles), len(images)):
            red = position < len(wrong) and wrong[position]
            ax.set_title(titles[position], fontsize=9, pad=3, **({"color": "#c0392b"} if red else {}))
    pyplot.close(figure)  # or a notebook would show it twice: as open figure, and as the cell's value
    return figure


_visualizer = PatchVisualizer()
