import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image
from scipy import stats

from mitools.core.errors import InputError
from mitools.report.figures.brackets import bracket_chart
from mitools.report.figures.label_placement import place_labels
from mitools.report.figures.save import write_above, write_chart
from mitools.report.figures.scatter import scatter_against_target
from mitools.report.figures.style import axis_label, shorten

COLUMNS = ["i_class_bits", "i_simclr_bits", "alignment"]


def results(n, seed=0):
    rng = np.random.default_rng(seed)
    quality = rng.uniform(0.3, 0.9, n)
    table = pd.DataFrame({"encoder": [f"timm:resnet{k}.a1_in1k" for k in range(n)], "h_c_bits": np.log2(10)})
    table["i_class_bits"] = 3 * quality + rng.normal(0, 0.1, n)
    table["i_class_low"] = table.i_class_bits - 0.1
    table["i_class_high"] = table.i_class_bits + 0.1
    table["i_class_identified"] = False
    table["i_simclr_bits"] = 8 + rng.normal(size=n)
    table["alignment"] = 1.5 - quality + rng.normal(0, 0.1, n)
    table["linear_acc"] = quality
    return table


def has_ink(path):
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("L"))
    return min(pixels.shape) > 100 and (pixels < 128).mean() > 0.001


@pytest.mark.parametrize("n", [1, 4, 25])
def test_both_figures_are_drawn_as_png_svg_and_pdf(tmp_path, n):
    table = results(n)
    written = write_chart(tmp_path / "new" / "scatter", scatter_against_target, table, COLUMNS, "linear_acc")
    written += write_chart(tmp_path / "new" / "brackets.png", bracket_chart, table)
    names = {f"{stem}.{end}" for stem in ("scatter", "brackets") for end in ("png", "svg", "pdf")}
    assert {path.name for path in written} == {path.name for path in (tmp_path / "new").iterdir()} == names
    assert has_ink(written[0])
    assert has_ink(written[3])
    assert all(path.read_bytes().startswith(b"%PDF") for path in (written[2], written[5]))
    for drawing in (written[1], written[4]):
        text = drawing.read_text()
        assert all(name in text for name in table.encoder)
        assert "bits" in text


def test_titles_carry_the_coefficients_of_the_turned_column(tmp_path):
    table = results(12)
    _, drawing, _ = write_chart(
        tmp_path / "scatter", scatter_against_target, table, ["alignment"], "linear_acc"
    )
    r = -stats.pearsonr(table.alignment, table.linear_acc)[0]
    tau = -stats.kendalltau(table.alignment, table.linear_acc)[0]
    assert r > 0.5
    assert f"Pearson {r:.2f}, Kendall {tau:.2f}, n = 12" in drawing.read_text()
    assert "lower is better" in drawing.read_text()


def test_absent_values_are_counted_and_break_nothing(tmp_path):
    table = results(6)
    table["i_simclr_bits"] = None
    table["i_class_identified"] = table["i_class_identified"].astype(object)
    table.loc[2, ["i_class_bits", "i_class_low", "i_class_high", "i_class_identified"]] = np.nan
    table.loc[4, "linear_acc"] = np.nan
    table.loc[1, "i_class_identified"] = True
    table.loc[3, "i_class_low"] = -0.2
    _, scatter, _ = write_chart(tmp_path / "scatter", scatter_against_target, table, COLUMNS, "linear_acc")
    assert "n = 4, 2 without a value" in scatter.read_text()
    assert "no correlation from 0 encoders, 6 without a value" in scatter.read_text()
    _, brackets, _ = write_chart(tmp_path / "brackets", bracket_chart, table)
    text = brackets.read_text()
    assert f"{table.i_class_bits[1]:.3f}, at least {table.i_class_low[1]:.3f}, identified" in text
    assert f"{table.i_class_bits[3]:.3f}, nothing certified" in text
    assert text.count("no estimate") == 1
    assert "H(C) = 3.322 bits" in text


@pytest.mark.parametrize("column", ["i_class_bits", "h_c_bits"])
def test_a_table_of_failures_still_draws(tmp_path, column):
    table = results(3)
    table[column] = np.nan
    _, drawing, _ = write_chart(tmp_path / "brackets", bracket_chart, table)
    assert drawing.read_text().count("no estimate") == 3
    _, drawing, _ = write_chart(tmp_path / "scatter", scatter_against_target, table, [column], "linear_acc")
    assert "no values" in drawing.read_text()


def test_encoders_read_on_different_classes_show_their_own_entropy(tmp_path):
    table = results(3)
    table["h_c_bits"] = [1.0, 2.0, 2.0]
    _, drawing, _ = write_chart(tmp_path / "brackets", bracket_chart, table)
    assert drawing.read_text().count("H(C) = 2.000") == 2
    assert drawing.read_text().count("H(C) = 1.000") == 1


def test_names_are_taken_literally(tmp_path):
    table = results(2)
    table["encoder"] = ["cost $5 a_b^2 <x>", "$\\frac{1}$"]
    for written in (
        write_chart(tmp_path / "scatter", scatter_against_target, table, ["alignment"], "linear_acc"),
        write_chart(tmp_path / "brackets", bracket_chart, table),
    ):
        assert "cost $5 a_b^2 &lt;x&gt;" in written[1].read_text()


def test_the_same_table_makes_the_same_files(tmp_path):
    first, second = (write_chart(tmp_path / name, bracket_chart, results(4)) for name in ("a", "b"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


@pytest.mark.parametrize("n", [8, 16, 20])
def test_names_do_not_cover_each_other(n):
    rng = np.random.default_rng(n)
    figure = Figure(figsize=(4.3, 3.5))
    axes = figure.subplots()
    x = rng.uniform(0, 1, n)
    y = x + rng.normal(0, 0.15, n)
    axes.plot(x, y, "o")
    axes.margins(0.16, 0.16)
    names = [f"encoder_{k:02d}" for k in range(n)]
    place_labels(axes, x, y, names, 6.5, np.empty((0, 2)))
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    boxes = [Text.get_window_extent(text, renderer) for text in axes.texts]  # the words without the line
    assert [text.get_text() for text in axes.texts] == names
    low = np.array([(box.x0, box.y0) for box in boxes])
    high = np.array([(box.x1, box.y1) for box in boxes])
    shared = np.minimum(high[:, None], high) - np.maximum(low[:, None], low)
    overlap = np.maximum(shared, 0).prod(axis=-1) / (high - low).prod(axis=-1)
    np.fill_diagonal(overlap, 0)
    assert overlap.max() < 0.15
    frame = axes.get_window_extent(renderer)
    assert (low > np.array([frame.x0, frame.y0]) - 12).all()
    assert (high < np.array([frame.x1, frame.y1]) + 12).all()


def test_axis_labels_carry_units():
    assert axis_label("i_class_bits").endswith("(bits)")
    assert axis_label("my_own_bits") == "my_own (bits)"
    assert axis_label("my_metric") == "my_metric"
    assert shorten("short", 10) == "short"
    assert len(shorten("x" * 50, 20)) == 20


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda path: write_chart(path, scatter_against_target, results(3), ["nmi"], "linear_acc"), "'nmi'"),
        (lambda path: write_chart(path, scatter_against_target, results(3), ["alignment"], "acc"), "'acc'"),
        (lambda path: write_chart(path, scatter_against_target, results(3), [], "linear_acc"), "no column"),
        (
            lambda path: write_chart(
                path, scatter_against_target, results(3)[:0], ["alignment"], "linear_acc"
            ),
            "no rows",
        ),
        (lambda path: write_chart(path, bracket_chart, results(3).drop(columns="h_c_bits")), "'h_c_bits'"),
        (lambda path: write_chart(path, bracket_chart, results(0)), "no rows"),
    ],
)
def test_bad_tables_are_one_line_and_write_nothing(tmp_path, call, words):
    with pytest.raises(InputError, match=words) as error:
        call(tmp_path / "figure")
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_a_subject_stands_above_all_that_is_drawn_and_above_the_key(tmp_path):
    def chart(figure):
        axes = figure.subplots()
        axes.plot([0, 1], label="a line")
        figure.legend(loc="outside upper center")
        figure.set_layout_engine("constrained")

    figure = Figure()
    FigureCanvasAgg(figure)
    chart(figure)
    write_above(figure, "digits, n = 1,797; bars: 95% intervals")
    (line,), (key,) = figure.texts, figure.legends
    assert line.get_window_extent().y0 > key.get_window_extent().y1
    _, drawing, _ = write_chart(tmp_path / "chart", chart, subject="n = 1,797")
    assert "n = 1,797" in drawing.read_text()
