"""``mitools measures``: what an audit, a study or a plane can measure."""

import typer

from mitools.cli.console import JsonOption
from mitools.cli.terminal.command import Command, Group
from mitools.cli.terminal.listing import PatternArgument, print_list

app = typer.Typer(help="What can be measured.", cls=Group, rich_markup_mode=None)


@app.callback()
def measures() -> None:
    """Look at what can be measured."""


@app.command("list", cls=Command)
def list_command(pattern: PatternArgument = "*", json: JsonOption = False) -> int:
    """List the measures by the names that studies, recipes and tables use, and what each is."""
    from mitools.lists import list_measures
    from mitools.measures.registry import MEASURES

    rows = [
        [name, MEASURES[name].what, MEASURES[name].unit, ", ".join(MEASURES[name].tables)]
        for name in list_measures(pattern)
    ]
    return print_list(rows, ["measure", "what it is", "unit", "read by"], pattern, json)
