"""Several networks: the study end to end, the table of peaks, and words on tables whose truth is known."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mitools.analyses.cui2022 import transfer_study
from mitools.analyses.cui2022.networks.figure import grid_of_networks
from mitools.analyses.cui2022.networks.networks_and_targets import NetworksAndTargetsRecipe, run
from mitools.analyses.cui2022.networks.peaks import peaks
from mitools.analyses.cui2022.networks.words import describe
from mitools.backends.threads import threads
from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe

MADE = Callable[..., pd.DataFrame]


@pytest.mark.slow
def test_from_training_to_reading_in_two_processes(
    tiny_study: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer_study, "CRITICS_AT_A_TIME", 4)  # of twelve checkpoints: three groups
    content = tiny_study | {"networks": ["convnet_half", "convnet"], "ctc": {"border": 1}}
    content["training"] = tiny_study["training"] | {"encoder": "convnet_half"}
    with threads(2):
        found = run(make_recipe(content, NetworksAndTargetsRecipe, "recipe"), tmp_path / "out")
    assert found is not None
    assert len(found.table) == 2 * 2 * 3 * 2
    assert set(zip(found.table["network"], found.table["method"], strict=True)) == {
        (network, method) for network in ("convnet_half", "convnet") for method in ("vanilla", "ctc")
    }
    of_peaks = pd.read_csv(tmp_path / "out" / "peaks.csv")
    assert len(of_peaks) == 2 * 2 * (4 + 2)
    assert set(of_peaks["last_epoch"]) == {2}


def test_a_network_that_cannot_read_the_images_is_named_before_training(
    tiny_study: dict[str, Any], tmp_path: Path
) -> None:
    content = tiny_study | {"networks": ["tiny", "alexnet_half"]}
    with pytest.raises(InputError, match="encoder alexnet_half fails on images of") as caught:
        run(make_recipe(content, NetworksAndTargetsRecipe, "recipe"), tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def of_networks(table: pd.DataFrame) -> pd.DataFrame:
    names = table["setting"].str.rsplit("-", n=1)
    return table.assign(network=names.str[0], method=names.str[1])


def test_each_networks_peak_is_set_beside_its_end(make_table: MADE) -> None:
    table = of_networks(
        make_table(
            {
                "one-vanilla": {0: 0.99, 2: 0.9, 4: 0.7}, "one-ctc": {0: 0.99, 2: 0.9, 4: 0.85},
                "two-vanilla": {0: 0.99, 2: 0.6, 4: 0.8}, "two-ctc": {0: 0.99, 2: 0.6, 4: 0.75},
            }
        )
    )  # fmt: skip
    found = peaks(table)
    known = found.set_index(["network", "method", "data", "quantity"])
    row = known.loc["one", "vanilla", "colour", "logistic_acc"]
    assert (row["best_epoch"], row["latest_best_epoch"], row["last_epoch"], row["seeds"]) == (2, 2, 4, 3)
    assert row["difference"] == pytest.approx(-0.2)
    assert row["at_best"] == pytest.approx(0.9)
    text = describe(table, found)
    assert "Transfer to colour falls from its best epoch to the last for 1 of 2 networks" in text
    assert "networks: one (best at epoch 2" in text
    assert "it is not seen to fall for two" in text
    assert "better for one (+15.0 points (+15.0 to +15.0)); worse for two (-5.0 points" in text
    assert "one -2.00 bits (-2.00 to -2.00), two +0.00 bits" in text
    assert "those of all 2 networks, of one change and by one classifier, hold together" in text


def test_noise_is_not_a_fall(make_table: MADE) -> None:
    table = make_table({"one-vanilla": {2: 0.72, 4: 0.7}}, jitter={"one-vanilla": 0.05})
    found = peaks(of_networks(table))
    assert "falls from its best epoch to the last for 0 of 1 networks" in describe(of_networks(table), found)
    own = found[found["quantity"] == "logistic_acc"].iloc[0]
    np.testing.assert_allclose([own["low"], own["high"]], [own["wide_low"], own["wide_high"]])


def test_the_grid_has_a_row_a_network(make_table: MADE) -> None:
    table = of_networks(make_table({"one-vanilla": {2: 0.9, 4: 0.7}, "two-vanilla": {2: 0.9, 4: 0.8}}))
    grid = grid_of_networks(table)
    assert [axes.get_ylabel() for axes in grid] == ["one\naccuracy", "two\naccuracy"]
    np.testing.assert_allclose(grid[1].lines[0].get_ydata(), [0.9, 0.8])


def test_one_seed_has_the_bars_of_its_images_and_no_intervals_in_words(make_table: MADE) -> None:
    table = of_networks(make_table({"one-vanilla": {2: 0.9, 4: 0.7}}))
    table = table[table["seed"] == 0]
    bars = grid_of_networks(table)[0].collections[0].get_segments()
    heights = [end[:, 1] for end in bars]
    seen = table[table["data"] == "colour"]["logistic_acc"].to_numpy()
    np.testing.assert_allclose(heights, np.stack([seen - 0.1, seen + 0.1], axis=1))
    text = describe(table, peaks(table))
    assert "by one -2.00 bits. Transfer to colour, from its best epoch to the last: one (best at" in text
    assert "falls for" not in text
    assert "nan" not in text


def test_curves_of_two_methods_stand_beside_each_other(make_table: MADE) -> None:
    table = of_networks(make_table({"one-vanilla": {2: 0.9, 4: 0.7}, "one-ctc": {2: 0.9, 4: 0.8}}))
    first, second = (line.get_xdata() for line in grid_of_networks(table)[0].lines)
    np.testing.assert_allclose(np.subtract(second, first), 0.24)  # 0.12 of two epochs
