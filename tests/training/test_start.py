import subprocess
import sys
import textwrap

import numpy as np
import pytest

import c2lab as c2
from c2lab import core, model_helper, optimizer, workspace
from c2lab.backend import compile as compiling
from c2lab.errors import BadArgument, BadValue, MissingBlob
from c2lab.proto import caffe2_pb2
from c2lab.training import lenet
from tests.training.models import classifier, constant, line, pictures

TRAIN, TEST = pictures()


def test_it_learns_the_digits_in_the_background():
    run = c2.train(classifier(), TRAIN, evaluate=TEST, epochs=8, rate=0.1, momentum=0.9, keep=False)
    assert not run.ended or run.steps_done == 8 * 22
    assert run.wait(120)
    assert run.state == "done"
    assert run.steps_done == 8 * (len(TRAIN[0]) // 64)
    assert run.metrics["test_accuracy"] > 0.8
    assert run.evaluation.confusion.sum() == len(TEST[0])


def test_the_model_stays_as_it_is_and_the_workspace_gets_the_result():
    model = classifier()
    before = model.Proto().SerializeToString()
    run = c2.train(model, TRAIN, steps=2, keep=False, block=True)
    assert model.Proto().SerializeToString() == before
    assert np.array_equal(workspace.FetchBlob("hidden_w"), run.fetch("hidden_w"))
    assert workspace.FetchBlob("loss").shape == ()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("sgd", {"momentum": 0.9}), ("adam", {}), ("adagrad", {}), ("rms_prop", {}), ("ftrl", {}),
        (lambda model: optimizer.build_adadelta(model, 0.1), {}),
    ],
)  # fmt: skip
def test_any_optimizer(kind, options):
    run = c2.train(classifier(), TRAIN, optimizer=kind, rate=0.01, steps=3, keep=False, block=True, **options)
    assert run.state == "done"
    assert np.isfinite(run.curve("loss")).all()


def test_policies_of_the_rate_are_recorded():
    run = c2.train(
        line(), constant(), batch=4, rate=0.5, steps=4, keep=False, policy="step", stepsize=2, gamma=0.5, block=True
    )
    assert run.curve("rate").tolist() == [0.5, 0.25, 0.25, 0.125]


def test_gradients_can_be_cut_to_a_length():
    # The gradient of w is w = 2: cut to 0.5, one step at rate 1 takes 0.5 away.
    run = c2.train(line(), constant(), batch=4, rate=1.0, clip=0.5, steps=1, keep=False, block=True)
    assert run.fetch("w").item() == pytest.approx(1.5, abs=1e-5)


def test_gradients_can_be_added_up():
    # Batches with x = 1 and x = 3: gradients w and 9 w, mean 5 w = 10.
    data = {"x": np.float32([[1], [3]]), "t": np.zeros((2, 1), np.float32)}
    run = c2.train(line(), data, batch=1, shuffle=False, rate=0.1, accumulate=2, steps=1, keep=False, block=True)
    assert run.fetch("w").item() == pytest.approx(1.0, abs=1e-6)
    assert run.metrics["loss"] == pytest.approx((0.5 * 4 + 0.5 * 36) / 2)


def test_adding_up_two_halves_is_one_whole_batch():
    whole = c2.train(classifier(), TRAIN, batch=64, shuffle=False, steps=3, keep=False, block=True)
    halves = c2.train(classifier(), TRAIN, batch=32, shuffle=False, accumulate=2, steps=3, keep=False, block=True)
    assert np.allclose(whole.fetch("hidden_w"), halves.fetch("hidden_w"), atol=1e-5)


def test_a_loss_scale_changes_nothing_but_what_gradients_are_on_the_way():
    plain = c2.train(line(), constant(), batch=4, rate=0.1, steps=3, keep=False, block=True)
    scaled = c2.train(line(), constant(), batch=4, rate=0.1, steps=3, loss_scale=1024.0, keep=False, block=True)
    assert scaled.fetch("w").item() == pytest.approx(plain.fetch("w").item(), rel=1e-6)
    assert scaled.fetch("loss_autogen_grad") == 1024


def test_moving_rate_and_loss_scale_compiles_nothing():
    run = c2.train(classifier(), TRAIN, loss_scale=8.0, steps=40, keep=False, callbacks=[_pause_at(3)])
    run.wait_until(lambda r: r.state == "paused")
    compiled = compiling.statistics.count
    for number in range(1, 11):
        run.set_rate(0.01 * number)
        run.set_loss_scale(2.0**number)
        run.step()
        run.wait_until(lambda r, n=number: r.steps_done == 3 + n)
    assert run.curve("rate")[-10:] == pytest.approx([0.01 * n for n in range(1, 11)], rel=1e-5)
    assert compiling.statistics.count == compiled
    assert [text for _, text in run.history.markers][:2] == ["rate 0.01", "loss scale 2"]
    run.stop()
    run.wait()


def _pause_at(step):
    def callback(run):
        if run.steps_done == step:
            run.pause()

    return callback


def test_seeds_decide_everything():
    first, again, other = (
        c2.train(classifier(dropout=0.5), TRAIN, steps=5, seed=seed, keep=False, block=True) for seed in (3, 3, 4)
    )
    assert np.array_equal(first.curve("loss"), again.curve("loss"))
    assert not np.array_equal(first.curve("loss"), other.curve("loss"))


def test_data_as_lists_generators_and_iterators():
    batches = [(TRAIN[0][k * 64 : k * 64 + 64], TRAIN[1][k * 64 : k * 64 + 64]) for k in range(4)]

    def generator():
        for images, labels in batches:
            yield {"data": images, "label": labels}

    curves = [
        c2.train(classifier(), data, epochs=2, keep=False, block=True).curve("loss") for data in (batches, generator)
    ]
    assert len(curves[0]) == 8
    assert np.array_equal(*curves)
    once = c2.train(classifier(), iter(batches), epochs=2, keep=False, block=True)
    assert (once.state, once.steps_done) == ("done", 4)


def test_data_from_a_database(tmp_path):
    from c2lab.storage.databases import open_db

    database = open_db(str(tmp_path / "digits.db"), "minidb", "write")
    with database.new_transaction() as transaction:
        for k in range(100):
            sample = caffe2_pb2.TensorProtos()
            image = sample.protos.add(data_type=caffe2_pb2.TensorProto.FLOAT, dims=[64])
            image.float_data.extend(TRAIN[0][k].tolist())
            sample.protos.add(data_type=caffe2_pb2.TensorProto.INT32, dims=[1]).int32_data.append(int(TRAIN[1][k]))
            transaction.put(f"{k:04}".encode(), sample.SerializeToString())
    database.close()
    init, read = core.Net("open_digits"), core.Net("read_digits")
    reader = init.CreateDB([], "digits_reader", db=str(tmp_path / "digits.db"), db_type="minidb")
    _, label = read.TensorProtosDBInput([reader], ["data", "label_2d"], batch_size=20)
    read.FlattenToVec(label, "label")
    run = c2.train(classifier(), (init, read), steps=10, rate=0.2, keep=False, block=True)
    same = c2.train(
        classifier(), (TRAIN[0][:100], TRAIN[1][:100]), batch=20, shuffle=False, steps=10, rate=0.2, keep=False,
        block=True,
    )  # fmt: skip
    assert np.array_equal(run.curve("loss"), same.curve("loss"))


def test_transforms_draw_from_seed_and_place():
    def noisy(batch, random):
        return {**batch, "data": batch["data"] + random.normal(0, 0.1, batch["data"].shape)}

    plain, first, again = (
        c2.train(classifier(), TRAIN, steps=3, transform=transform, keep=False, block=True).curve("loss")
        for transform in (None, noisy, noisy)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, plain)


def test_nets_instead_of_a_model():
    model = classifier()
    run = c2.train((model.param_init_net, model.net), TRAIN, steps=3, keep=False, block=True)
    same = c2.train(model, TRAIN, steps=3, keep=False, block=True)
    assert np.array_equal(run.curve("loss"), same.curve("loss"))


def test_training_goes_on_from_another_run():
    first = c2.train(classifier(), TRAIN, steps=20, rate=0.1, keep=False, block=True)
    second = c2.train(classifier(), TRAIN, steps=1, start=first, keep=False, block=True)
    assert second.curve("loss")[0] < first.curve("loss")[0]


def test_early_stopping_and_callbacks():
    told = []

    class Teller:
        def on_epoch(self, run):
            told.append(run.epoch)

        def on_end(self, run):
            told.append(run.state)

    run = c2.train(
        classifier(), TRAIN, evaluate=TEST, rate=0.0, epochs=50, early_stopping=2, callbacks=[Teller()], keep=False,
        block=True,
    )  # fmt: skip
    assert (run.state, run.epoch) == ("done", 3)  # the first epoch is the best, and two bring nothing
    assert told == [1, 2, 3, "done"]


def test_what_a_callback_raises_ends_the_run_and_arrives():
    def fails(run):
        raise RuntimeError("mine")

    run = c2.train(classifier(), TRAIN, steps=5, callbacks=[fails], keep=False)
    with pytest.raises(RuntimeError, match="mine"):
        run.wait(60)
    assert (run.state, run.steps_done) == ("failed", 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"data": "sheep"}, 'no data set "sheep"'),
        ({"data": TRAIN[0]}, "1 arrays were given, but the net takes 2: data, label"),
        ({"data": TRAIN, "optimizer": "magic"}, 'no optimizer "magic"'),
        ({"data": TRAIN, "metrics": ["nothing"]}, "no operator makes nothing"),
        ({"data": 7}, "data is int"),
        ({"data": (TRAIN[0], TRAIN[1][:-1])}, "of one length"),
        ({"data": TRAIN, "batch": 100_000}, "do not fill a batch"),
    ],
)
def test_errors_say_what(arguments, message):
    with pytest.raises(BadArgument, match=message):
        c2.train(classifier(), keep=False, **arguments)


def test_no_loss_and_no_softmax_is_an_error():
    model = model_helper.ModelHelper("nothing")
    model.net.Relu("x", "y")
    with pytest.raises(BadArgument, match="neither a loss nor a softmax"):
        c2.train(model, {"x": np.ones((4, 1), np.float32)}, keep=False)


def test_what_comes_from_nowhere_is_named():
    run = c2.train(classifier(), {"data": TRAIN[0]}, keep=False)
    with pytest.raises(MissingBlob, match="label, which neither"):
        run.wait(60)


def test_lenet_as_the_package_builds_it():
    run = c2.train(lenet.training_model(0.05, 100), "digits", steps=2, keep=False, block=True)
    assert run.history.names[:2] == ("loss", "accuracy")
    assert run.curve("loss")[0] == pytest.approx(2.3, abs=0.3)


def test_ctrl_c_stops_a_run_between_two_steps():
    code = """
        import os, signal, threading
        import c2lab as c2
        from tests.training.models import classifier, pictures
        holder = []
        def at(run):
            holder[:] = [run]
            if run.steps_done == 5:
                os.kill(os.getpid(), signal.SIGINT)
        try:
            c2.train(classifier(), pictures()[0], epochs=100000, keep=False, block=True, callbacks=[at])
        except KeyboardInterrupt:
            (run,) = holder
            print(run.state, run.ended, run.fetch("optimizer_iteration").item() == run.steps_done >= 5)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stdout.strip() == "stopped True True", done.stderr


def test_the_guard_names_where_it_began():
    data = {"x": np.float32([[1], [1e30]]), "t": np.zeros((2, 1), np.float32)}
    run = c2.train(line(), data, batch=1, shuffle=False, rate=0.1, steps=2, keep=False)
    with pytest.raises(BadValue, match="SquaredL2Distance"):
        run.wait(60)
    assert run.fault.operator == "SquaredL2Distance"
    assert run.fault.blob == "distance"
    assert run.steps_done == 1
    assert run.fetch("w").item() == pytest.approx(1.8)


def test_half_precision_computes_roughly_the_same_and_learns():
    whole = c2.train(classifier(), TRAIN, steps=60, rate=0.2, keep=False, block=True)
    half = c2.train(
        classifier(), TRAIN, steps=60, rate=0.2, precision="bfloat16", loss_scale=16.0, keep=False, block=True
    )
    assert not np.array_equal(whole.curve("loss"), half.curve("loss"))
    assert np.allclose(whole.curve("loss"), half.curve("loss"), atol=0.1)
    assert half.fetch("hidden_w").dtype == np.float32
    with pytest.raises(BadArgument, match="precision is"):
        c2.train(classifier(), TRAIN, precision="float8", keep=False)
