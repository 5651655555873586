from __future__ import annotations

import numpy as np
import pytest

from c2lab.widgets import patches


def test_patches_in_a_grid():
    grid = patches.PatchVisualizer(gap=1).ShowMultiple(np.ones((5, 2, 3)), bg_func=np.min)
    assert grid.shape == (2 * 3 - 1, 3 * 4 - 1)
    grid = patches.NHWC.ShowMultiple(np.zeros((2, 4, 4, 3)), ncols=2, bg_func=lambda _: 1)
    assert grid.shape == (4, 9, 3)
    assert (grid[:, 4] == 1).all()


def test_channels_first_are_turned():
    assert patches.NCHW.ShowMultiple(np.zeros((4, 1, 5, 5))).shape == (11, 11)
    assert patches.NCHW.ShowSingle(np.zeros((3, 5, 6))).shape == (5, 6, 3)
    assert patches.NCHW.ShowChannels(np.zeros((4, 5, 6))).shape == (11, 13)


def test_images_are_stretched():
    shown = patches.NHWC.ShowImages(np.array([[[1.0, 3.0]], [[2.0, 5.0]]]))
    assert (shown.min(), shown.max()) == (0, 1)
    assert np.isfinite(patches.NHWC.ShowImages(np.full((2, 2, 2), 7.0))).all()


def test_turning_there_and_back():
    array = np.arange(24).reshape(1, 2, 3, 4)
    assert patches.ChannelLast(array).shape == (1, 3, 4, 2)
    np.testing.assert_array_equal(patches.ChannelFirst(patches.ChannelLast(array)), array)
    assert patches.PatchVisualizer().get_patch_shape(np.zeros((5, 6, 3))) == (5, 6)


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match="count, height, width"):
        patches.NHWC.ShowMultiple(np.zeros(3))
    with pytest.raises(ValueError, match="height, width, channels"):
        patches.NHWC.ShowChannels(np.zeros((3, 3)))


def test_pictures_with_titles():
    figure = patches.show_images(np.zeros((3, 1, 4, 4)), ["a", "b", "c"], columns=2, wrong=[False, True, False])
    titles = [ax.get_title() for ax in figure.axes]
    assert titles == ["a", "b", "c", ""]
    assert figure.axes[1].title.get_color() != figure.axes[0].title.get_color()
