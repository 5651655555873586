"""Where tasks run: nodes, and the cluster that they make up."""

from __future__ import annotations

from typing import Any

from c2lab.parameters.contexts import DefaultManaged


class Cluster(DefaultManaged):
    """The nodes that tasks were placed on inside its ``with`` block."""

    def __init__(self) -> None:
        self._nodes: dict[str, dict[str, Any]] = {}

    def add_node(self, node: Node) -> None:
        """Adds a node; what is known about it is joined with what was known before.

        Raises:
            AssertionError: A property of the node differs from before.
        """
        known = self._nodes.setdefault(str(node), {})
        for key, value in node.kwargs().items():
            if known.setdefault(key, value) != value:
                raise AssertionError(f"Node {node} is said to have {key}={value!r}, but before {key}={known[key]!r}.")

    def nodes(self) -> list[str]:
        """The names of the nodes, in the order in which they came up."""
        return list(self._nodes)

    def node_kwargs(self) -> dict[str, dict[str, Any]]:
        """What is known about each node."""
        return self._nodes

    def __repr__(self) -> str:
        return f"Cluster(nodes={self.nodes()}, node_kwargs={self._nodes})"


class Node(DefaultManaged):
    """A name of a place; tasks made inside its ``with`` block belong there.

    Args:
        node: The name.
        kwargs: What else is known about it.
    """

    def __init__(self, node: str = "local", **kwargs: Any) -> None:
        self._name = str(node)
        self._kwargs = kwargs
        Cluster.current().add_node(self)

    def kwargs(self) -> dict[str, Any]:
        """What is known about the node."""
        return self._kwargs

    def __str__(self) -> str:
        return self._name

    def __repr__(self) -> str:
        return f"Node(name={self._name}, kwargs={self._kwargs})"
