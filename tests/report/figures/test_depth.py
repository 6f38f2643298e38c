import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mitools.core.errors import InputError
from mitools.report.figures.depth import depth_chart
from mitools.report.figures.save import write_chart


def layers(network, n, control=True):
    bits = np.linspace(0.2, 2.3, n)
    table = pd.DataFrame({"network": network, "layer": [f"stage{k}" for k in range(n)], "depth": range(n)})
    table["h_c_bits"] = np.log2(10)
    for column, values in {
        "i_class": bits,
        "label_information": bits + 0.4,
        "control_i_class": 0.3 * bits if control else np.nan,
    }.items():
        table[f"{column}_bits"] = values
        table[f"{column}_low"], table[f"{column}_high"] = values - 0.1, values + 0.1
    return table


def test_every_network_of_several_layers_is_a_panel(tmp_path):
    table = pd.concat([layers("first", 5), layers("shallow", 1), layers("second", 30, control=False)])
    png, svg, _ = write_chart(tmp_path / "depth", depth_chart, table.sample(frac=1, random_state=0))
    text = svg.read_text()
    assert text.count("H(C) = 3.322 bits") == 2
    assert "first" in text
    assert "second" in text
    assert "shallow" not in text
    assert text.count(">stage4<") == 2
    # In order of depth, whatever the order of the rows.
    places = [text.index(f">stage{k}<") for k in range(5)]
    assert places == sorted(places)
    with Image.open(png) as picture:
        assert (np.asarray(picture.convert("L")) < 128).mean() > 0.005


def test_a_curve_without_values_is_left_out(tmp_path):
    with_control, without = (
        write_chart(tmp_path / f"depth{control}", depth_chart, layers("net", 4, control))[1].read_text()
        for control in (True, False)
    )
    assert "untrained" in with_control
    assert "untrained" not in without


def test_one_layer_has_no_depth(tmp_path):
    with pytest.raises(InputError, match="several layers"):
        write_chart(tmp_path / "depth", depth_chart, layers("shallow", 1))
