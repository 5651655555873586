"""Which boxes of a net are shown: its operators, or closed groups of them, along its scopes and names.

A small net is shown whole; scopes that the user closed are one box each.  A large net starts closed,
and is opened from the outside in while there is room; what the user opened or closed since counts first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from c2lab.graph.view import ViewNode, branch_of, children_of

MOST_BOXES = 60
"""A large net's first view has at most this many boxes."""

_RUN = 3
"""So many neighbours that look alike are folded into one group."""


@dataclass
class Group:
    """Operators that can stand in one box."""

    path: str
    label: str
    members: tuple[int, ...]
    depth: int = 0
    parts: list[Group] | None = None
    repeats: int = 1
    """How many blocks that look alike are inside, where it is made of such."""


@dataclass
class Shown:
    """What is on the canvas: operators, closed groups, and the frames of open ones."""

    operators: list[int] = field(default_factory=list)
    closed: list[Group] = field(default_factory=list)
    open: list[Group] = field(default_factory=list)


def shown(
    nodes: Sequence[ViewNode],
    *,
    closed: Collection[str],
    opened: Collection[str],
    fold_above: int,
    most: int = MOST_BOXES,
) -> Shown:
    """What is shown of operators.

    Args:
        nodes: The operators, in running order.
        closed, opened: Paths of groups that the user closed and opened.
        fold_above: Nets with more operators than this start closed.
        most: How many boxes there may be before the user opens more.
    """
    if len(nodes) <= fold_above:
        return _small(nodes, closed)
    tree = _Tree(nodes)
    root = Group("", "", tuple(range(len(nodes))))
    by_default = _opened_by_default(tree, root, most)
    result = Shown()

    def walk(group: Group) -> None:
        for part in tree.parts(group):
            if len(part.members) == 1:
                result.operators.append(part.members[0])
            elif part.path in opened or (part.path in by_default and part.path not in closed):
                result.open.append(part)
                walk(part)
            else:
                result.closed.append(part)

    walk(root)
    return result


def _small(nodes: Sequence[ViewNode], closed: Collection[str]) -> Shown:
    result = Shown()
    groups: dict[str, list[int]] = {}
    frames: dict[str, list[int]] = {}
    for position, node in enumerate(nodes):
        scopes = list(_scopes(node.scope))
        outermost = next((scope for scope in scopes if scope in closed), None)
        if outermost is None:
            result.operators.append(position)
            for scope in scopes:
                frames.setdefault(scope, []).append(position)
        else:
            groups.setdefault(outermost, []).append(position)
            for scope in scopes[: scopes.index(outermost)]:
                frames.setdefault(scope, []).append(position)
    result.closed = [Group(path, path.rpartition("/")[2], tuple(members)) for path, members in groups.items()]
    result.open = [Group(path, path.rpartition("/")[2], tuple(members)) for path, members in frames.items()]
    return result


def _scopes(scope: str) -> Iterator[str]:
    """A scope's path, from the outermost inwards."""
    parts = scope.split("/") if scope else []
    for end in range(1, len(parts) + 1):
        yield "/".join(parts[:end])


class _Tree:
    """The groups of a net; parts of a group are found when they are asked for."""

    def __init__(self, nodes: Sequence[ViewNode]) -> None:
        self.nodes = nodes
        self.branches = [branch_of(node) for node in nodes]
        self.sides = [(node.gradient, node.update) for node in nodes]

    def parts(self, group: Group) -> list[Group]:
        if group.parts is None:
            group.parts = self._split(group)
        return group.parts

    def _split(self, group: Group) -> list[Group]:
        depth, found = children_of(self.branches, self.sides, group.depth, group.members)
        parts = [
            Group(self._path(group, label, members), label, members, depth + 1)
            for label, members in sorted(found, key=lambda item: item[1][0])
        ]
        parts = self._repeats_folded(group, parts)
        if len(parts) <= MOST_BOXES:
            return parts
        size = -(-len(parts) // (MOST_BOXES // 2))
        slices = [parts[i : i + size] for i in range(0, len(parts), size)]
        return [self._slice(group, number, inside) for number, inside in enumerate(slices)]

    def _path(self, group: Group, label: str, members: tuple[int, ...]) -> str:
        gradient, update = self.sides[members[0]]
        side = "~update" if update else "~gradient" if gradient else ""
        stem = group.path.partition("~")[0]
        # A group that has the same label as the one around it is still another group.
        return f"{label or members[0]}{side}" if (label or str(members[0])) != stem else f"{label}.{side}"

    def _slice(self, group: Group, number: int, inside: list[Group]) -> Group:
        members = tuple(member for part in inside for member in part.members)
        if len(inside) == 1:
            return inside[0]
        first, last = (self.nodes[m] for m in (members[0], members[-1]))
        label = f"{_name(first)} … {_name(last)}"
        return Group(f"{group.path}#{number}", label, members, group.depth, parts=inside)

    def _repeats_folded(self, group: Group, parts: list[Group]) -> list[Group]:
        """Runs of neighbours that look alike, as one group each."""
        if len(parts) <= 8:
            return parts
        kinds = [self._kind(part) for part in parts]
        result: list[Group] = []
        start = 0
        while start < len(parts):
            end = start
            while end < len(parts) and kinds[end] == kinds[start] and len(parts[start].members) > 1:
                end += 1
            run = parts[start : max(end, start + 1)]
            if len(run) >= _RUN:
                members = tuple(member for part in run for member in part.members)
                label = f"{run[0].label} … {run[-1].label.rpartition('/')[2]}"
                path = f"{run[0].path}×{len(run)}"
                result.append(Group(path, label, members, group.depth, parts=run, repeats=len(run)))
            else:
                result.extend(run)
            start += len(run)
        return result

    def _kind(self, group: Group) -> frozenset[tuple[str, int]]:
        return frozenset(Counter(self.nodes[member].type for member in group.members).items())


def _name(node: ViewNode) -> str:
    return (node.outputs or (node.type,))[0]


def _opened_by_default(tree: _Tree, root: Group, most: int) -> set[str]:
    """The groups that are open at first: from the outside in, the biggest first, while there is room."""
    opened: set[str] = set()
    waiting = list(tree.parts(root))
    boxes = len(waiting)
    while waiting:
        size = max(len(group.members) for group in waiting)
        if size == 1:
            break
        # Groups of one size are opened all or none, so that repeated blocks look alike.
        largest = [group for group in waiting if len(group.members) == size]
        waiting = [group for group in waiting if len(group.members) < size]
        more = sum(len(tree.parts(group)) - 1 for group in largest)
        if boxes + more > most:
            continue
        boxes += more
        for group in largest:
            opened.add(group.path)
            waiting.extend(tree.parts(group))
    return opened
