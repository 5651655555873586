"""A queue in the workspace, filled by threads of its own."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab import core, workspace
from c2lab.data.record_queue import RecordQueue
from c2lab.data.schema import Struct
from tests.data.written_records import column, empty, numbers, within_limit


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("capacity", [1, 50])
def test_all_records_come_out_processed(threads, capacity):
    init_net, target = core.Net("init"), empty(field="next")
    source = numbers(30).reader(init_net, batch_size=4)
    init_net.Const(np.int64(1), "one")

    def process(net, record):
        return Struct(("next", net.Add([record.label(), "one"])))

    queue = RecordQueue(Struct(("next", np.int64)), capacity=capacity, num_threads=threads)
    reader, filling, closing, schema = queue.build(source, process)
    assert schema.field_names() == ["next"]
    writer = target.writer(init_net)
    steps = []
    for thread in range(threads):
        step, record = reader.execution_step(f"consume_{thread}")
        net = core.Net("write")
        writer.write(net, record.field_blobs())
        step.AddNet(net)
        steps.append(step)
    plan = core.Plan("plan")
    plan.AddStep(core.execution_step("init", init_net))
    producing = core.execution_step("producing", [filling, closing])
    consuming = core.execution_step("consuming", steps, concurrent_substeps=True)
    plan.AddStep(core.execution_step("both", [producing, consuming], concurrent_substeps=True))
    within_limit(lambda: workspace.RunPlan(plan))
    assert sorted(column(target).tolist()) == list(range(1, 31))


def test_records_pass_as_they_are_where_there_is_no_process():
    init_net = core.Net("init")
    queue = RecordQueue(["label"], name="plain", capacity=10)
    reader, filling, closing, _ = queue.build(numbers(3).reader(init_net, batch_size=2))
    plan = core.Plan("plan")
    for step in (core.execution_step("init", init_net), filling, closing):
        plan.AddStep(step)
    within_limit(lambda: workspace.RunPlan(plan))
    net = core.Net("read")
    stop, record = reader.read_record(net)
    seen = []
    workspace.CreateNet(net)
    for _ in range(3):
        workspace.RunNet(net)
        seen.append((workspace.FetchBlob(stop).item(), np.size(workspace.FetchBlob(record.label()))))
    assert seen[:2] == [(False, 2), (False, 1)]
    assert seen[2][0] is True


def test_fields_are_a_schema_or_names():
    with pytest.raises(AssertionError, match="Struct or a list of names, not str"):
        RecordQueue("label")
