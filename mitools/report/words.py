"""Columns and warnings in the words of people, where a table or a program has their code names."""

import re

from mitools.report.figures.style import AXIS_LABELS

_CODE = re.compile(r"\b[a-z]+(?:_[a-z0-9]+)+\b")


def column_words(column: str) -> str:
    """Name a column as figures do, without its unit.

    Examples
    --------
    >>> column_words("knn20_acc"), column_words("i_class_bits"), column_words("my_column")
    ('20-nearest-neighbour accuracy', 'I_class, class posterior', 'my column')
    """
    if column not in AXIS_LABELS:
        return column.removesuffix("_bits").replace("_", " ")
    label = AXIS_LABELS[column]
    return label.rpartition(" (")[0] or label


def worded(words: str) -> str:
    """Write words that programs test, with commas or spaces between, for people.

    Examples
    --------
    >>> worded("still_rising rises_with_n")
    'still rising, rises with n'
    """
    return ", ".join(word.replace("_", " ") for word in words.replace(",", " ").split())


def warning_words(text: str) -> str:
    """Write the warnings of a table's cell for people.

    Parameters
    ----------
    text
        ``subject: word, word; subject: word``, as ``results.csv`` has it.

    Examples
    --------
    >>> warning_words("i_class: small_sample; control: no_better_than_untrained")
    'I_class, class posterior: small sample; control: no better than untrained'
    """
    parts = []
    for part in text.split("; "):
        subject, colon, words = part.partition(": ")
        named = (
            column_words(f"{subject}_bits") if colon and subject != "control" else subject.replace("_", " ")
        )
        words = _CODE.sub(lambda word: word[0].replace("_", " "), words)
        parts.append(named + colon + words.replace("constant dims", "constant dimensions"))
    return "; ".join(parts)
