"""A long finding as paragraphs and lists: nothing is left out, and nobody has to read a wall of text."""

import re
from collections.abc import Sequence
from typing import NamedTuple

_SENTENCE = re.compile(
    r"(?<=[.!?])(?<! al\.)(?<! vs\.)(?<!\bcf\.)(?<!e\.g\.)(?<!Eq\.)(?<!Fig\.)(?<!Figs\.)(?<!Sec\.)"
    r" (?=[A-Z0-9])"
)

_LEANS = re.compile(
    r"(?:Against|Both|Here|It|Its|Neither|None|Once|So|That|The paper|Their|There|These|They|This|Those|Where"
    r"|In the paper)\b"
)
"""How a sentence begins that says more of what the one before is about."""

LONG = 200
"""Characters from which a sentence with several parts between semicolons is laid out as a list."""

LONG_OF_TWO = 320
"""Characters from which a sentence of two parts alone is laid out so."""

LONGEST_PARAGRAPH = 400
"""Characters up to which a sentence that leans on the one before stands in its paragraph."""

FEW_PARAGRAPHS = 3
"""Paragraphs up to which they stand as they are; more, or any with a list of its own, make a list."""


class Paragraph(NamedTuple):
    """Some sentences, and what is listed under them.

    Attributes
    ----------
    text
        The sentences; of one that is cut, what stands before its parts, with its colon or semicolon.
    parts
        Further sentences on the same, or parts of one sentence, each with its semicolon or full stop.
    """

    text: str
    parts: Sequence[str] = ()


def paragraphs(said: str | Sequence[str]) -> list[Paragraph]:
    r"""Lay out what was found: text and parts, joined by spaces, are the sentences word for word.

    Parameters
    ----------
    said
        A text, or texts. Where there are several lines, each is a paragraph, a long one with a list under
        its beginning; of a single line the sentences are.

    Examples
    --------
    >>> for one in paragraphs("Beyond chance a holds more. They differ by 1 bit. The null is 0."):
    ...     print(one.text)
    Beyond chance a holds more. They differ by 1 bit.
    The null is 0.
    """
    texts = [said] if isinstance(said, str) else said
    lines = [line.strip() for text in texts for line in text.split("\n") if line.strip()]
    if len(lines) == 1:
        return [_of_sentence(one) for one in _sentences(lines[0])]
    return [_of_line(line) for line in lines]


def is_list(laid_out: Sequence[Paragraph]) -> bool:
    """Whether paragraphs are so many, or so long, that they are shown as a list."""
    return len(laid_out) > FEW_PARAGRAPHS or any(one.parts for one in laid_out)


def _of_line(line: str) -> Paragraph:
    first, *more = [line] if len(line) <= LONGEST_PARAGRAPH else _sentences(line)
    return Paragraph(first, tuple(more)) if more else _of_sentence(first)


def _sentences(line: str) -> list[str]:
    """Split a line into sentences; short ones that lean on the one before stay with it."""
    found: list[str] = []
    for sentence in _SENTENCE.split(line):
        if found and _LEANS.match(sentence) and len(found[-1]) + len(sentence) < LONGEST_PARAGRAPH:
            found[-1] += f" {sentence}"
        else:
            found.append(sentence)
    return found


def _of_sentence(said: str) -> Paragraph:
    """Cut one long sentence behind its first colon and its semicolons, where these stand in no brackets."""
    if len(said) < LONG or _SENTENCE.search(said):
        return Paragraph(said)
    first, *parts = _cut(said, "; ")
    if len(parts) < (1 if len(said) >= LONG_OF_TWO else 2):
        return Paragraph(said)
    head, *item = _cut(first, ": ")
    return Paragraph(head, (" ".join(item), *parts)) if item else Paragraph(first, tuple(parts))


def _cut(text: str, mark: str) -> list[str]:
    """Cut a text behind a sign and its space; the sign stays, the space does not."""
    cuts, depth = [0], 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0 and text.startswith(mark, place):
            cuts.append(place + len(mark))
    ends = [*cuts[1:], len(text)]
    return [text[start:end].strip() for start, end in zip(cuts, ends, strict=True)]
