"""What many views share: weights of Fig. 3, labels of a view's own attributes, and words from numbers."""

from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mitools.analyses.registry import recipe_path
from mitools.analyses.tian2020_cmc.shared_attributes_words import describe
from mitools.analyses.tian2020_cmc.what_many_views_share import (
    WhatManyViewsShareRecipe,
    objective_weights,
    run,
)
from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe, read_recipe
from mitools.datasets.synthetic.cdp import CDP, COLORS

VIEWS = ["image", "partner:1", "partner:2"]
CARRIED = {"image": ("color", "digit", "position"), "partner:1": ("color", "digit"), "partner:2": ("color",)}
PARTNERS = "&partners=color+digit,color"


@pytest.fixture
def content(training: dict[str, Any], evaluation: dict[str, Any]) -> dict[str, Any]:
    options = {"views": VIEWS, "temperature": 0.1, "head_width": 16, "head": "linear"}
    shared = {key: training[key] for key in ("encoder", "log_every", "optimiser")} | {"epochs": 1}
    data = training["data"] + PARTNERS
    return {
        "training": shared | {"data": data, "method": "cmc", "options": options, "batch_size": 16},
        "cores": ["partner:2"],
        "evaluation": {"data": evaluation["data"] + PARTNERS},
    }


def test_every_graph_view_and_attribute_is_measured_once(
    content: dict[str, Any], tmp_path: Path, written: Callable[[Path], dict[Path, int]]
) -> None:
    recipe = make_recipe(content, WhatManyViewsShareRecipe, "recipe")
    found = run(recipe, tmp_path)
    assert found is not None
    table = found.table
    assert len(table) == 3 * 3 * 3
    assert list(dict.fromkeys(table["graph"])) == ["full", "core partner:2", "untrained"]
    np.testing.assert_allclose(table["h_c_bits"], 1.0)
    weights = table.set_index(["graph", "view", "attribute"])["weight"]
    assert weights["full", "image", "color"] == 3
    assert weights["core partner:2", "image", "color"] == 2
    assert weights["full", "image", "digit"] == 1
    assert weights["core partner:2", "image", "digit"] == 0
    assert weights["full", "image", "position"] == 0
    # Pixels show the attribute of their own view whatever the training; labels of the image would give 0.
    own = table[(table["view"] == "partner:2") & (table["attribute"] == "position")]
    assert (own["linear_acc"] > 0.9).all()
    kept = pd.read_csv(tmp_path / "results.csv")
    assert describe(kept) == found.reading
    names = {
        "results.csv",
        "reading.txt",
        "what_many_views_share.png",
        "what_many_views_share.svg",
        "what_many_views_share.pdf",
    }
    assert {path.name for path in found.files} == names
    before = written(tmp_path)
    assert run(recipe, tmp_path) is not None
    assert written(tmp_path) == before


def test_partners_show_the_codes_that_they_are_said_to_have() -> None:
    """On black the only colour in a picture is that of its glyph, and its place that of the position."""
    data = CDP(24, size=32, background="none", partners=[("color",), ()])
    colors = np.array(list(COLORS.values()))
    for name in data.modalities:
        codes = data.partner_codes(name)
        for item in range(len(data)):
            picture = data.modality(item, name)
            brightest = picture.reshape(3, -1)[:, picture.sum(axis=0).argmax()]
            assert (
                np.abs(brightest - colors[codes[item, 0]]).max() <= 16
            )  # a glyph's brightest pixel may be a little grey
            quarters = picture.sum(axis=0).reshape(2, 16, 2, 16).sum(axis=(1, 3))
            assert quarters.argmax() == codes[item, 2]
    assert (data.partner_codes("partner:1")[:, 0] == data.attributes[:, 0]).all()
    assert (data.partner_codes("partner:2")[:, 0] != data.attributes[:, 0]).any()


def test_weights_are_those_of_the_papers_diagrams() -> None:
    """Fig. 3: what all four views share counts in all 6 objectives of the full graph, in 3 of a core view."""
    views = ["image", "partner:1", "partner:2", "partner:3"]
    carried = CARRIED | {"partner:3": ("color",)}
    full, core = list(combinations(views, 2)), [("image", other) for other in views[1:]]
    away = [("partner:2", other) for other in views if other != "partner:2"]
    assert objective_weights(full, carried, "color", "image") == {"weight": 6, "view_weight": 3}
    assert objective_weights(core, carried, "color", "partner:1") == {"weight": 3, "view_weight": 1}
    assert objective_weights(full, carried, "digit", "partner:1") == {"weight": 1, "view_weight": 1}
    assert objective_weights(core, carried, "digit", "partner:2") == {"weight": 1, "view_weight": 0}
    assert objective_weights(away, carried, "digit", "image") == {"weight": 0, "view_weight": 0}
    assert objective_weights(full, carried, "position", "image") == {"weight": 0, "view_weight": 0}


def table(
    color: float = 0.98, digit: float = 0.8, uncounted: float = 0.4, width: float = 0.02
) -> pd.DataFrame:
    """Two graphs of two views: the full one counts the digit, the core one does not."""
    rows: list[dict[str, Any]] = []
    for graph, of_digit in (("full", 1), ("core partner:2", 0), ("untrained", 0)):
        for view in ("image", "partner:1"):
            start = graph == "untrained"
            shares = {"color": color, "digit": digit if of_digit else uncounted}
            for attribute, counts in (("color", 0 if start else 2), ("digit", of_digit)):
                share = 0.6 if start else shares[attribute]
                row = {"graph": graph, "view": view, "attribute": attribute, "weight": 3 * counts}
                bounds = {"i_class_share_low": share - width, "i_class_share_high": share + width}
                rows.append(row | {"view_weight": counts, "i_class_share": share} | bounds)
    return pd.DataFrame(rows)


def test_words_follow_from_numbers() -> None:
    text = describe(table())
    assert "Color has weight 6 (full) and 6 (core partner:2) in the objectives." in text
    assert (
        "all 4 encoders are certified to keep 0.9 of H(C) or more; the least is 0.98 of H(C) (0.96 to" in text
    )
    assert (
        "hold 0.60 to 0.60; after training 0 of 4 encoders hold less beyond the intervals, and 4 more" in text
    )
    assert "Where an encoder's own objectives count it, 0 of 2 encoders are certified" in text
    assert "after training 2 of 4 encoders hold less beyond the intervals, and 2 more" in text
    assert "In the encoder of image: full 0.80 (0.78 to 0.82) and core partner:2 0.40 (0.38 to 0.42)" in text
    assert text.endswith("another seed may differ by more.")
    assert text.count("Against the graphs that do not count it, full keeps more, as Fig. 3 says.") == 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"color": 0.91}, "0 of 4 encoders are certified to keep 0.9 of H(C) or more; the least is 0.91"),
        ({"width": 0.3}, "Against the graphs that do not count it, full is not told apart."),
        ({"digit": 0.3, "uncounted": 0.7}, "full keeps less, unlike Fig. 3"),
    ],
)
def test_the_reading_says_otherwise_where_it_is(changes: dict[str, float], said: str) -> None:
    assert said in describe(table(**changes))


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("data", "cdp?n=48", "the data cdp with partners="),
        ("options", {"views": VIEWS, "graph": "core"}, "graph and core are set by the runs"),
        ("options", {"views": ["image", "partner:1"]}, "cores names 'partner:2', which is none of the views"),
    ],
)
def test_a_recipe_that_leaves_nothing_to_compare_is_refused(
    content: dict[str, Any], key: str, value: Any, said: str
) -> None:
    content["training"][key] = value
    with pytest.raises(InputError, match=said):
        make_recipe(content, WhatManyViewsShareRecipe, "recipe")


@pytest.mark.parametrize("scale", ["smoke", "paper"])
def test_recipes_are_read(scale: Any) -> None:
    recipe = read_recipe(recipe_path("what_many_views_share", scale), WhatManyViewsShareRecipe)
    assert {"image", "partner:2"} <= set(recipe.cores)
