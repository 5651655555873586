from c2lab import optimizer
from c2lab.builder.code_training import gradient_call, optimizer_calls
from c2lab.builder.gradients import model_of, with_gradients
from c2lab.builder.session import Session
from tests.builder.canvases import lenet


def trained(build, **arguments):
    model = model_of(with_gradients(lenet().document, ["loss"]))
    build(model, **arguments)
    return Session(model).closed().document


def test_the_backward_pass_is_one_line():
    document = trained(optimizer.build_sgd, base_learning_rate=0.1)
    call, count = gradient_call(document, 8)
    assert call.text(True) == 'model.AddGradientOperators(["loss"])'
    assert document.net.op[8 + count].type == "AtomicIter"
    assert gradient_call(document, 9) is None


def test_a_backward_pass_that_was_edited_is_not():
    document = trained(optimizer.build_sgd, base_learning_rate=0.1)
    document.net.op[10].type = "Copy"
    assert gradient_call(document, 8) is None


def test_optimizers_are_guessed_from_their_operators():
    document = trained(optimizer.build_sgd, base_learning_rate=0.1, momentum=0.9, policy="exp", gamma=0.5)
    texts = [call.text(True) for call in optimizer_calls(document, 17)]
    assert any('build_sgd(model, 0.1, momentum=0.9, policy="exp", gamma=0.5)' in text for text in texts)
    document = trained(optimizer.build_adam, base_learning_rate=0.01, beta1=0.8)
    texts = [call.text(True) for call in optimizer_calls(document, 17)]
    assert any("build_adam(model, 0.01, beta1=0.8" in text for text in texts)
    assert list(optimizer_calls(lenet().document, 0)) == []
