"""Nodes and clusters."""

from __future__ import annotations

import pytest

from c2lab.control.nodes import Cluster, Node


def test_a_cluster_knows_the_nodes_made_inside_it():
    Node.current()  # the first look makes the default one
    with Cluster() as cluster:
        with Node("a", gpus=2):
            assert str(Node.current()) == "a"
        Node("b")
        Node("a", memory=1)
    assert cluster.nodes() == ["a", "b"]
    assert cluster.node_kwargs() == {"a": {"gpus": 2, "memory": 1}, "b": {}}


def test_what_is_known_of_a_node_does_not_change():
    with Cluster():
        Node("a", gpus=2)
        with pytest.raises(AssertionError, match="gpus=3, but before gpus=2"):
            Node("a", gpus=3)


def test_without_a_node_things_are_local():
    Node.current()
    with Cluster() as cluster:
        assert str(Node.current(Node("here"))) == "here"
        assert Node("here").kwargs() == {}
    assert cluster.nodes() == ["here"]
    assert Node().kwargs() == {}
    assert str(Node()) == "local"
