"""What was changed or left out on reading data: told, and never an error."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class DataNote(Warning):
    """Something of the data that the reader has changed or left out."""


@contextmanager
def notes_to(tell: Callable[[str], None]) -> Iterator[None]:
    """Hand every note of the block to a function, as one line; other warnings are shown as ever.

    Parameters
    ----------
    tell
        Takes the sentence.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("always", DataNote)
        show = warnings.showwarning

        def told(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if issubclass(category, DataNote):
                tell(str(message))
            else:
                show(message, category, *where, **more)

        warnings.showwarning = told
        yield
