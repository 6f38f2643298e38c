"""What a page is made of: sections, and in them tables, charts and text. Templates lay these out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import pandas as pd


@dataclass(frozen=True)
class Column:
    """A column of a table as people see it.

    Attributes
    ----------
    key
        The column of the frame; what sorting goes by.
    label
        The header.
    help
        A sentence on what it is.
    low, high
        The columns of its interval, shown beside the value; empty where there is none.
    digits
        Decimals; None for a text or a whole number.
    percent
        Whether a share is shown as per cent.
    shown
        Whether it is seen before anyone asks for it.
    """

    key: str
    label: str
    help: str = ""
    low: str = ""
    high: str = ""
    digits: int | None = None
    percent: bool = False
    shown: bool = True


@dataclass(frozen=True)
class Table:
    """A table that can be sorted, searched and copied; its rows are marked together with charts.

    Attributes
    ----------
    name
        Unique in the page; what charts call it, and the name of the file that it is downloaded as.
    frame
        All that can be downloaded.
    columns
        What is shown of it, the name of the row first; none for a table that only charts read.
    caption
        One line above.
    link
        The column whose values mark rows and marks as one thing, such as ``encoder``; empty for none.
    notes
        Column by name: for each row a text that explains its cell, shown where it is pointed at.
    left_out
        Rows that the frame does not have, for want of room.
    """

    template: ClassVar[str] = "table.html"

    name: str
    frame: pd.DataFrame
    columns: Sequence[Column] = ()
    caption: str = ""
    link: str = ""
    notes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    left_out: int = 0


class Choice(NamedTuple):
    """A quantity that an axis can show: its columns in the table, and what the axis says."""

    key: str
    label: str
    low: str = ""
    high: str = ""


@dataclass(frozen=True)
class Chart:
    """A chart that the page's script draws from a table.

    Attributes
    ----------
    name
        Unique in the page.
    kind
        ``brackets``, ``forest``, ``lines`` or ``scatter``: a file of ``assets``.
    table
        Whose rows are drawn.
    title
        What it is called by those who cannot see it.
    options
        What is drawn and what can be chosen, as JSON values and :class:`Choice`; see the kind's file.
    caption
        How to read it.
    """

    template: ClassVar[str] = "chart.html"

    name: str
    kind: str
    table: str
    title: str
    options: Mapping[str, Any]
    caption: str = ""


class Row(NamedTuple):
    """A name and a value in a list of facts; `code` for what is typed or compared letter by letter."""

    name: str
    value: str
    code: bool = False


@dataclass(frozen=True)
class Block:
    """Any other piece, laid out by a template of its own."""

    template: str
    values: Mapping[str, Any]


Piece = Table | Chart | Block


@dataclass(frozen=True)
class Section:
    """A part of a page with a heading.

    Attributes
    ----------
    name
        Unique in the page; its address.
    title
        The heading.
    pieces
        In order.
    intro
        Paragraphs above them.
    caution
        What forbids to read too much into it; empty for nothing.
    folded
        Whether it is opened by hand.
    """

    name: str
    title: str
    pieces: Sequence[Piece]
    intro: Sequence[str] = ()
    caution: str = ""
    folded: bool = False


@dataclass(frozen=True)
class Page:
    """A whole page.

    Attributes
    ----------
    command
        The subcommand that it is of, such as ``audit``.
    title
        What was measured on what.
    findings
        Sentences that claim no more than the intervals tell; of more than a few, a list is made
        (:func:`mitools.report.paragraphs.paragraphs`).
    facts
        Data, numbers of items, versions, ...
    typed
        The command line, where it is known.
    picture
        What a reader looks at first: before a long finding, behind a short one.
    sections
        In order.
    """

    command: str
    title: str
    findings: Sequence[str]
    facts: Sequence[Row]
    sections: Sequence[Section]
    typed: str = ""
    digests: Sequence[Row] = ()
    picture: Block | None = None
