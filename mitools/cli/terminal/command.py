"""A command that shows examples, and says all that is missing at once."""

from typing import Any

import typer
import typer.core

from mitools.cli.terminal.examples import EXAMPLES
from mitools.cli.terminal.tables import between_words
from mitools.core.errors import InputError

PROGRAM = "mitools"

NARROW = 70
"""Characters of a line below which what an option is for stands under it, and not beside it."""

BESIDE, UNDER = 34, 6
"""Where the help of an option begins beside its name, and under it."""


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

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options; in a narrow place what each is for stands under its name."""
        records = [(one.param_type_name, one.get_help_record(ctx)) for one in self.get_params(ctx)]
        for kind in ("argument", "option"):
            found = [record for of, record in records if of == kind and record is not None]
            if found:
                with formatter.section(f"{kind.capitalize()}s"):
                    formatter.write("".join(_entry(*record, formatter.width) for record in found))

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples below the options."""
        lines = EXAMPLES.get(_path(ctx), ())
        if lines:
            formatter.write("\nExamples:\n" + "".join(f"  {line}\n" for line in lines))
        note = f"-q: results, warnings and errors alone; -v: every step. See also {PROGRAM} guide."
        formatter.write("\n" + "\n".join(between_words(note, formatter.width)) + "\n")

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


def _entry(name: str, said: str, width: int) -> str:
    """Write a name and what it is for, folded between words; click would cut long words."""
    indent = BESIDE if width >= NARROW else UNDER
    lines = between_words(said, width - indent)
    name = f"  {name}"
    beside = lines.pop(0) if lines and len(name) + 2 <= indent else ""
    first = f"{name:<{indent}}{beside}" if beside else name
    return "\n".join([first, *(" " * indent + line for line in lines)]) + "\n"


def _first_paragraph(text: str | None) -> str:
    return " ".join((text or "").partition("\n\n")[0].split()).replace("``", "`")


def _path(ctx: Any) -> str:
    return str(ctx.command_path).partition(" ")[2]


def _shown(parameter: Any) -> str:
    """Write an option with what it takes, an argument as the help shows it."""
    if parameter.opts[0].startswith("-"):
        return " ".join(filter(None, [parameter.opts[0], parameter.metavar]))
    return str(parameter.metavar or parameter.name.upper())
