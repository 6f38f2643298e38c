"""Which classes and functions a pickle names, and what it would do with them: read, never run."""

import pickletools
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING  # how every pickle of protocol 2 names the builtins
from collections.abc import Iterator
from typing import IO, Any

PICKLES_OF_A_LEGACY_FILE = 5
"""Of torch before 1.6: a magic number, a version, the system, the object and its keys."""

_GETS = frozenset({"GET", "BINGET", "LONG_BINGET"})
_PUTS = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_MAKES = frozenset({"REDUCE", "NEWOBJ", "NEWOBJ_EX"})
# What changes an object that lies below its operands on the stack, and how many operands there are.
_CHANGES = {"APPEND": 1, "SETITEM": 2, "BUILD": 1}
_CHANGES_FROM_MARK = frozenset({"APPENDS", "SETITEMS"})
_MARK = object()


def globals_of(stream: IO[bytes]) -> dict[str, set[str]]:
    """Name what a pickle, or several in a row, would import, and what is done to the objects made of it.

    The pickle's operations are followed on a stack of names: nothing is imported, called or made.

    Parameters
    ----------
    stream
        At the first byte of a pickle.

    Returns
    -------
    dict
        By full name (``collections.deque``): those of ``append``, ``setitem`` and ``build`` that happen to
        an object made by it.

    Raises
    ------
    ValueError, IndexError, KeyError, EOFError
        When it is no pickle.
    """
    found: dict[str, set[str]] = {}
    for _ in range(PICKLES_OF_A_LEGACY_FILE):
        start = stream.read(1)
        if start != b"\x80":  # every pickle since protocol 2 begins so
            if not found and start:
                raise ValueError("no pickle of protocol 2 or later")
            break
        stream.seek(-1, 1)
        for name, change in _uses(stream):
            found.setdefault(name, set()).update([change] if change else [])
    return found


def _uses(stream: IO[bytes]) -> Iterator[tuple[str, str]]:
    """Follow one pickle; give each name, and with it nothing or what is done to an object it has made."""
    stack: list[Any] = []  # a class as its name, an object as a tuple of the name that made it, else None
    memo: dict[int, Any] = {}
    argument: Any
    for opcode, argument, _ in pickletools.genops(stream):
        name = opcode.name
        if name == "MARK":
            stack.append(_MARK)
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            if name == "STACK_GLOBAL":
                attribute, module = stack.pop(), stack.pop()
                full = f"{_text(module)}.{_text(attribute)}"
            else:
                full = _present_name(*argument.split(" ", 1))
            yield full, ""
            stack.append(full)
        elif name in _PUTS or name == "MEMOIZE":
            memo[len(memo) if name == "MEMOIZE" else int(argument)] = stack[-1]
        elif name in _GETS:
            stack.append(memo[int(argument)])
        elif name in _MAKES:
            del stack[-2 if name == "NEWOBJ_EX" else -1 :]
            maker = stack.pop()
            stack.append((maker,) if isinstance(maker, str) else None)
        elif name in _CHANGES or name in _CHANGES_FROM_MARK:
            _drop(stack, _CHANGES.get(name))
            if isinstance(stack[-1], tuple):
                yield stack[-1][0], name.lower().removesuffix("s")
        elif name == "DUP":
            stack.append(stack[-1])
        else:
            _drop(stack, None if pickletools.markobject in opcode.stack_before else len(opcode.stack_before))
            text = [argument] if isinstance(argument, str) and opcode.stack_after else None
            stack += [text] * len(opcode.stack_after)


def _drop(stack: list[Any], count: int | None) -> None:
    """Take a number of values off the stack, or all down to the last mark and the mark."""
    if count is None:
        while stack.pop() is not _MARK:
            pass
    elif count:
        del stack[-count:]


def _text(value: Any) -> str:
    return value[0] if isinstance(value, list) else "?"


def _present_name(module: str, name: str) -> str:
    """Give a name of Python 2 as Python 3 calls it, as unpicklers do."""
    if (module, name) in NAME_MAPPING:
        module, name = NAME_MAPPING[(module, name)]
    return f"{IMPORT_MAPPING.get(module, module)}.{name}"
