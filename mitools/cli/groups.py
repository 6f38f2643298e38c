"""A group of commands, one of which is meant where none is named."""

from typing import Any

import typer.core


class DefaultsToRun(typer.core.TyperGroup):
    """``mitools study STUDY.yaml`` means ``mitools study run STUDY.yaml``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put ``run`` before arguments that begin with no command's name."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["run", *args]
        return super().parse_args(ctx, args)
