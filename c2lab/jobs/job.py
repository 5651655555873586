"""Jobs: groups of tasks that run once at the start, once an epoch, and once at the end.

>>> from c2lab.control.session import LocalSession
>>> from c2lab.control.task import Task
>>> with Job() as job:
...     with job.init_group:
...         pass
>>> epoch_limiter(job, 3)
>>> with LocalSession() as session:
...     JobRunner(job).train(session)
3
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from c2lab.control.session import Session
from c2lab.control.task import Task, TaskGroup, TaskOutput, WorkspaceType
from c2lab.nets.blobs import BlobReference
from c2lab.nets.net import Net
from c2lab.parameters.contexts import Managed

logger = logging.getLogger(__name__)


class Job(Managed):
    """What a ``JobRunner`` runs; tasks made inside its ``with`` block belong to its ``epoch_group``.

    Args:
        init_group: Runs once at the start, unless a checkpoint is loaded: makes parameters, counters, cursors.
        epoch_group: Runs again and again, until a stop condition holds.
        download_group: Runs once after the last epoch: brings parameters together.
        exit_group: Runs once at the very end.
        stop_conditions: Outputs of one bool; any that is true after an epoch ends the job.
        nodes_to_checkpoint: The nodes whose blobs are saved; those of ``init_group`` where left out.
    """

    def __init__(
        self,
        init_group: TaskGroup | None = None,
        epoch_group: TaskGroup | None = None,
        download_group: TaskGroup | None = None,
        exit_group: TaskGroup | None = None,
        stop_conditions: list[TaskOutput] | None = None,
        nodes_to_checkpoint: list[str] | None = None,
    ) -> None:
        # Once compiled, what the session's class made of them.
        self.init_group: Any = init_group or TaskGroup(workspace_type=WorkspaceType.GLOBAL)
        self.epoch_group: Any = epoch_group or TaskGroup()
        self.download_group: Any = download_group or TaskGroup()
        self.exit_group: Any = exit_group or TaskGroup()
        self.stop_conditions = stop_conditions or []
        self._nodes_to_checkpoint = nodes_to_checkpoint

    def nodes_to_checkpoint(self) -> list[str]:
        """The nodes whose blobs are saved."""
        return self._nodes_to_checkpoint or self.init_group.used_nodes()

    def compile(self, session_class: type[Session]) -> None:
        """Makes all groups ready for sessions of a class."""
        self._nodes_to_checkpoint = self.nodes_to_checkpoint()
        for name in ("init_group", "epoch_group", "download_group", "exit_group"):
            setattr(self, name, session_class.compile(getattr(self, name)))

    def __enter__(self) -> Job:
        super().__enter__()
        self.epoch_group.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self.epoch_group.__exit__(*exception)
        super().__exit__(*exception)

    def add_stop_condition(self, output: BlobReference | TaskOutput) -> None:
        """Ends the job after an epoch which leaves this true: an output of a task, or a blob of one bool."""
        if isinstance(output, BlobReference):
            output = Task(outputs=[output], group=self.epoch_group).outputs()[0]
        if not isinstance(output, TaskOutput):
            raise AssertionError(f"A stop condition is a BlobReference or TaskOutput, not {type(output).__name__}.")
        self.stop_conditions.append(output)


class UploadTaskGroupBuilder:
    """Makes the tasks that carry the last checkpoints away, for ``JobRunner``."""

    def build(self, epoch: int, checkpoint_manager: Any) -> TaskGroup:
        """The group of tasks that carries the checkpoints of an epoch away."""
        raise NotImplementedError(f"{type(self).__name__} does not say how checkpoints are carried away.")


class JobRunner:
    """Runs a job, epoch by epoch, and saves a checkpoint at the start and after each epoch.

    Args:
        job: The job.
        checkpoint_manager: A ``CheckpointManager`` or ``MultiNodeCheckpointManager``; nothing is saved without one.
        resume_from_epoch: Loads the checkpoint of this epoch in place of running the init group, and goes on
            after it.
        upload_task_group_builder: Carries the last checkpoints away.
    """

    def __init__(
        self,
        job: Job,
        checkpoint_manager: Any = None,
        resume_from_epoch: int | None = None,
        upload_task_group_builder: UploadTaskGroupBuilder | None = None,
    ) -> None:
        self.job = job
        self.checkpoint_manager = checkpoint_manager
        self.resume_from_epoch = resume_from_epoch
        self.upload_task_group_builder = upload_task_group_builder

    def train(self, session: Session) -> int:
        """Runs the job to its end; the number of the last epoch, counted from 1."""
        manager = self.checkpoint_manager
        if manager:
            manager.set_params(nodes=self.job.nodes_to_checkpoint())
            self.resume_from_epoch = manager.get_resume_from_epoch_id(self.resume_from_epoch)
        resumed = self.resume_from_epoch
        if resumed is None:
            session.run(self.job.init_group)
        if manager:
            session.run(manager.init(self.job.nodes_to_checkpoint(), retrieve_from_epoch=resumed))
            if resumed is None:
                self.save_checkpoints(0, session)
            else:
                session.run(manager.load(resumed))
                manager.report_checkpoint_stats("checkpoint_load")
                logger.info("Resumed after epoch %d.", resumed)
        epoch = (resumed or 0) + 1
        while True:
            session.run(self.job.epoch_group)
            logger.info("Epoch %d is done.", epoch)
            # Looked at before saving, which runs tasks too.
            over = any(bool(condition.fetch()) for condition in self.job.stop_conditions)
            if manager:
                self.save_checkpoints(epoch, session)
            if over:
                break
            epoch += 1
        if self.upload_task_group_builder is not None:
            session.run(self.upload_task_group_builder.build(epoch, manager))
        session.run(self.job.download_group)
        session.run(self.job.exit_group)
        return epoch

    def load_blobs_from_checkpoints(self, blob_names: Sequence[str], epoch: int, session: Session) -> bool:
        """Loads some blobs from the checkpoints of an epoch, of all nodes, into the session's workspace.

        Returns:
            Whether there are such checkpoints.

        Raises:
            ValueError: There is no checkpoint manager.
        """
        if not self.checkpoint_manager:
            raise ValueError("Checkpoint manager is None: give JobRunner the one that saved the checkpoints.")
        nodes = self.job.nodes_to_checkpoint()
        found = self.checkpoint_manager.load_blobs_locally(nodes, blob_names, epoch, session)
        self.checkpoint_manager.report_checkpoint_stats("checkpoint_partial_load")
        return found

    def save_checkpoints(self, epoch: int, session: Session) -> None:
        """Saves the checkpoints of an epoch. A failure is logged, and training goes on."""
        manager = self.checkpoint_manager
        try:
            if not manager.cp_accessible(epoch=None):
                logger.warning("Checkpoints cannot be written now; that of epoch %d is left out.", epoch)
                return
            session.run(manager.save(epoch))
            manager.write_checkpoint_metadata(epoch)
            manager.report_checkpoint_stats("checkpoint_save")
        except Exception as error:
            logger.warning("Unable to write checkpoint for epoch %d: %s", epoch, error)


def epoch_limiter(job: Job, num_epochs: int) -> None:
    """Ends a job after a number of epochs."""
    with job.init_group:
        init_net = Net("epoch_counter_init")
        counter = init_net.CreateCounter([], init_count=num_epochs - 1)
        Task(step=init_net)
    with job.epoch_group:
        epoch_net = Net("epoch_countdown")
        finished = epoch_net.CountDown(counter)
        output = Task(step=epoch_net, outputs=finished).outputs()[0]
    job.add_stop_condition(output)
