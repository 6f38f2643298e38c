"""``mitools measures``: what a representation can be measured by."""

import typer

from mitools.cli.console import JsonOption, out, print_json, print_table
from mitools.cli.terminal.command import Command, Group
from mitools.cli.terminal.listing import PatternArgument, print_list

app = typer.Typer(help="What representations are measured by.", cls=Group, rich_markup_mode=None)


@app.callback()
def measures() -> None:
    """Look at what representations are measured by."""


@app.command("list", cls=Command)
def list_command(pattern: PatternArgument = "*", json: JsonOption = False) -> int:
    """List measures: what each says, which values are better, from what they are read, and at what cost."""
    from mitools.lists import list_measures
    from mitools.measures.registry import MEASURES

    found = [MEASURES[name] for name in list_measures(pattern)]
    if not found:
        return print_list([], [], pattern, json)
    if json:
        facts = ("name", "kind", "what", "unit", "direction", "range", "needs", "cost", "quick", "source",
                 "tables")  # fmt: skip
        print_json([{fact: getattr(measure, fact) for fact in facts} for measure in found])
        return 0
    print_table(
        ["measure", "better", "range", "needs", "cost", "quick"],
        [
            [
                measure.name,
                measure.direction,
                measure.range,
                ", ".join(measure.needs) or "-",
                measure.cost,
                "quick" if measure.quick else "",
            ]
            for measure in found
        ],
        file="--json",
    )
    out.print()
    for measure in found:
        out.print(f"{measure.name}: {measure.what} ({measure.source})", markup=False)
    return 0
