"""The command line: ``c2lab lab``, ``c2lab demo``, ``c2lab run``, ``show``, ``summary``, ``docs``.

Each command imports what it needs when it runs, so that ``c2lab --help`` answers at once.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from c2lab.errors import C2LabError

TUTORIALS_COPY = "c2lab-tutorials"
WRONG_USE = 2  # the exit code for errors that the user can mend


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; errors are one line on stderr."""
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command is not lab:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    options.rest = rest
    try:
        options.command(options)
    except (C2LabError, OSError) as problem:
        print(f"c2lab: {_one_line(problem)}", file=sys.stderr)
        return WRONG_USE
    except KeyboardInterrupt:
        print("c2lab: stopped", file=sys.stderr)
        return 130
    return 0


def lab(options: argparse.Namespace) -> None:
    """Opens JupyterLab on a writable copy of the tutorials, at the first one."""
    try:
        from jupyterlab.labapp import LabApp
    except ImportError as problem:
        raise C2LabError(f'JupyterLab is missing ({problem}); get it with: pip install "c2lab[lab]"') from problem

    folder = Path(TUTORIALS_COPY)
    first = copy_tutorials(folder)
    print(f"The tutorials are in {folder}; what you change there stays.", flush=True)
    arguments = [f"--ServerApp.root_dir={folder.resolve()}", f"--LabApp.default_url=/lab/tree/{first.name}"]
    if getattr(os, "geteuid", lambda: 1)() == 0:
        # In a container the only user is often root, whom JupyterLab would send away.
        arguments.append("--allow-root")
    if options.no_browser:
        arguments.append("--no-browser")
    if options.port is not None:
        arguments.append(f"--port={options.port}")
    LabApp.launch_instance(argv=arguments + options.rest)


def copy_tutorials(folder: Path) -> Path:
    """Copies the tutorials into ``folder``, except those already there; returns the first one."""
    notebooks = sorted(_tutorials().glob("*.ipynb"))
    if not notebooks:
        raise C2LabError(f"no tutorials in {_tutorials()}; install c2lab again")
    folder.mkdir(parents=True, exist_ok=True)
    for notebook in notebooks:
        target = folder / notebook.name
        if not target.exists():
            shutil.copyfile(notebook, target)
    return folder / notebooks[0].name


def _tutorials() -> Path:
    """The tutorials inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    installed = package / "tutorials"
    return installed if installed.is_dir() else package.parent / "tutorials"


def demo(options: argparse.Namespace) -> None:
    """Trains LeNet on handwritten digits and leaves the model and its curves in a folder."""
    from c2lab.training import lenet_demo

    lenet_demo.run(options.out, data=options.data, data_dir=options.data_dir, epochs=options.epochs, seed=options.seed)


def run(options: argparse.Namespace) -> None:
    """Runs a script that imports ``caffe2.python``, on c2lab."""
    import runpy

    from c2lab.compat import caffe2

    if not options.script.is_file():
        raise FileNotFoundError(2, "No such file", str(options.script))
    caffe2.install()
    sys.argv = [str(options.script), *options.arguments]
    sys.path.insert(0, str(options.script.resolve().parent))
    try:
        runpy.run_path(str(options.script), run_name="__main__")
    except (C2LabError, OSError) as problem:
        # An error of the script is the script's: it deserves its traceback.
        sys.excepthook(type(problem), problem, problem.__traceback__)
        raise SystemExit(1) from None


def show(options: argparse.Namespace) -> None:
    """Prints a net operator by operator, or draws it."""
    from c2lab.predictor.files import read_net, write_whole

    net = read_net(options.file)
    if options.svg is None and options.html is None:
        from google.protobuf import text_format

        print(text_format.MessageToString(net), end="")
        return
    from c2lab.graph import drawing, html_page
    from c2lab.graph.view import NetView

    if options.svg is not None:
        write_whole(options.svg, drawing.draw(NetView.of(net)).encode())
        print(f"{options.svg}: {len(net.op)} operators")
    if options.html is not None:
        write_whole(options.html, html_page.html_page(net).encode())
        print(f"{options.html}: {len(net.op)} operators")


def summary(options: argparse.Namespace) -> None:
    """Prints a table of operators, shapes and parameters."""
    from c2lab.graph.summary import summary
    from c2lab.predictor.files import read_net

    print(summary(read_net(options.file)))


def docs(options: argparse.Namespace) -> None:
    """Writes the operator catalogue, a page an operator."""
    from c2lab import catalogue

    print(f"{options.out}: {catalogue.write(options.out)} operators")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="c2lab", description="Caffe2's nets and workspaces, run by JAX and XLA.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(command) -> argparse.ArgumentParser:
        name = command.__name__
        added = commands.add_parser(name, help=command.__doc__, description=command.__doc__, allow_abbrev=False)
        added.set_defaults(command=command)
        return added

    lab_parser = add(lab)
    lab_parser.add_argument("--no-browser", action="store_true", help="only print the address (for servers)")
    lab_parser.add_argument(
        "--port", type=int, metavar="N", help="port to listen on (default: the first free from 8888)"
    )
    lab_parser.epilog = "Other arguments are handed to JupyterLab."

    demo_parser = add(demo)
    demo_parser.add_argument(
        "--out", type=Path, default=Path("c2lab-demo"), metavar="FOLDER", help="default: ./%(default)s"
    )
    demo_parser.add_argument("--data", choices=("digits", "mnist"), default="digits", help="default: %(default)s")
    demo_parser.add_argument("--data-dir", type=Path, metavar="D", help="folder of the four MNIST files")
    demo_parser.add_argument("--epochs", type=_positive, metavar="N", help="passes over the training pictures")
    demo_parser.add_argument("--seed", type=int, default=0, metavar="S", help="same seed, same numbers (default: 0)")

    run_parser = add(run)
    run_parser.add_argument("script", type=Path)
    run_parser.add_argument("arguments", nargs=argparse.REMAINDER, help="handed to the script")

    show_parser = add(show)
    show_parser.add_argument("file", type=Path, help="a net: .pb or .pbtxt")
    show_parser.add_argument("--svg", type=Path, metavar="OUT", help="draw it into this file")
    show_parser.add_argument("--html", type=Path, metavar="OUT", help="write a page with its picture and its table")

    summary_parser = add(summary)
    summary_parser.add_argument("file", type=Path, help="a net: .pb or .pbtxt")

    docs_parser = add(docs)
    docs_parser.add_argument("out", type=Path, metavar="OUT", help="folder for the pages")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def _one_line(problem: Exception) -> str:
    if isinstance(problem, OSError) and problem.strerror:
        return f"{problem.filename}: {problem.strerror}" if problem.filename else problem.strerror
    return " ".join(str(problem).split())


if __name__ == "__main__":
    sys.exit(main())
