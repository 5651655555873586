"""The house's rules, checked by reading the source: who imports whom, what is documented, how things are named."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "c2lab"
NOT_OURS = {"node_modules", "static", "__pycache__", ".ipynb_checkpoints", "recorded", "tutorials-copy"}

# Who may import whom: only rooms of a lower level, the own room, and the neighbours named below.
LEVELS = {
    "proto": 0, "errors": 0, "events": 0, "origins": 0,
    "operators": 1, "storage": 1,
    "graph": 2,
    "backend": 3, "core": 3, "nets": 3, "parameters": 3, "plan": 3,
    "control": 4,
    "workspace": 4, "brew": 4, "brew_layers": 4, "model_helper": 4, "optimizer": 4, "optimizers": 4,
    "builder": 5, "predictor": 5, "data": 5, "training": 5, "interchange": 5, "compat": 5, "jobs": 5, "sequences": 5,
    "widgets": 6,
    "eager": 5, "catalogue": 5,
    "__init__": 7, "__main__": 7,
}  # fmt: skip
NEIGHBOURS = {
    ("control", "workspace"): "sessions run in a workspace",
    ("core", "nets"): "core is the face of the room nets",
    ("core", "plan"): "core offers Plan and ExecutionStep under their old names",
    ("plan", "nets"): "steps hold nets",
    ("parameters", "nets"): "parameters are blobs that nets fill",
    ("brew", "brew_layers"): "brew is a namespace over its layers",
    ("brew", "model_helper"): "the first argument of a layer is a model",
    ("brew_layers", "brew"): "whole networks are made of brew's layers",
    ("optimizer", "workspace"): "the learning rate of a running net is changed in the workspace",
    ("model_helper", "brew_layers"): "a model reads its samples with a layer",
    ("optimizer", "optimizers"): "optimizer is a namespace over its builders",
    ("operators", "storage"): "Save, Load and the readers are operators over databases",
    ("compat", "predictor"): "old names of the exporters are served by theirs",
    ("builder", "data"): "inputs of a canvas are fed with the sample sets",
    ("catalogue", "eager"): "pages show their examples run",
    ("training", "data"): "the demo trains on the sample sets",
    ("training", "predictor"): "the demo leaves a model folder",
}


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if not NOT_OURS & set(path.parts))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> Iterator[tuple[str, int]]:
    """Every room of ours that a module imports, also inside functions, with the line."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            dotted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)}:{node.lineno}: imports are absolute"
            dotted = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for full in dotted:
            first, *rest = full.split(".")
            if first == "c2lab":
                yield (rest[0] if rest else "__init__"), node.lineno


@pytest.mark.parametrize("path", modules(), ids=name)
def test_imports_go_downwards(path):
    importer = room(path)
    assert importer in LEVELS, f"{importer} is a new room: give it a level"
    for imported, line in imported_rooms(path):
        if imported.startswith("_") and imported != "__init__":
            continue
        assert imported in LEVELS, f"{name(path)}:{line} imports c2lab.{imported}, a room without a level"
        allowed = imported == importer or LEVELS[imported] < LEVELS[importer] or (importer, imported) in NEIGHBOURS
        assert allowed, (
            f"{name(path)}:{line}: {importer} (level {LEVELS[importer]}) imports {imported} (level {LEVELS[imported]})"
        )


@pytest.mark.parametrize("module", ["c2lab", "c2lab.core", "c2lab.__main__"])
def test_importing_needs_no_jax(module):
    code = f"import sys, {module}; sys.exit(any(heavy in sys.modules for heavy in ('jax', 'anywidget', 'matplotlib')))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def public_definitions(path: Path) -> Iterator[tuple[str, ast.AST]]:
    tree = ast.parse(path.read_text())
    yield "the module", tree
    for node in tree.body:
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) or node.name.startswith("_"):
            continue
        yield node.name, node
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef) and not member.name.startswith("_"):
                    yield f"{node.name}.{member.name}", member


def is_accessor(node: ast.AST) -> bool:
    """A setter or an overload: its documentation stands at the first definition."""
    decorators = [ast.unparse(decorator) for decorator in getattr(node, "decorator_list", [])]
    return any(text.endswith((".setter", ".deleter", "overload")) for text in decorators)


def inherits_documentation(path: Path, what: str) -> bool:
    """A method that overrides one which is documented where it is declared."""
    owner, _, method = what.partition(".")
    if not method:
        return False
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    return bool(inspect.getdoc(getattr(getattr(module, owner), method)))


@pytest.mark.parametrize("path", modules(), ids=name)
def test_every_public_name_is_documented(path):
    silent = [
        what
        for what, node in public_definitions(path)
        if not ast.get_docstring(node) and not is_accessor(node) and not inherits_documentation(path, what)
    ]
    assert not silent, f"{name(path)} does not document {', '.join(silent)}"


def our_files() -> list[Path]:
    folders = ("c2lab", "tests", "docs", "tutorials", "benchmarks", "binder", ".ci", ".github")
    inside = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    return sorted(p for p in [*ROOT.iterdir(), *inside] if p.is_file() and not NOT_OURS & set(p.parts))


def test_no_file_is_named_after_nothing():
    empty = re.compile(r"(utils?|helpers?|common|misc)(\.|$)")
    bad = [name(path) for path in our_files() if any(empty.match(part) for part in path.relative_to(ROOT).parts)]
    assert not bad, f"names that say nothing: {bad}"


# Longer than a comfortable read, each with the reason.
LONGEST = 400
LONG_FILES: dict[str, str] = {
    "c2lab/workspace.py": "Caffe2's functions over the current workspace: a flat list of one-line functions",
}


def test_files_stay_a_comfortable_read():
    sources = [path for path in our_files() if path.suffix in {".py", ".ts", ".tsx"}]
    lines = {name(path): len(path.read_text().splitlines()) for path in sources}
    long = {file: count for file, count in lines.items() if count > LONGEST}
    assert long.keys() <= LONG_FILES.keys(), f"over {LONGEST} lines: {long}"
    assert long.keys() >= LONG_FILES.keys(), "LONG_FILES names files that are short by now"


def test_no_text_names_a_place_on_some_machine():
    private = re.compile(r"(?<![\w.~$}])/(?:" + "|".join(["work", "root", "farm", "home/[a-z]+/(?!c2lab)"]) + r")/")
    texts = {".py", ".md", ".toml", ".yml", ".yaml", ".ts", ".tsx", ".ipynb", ".txt", ".json", ".svg", ""}
    for path in our_files():
        if path.suffix in texts and path.name != ".git":
            found = private.search(path.read_text(errors="replace"))
            assert not found, f"{name(path)} names {found and found.group()}"


# Modules without a test file of their own, each with what proves it instead; and tests of several modules.
PROVEN_ELSEWHERE: dict[str, str] = {
    "data/sample_set.py": "a tuple of four arrays; tests/data/test_digits.py and test_mnist.py check what is in it",
}
ACROSS_MODULES: dict[str, str] = {
    "tests/compat/test_old_scripts.py": "whole scripts, as they were written for the original",
    "tests/control/test_random_programs.py": "random programs of loops and branches, values and gradients",
    "tests/control/test_whole_programs.py": "builders, tasks and sessions together",
    "tests/test_messages.py": "what errors say, wherever they come from",
    "tests/operators/test_every_operator.py": "one list of checks over the whole registry",
    "tests/operators/test_onnx_cases.py": "the node cases of ONNX, over many families",
    "tests/operators/test_recorded.py": "the recorded calls of the original, over the whole registry",
    "tests/test_house.py": "the house's rules",
    "tests/tutorials/test_notebooks.py": "the tutorials are no modules",
    "tests/widgets/test_net_builder_lab.py": "the builder in JupyterLab, from end to end",
    "tests/widgets/test_net_builder_page.py": "the canvas in a browser, with a real builder behind it",
    "tests/widgets/test_net_builder_panels.py": "the panels of the canvas in a browser, by mouse",
    "tests/widgets/test_training_panel_page.py": "the training panel in a browser, with a real run behind it",
    "tests/widgets/test_net_builder_views.py": "what the canvas shows in a browser, with a real builder behind it",
}


def test_tests_mirror_the_tree():
    expected = {}
    for path in modules():
        relative = path.relative_to(PACKAGE)
        if path.name != "__init__.py" and "proto" not in relative.parts[:1]:
            expected[str(relative)] = ROOT / "tests" / relative.with_name(f"test_{path.stem.strip('_')}.py")
    untested = {module for module, test in expected.items() if not test.exists() and module not in PROVEN_ELSEWHERE}
    assert not untested, f"modules without a test: {sorted(untested)}"
    tests = {name(path) for path in (ROOT / "tests").rglob("test_*.py")}
    strangers = tests - {name(test) for test in expected.values()} - ACROSS_MODULES.keys()
    assert not strangers, f"tests of no module: {sorted(strangers)}"
