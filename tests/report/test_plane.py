"""The figures of a plane: what is on them, as the SVG's text and the axes hold it."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from mitools.core.errors import InputError
from mitools.report.figures import save
from mitools.report.figures.plane_curves import epochs_chart
from mitools.report.figures.plane_style import on_log_grid, stage_borders
from mitools.report.figures.plane_trajectories import plane_chart
from mitools.report.figures.save import write_chart
from mitools.report.figures.style import KIND_MARKERS
from mitools.report.plane import draw_plane

SENTENCE = "ksg: for a deterministic network with continuous T, I(X;T) is infinite, and n is measured."
KINDS = {
    ("I(X;T)", "ksg"): "point estimate",
    ("I(X;T)", "pairwise_upper"): "upper bound",
    ("I(T;Y)", "mixed_ksg"): "point estimate",
    ("I(T;Y)", "pairwise_upper"): "upper bound",
    ("I(T;Y)", "label_information"): "lower bound",
}


@pytest.fixture
def table() -> pd.DataFrame:
    """Two layers at four checkpoints in two stages, on a source and a target."""
    rng = np.random.default_rng(0)
    rows = []
    for data in ("source", "target"):
        for depth, layer in enumerate(["conv.1", "output"]):
            for epoch in (0, 2, 4, 6):
                for (quantity, method), kind in KINDS.items():
                    bits = 1.0 + depth + 0.1 * epoch + 0.1 * rng.random()
                    rows.append(
                        {
                            "encoder": f"run:r@epoch={epoch}", "epoch": epoch, "layer": layer, "depth": depth,
                            "stage": "one" if epoch < 4 else "two", "data": data, "quantity": quantity,
                            "method": method, "kind": kind, "bits": bits, "low_bits": bits - 0.1,
                            "high_bits": bits + 0.2, "ceiling_bits": None,
                            "n": 1234 if quantity == "I(X;T)" else 321,
                            "entropy_bits": 3.0 if quantity == "I(T;Y)" else None,
                            "measures": SENTENCE if method == "ksg" else "", "warnings": "",
                            "role": "target" if data == "target" else "source",
                        }
                    )  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures in the order they would be saved in; nothing is written."""
    kept: list[Figure] = []

    def keep(figure: Figure, path: Path, endings: Sequence[str]) -> list[Path]:
        kept.append(figure)
        return []

    monkeypatch.setattr(save, "save_figure", keep)
    return kept


def words(path: Path) -> str:
    return " ".join(re.findall(r">([^<>]+)</(?:text|tspan)>", path.with_suffix(".svg").read_text()))


def test_every_figure_is_written_in_three_formats(table: pd.DataFrame, tmp_path: Path) -> None:
    few = table[(table["data"] == "source") & table["method"].isin(["ksg", "mixed_ksg"])]
    files = draw_plane(few, tmp_path)
    stems = ["plane_ksg", "epochs_conv_1", "epochs_output", "depth"]
    assert [path.name for path in files] == [
        f"{stem}.{end}" for stem in stems for end in ("png", "svg", "pdf")
    ]
    heads = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}
    assert all(path.read_bytes().startswith(heads[path.suffix]) for path in files)


def test_the_plane_says_units_kind_n_and_what_is_measured(table: pd.DataFrame, tmp_path: Path) -> None:
    write_chart(tmp_path / "plane", plane_chart, table, "ksg", "mixed_ksg")
    said = words(tmp_path / "plane")
    for expected in (
        "I(X;T), KSG (bits)", "I(T;Y), mixed KSG (bits)", "point estimate", "1: conv.1", "2: output",
        "source", "target", "n = 1,234 for X, n = 321 for Y", "epoch", "H(Y) = 3.00", "95% intervals",
    ):  # fmt: skip
        assert expected in said
    assert "I(X;T) is infinite" in said


def test_markers_point_where_the_truth_may_lie(
    table: pd.DataFrame, tmp_path: Path, figures: list[Figure]
) -> None:
    pointing = ("lower bound", "upper bound", "point estimate")
    assert [KIND_MARKERS[kind] for kind in pointing] == ["^", "v", "o"]
    write_chart(tmp_path / "plane", plane_chart, table, "pairwise_upper", "pairwise_upper")
    write_chart(tmp_path / "epochs", epochs_chart, table[table["layer"] == "output"])
    plane, epochs = figures
    points = plane.axes[0].collections
    down = [path for one in points for path in one.get_paths() if len(path.vertices) == 4]
    assert down, "triangles"
    assert all(np.argmin(path.vertices[:, 1]) == np.argmin(abs(path.vertices[:, 0])) for path in down)
    curves = [line for line in epochs.axes[2].get_lines() if ":" in line.get_label()]
    lines = {line.get_label().partition(":")[0]: line.get_marker() for line in curves}
    assert lines == {"mixed KSG": "o", "pairwise upper": "v", "label information": "^"}


def test_trajectories_go_with_time(table: pd.DataFrame, tmp_path: Path, figures: list[Figure]) -> None:
    """An arrow between every two checkpoints, pointing to the later; numbers at the last."""
    write_chart(tmp_path / "plane", plane_chart, table, "ksg", "mixed_ksg")
    axes = figures[0].axes[0]
    arrows = [text for text in axes.texts if text.arrow_patch is not None]
    assert len(arrows) == 2 * 3
    rows = table[(table["data"] == "source") & (table["layer"] == "output") & (table["method"] == "ksg")]
    across = rows.sort_values("epoch")["bits"].to_numpy()
    heads = [(arrow.xyann[0], arrow.xy[0]) for arrow in arrows[3:]]
    assert [start for start, _ in heads] == pytest.approx(list(across[:-1]))
    assert all(
        (stop - start) * (b - a) > 0 for (start, stop), a, b in zip(heads, across, across[1:], strict=False)
    )
    (last,) = [text for text in axes.texts if text.get_text() == "2"]
    assert last.xy[0] == pytest.approx(across[-1])


def test_curves_are_told_apart_without_colour(
    table: pd.DataFrame, tmp_path: Path, figures: list[Figure]
) -> None:
    write_chart(tmp_path / "epochs", epochs_chart, table[table["layer"] == "output"])
    for axes in figures[0].axes:
        looks = [
            (line.get_linestyle(), line.get_marker()) for line in axes.get_lines() if ":" in line.get_label()
        ]
        assert len(looks) == len(set(looks)) >= 2


def test_the_border_of_stages_is_dotted(table: pd.DataFrame, tmp_path: Path, figures: list[Figure]) -> None:
    assert stage_borders(table) == [2.0]
    write_chart(tmp_path / "epochs", epochs_chart, table[table["layer"] == "output"])
    for axes in figures[0].axes:
        upright = [line for line in axes.get_lines() if list(line.get_xdata()) == [2.0, 2.0]]
        assert [line.get_linestyle() for line in upright] == [":"]
    (below,) = figures[0].texts
    assert "border between stages" in below.get_text()
    assert stage_borders(table.assign(stage=None)) == []


def test_legends_name_kind_and_n(table: pd.DataFrame, tmp_path: Path) -> None:
    write_chart(tmp_path / "epochs", epochs_chart, table[table["layer"] == "output"])
    said = words(tmp_path / "epochs")
    assert "KSG: point estimate, n = 1,234" in said
    assert "label information: lower bound, n = 321" in said
    assert "I(T;Y) (bits)" in said


def test_readings_that_tell_nothing_are_crossed_out(
    table: pd.DataFrame, tmp_path: Path, figures: list[Figure]
) -> None:
    table["warnings"] = ["saturated, overfit" if epoch == 4 else "overfit" for epoch in table["epoch"]]
    write_chart(tmp_path / "plane", plane_chart, table, "ksg", "mixed_ksg")
    draw_plane(table[table["method"].isin(["ksg", "mixed_ksg"])], tmp_path)
    plane, again, first, second, depth = figures
    for figure in (plane, again, first, second):
        (below,) = figure.texts
        assert "Crossed: no more than its null, at its ceiling, or above the entropy" in below.get_text()
        crosses = [line for line in figure.axes[0].get_lines() if line.get_marker() == "x"]
        assert sum(len(line.get_xdata()) for line in crosses) == (2 if figure in (plane, again) else 1)
    assert "Crossed" not in depth.texts[0].get_text(), "neither the first nor the last checkpoint is flagged"


def test_a_reading_looks_alike_in_every_panel(
    table: pd.DataFrame, tmp_path: Path, figures: list[Figure]
) -> None:
    write_chart(tmp_path / "epochs", epochs_chart, table[table["layer"] == "output"])
    looks: dict[str, set[tuple[str, str]]] = {}
    for axes in figures[0].axes:
        for line in axes.get_lines():
            name, found, _ = line.get_label().partition(":")
            if found:
                looks.setdefault(name, set()).add((line.get_color(), line.get_linestyle()))
    assert all(len(of_one) == 1 for of_one in looks.values())
    assert len({look for (look,) in looks.values()}) == len(looks) == 4


def test_data_trained_on_are_named_so(table: pd.DataFrame, tmp_path: Path) -> None:
    table.loc[table["data"] == "source", "role"] = "trained on"
    draw_plane(table[table["method"].isin(["ksg", "mixed_ksg"])], tmp_path)
    for name in ("plane_ksg", "epochs_output", "depth"):
        assert "source (trained on)" in words(tmp_path / name)
        assert "target (trained on)" not in words(tmp_path / name)


def test_ceilings_are_in_the_legend(table: pd.DataFrame, tmp_path: Path) -> None:
    table.loc[table["method"] == "ksg", "ceiling_bits"] = 10.2767
    write_chart(tmp_path / "epochs", epochs_chart, table[table["layer"] == "output"])
    assert "KSG: point estimate, n = 1,234, ceiling 10.28" in words(tmp_path / "epochs")


def test_layers_that_end_in_one_place_share_a_label(
    table: pd.DataFrame, tmp_path: Path, figures: list[Figure]
) -> None:
    table.loc[table["epoch"] == 6, ["bits", "low_bits", "high_bits"]] = [2.5, 2.4, 2.6]
    write_chart(tmp_path / "plane", plane_chart, table, "ksg", "mixed_ksg")
    numbers = [text.get_text() for text in figures[0].axes[0].texts if text.get_weight() == "bold"]
    assert numbers == ["1, 2"]


def test_nothing_is_cut_off(table: pd.DataFrame, tmp_path: Path, figures: list[Figure]) -> None:
    """Title, legend and caption neither leave the picture nor lie on each other."""
    write_chart(tmp_path / "plane", plane_chart, table, "ksg", "mixed_ksg")
    (figure,) = figures
    boxes = [axes.get_tightbbox() for axes in figure.axes]
    legend = figure.legends[0].get_window_extent()
    (text,) = [text.get_window_extent() for text in figure.texts]
    assert not any(legend.overlaps(box) or text.overlaps(box) for box in boxes)
    assert not legend.overlaps(text)


def test_one_data_set_one_quantity_and_one_checkpoint_are_enough(table: pd.DataFrame, tmp_path: Path) -> None:
    few = table[(table["data"] == "source") & (table["quantity"] == "I(X;T)") & (table["epoch"] == 0)]
    assert {path.stem for path in draw_plane(few, tmp_path)} == {"depth"}
    one = few.assign(epoch=6)[few["layer"] == "output"]
    of_label = table[(table["data"] == "source") & (table["epoch"] == 6) & (table["layer"] == "output")]
    both = pd.concat([one[one["method"] == "ksg"], of_label[of_label["quantity"] == "I(T;Y)"]])
    both = both.assign(encoder="run:r@epoch=6")
    assert {path.stem for path in draw_plane(both, tmp_path)} == {"plane_ksg"}


def test_epochs_on_a_logarithmic_grid_are_known() -> None:
    assert on_log_grid([0, 1, 3, 10, 30, 100])
    assert not on_log_grid([0, 10, 20, 30, 40])


def test_an_empty_table_is_refused(table: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing to draw"):
        draw_plane(table.iloc[:0], tmp_path)
