"""Checkpoints: the blobs of the global workspace, saved after each epoch of a job and loaded to go on.

>>> get_ckpt_filename("trainer", 3)
'trainer.3'
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from typing import Any

from c2lab.control.operations import ops
from c2lab.control.session import Session
from c2lab.control.task import Node, Task, TaskGroup, TaskOutput, WorkspaceType, final_output
from c2lab.jobs.job import Job, JobRunner, UploadTaskGroupBuilder, epoch_limiter
from c2lab.nets.blobs import BlobReference
from c2lab.nets.net import Net

__all__ = [
    "CheckpointManager",
    "Job",
    "JobRunner",
    "MultiNodeCheckpointManager",
    "UploadTaskGroupBuilder",
    "db_name",
    "epoch_limiter",
    "get_ckpt_filename",
]

logger = logging.getLogger(__name__)


def get_ckpt_filename(node_name: str, epoch: int) -> str:
    """The file name of a checkpoint."""
    return f"{node_name}.{epoch}"


def db_name(epoch: int, node_name: str, db_prefix: str, path_prefix: str | None = None) -> str:
    """The path of a checkpoint: in the folder ``db_prefix``, or directly behind ``path_prefix`` where given."""
    file = get_ckpt_filename(node_name, epoch)
    return path_prefix + file if path_prefix else os.path.join(db_prefix, file)


class _Metadata:
    """What a manager tells a ``metadata_handler``, an object that keeps track of checkpoints somewhere.

    The handler has ``set_params(db_prefix, db_type, node_names, path_prefix, path_type)``, ``write(epoch=...)``,
    ``last_epoch(user_epoch=...)``, ``report(action_name, stats)`` and ``cp_accessible(epoch)``.
    """

    def __init__(self, db_prefix: str, db_type: str, metadata_handler: Any) -> None:
        self._db_prefix = db_prefix
        self._db_type = db_type
        self._metadata_handler = metadata_handler
        self._path_prefix: str | None = None
        self._path_type: str | None = None

    def set_params(self, nodes: Sequence[Any], path_prefix: str | None = None, path_type: str | None = None) -> None:
        """Tells the handler where checkpoints lie."""
        self._path_prefix = path_prefix or self._path_prefix
        self._path_type = path_type or self._path_type
        if self._metadata_handler:
            self._metadata_handler.set_params(
                db_prefix=self._db_prefix,
                db_type=self._db_type,
                node_names=self._checkpointed(nodes),
                path_prefix=self._path_prefix,
                path_type=self._path_type,
            )

    def _checkpointed(self, nodes: Sequence[Any]) -> list[str]:
        return [str(node) for node in nodes]

    def write_checkpoint_metadata(self, epoch: int) -> None:
        """Tells the handler that the checkpoint of an epoch was written."""
        if self._metadata_handler is not None:
            self._metadata_handler.write(epoch=epoch)

    def get_resume_from_epoch_id(self, user_epoch: int | None = None) -> int | None:
        """The epoch to go on after: the handler's answer, or else ``user_epoch``."""
        if self._metadata_handler is None:
            return user_epoch
        return self._metadata_handler.last_epoch(user_epoch=user_epoch)

    def cp_accessible(self, epoch: int | None = None) -> bool:
        """Whether checkpoints can be written now: the handler's answer, or else yes."""
        return True if self._metadata_handler is None else self._metadata_handler.cp_accessible(epoch)

    def report_checkpoint_stats(self, action_name: str) -> None:
        """Tells the handler how long the last action took on each node, in nanoseconds by path."""
        stats: dict[str, Any] = {}
        self.collect_checkpoint_stats(stats)
        if self._metadata_handler:
            self._metadata_handler.report(action_name, stats)

    def collect_checkpoint_stats(self, stats: dict[str, Any]) -> None:
        """Adds how long the last action took to ``stats``, in nanoseconds by path."""
        raise NotImplementedError(f"{type(self).__name__} does not say how long it took.")


class CheckpointManager(_Metadata):
    """Saves and loads the global workspace of one node.

    Its methods make tasks, which a session then runs.

    Args:
        db_prefix: The folder of the checkpoints.
        node_name: The node, whose name begins the file names.
        db_type: The kind of database: minidb, ...
        metadata_handler: Keeps track of checkpoints, see ``get_resume_from_epoch_id`` and the methods beside it.
    """

    BLOB_NAMES = "blob_names"

    def __init__(self, db_prefix: str, node_name: str, db_type: str, metadata_handler: Any = None) -> None:
        super().__init__(db_prefix, db_type, metadata_handler)
        self._node_name = node_name
        # The marks sort before any other name.
        self._net = Net("!!checkpoint_mngr")
        self._blob_names = self._net.AddExternalInput(self.BLOB_NAMES)
        self._names_output: TaskOutput | None = None
        self._current_db_name: str | None = None
        self._current_checkpoint_duration: TaskOutput | None = None

    def _checkpointed(self, nodes: Sequence[Any]) -> list[str]:
        return [str(self._node_name)]

    def _path(self, epoch: int, path_prefix: str | None = None) -> str:
        return db_name(epoch, self._node_name, self._db_prefix, path_prefix)

    def init(
        self,
        nodes: Sequence[Any] | None = None,
        retrieve_from_epoch: int | None = None,
        path_prefix: str | None = None,
        path_type: str | None = None,
    ) -> Task:
        """A task, to be run after a job's init group, that finds out which blobs there are to save.

        Args:
            nodes: The one node.
            retrieve_from_epoch: Takes their names from the checkpoint of this epoch, and not from the workspace.
            path_prefix: As for ``db_name``.
            path_type: The kind of that database, where it is another one.
        """
        if nodes is not None and len(nodes) != 1:
            raise AssertionError(f"CheckpointManager only supports single node, got {[*map(str, nodes)]}.")
        with Task(outputs=[self._blob_names]) as task:
            if retrieve_from_epoch is None:
                ops.GetAllBlobNames([], self._blob_names, include_shared=False)
            else:
                ops.Load(
                    [],
                    self._blob_names,
                    db=self._path(retrieve_from_epoch, path_prefix),
                    db_type=path_type or self._db_type,
                    absolute_path=True,
                    keep_device=True,
                )
        self._names_output = task.outputs()[0]
        return task

    def blob_list(self) -> list[str]:
        """The names of the blobs to save; the task of ``init`` must have run."""
        if self._names_output is None:
            raise AssertionError("init must be called first, and its task be run.")
        return [name.decode() for name in self._names_output.fetch().tolist()]

    def _timed_task(self, name: str, add_operator: Callable[[], object]) -> Task:
        with Task(name=name) as task:
            with ops.task_init():
                timer = ops.TimerBegin([], counter_name=self._node_name)
            add_operator()
            with ops.task_exit():
                duration = ops.TimerGetAndEnd(timer)
            self._current_checkpoint_duration = final_output(duration)
        return task

    def collect_checkpoint_stats(self, stats: dict[str, Any]) -> None:
        if self._current_db_name and self._current_checkpoint_duration:
            stats[self._current_db_name] = int(self._current_checkpoint_duration.fetch())

    def load(self, epoch: int, path_prefix: str | None = None, path_type: str | None = None) -> Task:
        """A task that loads all blobs of ``blob_list`` from the checkpoint of an epoch.

        Args:
            epoch: The epoch.
            path_prefix: As for ``db_name``.
            path_type: The kind of that database, where it is another one.
        """
        path, kind = self._path(epoch, path_prefix), path_type or self._db_type
        self._current_db_name = path
        return self._timed_task(
            "checkpoint_load",
            lambda: ops.Load([], _references(self.blob_list()), db=path, db_type=kind, absolute_path=True),
        )

    def load_blobs_from_checkpoint(self, blob_names: Sequence[str], epoch: int) -> Task:
        """A task that loads some blobs from the checkpoint of an epoch, as far as it has them."""
        path = self._path(epoch)
        self._current_db_name = path
        return self._timed_task(
            "checkpoint_partial_load",
            lambda: ops.Load(
                [],
                _references(blob_names),
                db=path,
                db_type=self._db_type,
                absolute_path=True,
                allow_incomplete=True,
            ),
        )

    def check_db_exists(self, epoch: int) -> Task:
        """A task whose output tells whether there is a checkpoint of an epoch."""
        with Task() as task:
            exists = ops.DBExists([], 1, db_name=self._path(epoch), db_type=self._db_type, absolute_path=True)
            task.add_output(exists)
        return task

    def load_blobs_locally(self, nodes: Sequence[Any], blob_names: Sequence[str], epoch: int, session: Session) -> bool:
        """Loads some blobs from the checkpoint of an epoch into the session's workspace; whether there is one."""
        asking = self.check_db_exists(epoch)
        session.run(asking)
        if not asking.outputs()[0].fetch():
            logger.info("There is no checkpoint %s.", self._path(epoch))
            return False
        session.run(self.load_blobs_from_checkpoint(blob_names, epoch))
        return True

    def save(self, epoch: int) -> Task:
        """A task that saves the blobs of ``blob_list`` as the checkpoint of an epoch."""
        path = self._path(epoch)
        self._current_db_name = path
        return self._timed_task(
            "checkpoint_save",
            lambda: ops.Save(_references(self.blob_list()), [], db=path, db_type=self._db_type, absolute_path=True),
        )


def _references(names: Sequence[str]) -> list[BlobReference]:
    """Names that are taken as they are, in whatever name scope."""
    return [BlobReference(name) for name in names]


class MultiNodeCheckpointManager(_Metadata):
    """Saves and loads the global workspaces of several nodes, each to a database of its own.

    Its methods make groups of tasks, which a session then runs.

    Args:
        db_prefix: The folder of the checkpoints.
        db_type: The kind of database: minidb, ...
        metadata_handler: Keeps track of checkpoints, see ``get_resume_from_epoch_id`` and the methods beside it.
    """

    def __init__(self, db_prefix: str, db_type: str, metadata_handler: Any = None) -> None:
        super().__init__(db_prefix, db_type, metadata_handler)
        self._node_managers: list[tuple[Any, CheckpointManager]] | None = None

    def _managers(self) -> list[tuple[Any, CheckpointManager]]:
        if self._node_managers is None:
            raise AssertionError("init must be called first.")
        return self._node_managers

    def _task_group(self, build: Callable[[CheckpointManager], object]) -> TaskGroup:
        with TaskGroup(WorkspaceType.GLOBAL) as group:
            for node, manager in self._managers():
                with Node(str(node)):
                    build(manager)
        return group

    def _start(self, nodes: Sequence[Any]) -> bool:
        """Makes the managers of the nodes; false where they were there already."""
        if self._node_managers is not None:
            before = [str(node) for node, _ in self._node_managers]
            if before != [str(node) for node in nodes]:
                raise AssertionError(f"The nodes were {before}; now they are {[*map(str, nodes)]}.")
            return False
        self._node_managers = [(node, CheckpointManager(self._db_prefix, str(node), self._db_type)) for node in nodes]
        return True

    def init(
        self,
        nodes: Sequence[Any],
        retrieve_from_epoch: int | None = None,
        path_prefix: str | None = None,
        path_type: str | None = None,
    ) -> TaskGroup:
        """Tasks, to be run after a job's init group, that find out which blobs there are to save.

        Args:
            nodes: The nodes.
            retrieve_from_epoch: Takes their names from the checkpoints of this epoch, and not from the workspaces.
            path_prefix: As for ``db_name``.
            path_type: The kind of those databases, where it is another one.
        """
        if not self._start(nodes):
            return TaskGroup(WorkspaceType.GLOBAL)
        return self._task_group(
            lambda manager: manager.init(
                nodes=[manager._node_name],
                retrieve_from_epoch=retrieve_from_epoch,
                path_prefix=path_prefix,
                path_type=path_type,
            )
        )

    def load(self, epoch: int, path_prefix: str | None = None, path_type: str | None = None) -> TaskGroup:
        """Tasks that load all blobs from the checkpoints of an epoch.

        Args:
            epoch: The epoch.
            path_prefix: As for ``db_name``.
            path_type: The kind of those databases, where it is another one.
        """
        return self._task_group(lambda manager: manager.load(epoch, path_prefix=path_prefix, path_type=path_type))

    def load_blobs_locally(self, nodes: Sequence[Any], blob_names: Sequence[str], epoch: int, session: Session) -> bool:
        """Loads some blobs from the checkpoints of an epoch, of all nodes, into the session's workspace.

        Returns:
            Whether there is a checkpoint of every node; where not, nothing of the nodes after it is loaded.
        """
        self._start(nodes)
        return all(manager.load_blobs_locally([node], blob_names, epoch, session) for node, manager in self._managers())

    def get_ckpt_db_name(self, node_name: str, epoch: int) -> str | None:
        """The path of the checkpoint of a node; ``None`` where there is no such node."""
        for node, manager in self._managers():
            if str(node) == node_name:
                return manager._path(epoch)
        return None

    def collect_checkpoint_stats(self, stats: dict[str, Any]) -> None:
        for _, manager in self._managers():
            manager.collect_checkpoint_stats(stats)

    def save(self, epoch: int) -> TaskGroup:
        """Tasks that save the blobs of all nodes as the checkpoints of an epoch."""
        return self._task_group(lambda manager: manager.save(epoch))
