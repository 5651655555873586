import pytest

from c2lab.training.stopping import EarlyStopping


def test_accuracies_grow_and_losses_fall():
    rising = EarlyStopping("test_accuracy", patience=1)
    assert [rising.ends({"test_accuracy": value}) for value in (0.5, 0.6, 0.6)] == [False, False, True]
    assert EarlyStopping("accuracy", patience=1, largest=False).ends({"accuracy": 1.0}) is False


def test_a_little_better_is_not_better():
    early = EarlyStopping(patience=1, least=0.1)
    assert [early.ends({"loss": value}) for value in (1.0, 0.95)] == [False, True]


def test_its_state_goes_on():
    early = EarlyStopping(patience=2)
    early.ends({"loss": 1.0})
    early.ends({"loss": 2.0})
    again = EarlyStopping(patience=2)
    again.restore(early.state())
    assert again.ends({"loss": 1.5})


def test_a_metric_that_is_not_there():
    with pytest.raises(KeyError, match="waits for recall; there are loss"):
        EarlyStopping("recall").ends({"loss": 1.0})
