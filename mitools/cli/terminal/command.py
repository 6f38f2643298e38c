"""A command that shows examples, and says all that is missing at once."""

from typing import Any

import typer
import typer.core

from mitools.cli.terminal.examples import EXAMPLES
from mitools.core.errors import InputError

PROGRAM = "mitools"


class Command(typer.core.TyperCommand):
    """A command of ``mitools``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments, and name all required ones that are missing, not only the first.

        Raises
        ------
        InputError
            When some are missing.
        """
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except typer.TyperException as error:
            missing = self._missing(ctx, given)
            if getattr(error, "param", None) not in missing:
                raise
            path = _path(ctx)
            example = f"; for example: {EXAMPLES[path][0]}" if path in EXAMPLES else ""
            names = " and ".join(_shown(one) for one in missing)
            raise InputError(f"missing: {names}{example}; see `{PROGRAM} {path} --help`") from None

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples below the options."""
        lines = EXAMPLES.get(_path(ctx), ())
        if lines:
            formatter.write("\nExamples:\n" + "".join(f"  {line}\n" for line in lines))
        formatter.write(
            f"\n-q: results, warnings and errors alone; -v: every step. See also {PROGRAM} guide.\n"
        )

    def get_short_help_str(self, limit: int = 45) -> str:
        """Give the first paragraph of the help whole: the list of commands folds it, and cuts nothing."""
        return _first_paragraph(self.help)

    def _missing(self, ctx: Any, args: list[str]) -> list[Any]:
        found, _, _ = self.make_parser(ctx).parse_args(args)
        found = {**(ctx.default_map or {}), **found}
        return [
            one for one in self.params if one.required and not isinstance(found.get(one.name), str | list)
        ]


class Group(typer.core.TyperGroup):
    """A command that has commands."""

    def get_short_help_str(self, limit: int = 45) -> str:
        """Give the help whole."""
        return _first_paragraph(self.help)


def _first_paragraph(text: str | None) -> str:
    return " ".join((text or "").partition("\n\n")[0].split()).replace("``", "`")


def _path(ctx: Any) -> str:
    return str(ctx.command_path).partition(" ")[2]


def _shown(parameter: Any) -> str:
    """Write an option with what it takes, an argument as the help shows it."""
    if parameter.opts[0].startswith("-"):
        return " ".join(filter(None, [parameter.opts[0], parameter.metavar]))
    return str(parameter.metavar or parameter.name.upper())
