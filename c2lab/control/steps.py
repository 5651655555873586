"""Execution steps that loop and branch: Caffe2's ``control``.

A condition is a blob that holds one bool, or a net that computes one: its last external output.

>>> from c2lab import core
>>> body = core.Net("steps_example")
>>> While("train", "go_on", body).Name()
'train/While'
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from c2lab.nets.blobs import BlobReference
from c2lab.nets.net import Net
from c2lab.plan import ExecutionStep, execution_step, scoped_execution_step, to_execution_step

Condition = Net | BlobReference | str
RELATIONS = ("And", "Or")

# ---- nets of conditions --------------------------------------------------------------------------


def GetConditionBlobFromNet(condition_net: Net) -> BlobReference:
    """The condition that a net computes: its last external output."""
    if not condition_net.Proto().external_output:
        raise AssertionError(f'Condition net "{condition_net.Name()}" must have at least one external output.')
    return condition_net.external_outputs[-1]


def BoolNet(*blobs_with_bool_value: Any) -> Net:
    """A net that sets blobs to constant bools.

    Args:
        blobs_with_bool_value: Pairs ``(blob, bool)``, or one list of such pairs.
    """
    pairs = blobs_with_bool_value
    if len(pairs) == 1 and isinstance(pairs[0], list):
        pairs = tuple(pairs[0])
    net = Net("bool_net")
    for blob, value in pairs:
        net.AddExternalOutput(net.Const(bool(value), str(blob)))
    return net


def NotNet(condition_blob_or_net: Condition) -> tuple[Net, BlobReference]:
    """A net that negates a condition, and the blob that it writes. A condition net itself is not run by it."""
    blob = _blob_of(condition_blob_or_net)
    net = Net("not_net")
    negated = net.Not(blob, net.NextName(f"not_{blob}"))
    net.AddExternalOutput(negated)
    return net, negated


def MergeConditionNets(name: str, condition_nets: Net | Sequence[Net], relation: str) -> Net:
    """One net that runs several condition nets and joins their conditions.

    Args:
        name: The new net's name.
        condition_nets: Nets whose last external outputs are single bools.
        relation: ``And`` or ``Or``.
    """
    return _joined(name, condition_nets, relation, with_bodies=True)


def CombineConditions(name: str, condition_nets: Net | Sequence[Net], relation: str) -> Net:
    """One net that joins the conditions of several nets, which are run by someone else.

    Args:
        name: The new net's name.
        condition_nets: Nets whose last external outputs are single bools.
        relation: ``And`` or ``Or``.
    """
    return _joined(name, condition_nets, relation, with_bodies=False)


def _joined(name: str, condition_nets: Net | Sequence[Net], relation: str, *, with_bodies: bool) -> Net:
    if relation not in RELATIONS:
        raise AssertionError(f"relation is {relation!r}; it must be one of {', '.join(RELATIONS)}.")
    nets = [condition_nets] if isinstance(condition_nets, Net) else list(condition_nets)
    if not nets:
        raise AssertionError(f'There are no conditions to join in net "{name}".')
    joined = Net(name)
    result: Any = None
    for net in nets:
        condition = GetConditionBlobFromNet(net)
        if with_bodies:
            joined.AppendNet(net)
        if result is None:
            # A copy, so that the result has a name of its own with one condition as with many.
            result = joined.Copy(str(condition), joined.NextName("condition"))
        else:
            result = getattr(joined, relation)([result, str(condition)], joined.NextName("condition"))
    del joined.Proto().external_output[:]
    joined.AddExternalOutput(result)
    return joined


def _blob_of(condition: Condition) -> str:
    return str(GetConditionBlobFromNet(condition)) if isinstance(condition, Net) else str(condition)


# ---- sequences -----------------------------------------------------------------------------------


def _parts(nets_or_steps: Any) -> list[Any]:
    """Nets and steps as a flat list, however they are given."""
    if isinstance(nets_or_steps, list | tuple):
        return [part for entry in nets_or_steps for part in _parts(entry)]
    return [nets_or_steps]


def _sequence(name: str, *nets_or_steps: Any, **options: Any) -> ExecutionStep:
    parts = _parts(nets_or_steps)
    if not all(isinstance(part, Net) for part in parts):
        parts = [to_execution_step(part) for part in parts]
    return scoped_execution_step(name, parts, **options)


def Do(name: str, *nets_or_steps: Any) -> ExecutionStep:
    """A step that runs nets or steps once, one after the other."""
    return _sequence(name, *nets_or_steps)


def DoParallel(name: str, *nets_or_steps: Any) -> ExecutionStep:
    """A step that runs nets or steps beside each other, and ends when all have ended."""
    steps = [
        execution_step(f"{name}/{part.Name()}", part) if isinstance(part, Net) else to_execution_step(part)
        for part in _parts(nets_or_steps)
    ]
    return scoped_execution_step(name, steps, concurrent_substeps=True)


# ---- loops ---------------------------------------------------------------------------------------


def For(name: str, nets_or_steps: Any, iter_num: int) -> ExecutionStep:
    """A step that runs nets or steps ``iter_num`` times."""
    return _sequence(f"{name}/For", nets_or_steps, num_iter=int(iter_num))


def While(name: str, condition_blob_or_net: Condition, nets_or_steps: Any) -> ExecutionStep:
    """A step that runs nets or steps as long as a condition holds; it is asked before each round."""
    return _looked_at_first(f"{name}/While", condition_blob_or_net, nets_or_steps, stop_when=False)


def Until(name: str, condition_blob_or_net: Condition, nets_or_steps: Any) -> ExecutionStep:
    """A step that runs nets or steps as long as a condition does not hold; it is asked before each round."""
    return _looked_at_first(f"{name}/Until", condition_blob_or_net, nets_or_steps, stop_when=True)


def DoWhile(name: str, condition_blob_or_net: Condition, nets_or_steps: Any) -> ExecutionStep:
    """A step that runs nets or steps, and again as long as a condition holds."""
    asking, stop = _asking(condition_blob_or_net, stop_when=False)
    looped = _sequence(f"{name}/DoWhile/rounds", nets_or_steps, _whole(name, nets_or_steps, asking),
                       should_stop_blob=stop)  # fmt: skip
    return Do(f"{name}/DoWhile", BoolNet((stop, False)), looped)


def DoUntil(name: str, condition_blob_or_net: Condition, nets_or_steps: Any) -> ExecutionStep:
    """A step that runs nets or steps, and again as long as a condition does not hold.

    A condition *blob* is looked at after each net or step: where it is true from the start, only the
    first one runs.
    """
    if not isinstance(condition_blob_or_net, Net):
        stop = BlobReference(str(condition_blob_or_net))
        return _sequence(f"{name}/DoUntil", nets_or_steps, should_stop_blob=stop)
    stop = GetConditionBlobFromNet(condition_blob_or_net)
    looped = _sequence(f"{name}/DoUntil/rounds", nets_or_steps, condition_blob_or_net, should_stop_blob=stop)
    return Do(f"{name}/DoUntil", BoolNet((stop, False)), looped)


def _asking(condition: Condition, *, stop_when: bool) -> tuple[list[Net], BlobReference]:
    """The nets that look at a condition, and the blob that tells a step to stop."""
    if stop_when:
        net = Net("copy_net")
        stop = net.Copy(_blob_of(condition), net.NextName("stop"))
        net.AddExternalOutput(stop)
    else:
        net, stop = NotNet(condition)
    return ([condition, net] if isinstance(condition, Net) else [net]), stop


def _whole(name: str, beside: Any, asking: list[Net]) -> list[Any]:
    """The asking nets as they go beside others: as nets beside nets, as one step beside steps."""
    if all(isinstance(part, Net) for part in _parts(beside)):
        return list(asking)
    return [_sequence(f"{name}/condition", asking)]


def _looked_at_first(name: str, condition: Condition, nets_or_steps: Any, *, stop_when: bool) -> ExecutionStep:
    asking, stop = _asking(condition, stop_when=stop_when)
    looped = _sequence(f"{name}/rounds", _whole(name, nets_or_steps, asking), nets_or_steps, should_stop_blob=stop)
    # What an earlier run left in the blob must not end this one.
    return Do(name, BoolNet((stop, False)), looped)


# ---- branches ------------------------------------------------------------------------------------


def If(
    name: str, condition_blob_or_net: Condition, true_nets_or_steps: Any, false_nets_or_steps: Any = None
) -> ExecutionStep:
    """A step that runs some nets or steps where a condition holds, and others where it does not.

    A condition net runs once, before either.
    """
    return _branches(f"{name}/If", condition_blob_or_net, true_nets_or_steps, false_nets_or_steps, wanted=True)


def IfNot(
    name: str, condition_blob_or_net: Condition, true_nets_or_steps: Any, false_nets_or_steps: Any = None
) -> ExecutionStep:
    """As ``If``, with the two exchanged: the first ones run where the condition does not hold."""
    return _branches(f"{name}/IfNot", condition_blob_or_net, true_nets_or_steps, false_nets_or_steps, wanted=False)


def Switch(name: str, *conditions: Any) -> ExecutionStep:
    """A step that runs, of several, those whose condition holds.

    Args:
        name: The step's name.
        conditions: Pairs ``(condition, nets or steps)``, or one list of such pairs. Each condition is asked
            when its turn comes.
    """
    return _switched(f"{name}/Switch", conditions, wanted=True)


def SwitchNot(name: str, *conditions: Any) -> ExecutionStep:
    """As ``Switch``, for the conditions that do not hold."""
    return _switched(f"{name}/SwitchNot", conditions, wanted=False)


def _once_if(name: str, condition: Condition, nets_or_steps: Any, *, wanted: bool) -> ExecutionStep:
    """A step that runs once where the condition is as wanted."""
    asking, stop = _asking(condition, stop_when=not wanted)
    inner = _sequence(f"{name}/once", _whole(name, nets_or_steps, asking), nets_or_steps,
                      should_stop_blob=stop, only_once=True)  # fmt: skip
    return Do(name, BoolNet((stop, False)), inner)


def _branches(
    name: str, condition: Condition, true_nets_or_steps: Any, false_nets_or_steps: Any, *, wanted: bool
) -> ExecutionStep:
    if not false_nets_or_steps:
        return _once_if(name, condition, true_nets_or_steps, wanted=wanted)
    # The first branch may change the condition: the second one goes by a copy of it.
    kept = Net("condition_kept")
    blob = kept.Copy(_blob_of(condition), kept.NextName("condition"))
    kept.AddExternalOutput(blob)
    asking = [condition, kept] if isinstance(condition, Net) else [kept]
    return Do(
        name,
        _sequence(f"{name}/condition", asking),
        _once_if(f"{name}/true", blob, true_nets_or_steps, wanted=wanted),
        _once_if(f"{name}/false", blob, false_nets_or_steps, wanted=not wanted),
    )


def _switched(name: str, conditions: Sequence[Any], *, wanted: bool) -> ExecutionStep:
    pairs = conditions[0] if len(conditions) == 1 and isinstance(conditions[0], list) else conditions
    return Do(
        name,
        *(
            _once_if(f"{name}/{place}", condition, nets_or_steps, wanted=wanted)
            for place, (condition, nets_or_steps) in enumerate(pairs)
        ),
    )
