"""A card is Markdown with a YAML head, and says what the row says."""

from contextlib import suppress

import pandas as pd
import pytest
import yaml

from mitools.cli.main import run
from mitools.report.card import card, write_cards

ROW = {
    "encoder": "timm:resnet18?pretrained=no",
    "n": 1797,
    "i_class_bits": 2.2,
    "i_class_low": 2.1,
    "i_class_high": 2.3,
    "h_c_bits": 3.32,
    "label_information_bits": float("nan"),
    "linear_acc": 0.85,
    "warnings": "i_class: small_sample",
}


def head(text):
    _, block, _ = text.split("---\n", 2)
    return yaml.safe_load(block)


def test_the_head_is_what_model_hubs_read():
    found = head(card(ROW, "digits"))["model-index"][0]
    assert found["name"] == ROW["encoder"]
    (result,) = found["results"]
    assert result["dataset"] == {"name": "digits", "type": "digits"}
    assert result["task"]["type"]
    metrics = {metric["type"]: metric["value"] for metric in result["metrics"]}
    assert metrics == {"i_class_bits": 2.2, "linear_acc": 0.85}, "a value that is absent is not there"


def test_the_text_says_interval_items_and_warnings():
    text = card(ROW, "digits")
    assert "2.200 of H(C) = 3.320 bits" in text
    assert "(95% interval 2.100 to 2.300; 1,797 items)" in text
    assert "To be read with care: I_class, class posterior: small sample." in text
    assert "To be read with care" not in card({**ROW, "warnings": ""}, "digits")


def test_files_are_named_after_encoders_and_stay_in_the_folder(tmp_path):
    table = pd.DataFrame([ROW, {**ROW, "encoder": "../../evil"}])
    files = write_cards(table, "digits", tmp_path / "cards")
    assert [path.name for path in files] == ["timm_resnet18_pretrained_no.md", ".._.._evil.md"]
    assert all(path.parent == tmp_path / "cards" for path in files)


@pytest.mark.parametrize("form", ["bibtex", "cff"])
def test_the_program_says_how_to_cite_it(form, capsys):
    with suppress(ImportError):
        # Once it is imported, fields that the metadata lack are errors and no longer None.
        import importlib_metadata  # noqa: F401
    assert run(["cite", "--as", form]) == 0
    text = capsys.readouterr().out
    if form == "cff":
        found = yaml.safe_load(text)
        assert (found["cff-version"], found["license"]) == ("1.2.0", "Apache-2.0")
        assert found["version"] == "0.1.0"
    else:
        assert text.startswith("@software{mitools,")
        assert text.count("{") == text.count("}")


def test_names_that_one_file_would_have_get_a_number(tmp_path):
    names = ["a b", "a_b", "A_b", "x" * 300, "x" * 300 + "y"]
    table = pd.DataFrame([{**ROW, "encoder": name} for name in names])
    files = write_cards(table, "digits", tmp_path)
    assert [file.name for file in files[:3]] == ["a_b.md", "a_b-2.md", "A_b-3.md"]
    assert [head(file.read_text())["model-index"][0]["name"] for file in files] == names
    assert len(list(tmp_path.iterdir())) == len(names)
