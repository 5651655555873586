from __future__ import annotations

import pytest

from c2lab.graph.lettering import plain, safe, shorten, text_width


def test_short_texts_stay():
    assert shorten("conv1", 5) == "conv1"


@pytest.mark.parametrize("length", range(2, 20))
def test_shortened_to_the_length(length):
    short = shorten("abcdefghijklmnopqrstuvwxyz", length)
    assert len(short) == length
    assert short[0] == "a"
    assert "…" in short


def test_broad_letters_count_more():
    assert text_width("WWW", 10) > text_width("iii", 10)
    assert text_width("日本", 10) == pytest.approx(20)
    assert text_width("Conv", 10, bold=True) > text_width("Conv", 10)


def test_plain_leaves_letters_alone():
    assert plain("Größe 大きさ 🙂") == "Größe 大きさ 🙂"
    assert plain("a\x00b\u202ec") == "a�b�c"


def test_safe():
    assert safe("<a b='c'>&\"") == "&lt;a b=&#x27;c&#x27;&gt;&amp;&quot;"
    assert len(safe("x" * 1000, 50)) == 50
