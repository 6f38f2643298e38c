"""How long work tells of its progress, and how people are shown it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from textwrap import wrap
from time import monotonic
from typing import TYPE_CHECKING, Any

from mitools.core.names import printable

if TYPE_CHECKING:
    from rich.console import Console

Advance = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""

SURE_SECONDS = 2.0
"""Seconds of work before which a time to go would be a guess."""

MOST_BY_TIME = 0.97
"""Share of the whole that is shown where time alone tells it: that it is done is for the work to say."""

WRITING = "writing tables, figures and pages"

FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
"""In turn, so that something moves however long a step takes."""

FASTEST_LINES = 1.0
"""Seconds between two lines of one step, where progress is printed line by line."""


def silent(what: str, done: int, total: int) -> None:
    """Tell nobody."""


def tell_whole(advance: Advance | None, what: str, done: float, total: int, step: float = 1.0) -> None:
    """Tell how far the whole command is, of which `advance` is told the steps.

    Parameters
    ----------
    advance
        One that :func:`shown` gave is told; a caller's own function knows steps alone, and is not.
    what
        What is counted and which it is: ``"encoder 2 of 6"``.
    done, total
        How many of the whole's parts are finished, and how many there are.
    step
        How much of a part the step is that begins now.
    """
    whole = getattr(advance, "whole", None)
    if whole is not None:
        whole(what, done, total, step)


def tell_state(advance: Advance | None, state: str) -> None:
    """Tell where the work stands beyond counts: ``"loss 2.31"``; a caller's own function is not told."""
    take = getattr(advance, "state", None)
    if take is not None:
        take(state)


def tell_usual(advance: Advance | None, seconds: float, where: str) -> None:
    """Tell how long the whole takes elsewhere: work whose parts are too unlike to count goes by that.

    Parameters
    ----------
    advance
        One that :func:`shown` gave is told; a caller's own function is not.
    seconds
        What it takes from nothing.
    where
        On what: ``"two idle cores"``.
    """
    take = getattr(advance, "usually", None)
    if take is not None:
        take(seconds, where)


@contextmanager
def uncounted(advance: Advance | None) -> Iterator[None]:
    """While it lasts, time and share are told as those of the step alone: no whole counts this work.

    Parameters
    ----------
    advance
        One that :func:`shown` gave is told; a caller's own function is not.
    """
    take = getattr(advance, "uncounted", None)
    if take is None:
        yield
        return
    take(True)
    try:
        yield
    finally:
        take(False)


@contextmanager
def writing(progress: "bool | Advance") -> Iterator[None]:
    """Tell, while it lasts, that results are written: figures take seconds in which nothing is counted."""
    with shown(progress) as advance, uncounted(advance):
        if hasattr(advance, "uncounted"):
            advance(WRITING, 0, 1)
        yield


def shown(progress: "bool | Advance") -> AbstractContextManager[Advance]:
    """Give the function that work tells of its progress: a bar, nobody, or the caller's own."""
    if progress is True:
        return progress_bar()
    return nullcontext(progress if callable(progress) else silent)


class Tracker:
    """What has been told: the step at work, and how far the whole is.

    Parameters
    ----------
    now
        Gives the time in seconds.
    """

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self.begun = self._step_begun = self._whole_begun = now()
        self.what = "starting"
        self.done, self.total = 0, 0
        self._first, self._restarts = 0, 0
        self.part = self.said = ""
        self._parts_done, self._parts, self._step = 0.0, 0, 1.0
        self._begun_at = 0.0
        self._usual, self._where = 0.0, ""
        self._uncounted = 0

    def __call__(self, what: str, done: int, total: int) -> None:
        """Take a step's progress; one that begins anew starts its own clock, never the whole's."""
        if done < self.done or total != self.total:
            self._step_begun, self._first = self._now(), done
            self._restarts += not self._uncounted
        self.what, self.done, self.total = what, done, total

    def whole(self, what: str, done: float, total: int, step: float = 1.0) -> None:
        """Take how far the whole is, and how much of a part the step is that begins."""
        if not self._parts:
            self._whole_begun, self._begun_at = self._now(), done / total
        self.part, self._parts_done, self._parts, self._step = what, done, total, step
        self.done = self.total = 0
        self.said = ""

    def usually(self, seconds: float, where: str) -> None:
        """Take how long the whole takes, and on what; what its parts tell of themselves is then a step's."""
        self._usual, self._where = seconds, where

    def state(self, said: str) -> None:
        """Take what is said beside the counts."""
        self.said = said

    def uncounted(self, begins: bool) -> None:
        """Take that work begins, or ends, which no whole counts."""
        self._uncounted += 1 if begins else -1
        self.done = self.total = 0
        self.said = ""

    @property
    def _of_step(self) -> bool:
        """Whether share and time to go are those of the step."""
        return self._uncounted > 0 or not self._parts

    @property
    def seconds(self) -> float:
        """Since the command began."""
        return self._now() - self.begun

    @property
    def share(self) -> float:
        """How much of the whole is done, in [0, 1]; of the step, where nobody told of a whole."""
        if self._usual:
            return min(self.seconds / self._usual, MOST_BY_TIME)
        step = min(self.done / self.total, 1.0) if self.total else 0.0
        if self._of_step:
            return step
        return min((self._parts_done + self._step * step) / self._parts, 1.0)

    @property
    def rate(self) -> float | None:
        """Of the step, a second; None before there is one."""
        seconds, steps = self._now() - self._step_begun, self.done - self._first
        return steps / seconds if steps > 0 and seconds > 0 else None

    @property
    def seconds_to_go(self) -> float | None:
        """Of the whole, or of the step where nobody told of a whole; None where it would be a guess."""
        now = self._now()
        if self._of_step:
            moved = (self.done - self._first) / max(self.total, 1)
            return _at_this_rate(now - self._step_begun, moved, min(self.done / max(self.total, 1), 1.0))
        return _at_this_rate(now - self._whole_begun, self.share - self._begun_at, self.share)

    def step(self) -> str:
        """Say what is being done, which of how many, and how fast."""
        counted = f"{self.done:,} of {self.total:,}" if self.total > 1 else ""
        rate = self.rate
        fast = "" if rate is None or self.total <= 1 else f"{rate:,.0f}/s" if rate >= 10 else _slow(rate)
        return " · ".join(filter(None, [printable(self.what), counted, fast, printable(self.said)]))

    def times(self) -> str:
        """Say what part of the whole it is, for how long it has run, and how long it will go on."""
        if self._usual:
            return self._by_usual_time()
        gone = f"{clock(self.seconds)} gone"
        if self._uncounted or (not self._parts and self._restarts > 1):
            return self._of_this_step(gone)
        to_go = self.seconds_to_go
        left = (
            "ending"
            if self.share >= 1
            else "time to go not known yet"
            if to_go is None
            else f"about {clock(to_go)} to go"
        )
        return " · ".join(filter(None, [printable(self.part), f"{self.share:.0%}", gone, left]))

    def _of_this_step(self, gone: str) -> str:
        to_go = self.seconds_to_go
        share = f"{self.share:.0%} of this step" if self.total > 1 else ""
        left = "" if to_go is None or self.share >= 1 else f"about {clock(to_go)} to go in this step"
        return " · ".join(filter(None, [share, gone, left]))

    def _by_usual_time(self) -> str:
        """Say how long it will go on where nothing but the time that it usually takes is known."""
        part = f"{printable(self.part)} · " if self.part else ""
        usual, left = clock(self._usual), self._usual - self.seconds
        if left > 0:
            return part + (
                f"{clock(self.seconds)} gone · about {clock(left)} to go"
                f" if the whole takes {usual}, as on {self._where}"
            )
        of_step = None if self._parts else self.seconds_to_go
        step = "" if of_step is None else f" · about {clock(of_step)} to go in this step"
        return f"{part}{clock(self.seconds)} gone · longer than the {usual} on {self._where}{step}"


def clock(seconds: float) -> str:
    """Write seconds as people read them.

    Examples
    --------
    >>> clock(0.2), clock(75), clock(3700)
    ('1 s', '1:15 min', '1:01 h')
    """
    whole = max(round(seconds), 1)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"


def _at_this_rate(seconds: float, moved: float, share: float) -> float | None:
    if seconds < SURE_SECONDS or moved <= 0:
        return None
    return seconds * (1 - share) / moved


def _slow(rate: float) -> str:
    return f"{rate:.1f}/s" if rate >= 0.5 else f"{clock(1 / rate)} each"


@contextmanager
def progress_bar(console: "Console | None" = None) -> Iterator[Advance]:
    """Show what is being done, how fast, and the time to go of the whole, where somebody can see it.

    Parameters
    ----------
    console
        Where to; stderr when None. A console that is no terminal and no notebook shows nothing.

    Yields
    ------
    Advance
        Told of each step; :func:`tell_whole` tells it how far the whole is.
    """
    from rich.console import Console, Group
    from rich.live import Live
    from rich.text import Text

    console = console or Console(stderr=True, highlight=False, emoji=False)
    if not (console.is_terminal or console.is_jupyter):
        yield silent
        return
    tracker = Tracker()

    def picture() -> Any:
        """Draw what is being done, the bar and the times as they are now.

        Returns
        -------
        rich.console.Group
            Drawn anew four times a second, no wider than the console.
        """
        moving = FRAMES[int(monotonic() * 8) % len(FRAMES)]
        width = max(min(console.width - 1, 60), 10)
        filled = round(width * tracker.share)
        bar = Text.assemble(("━" * filled, "green"), ("━" * (width - filled), "bright_black"))
        said = [f"{moving} {tracker.step()}", tracker.times()]
        # Folded here: a console that folds nothing would cut what is longer than a line.
        room = max(console.width - 1, 10)
        above, below = (Text("\n".join(wrap(text, room, break_on_hyphens=False))) for text in said)
        return Group(above, bar, below)

    with Live(console=console, get_renderable=picture, refresh_per_second=4, transient=True):
        yield tracker


@contextmanager
def progress_lines(console: "Console | None" = None) -> Iterator[Advance]:
    """Print a line when a step begins and when it has moved, for logs and for who wants to see every step.

    Parameters
    ----------
    console
        Where to; stderr when None.

    Yields
    ------
    Advance
        As :func:`progress_bar`.
    """
    from rich.console import Console

    console = console or Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)
    yield _Lines(console)


class _Lines(Tracker):
    def __init__(self, console: "Console") -> None:
        super().__init__()
        self._console, self._printed = console, float("-inf")

    def __call__(self, what: str, done: int, total: int) -> None:
        begins = what != self.what
        super().__call__(what, done, total)
        if begins or self.seconds - self._printed >= FASTEST_LINES:
            self._printed = self.seconds
            self._console.print(f"{self.step()} · {self.times()}", markup=False)
