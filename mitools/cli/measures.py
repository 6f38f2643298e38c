"""``mitools measures``: what a representation can be measured by."""

from typing import Annotated

import typer

from mitools.cli.console import JsonOption, out, print_json, print_table

app = typer.Typer(help="Look at what representations are measured by.", rich_markup_mode=None)


@app.callback()
def measures() -> None:
    """Take the options that stand before a command."""


@app.command("list")
def list_command(
    pattern: Annotated[str, typer.Argument(help="Shell-style, such as nc* or '*rank*'.")] = "*",
    json: JsonOption = False,
) -> int:
    """List measures: what each says, which values are better, from what they are read, and at what cost."""
    from mitools.core.errors import InputError
    from mitools.core.names import nearest
    from mitools.lists import list_measures
    from mitools.measures.registry import MEASURES

    found = [MEASURES[name] for name in list_measures(pattern)]
    if not found:
        raise InputError(f"no measure is like {pattern!r}; did you mean {nearest(pattern, MEASURES)}?")
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
    )
    for measure in found:
        out.print(f"{measure.name}: {measure.what} ({measure.source})", markup=False)
    return 0
