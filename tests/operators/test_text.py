import numpy as np
import pytest

from c2lab.errors import BadArgument, NoGradient, ShapeMismatch, TypeMismatch
from tests.operators.calls import call, wiring

WORDS = np.array([[b"garden", b"go"], [b"", "gr\u00fcn".encode()]], object)


def each(function):
    return [[function(word) for word in row] for row in WORDS]


@pytest.mark.parametrize("length", [0, 1, 3, 10])
def test_ends_of_strings(length):
    prefixes = call("StringPrefix", WORDS, length=length)
    suffixes = call("StringSuffix", WORDS, length=length)
    assert prefixes.tolist() == each(lambda word: word[:length])
    assert suffixes.tolist() == each(lambda word: word[::-1][:length][::-1])


def test_three_bytes_unless_told():
    assert call("StringPrefix", WORDS).tolist() == [[b"gar", b"go"], [b"", b"gr\xc3"]]
    assert call("StringSuffix", WORDS).tolist() == [[b"den", b"go"], [b"", b"\xc3\xbcn"]]


@pytest.mark.parametrize("part", [b"", b"g", b"n", b"go", b"garden", b"gardens"])
def test_comparisons(part):
    for type, argument, formula in [
        ("StringStartsWith", "prefix", lambda word: word[: len(part)] == part),
        ("StringEndsWith", "suffix", lambda word: word[max(len(word) - len(part), 0) :] == part),
        ("StringEquals", "text", lambda word: word == part),
    ]:
        got = call(type, WORDS, **{argument: part})
        assert got.dtype == bool
        assert got.tolist() == each(formula)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("delimiter", [b",", b"; "])
def test_join(axis, delimiter):
    for table, words in [
        (np.int64([[1, -2, 3], [4, 5, 6]]), [[b"1", b"-2", b"3"], [b"4", b"5", b"6"]]),
        (np.float32([[0.5, 2], [1e-7, 1234567]]), [[b"0.5", b"2"], [b"1e-07", b"1.23457e+06"]]),
        (np.array([[True], [False]]), [[b"1"], [b"0"]]),
        (np.array([[b"a", b""]], object), [[b"a", b""]]),
    ]:
        rows = words if axis == 0 else zip(*words, strict=True)
        want = [b"".join(word + delimiter for word in row) for row in rows]
        assert call("StringJoin", table, delimiter=delimiter, axis=axis).tolist() == want


def test_join_of_a_vector():
    assert call("StringJoin", np.int32([7, 8])).tolist() == [b"7,", b"8,"]
    assert call("StringJoin", np.int32([7, 8]), axis=1).tolist() == [b"7,8,"]


@pytest.mark.parametrize(
    "type", ["StringPrefix", "StringSuffix", "StringStartsWith", "StringEndsWith", "StringEquals", "StringJoin"]
)
def test_gradients_are_refused(type):
    with pytest.raises(NoGradient):
        wiring(type, 1)


def test_refusals():
    for type in ("StringPrefix", "StringSuffix"):
        with pytest.raises(BadArgument, match="length is -1; it must be 0 or more"):
            call(type, WORDS, length=-1)
    with pytest.raises(BadArgument, match="axis is 2"):
        call("StringJoin", WORDS, axis=2)
    with pytest.raises(ShapeMismatch, match="one or two dimensions"):
        call("StringJoin", np.zeros((1, 1, 1), np.float32))
    with pytest.raises(TypeMismatch, match="float32"):
        call("StringEquals", np.zeros(2, np.float32), text=b"a")
