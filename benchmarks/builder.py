"""``python -m benchmarks.builder [--quick] [--json FILE]``: how quick the net builder's kernel side is.

Times are medians; the ones of layouts leave out the sizes of the boxes. Crossings and edge lengths are those of
straight lines between the boxes' centres, in boxes of the same sizes, for our layout and for Graphviz' ``dot``
where that is installed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from c2lab import core
from c2lab.brew_layers.networks import BUILDERS, create_lenet
from c2lab.builder.facts import facts_of
from c2lab.builder.session import Session, open_model
from c2lab.graph.document import Document
from c2lab.graph.layout import arrange, longest_path_ranks
from c2lab.graph.scene import scene_of
from c2lab.model_helper import ModelHelper

Size = tuple[float, float]
Edge = tuple[int, int]


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.builder", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there")
    options = parser.parse_args()
    rounds = 3 if options.quick else 9
    report: dict[str, Any] = {"scenes": scenes(rounds), "edits": edits(rounds), "layouts": layouts(rounds)}
    report["drawings"] = drawings(("lenet", "googlenet", "resnet50", "densenet121", "shufflenet"))
    _print("first scene", report["scenes"], "ms")
    _print("edit to scene and shapes", report["edits"], "ms")
    _print("layout of 5,000 operators", report["layouts"], "ms")
    print(
        f"\n{'':16}{'boxes':>7}{'wires':>7}{'crossings':>11}{'dot':>7}{'length':>10}{'dot':>10}{'seconds':>9}{'dot':>8}"
    )
    for row in report["drawings"]:
        dot = row.get("dot") or {}
        print(
            f"{row['net']:16}{row['boxes']:7}{row['edges']:7}{row['ours']['crossings']:11}"
            f"{dot.get('crossings', '-'):>7}{row['ours']['length']:10.0f}{_number(dot.get('length')):>10}"
            f"{row['ours']['seconds']:9.2f}{_number(dot.get('seconds'), 2):>8}"
        )
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")


def _print(heading: str, numbers: dict[str, float], unit: str) -> None:
    print(f"\n{heading}")
    for name, value in numbers.items():
        print(f"  {name:44}{value:9.1f} {unit}")


def _number(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def milliseconds(call: Callable[[], Any], rounds: int) -> float:
    """The median of some calls."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        call()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def chain(operators: int) -> core.Net:
    """A net of blocks in scopes, with branches that join again."""
    net = core.Net(f"chain{operators}")
    blob = "data"
    for block in range(operators // 5):
        scope = f"stage{block // 40}/block{block}"
        left = net.Relu(blob, f"{scope}/left")
        right = net.Sigmoid(blob, f"{scope}/right")
        right = net.Tanh(right, f"{scope}/inner")
        joined = net.Sum([left, right], f"{scope}/joined")
        blob = net.Copy(joined, f"{scope}/out")
    return net


def lenet() -> ModelHelper:
    """The smallest net worth looking at."""
    model = ModelHelper("lenet")
    scores = create_lenet(model, "data")
    model.SoftmaxWithLoss([scores, "label"], ["softmax", "loss"])
    return model


def scenes(rounds: int) -> dict[str, float]:
    """From a net to its first scene."""
    things = {"LeNet": lenet(), "500 operators": chain(500), "5,000 operators": chain(5000)}
    found = {}
    for name, thing in things.items():
        found[name] = milliseconds(lambda thing=thing: Session(open_model(thing)).closed().scene(), rounds)
    open_all = _fresh(Session(open_model(things["500 operators"])).closed().document)
    found["500 operators, every group open"] = milliseconds(
        lambda: scene_of(_fresh(open_all), fold_above=10**9), rounds
    )
    return found


def edits(rounds: int) -> dict[str, float]:
    """From an edit of a net of 100 operators to its new scene and shapes."""
    model = ModelHelper("edited")
    blob, channels = "data", 3
    from c2lab import brew

    for k in range(33):
        out = 16 + k  # no two layers alike: nothing is remembered from another layer
        blob = brew.conv(model, blob, f"conv{k}", channels, out, kernel=3, pad=1)
        blob = brew.spatial_bn(model, blob, f"bn{k}", out, is_test=False)
        blob = brew.relu(model, blob, f"relu{k}")
        channels = out
    model.net.Softmax(blob, "softmax")
    session = Session(model)
    session.handle({"command": "set_argument", "node": session_input(session), "name": "shape", "value": "N,3,64,64"})

    def shown() -> None:
        facts_of(session.document, session.version, session.scene())

    shown()
    found = {}
    sizes = iter(range(200, 200 + 10 * rounds))
    values = iter(range(1, 1000))

    def edit(**message: Any) -> None:
        assert session.handle(message)["ok"]
        shown()

    middle, first, last = session.document.ids[48], session.document.ids[0], session.document.ids[-2]
    found["an argument near the end"] = milliseconds(
        lambda: edit(command="set_argument", node=session.document.ids[96], name="pad", value=next(values) % 3), rounds
    )
    found["outputs of a layer in the middle"] = milliseconds(
        lambda: edit(command="set_argument", node=middle, name="dim_out", value=next(sizes)), rounds
    )
    found["outputs of the first layer"] = milliseconds(
        lambda: edit(command="set_argument", node=first, name="dim_out", value=next(sizes)), rounds
    )
    found["size of the input: every shape is another"] = milliseconds(
        lambda: edit(command="set_argument", node=session_input(session), name="shape", value=f"N,3,64,{next(sizes)}"),
        rounds,
    )
    found["an operator more at the end"] = milliseconds(
        lambda: edit(command="add", type="Relu", **{"from": last}), rounds
    )
    found["undo"] = milliseconds(lambda: edit(command="undo"), rounds)
    session.close()
    return found


def session_input(session: Session) -> str:
    """The id of the net's input."""
    return next(iter(session.document.outside()))


def layouts(rounds: int) -> dict[str, float]:
    """Ranks, and ordered layout, of 5,000 operators."""
    sizes, edges = boxes_of(Session(open_model(chain(5000))).closed().document)
    return {
        "ranks": milliseconds(lambda: longest_path_ranks(len(sizes), edges), rounds),
        "ordered layout": milliseconds(lambda: arrange(sizes, edges), rounds),
    }


def boxes_of(document: Document) -> tuple[list[Size], list[Edge]]:
    """The boxes and wires of a document, nothing folded."""
    scene = scene_of(document, fold_above=10**9)
    index = {node["id"]: k for k, node in enumerate(scene["nodes"])}
    sizes = [(node["w"], node["h"]) for node in scene["nodes"]]
    return sizes, list(dict.fromkeys((index[e["source"]], index[e["target"]]) for e in scene["edges"]))


def drawings(nets: Sequence[str]) -> list[dict[str, Any]]:
    """Crossings and edge lengths of whole networks, drawn by us and by dot."""
    rows = []
    for name in nets:
        model = ModelHelper(name)
        BUILDERS[name](model, "data", 3, 10)
        sizes, edges = boxes_of(Session(model).closed().document)
        started = time.perf_counter()
        layout = arrange(sizes, edges, gap_along=48, gap_across=28)
        ours = {"seconds": time.perf_counter() - started, **_measured(layout.positions, edges)}
        rows.append({"net": name, "boxes": len(sizes), "edges": len(edges), "ours": ours, "dot": by_dot(sizes, edges)})
    return rows


def by_dot(sizes: Sequence[Size], edges: Sequence[Edge]) -> dict[str, Any] | None:
    """The same boxes laid out by Graphviz; ``None`` where it is not installed."""
    dot = shutil.which("dot")
    if dot is None:
        return None
    lines = [f"{k} [width={w / 72:.4f} height={h / 72:.4f}];" for k, (w, h) in enumerate(sizes)]
    lines += [f"{a} -> {b};" for a, b in edges]
    head = f'nodesep={28 / 72:.4f}; ranksep={48 / 72:.4f}; node [shape=box fixedsize=true label=""];'
    started = time.perf_counter()
    drawn = subprocess.run(
        [dot, "-Tplain"], input=f"digraph {{ {head} {' '.join(lines)} }}", capture_output=True, text=True, check=True
    )
    seconds = time.perf_counter() - started
    places: list[Size] = [(0.0, 0.0)] * len(sizes)
    for line in drawn.stdout.splitlines():
        parts = line.split()
        if parts[0] == "node":
            places[int(parts[1])] = (float(parts[2]) * 72, float(parts[3]) * 72)
    return {"seconds": seconds, **_measured(places, edges)}


def _measured(places: Sequence[Size], edges: Sequence[Edge]) -> dict[str, Any]:
    """Crossings of straight lines between centres, and their length together."""
    length = sum(((places[a][0] - places[b][0]) ** 2 + (places[a][1] - places[b][1]) ** 2) ** 0.5 for a, b in edges)
    crossings = 0
    for i, (a, b) in enumerate(edges):
        for c, d in edges[:i]:
            if len({a, b, c, d}) == 4 and _cross(places[a], places[b], places[c], places[d]):
                crossings += 1
    return {"crossings": crossings, "length": length}


def _cross(a: Size, b: Size, c: Size, d: Size) -> bool:
    def side(p: Size, q: Size, r: Size) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0


def _fresh(document: Document) -> Document:
    return Document(document.net, document.init, document.parameters, document.canvas)


if __name__ == "__main__":
    main()
