"""The toy plane: the task, exact binned values counted a second way, and words that follow from numbers."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.transform import Rotation

from mitools.analyses.information_plane.toy import InformationPlaneToyRecipe, run
from mitools.analyses.information_plane.toy_findings import ACTIVATIONS, describe, falls
from mitools.analyses.information_plane.toy_networks import (
    NetworkRecipe,
    hidden_layers,
    kept_epochs,
    train_networks,
)
from mitools.analyses.information_plane.toy_plane import TANH_RANGE, binned_plane, plane_of
from mitools.analyses.information_plane.twelve_bits import (
    power_spectrum,
    shared_bits,
    sphere_points,
    twelve_bits,
)
from mitools.core.recipes import make_recipe, read_recipe

SMALL = {"networks": 2, "epochs": 20, "checkpoints": 2}


def counted(layer: np.ndarray, labels: np.ndarray, bins: int, low: float, high: float) -> tuple[float, float]:
    """I(X;T) and I(T;Y) in bits by counting patterns in a dictionary, without anything of the library."""
    edges = np.linspace(low, high, bins + 1)[1:-1]
    cells = [tuple(np.searchsorted(edges, row, side="right")) for row in layer]

    def entropy(symbols: list[Any]) -> float:
        share = np.array(list(Counter(symbols).values())) / len(symbols)
        return float(-(share * np.log2(share)).sum())

    both = entropy(list(zip(cells, labels.tolist(), strict=True)))
    # Every pattern is an input of its own, so that H(T|X) is 0 once T is binned.
    return entropy(cells), entropy(cells) + entropy(labels.tolist()) - both


def test_the_task_is_as_described() -> None:
    task = twelve_bits()
    assert task.patterns.shape == (4096, 12)
    assert len(np.unique(task.patterns, axis=0)) == 4096
    assert set(np.unique(task.patterns)) == {0.0, 1.0}
    assert shared_bits(task.positive) == pytest.approx(0.99, abs=1e-6)
    assert task.positive.mean() == pytest.approx(0.5, abs=0.01)
    assert task.labels.mean() == pytest.approx(0.5, abs=0.02)
    np.testing.assert_array_equal(task.labels, twelve_bits().labels)
    # The labels follow the rule: of the patterns whose label is nearly certain, all have it.
    sure = abs(task.positive - 0.5) > 0.4999
    assert (task.labels[sure] == (task.positive[sure] > 0.5)).mean() > 0.999


def test_rotations_leave_the_rule_alone() -> None:
    points, patterns = sphere_points(12), twelve_bits().patterns[::37]
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1)
    turned = Rotation.from_rotvec([0.3, -1.2, 0.7]).apply(points)
    np.testing.assert_allclose(power_spectrum(patterns, turned), power_spectrum(patterns, points))
    other = np.array([[1, 0, 0], [0, 1, 0]])
    assert power_spectrum(np.ones((1, 2)), other)[0, 0] == pytest.approx(4 / (4 * np.pi))


def test_shared_bits_by_hand() -> None:
    assert shared_bits(np.array([0.0, 1.0, 1.0, 0.0])) == pytest.approx(1)
    assert shared_bits(np.full(8, 0.3)) == pytest.approx(0)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path, InformationPlaneToyRecipe]:
    """The study with small networks, and its folder."""
    out = tmp_path_factory.mktemp("toy")
    recipe = make_recipe({"tanh": SMALL, "relu": SMALL | {"seed": 1}}, InformationPlaneToyRecipe, "recipe")
    return run(recipe, out), out, recipe


def test_binned_values_are_exact(found: tuple[Any, Path, InformationPlaneToyRecipe]) -> None:
    """Of every layer at every checkpoint, over all 4,096 patterns, to 1e-9 bits."""
    finding, out, recipe = found
    task = twelve_bits()
    for activation in ACTIVATIONS:
        networks: NetworkRecipe = getattr(recipe, activation)
        weights = train_networks(networks, activation, task.patterns, task.labels, out / "networks")
        rows = finding.table[(finding.table["activation"] == activation) & (finding.table["network"] == 1)]
        layers = hidden_layers(weights, activation, task.patterns, 1)
        assert [layer.shape[2] for layer in layers] == [10, 7, 5, 4, 3, 2]
        for depth, courses in enumerate(layers):
            low, high = TANH_RANGE if activation == "tanh" else (0.0, float(courses.max()))
            own = rows[rows["depth"] == depth].sort_values("epoch")
            assert list(own["epoch"]) == kept_epochs(networks)
            assert (own["n"] == 4096).all()
            for row, layer in zip(own.itertuples(), courses, strict=True):
                expected = counted(layer, task.labels, 30, low, high)
                assert (row.i_xt_bits, row.i_ty_bits) == pytest.approx(expected, abs=1e-9)


def test_saturated_units_keep_one_bit() -> None:
    """A unit at its limits says which of two values it takes, and no more."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 4096)
    layer = np.where(labels == 1, 0.99, -0.99)[:, None] + 0.005 * rng.random((4096, 1))
    p = labels.mean()
    h_y = -(p * np.log2(p) + (1 - p) * np.log2(1 - p))
    assert binned_plane(layer, labels, 30, TANH_RANGE) == pytest.approx((h_y, h_y), abs=1e-9)


def test_files_figures_and_resumption(
    found: tuple[Any, Path, InformationPlaneToyRecipe], written: Callable[[Path], dict[Path, int]]
) -> None:
    finding, out, recipe = found
    names = {path.name for path in finding.files}
    stems = ("information_plane_toy", "by_epoch")
    assert names == {"results.csv", "reading.txt"} | {
        f"{s}.{e}" for s in stems for e in ("png", "svg", "pdf")
    }
    text = (out / "information_plane_toy.svg").read_text()
    for said in ("tanh", "relu", "layer 6", "n = 4,096", "30 bins of equal width over [-1, 1]", "epoch"):
        assert said in text
    kept = pd.read_csv(out / "results.csv")
    assert describe(kept) == finding.reading
    before = written(out)
    again = run(recipe, out)
    assert again is not None
    assert again.reading == finding.reading
    assert written(out) == before


def test_networks_do_not_depend_on_their_company(tmp_path: Path) -> None:
    task = twelve_bits()
    some = slice(None, None, 16)
    several = NetworkRecipe(networks=3, epochs=5, checkpoints=2)
    alone = NetworkRecipe(networks=1, epochs=5, checkpoints=2)
    a, b = (
        train_networks(recipe, "tanh", task.patterns[some], task.labels[some], tmp_path)
        for recipe in (several, alone)
    )
    for name in b:
        np.testing.assert_allclose(a[name][:, 0], b[name][:, 0], atol=1e-6)
    assert not np.allclose(a["weight.0"][:, 0], a["weight.0"][:, 1])


def table(tanh: float = 3.0, relu: float = 0.1, **changes: Any) -> pd.DataFrame:
    """Three networks of either activation, whose last layer falls by so many bits."""
    rows = [
        {
            "activation": activation, "network": network, "accuracy": 0.99, "layer": f"layer {depth + 1}",
            "depth": depth, "epoch": epoch, "i_ty_bits": 0.9, "bins": 30, "n": 4096, "h_y_bits": 1.0,
            "i_xy_bits": 0.99,
            "i_xt_bits": 8.0 - depth + (0.01 * network - depth * fall) * (epoch == 100),
        }
        for activation, fall in (("tanh", tanh), ("relu", relu))
        for network in range(3)
        for depth in range(2)
        for epoch in (0, 10, 100)
    ]  # fmt: skip
    return pd.DataFrame(rows).assign(**changes)


def test_falls_are_from_the_peak_with_paired_intervals() -> None:
    found = falls(table(), "tanh").set_index("layer")
    assert found.loc["layer 2", "fall_bits"] == pytest.approx(2.99)
    assert found.loc["layer 2", "fall_low"] < 2.99 < found.loc["layer 2", "fall_high"]
    assert list(found["compressed"]) == [False, True]


@pytest.mark.parametrize(
    ("tanh", "relu", "said"),
    [
        (3.0, 0.1, "tanh compresses under binning and ReLU is not seen to, in line with Saxe et al."),
        (3.0, 3.0, "both compress under binning here; Saxe et al. found it for tanh alone"),
        (0.1, 3.0, "the reverse of Saxe et al."),
        (0.1, 0.1, "neither compresses under binning here"),
    ],
)
def test_the_outcome_is_stated_only_if_found(tanh: float, relu: float, said: str) -> None:
    text = describe(table(tanh, relu))
    assert said in text
    assert ("in line with Saxe et al." in text) == (tanh > 1 and relu < 1)
    if tanh > 1:
        assert "layer 2 by 2.99 bits" in text


def test_a_fall_within_chance_is_none_and_what_is_not_ruled_out_is_told() -> None:
    noisy = table(1.0, 0.1)
    assert "rule out" not in describe(table(0.1, 0.1))
    last = (noisy["epoch"] == 100) & (noisy["depth"] == 1)
    noisy.loc[last, "i_xt_bits"] += noisy.loc[last, "network"].map({0: -4.0, 1: 0.0, 2: 3.0})
    text = describe(noisy)
    assert "neither compresses" in text
    highest = falls(noisy, "tanh")["fall_high"].max()
    assert f"For tanh so few networks do not rule out a fall of up to {highest:.2f} bits" in text


def test_no_network_picks_the_epoch_it_falls_from() -> None:
    """Noise alone: the highest of many epochs lies above the last one, and would look like a fall."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(40):
        noise = table(0.0, 0.0, accuracy=0.99)
        noise = pd.concat([noise.assign(epoch=noise["epoch"] + k) for k in range(0, 30, 3)])
        noise = noise.drop_duplicates(["activation", "network", "layer", "epoch"])
        found.append(
            falls(noise.assign(i_xt_bits=rng.standard_normal(len(noise))), "tanh")["fall_bits"].mean()
        )
    stderr = np.std(found, ddof=1) / len(found) ** 0.5
    assert abs(np.mean(found)) < 3 * stderr < 0.5


def test_networks_that_learnt_nothing_are_told_and_left_out() -> None:
    dead = table()
    dead.loc[(dead["activation"] == "relu") & (dead["network"] > 0), "accuracy"] = 0.5
    assert "With relu units 1 of 3 networks learnt the rule" in describe(dead)
    assert set(plane_of(dead)["data"]) == {"tanh, 3 networks", "relu, 1 network"}
    dead.loc[dead["activation"] == "relu", "accuracy"] = 0.5
    text = describe(dead)
    assert "nothing can be said of it" in text
    assert "Saxe" not in text
    assert set(plane_of(dead)["data"]) == {"tanh, 3 networks", "relu, 3 networks, none of which learnt"}


@pytest.mark.parametrize("scale", ["smoke", "paper"])
def test_recipes_are_read(scale: str) -> None:
    path = Path(__file__).parents[3] / "analyses" / "recipes" / f"information_plane_toy.{scale}.yaml"
    recipe = read_recipe(path, InformationPlaneToyRecipe)
    assert recipe.bins == 30
    assert recipe.tanh.widths == (10, 7, 5, 4, 3, 2)
