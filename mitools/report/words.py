"""Columns and warnings in the words of people, where a table or a program has their code names."""

from mitools.report.figures.style import axis_label


def column_words(column: str) -> str:
    """Name a column as figures do, without its unit.

    Examples
    --------
    >>> column_words("knn20_acc"), column_words("i_class_bits"), column_words("my_column")
    ('20-nearest-neighbour accuracy', 'I_class, class posterior', 'my column')
    """
    label = axis_label(column)
    return column.replace("_", " ") if label == column else label.rpartition(" (")[0] or label


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
        plain = all(word.replace("_", "").isalnum() for word in words.split(", "))
        parts.append(named + colon + (words.replace("_", " ") if plain else words))
    return "; ".join(parts)
