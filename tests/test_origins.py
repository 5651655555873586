"""The user's line of each operator."""

from __future__ import annotations

import inspect

from c2lab import core, origins, workspace


def test_the_line_is_the_users_and_stays_out_of_the_net():
    net = core.Net("origin")
    line = inspect.currentframe().f_lineno + 1
    net.Relu("x", "y")
    origin = workspace.operator_tracebacks[net.Name()][0]
    assert origin.filename == __file__
    assert origin.lineno == line
    assert str(origin) == f"test_origins.py line {line}"
    assert "test_origins" not in str(net.Proto())
    assert f"added at test_origins.py line {line}" in origins.place("Relu", "", 0, net.Name())


def test_a_place_without_a_net():
    assert origins.place("Relu", "r", None, "") == 'Relu "r"'


def test_lines_go_along_to_another_net():
    origins.remember("carried_from", 0)
    line = origins.operator_tracebacks["carried_from"][0]
    origins.carry_over("carried_from", "carried_to", 3)
    origins.carry_over("no net of this name", "carried_to", 0)
    assert origins.operator_tracebacks["carried_to"] == {3: line}
