"""The entry point: the commands, and how every one of them ends."""

import errno
import os
import shlex
import signal
import sys
from typing import Annotated

import typer

from mitools.cli import datasets, encoders, measures, study
from mitools.cli.cite import cite
from mitools.cli.console import err, note, set_verbosity
from mitools.cli.demo import demo
from mitools.cli.guide import guide
from mitools.cli.limits import too_little
from mitools.cli.measuring.audit import audit
from mitools.cli.measuring.calibrate import calibrate
from mitools.cli.measuring.correlate import correlate
from mitools.cli.measuring.estimate import estimate
from mitools.cli.measuring.plane import plane
from mitools.cli.measuring.same_class import same_class
from mitools.cli.measuring.variables import variables
from mitools.cli.measuring.views import views
from mitools.cli.run import run_analysis
from mitools.cli.terminal.command import PROGRAM, Command
from mitools.cli.train import train
from mitools.core.errors import EngineLostError, InputError, lacks_memory, notes_to, reason_of
from mitools.core.files import FULL_DISK
from mitools.core.run_record import command_line

DONE, PARTLY_FAILED, WRONG_REQUEST, INTERRUPTED = 0, 1, 2, 130

app = typer.Typer(
    name="mitools",
    help="Mutual information that can be trusted: bounds with their kind, ceiling, interval and null.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from mitools import __version__

        print(f"mitools {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version."),
    ] = False,
    quiet: Annotated[
        bool, typer.Option("-q", "--quiet", help="Print results, warnings and errors alone.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Print every step, with its time, on stderr.")
    ] = False,
) -> None:
    """Take the options that stand before a command."""
    set_verbosity(verbose - quiet)


app.command("demo", cls=Command)(demo)
app.command("guide", cls=Command)(guide)
app.command("audit", cls=Command)(audit)
app.command("same-class", cls=Command)(same_class)
app.command("estimate", cls=Command)(estimate)
app.command("calibrate", cls=Command)(calibrate)
app.command("correlate", cls=Command)(correlate)
app.command("train", cls=Command)(train)
app.command("plane", cls=Command)(plane)
app.command("variables", cls=Command)(variables)
app.command("views", cls=Command)(views)
app.command("run", cls=Command)(run_analysis)
app.command("cite", cls=Command)(cite)
app.add_typer(study.app, name="study")
app.add_typer(encoders.app, name="encoders")
app.add_typer(datasets.app, name="datasets")
app.add_typer(measures.app, name="measures")

ANYWHERE = ("-q", "--quiet", "-v", "--verbose")
"""Options that may stand behind a command as well as before it."""


def main() -> None:
    """Run a command; end with 0 done, 1 some parts failed, 2 the request was wrong, 130 interrupted."""
    # What a scheduler sends before it kills ends a command as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run a command and return its exit code; every error is a single line on stderr."""
    short = too_little()
    if short is not None:
        return _stop(short, WRONG_REQUEST)
    try:
        moved = _moved_to_front(arguments)
        command_line.set(shlex.join([PROGRAM, *arguments]))
        with notes_to(lambda told: note(f"note: {told}")):
            code = int(app(moved or ["--help"], prog_name=PROGRAM, standalone_mode=False) or DONE)
    except typer.TyperException as error:
        place = " ".join([PROGRAM, *_commands_in(arguments)])
        said = _in_words(error).rstrip(".")
        return _stop(f"{said}{'' if said.endswith('?') else ';'} see `{place} --help`", WRONG_REQUEST)
    except InputError as error:
        return _stop(str(error), WRONG_REQUEST)
    except EngineLostError as error:
        return _stop(str(error), PARTLY_FAILED)
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # who read the output has seen enough (| head)
            return DONE
        raise
    except (MemoryError, ImportError, RuntimeError) as error:
        if not lacks_memory(error):
            raise
        asked = f" ({reason_of(error, 120)})" if str(error) else ""
        remedy = "take fewer items or columns, or raise the limit (ulimit -v)"
        return _stop(f"there is not enough memory{asked}; {remedy}", WRONG_REQUEST)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        if isinstance(error, NotADirectoryError | IsADirectoryError | FileExistsError):
            where += "; a file lies where a folder is needed, or a folder where a file is: give another path"
        if error.errno in (errno.EMFILE, errno.ENFILE):
            where += "; raise the limit (ulimit -n)"
        full = error.errno in FULL_DISK
        return _stop(f"{error.strerror or error}{where}", PARTLY_FAILED if full else WRONG_REQUEST)
    if code == INTERRUPTED:
        return _stop(
            "stopped; nothing is half-written, and the same command goes on with what was kept", code
        )
    return code


def _in_words(error: typer.TyperException) -> str:
    """Write what the parser of the command line refuses."""
    said = error.format_message().removeprefix("Invalid value: ").replace("Value error, ", "")
    if close := getattr(error, "possibilities", None):  # of an unknown option
        first = said.partition(" (")[0]
        return f"{first}. Did you mean '{close[0]}'?" if close[0] != "--help" else first
    return said


def _moved_to_front(arguments: list[str]) -> list[str]:
    """Put ``-q`` and ``-v`` before the command, wherever they stand."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    said = [one for one in arguments[:end] if one in ANYWHERE]
    return [*said, *(one for one in arguments[:end] if one not in ANYWHERE), *arguments[end:]]


def _commands_in(arguments: list[str]) -> list[str]:
    """Name the command that the arguments begin with, and the command within it."""
    names: list[str] = []
    commands = getattr(typer.main.get_command(app), "commands", {})
    for one in _moved_to_front(arguments):
        if one in commands:
            names.append(one)
            commands = getattr(commands[one], "commands", {})
        elif not one.startswith("-"):
            break
    return names


def _stop(message: str, code: int) -> int:
    err.print("error: " + " ".join(message.split()), markup=False)
    return code
