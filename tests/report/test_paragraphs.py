from pathlib import Path

import pytest

from mitools.report.paragraphs import is_list, paragraphs

KEPT = sorted((Path(__file__).parents[2] / "analyses" / "results").glob("*/reading.txt"))


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.parent.name)
def test_nothing_that_was_found_is_lost(path):
    said = path.read_text()
    laid_out = paragraphs(said)
    assert " ".join(text for one in laid_out for text in (one.text, *one.parts)) == " ".join(said.split())
    assert len(laid_out) == 1 or max(len(one.text) for one in laid_out) < 700


def test_what_a_sentence_lists_is_a_list_under_its_beginning():
    values = [f"encoder {k} 1.00 bits (0.90 to 1.10; {k + 1},000 items)" for k in range(5)]
    (one,) = paragraphs(f"What is held by each: {'; '.join(values)}.")
    assert one.text == "What is held by each:"
    assert one.parts == (*(f"{value};" for value in values[:-1]), f"{values[-1]}.")
    assert is_list([one])
    short = "Of two: a holds 1; b holds 2; c holds 3."
    assert paragraphs(short) == [(short, ())]


def test_sentences_are_paragraphs_and_those_that_lean_on_one_stay_with_it():
    said = "Saxe et al. In 2018 saw it. They differ. Batch size is 3. In the paper it is 4. The rest is open."
    assert [one.text for one in paragraphs(said)] == [
        "Saxe et al. In 2018 saw it. They differ.",
        "Batch size is 3. In the paper it is 4.",
        "The rest is open.",
    ]
    assert not is_list(paragraphs(said))
    numbers = "It is 0.04 (cf. Fig. 3, Sec. 5). 53 of 276 pairs are told apart. As many are not."
    assert [one.text for one in paragraphs(numbers)] == [
        "It is 0.04 (cf. Fig. 3, Sec. 5).", "53 of 276 pairs are told apart.", "As many are not.",
    ]  # fmt: skip


def test_lines_are_subjects_and_long_ones_have_a_list_of_their_sentences():
    long = [f"Sentence {k} of a subject on which much is to be said, {'x' * 90}." for k in range(5)]
    first, second = paragraphs(["One line. Another sentence.", " ".join(long)])
    assert first == ("One line. Another sentence.", ())
    assert second == (long[0], tuple(long[1:]))
