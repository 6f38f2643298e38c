"""``--config FILE.yaml``: the options of a command that its line gets too long for."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mitools.core.errors import InputError
from mitools.core.names import nearest


def _take(ctx: typer.Context, path: Path | None) -> None:
    """Let the file's values stand for the options that the command line does not give."""
    if path is None:
        return
    from mitools.core.recipes import read_yaml

    values = read_yaml(path)
    accepted = {_written(one): one for one in ctx.command.params if one.name not in ("config", "help")}
    found: dict[str, Any] = {}
    for key, value in values.items():
        name = str(key).replace("_", "-")
        if name not in accepted:
            raise InputError(f"{path}: there is no option {key!r}; accepted: {nearest(name, accepted, 5)}")
        many = getattr(accepted[name], "multiple", False)
        if isinstance(value, list) and not many:
            value = ",".join(map(str, value))
        found[str(accepted[name].name)] = [value] if many and not isinstance(value, list) else value
    ctx.default_map = found


def _written(parameter: Any) -> str:
    """Give an option's name as it stands on the command line, without its dashes; an argument's own name."""
    return str(parameter.opts[0]).lstrip("-").replace("_", "-")


ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE.yaml",
        is_eager=True,
        callback=_take,
        help="Options of this command as keys and values; the command line goes before the file.",
    ),
]
