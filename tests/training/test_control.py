import threading

from c2lab.training.control import Control


def test_a_pause_lasts_until_it_is_ended():
    control, passed = Control(), threading.Event()
    control.pause()
    assert control.waiting
    thread = threading.Thread(target=lambda: control.next_step() and passed.set())
    thread.start()
    assert not passed.wait(0.05)
    control.go()
    assert passed.wait(30)
    thread.join()


def test_single_steps_are_counted():
    control = Control()
    control.step(2)
    assert [control.next_step(), control.next_step()] == [True, True]
    assert control.waiting


def test_stop_ends_a_pause():
    control, results = Control(), []
    control.pause()
    thread = threading.Thread(target=lambda: results.append(control.next_step()))
    thread.start()
    control.stop()
    thread.join(30)
    assert results == [False]
    assert not control.may_go_on()
