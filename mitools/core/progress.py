"""How long work tells of its progress, and how people are shown it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from mitools.core.names import printable

if TYPE_CHECKING:
    from rich.console import Console

Advance = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""


def silent(what: str, done: int, total: int) -> None:
    """Tell nobody."""


def shown(progress: "bool | Advance") -> AbstractContextManager[Advance]:
    """Give the function that work tells of its progress: a bar, nobody, or the caller's own."""
    if progress is True:
        return progress_bar()
    return nullcontext(progress if callable(progress) else silent)


@contextmanager
def progress_bar(console: "Console | None" = None) -> Iterator[Advance]:
    """Show what is being done as a bar with a rate and a time to go, where somebody can see it.

    Parameters
    ----------
    console
        Where to; stderr when None. A console that is no terminal and no notebook shows nothing.

    Yields
    ------
    Advance
        Moves the bar.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn
    from rich.progress import TimeRemainingColumn as TimeToGo
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Any) -> Text:
            return Text(f"{task.speed:,.0f}/s" if task.speed else "")

    console = console or Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)
    what_is_done = TextColumn("{task.description}", markup=False)
    columns = [what_is_done, BarColumn(), MofNCompleteColumn(), Rate(), TimeToGo()]
    unseen = not (console.is_terminal or console.is_jupyter)
    with Progress(*columns, console=console, transient=True, disable=unseen) as bars:
        tasks: dict[str, Any] = {}

        def advance(what: str, done: int, total: int) -> None:
            if what not in tasks:
                for task in tasks.values():
                    bars.remove_task(task)
                tasks.clear()
                tasks[what] = bars.add_task(printable(what), total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield advance
