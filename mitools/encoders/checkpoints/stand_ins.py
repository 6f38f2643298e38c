"""What stands in a checkpoint beside tensors is replaced by objects that keep and do nothing."""

import argparse
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any


class Inert:
    """Takes whatever a pickle hands it and keeps nothing."""

    def __new__(cls, *arguments: Any, **options: Any) -> "Inert":
        """Drop the arguments."""
        return object.__new__(cls)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Drop the arguments."""

    def __setstate__(self, state: Any) -> None:
        """Drop the state."""


class InertMapping:
    """Makes an ordinary dictionary in the place of a project's own kind."""

    def __new__(cls, *arguments: Any) -> OrderedDict[Any, Any]:  # type: ignore[misc]
        """Drop the arguments: the items follow in the pickle."""
        return OrderedDict()


class InertList:
    """Makes an ordinary list in the place of a deque or a project's own kind."""

    def __new__(cls, *arguments: Any) -> list[Any]:  # type: ignore[misc]
        """Drop the arguments: the items follow in the pickle."""
        return []


class InertBuiltList(list[Any]):
    """A list that is also handed a state, which it drops."""

    def __new__(cls, *arguments: Any) -> "InertBuiltList":
        """Drop the arguments: the items follow in the pickle."""
        return list.__new__(cls)

    def __init__(self, *arguments: Any) -> None:
        super().__init__()

    def __setstate__(self, state: Any) -> None:
        """Drop the state."""


class InertClass:
    """Stands for a function that looks up a class: a nested class, a method."""

    def __new__(cls, *arguments: Any) -> type[Inert]:  # type: ignore[misc]
        """Give the class of which all objects are inert, whichever is meant."""
        return Inert


_LOOK_UP = frozenset({"builtins.getattr", "operator.attrgetter"})
# A plain record of options, which runs nothing and may state the normalisation of the input.
_RECORD = "argparse.Namespace"
# No metadata are made by these: a file that names one was built to run code where it is loaded without care.
_ATTACKS = frozenset(
    f"builtins.{name}"
    for name in ("__import__", "breakpoint", "compile", "eval", "exec", "execfile", "input", "open")
)
_ATTACKING_MODULES = frozenset(
    {
        "code", "commands", "importlib", "nt", "os", "posix", "pty", "runpy", "shutil", "socket",
        "subprocess", "sys",
    }
)  # fmt: skip


def attack_among(names: Iterable[str]) -> str | None:
    """Name a function among those that a pickle asks for that only an attack would have in it."""
    for name in names:
        if name in _ATTACKS or name.rpartition(".")[0] in _ATTACKING_MODULES:
            return name
    return None


def stand_ins(uses: Mapping[str, Iterable[str]]) -> dict[str, type]:
    """Make a class that does nothing for every name that a pickle asks for.

    Parameters
    ----------
    uses
        By full name: what happens to its objects, as
        :func:`mitools.encoders.checkpoints.pickle_globals.globals_of` tells.

    Returns
    -------
    dict
        A class by full name, whose module and name are those of the original. Nothing of that name is
        imported.
    """
    made: dict[str, type] = {}
    for full, changes in uses.items():
        base: type = Inert
        if full == _RECORD:
            made[full] = argparse.Namespace
            continue
        if full in _LOOK_UP:
            base = InertClass
        elif "setitem" in changes:
            base = InertMapping
        elif "append" in changes:
            base = InertBuiltList if "build" in changes else InertList
        module, _, name = full.rpartition(".")
        made[full] = type(name, (base,), {"__module__": module, "__qualname__": name})
    return made


@contextmanager
def only_these(classes: Iterable[type]) -> Iterator[None]:
    """Let torch's unpickler make nothing beside tensors but these, whatever the program has allowed it."""
    from torch.serialization import add_safe_globals, clear_safe_globals, get_safe_globals

    before = get_safe_globals()
    clear_safe_globals()
    add_safe_globals([*classes, Inert])
    try:
        yield
    finally:
        clear_safe_globals()
        add_safe_globals(before)
