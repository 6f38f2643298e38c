"""What a study's file means, and what is refused in it."""

from pathlib import Path

import pytest

from mitools.core.errors import InputError
from mitools.studies.definition import Cell, cells, left_out, read_study


def test_cells_are_the_product_of_what_goes_together(study_file: Path) -> None:
    study = read_study(study_file)
    found = list(cells(study))
    # Per encoder, data set and seed: same_class:class_posterior, two on labels, one metric.
    assert len(found) == len(set(found)) == 2 * 4 * 2 * (1 + 2 + 1)
    assert found[0] == Cell("digits?limit=300", "builtin:pixels", "same_class", "class_posterior", 0)
    assert left_out(study) == {}, "every estimator reads a pairing, and every pairing has an estimator"


def test_a_bare_encoder_has_no_family(study_file: Path) -> None:
    families = {encoder.spec: encoder.family for encoder in read_study(study_file).encoders}
    assert families["builtin:pixels"] is None
    assert families["builtin:pca?k=4"] == "pca"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("class_posterior,", "class_posteriors,", "'estimators': .*did you mean class_posterior"),
        ("[linear_acc]", "[linear]", "'metrics': .*did you mean linear_acc"),
        ("[same_class, labels]", "[same_clas]", "'pairings': .*did you mean same_class"),
        ("[linear_acc]", "[i_class]", "'metrics': there is no 'i_class'"),
        ("metrics:", "measures: [i_clas]\nmetrics:", "'measures': .*did you mean .*i_class"),
        ("metrics:", 'measures: ["I(X;T):ksg"]\nmetrics:', "'measures': there is no"),
        ("metrics:", "measures: [nmi, nmi]\nmetrics:", "measures names 'nmi' twice"),
        ("seeds: [0, 1]", "seeds: [0, 0]", "seeds names 0 twice"),
        ("seeds: [0, 1]", "seeds: []", "'seeds'"),
        ("seeds: [0, 1]", "seeds: [-1]", "'seeds.0'"),
        ("seeds: [0, 1]", "seed: 0", "unknown key 'seed'; did you mean seeds"),
        ("family: pca", "famly: pca", "unknown key 'encoders.1.famly'; did you mean .*family"),
        ("- builtin:pixels", "- builtin:pca?k=4", "encoders names 'builtin:pca\\?k=4' twice"),
        ("- builtin:pixels", "- builtin:pixels?name=a\n  - builtin:pca?name=a", "encoders names 'a' twice"),
    ],
)
def test_a_wrong_study_is_one_line(study_file: Path, old: str, new: str, said: str) -> None:
    assert old in study_file.read_text()
    study_file.write_text(study_file.read_text().replace(old, new, 1))
    with pytest.raises(InputError, match=said) as caught:
        read_study(study_file)
    assert "\n" not in str(caught.value)


def test_a_study_that_measures_nothing_is_refused(study_file: Path) -> None:
    text = study_file.read_text().replace("[same_class, labels]", "[simclr]")
    study_file.write_text(text.replace("[linear_acc]", "[]"))
    with pytest.raises(InputError, match="nothing to measure"):
        read_study(study_file)


def test_any_column_of_an_audit_can_be_asked_for_by_name(study_file: Path) -> None:
    text = study_file.read_text().replace("[same_class, labels]", "[same_class]")
    study_file.write_text(text + "measures: [i_class_nwj, control_gain, linear_acc, 'same_class:dv']\n")
    columns = list(dict.fromkeys(cell.column for cell in cells(read_study(study_file))))
    assert columns == [
        "same_class:class_posterior", "linear_acc", "i_class_nwj", "control_gain", "same_class:dv"
    ]  # fmt: skip
    by_column = {cell.column: cell.registered.name for cell in cells(read_study(study_file))}
    assert by_column["same_class:class_posterior"] == "i_class"
    assert by_column["same_class:dv"] == "same_class:dv"


def test_an_estimator_that_reads_no_pairing_is_known_and_left_out(study_file: Path) -> None:
    study_file.write_text(study_file.read_text().replace("mixed_ksg]", "ksg]"))
    assert left_out(read_study(study_file)) == {"ksg": "it reads none of the study's pairings"}
