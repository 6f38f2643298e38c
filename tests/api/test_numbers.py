"""Mutual information, the certificate, correlations, calibrations, studies, planes and runs from Python."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch

import mitools
from mitools.core.errors import InputError
from mitools.estimators import KSG, ClassPosterior


def test_the_number_is_that_of_the_estimator_whatever_holds_the_rows(rows):
    X, y = rows
    expected = ClassPosterior().estimate(X, y).bits
    names = np.array(["a", "b", "c"])[y]
    held = [
        (X.tolist(), y.tolist()),
        (torch.from_numpy(X).requires_grad_(), torch.from_numpy(y)),
        (pd.DataFrame(X), pd.Series(names, index=range(7, 247), dtype="category")),
        (X, names),
        (X.astype(object), names.astype(object)),
    ]
    assert {mitools.mutual_information(x, c, "class_posterior").bits for x, c in held} == {expected}
    assert {mitools.certify(x, c).estimate.bits for x, c in held} == {expected}


def test_settings_of_a_method(rows):
    x, z = rows[0][:, 0], rows[0][:, 1]
    assert mitools.mutual_information(x, z, "ksg", k=7).bits == KSG(k=7).estimate(x, z).bits
    estimator = KSG(k=7)
    assert mitools.mutual_information(x, z, estimator).settings["k"] == 7
    assert not hasattr(estimator, "estimate_"), "the caller's own object stays as it was"
    with pytest.raises(InputError, match="unknown setting of ksg 'n_neighbours'"):
        mitools.mutual_information(x, z, "ksg", n_neighbours=7)
    with pytest.raises(InputError, match="unknown method 'ksgg'"):
        mitools.mutual_information(x, z, "ksgg")
    with pytest.raises(InputError, match="y is a dict; give an array"):
        mitools.mutual_information(x, {"a": z})


def test_a_certificate_says_all_it_knows(rows):
    X, y = rows
    found, direct = mitools.certify(X, y, seed=3), ClassPosterior(seed=3).fit(X, y)
    assert found.estimate.nats == direct.dv_estimate_.nats
    assert found.label_information.nats == direct.label_information_.nats
    assert found.accuracy == direct.accuracy_
    assert found.influence_nats.shape == found.report_items.shape
    assert found.verdict == "bracketed"
    assert found.certified_nats < found.estimate.nats
    assert found.classes == ("0", "1", "2")
    np.testing.assert_allclose(found.classifier.predict_proba(X[:5]).sum(axis=1), 1, rtol=1e-5)
    assert "I_class lies in" in repr(found)
    assert "linear accuracy" in found._repr_html_()
    uniform = mitools.certify(X, np.array(["b", "a", "c"])[y], prior="uniform")
    assert uniform.classes == ("a", "b", "c")
    assert uniform.estimate.entropy_bits == pytest.approx(np.log2(3))
    with pytest.raises(InputError, match="features has 5 rows and labels has 240"):
        mitools.certify(X[:5], y)


def test_an_estimate_shows_itself(rows):
    estimate = mitools.mutual_information(*rows)
    assert repr(estimate) == f"<Estimate {estimate}>"
    html = estimate._repr_html_()
    assert f"{estimate.bits:.3f}" in html
    assert estimate.kind in html
    nothing = mitools.mutual_information(rows[0], rows[1][::-1], "class_posterior")
    assert nothing.warnings
    assert all(warning.word in nothing._repr_html_() for warning in nothing.warnings)
    with pytest.raises(TypeError):
        float(estimate)


def test_correlations_of_a_table_or_a_file(tmp_path):
    table = pd.DataFrame({"name": list("abcd"), "bits": [1.0, 2.0, 3.0, 5.0], "acc": [0.1, 0.3, 0.2, 0.9]})
    table.to_csv(tmp_path / "table.csv", index=False)
    found = [
        mitools.correlate(one, "acc") for one in (table, tmp_path / "table.csv", str(tmp_path / "table.csv"))
    ]
    assert found[0].table.equals(found[1].table)
    assert found[0].table.equals(found[2].table)
    assert found[0].not_numeric == ["name"]
    assert "pearson" in repr(found[0])
    assert found[0].save(tmp_path / "correlation.csv").is_file()
    assert mitools.correlate(table.rename(columns={"bits": "table"}), "acc").table["column"].tolist() == [
        "table"
    ]
    for wrong in (3, None, {"a": [1]}):
        with pytest.raises(InputError, match="give a DataFrame, the path of a CSV file, or an audit"):
            mitools.correlate(wrong, "acc")
    with pytest.raises(InputError, match="no column 'accuracy'"):
        mitools.correlate(table, "accuracy")


def test_a_calibration(rows, tmp_path):
    X, y = rows
    found = mitools.calibrate(X, y, "class_posterior", bits=2, truths=[0.5, 1.5], progress=False)
    assert found.table["truth_bits"].tolist() == [0.5, 1.5]
    assert found.finding.startswith("class posterior (lower bound) is off by at most")
    assert found.finding in found._repr_html_()
    assert found.plot() is not None
    plt.close("all")
    assert {path.name for path in found.save(tmp_path)} >= {"calibration.csv", "calibration.png"}
    table = pd.DataFrame(X).assign(label=y)
    again = mitools.calibrate(table, methods=["class_posterior"], bits=2, truths=[0.5, 1.5], progress=False)
    assert again.table["reading_bits"].tolist() == found.table["reading_bits"].tolist()
    with pytest.raises(InputError, match="digits holds no feature rows"):
        mitools.calibrate("digits", progress=False)


STUDY = {
    "data": ["digits?limit=150"],
    "encoders": ["builtin:pixels", {"spec": "builtin:pca?k=2", "family": "pca"}, "builtin:pca?k=4"],
    "metrics": ["linear_acc", "alignment"],
}


def test_a_study(tmp_path):
    found = mitools.study(STUDY, tmp_path / "study", progress=False)
    assert len(found.table) == 3
    assert (found.cells["state"] == "done").all()
    assert found.failures.empty
    assert "9 cells: 9 done" in repr(found)
    assert "9 cells: 9 done" in found._repr_html_()
    correlation = found.correlate("linear_acc")
    assert {"scope", "column", "pearson"} <= set(correlation.columns)
    assert {path.name for path in (tmp_path / "study").iterdir()} >= {"cells.csv", "results.csv"}
    seen = []
    mitools.study(STUDY, tmp_path / "study", progress=lambda *told: seen.append(told))
    assert seen[-1] == ("cells", 9, 9)
    for wrong, words in [(3, "study is a int"), ({"data": []}, "study: "), ("nowhere.yaml", "no such file")]:
        with pytest.raises(InputError, match=words):
            mitools.study(wrong, progress=False)


RECIPE = {"encoder": "convnet", "data": "digits?limit=100", "method": "class", "epochs": 2, "batch_size": 50,
          "keep_every": 1}  # fmt: skip


def test_a_run_and_its_plane(tmp_path):
    run = mitools.train(RECIPE, progress=False)
    assert run.epochs == [0, 1, 2]
    assert run.folder.is_dir()
    assert not run.encoder.training
    assert "in_training_bits" in run.metrics
    assert run.recipe.method == "class"
    assert "convnet on digits?limit=100" in repr(run)
    assert "convnet" in run._repr_html_()

    plane = mitools.information_plane(
        run, {"target": "digits?limit=120"}, layers=["output"], methods=["binned"], progress=False
    )
    assert plane.trained_on == "source"
    assert set(plane.table["data"]) == {"source", "target"}
    assert set(plane.table["epoch"]) == {0, 1, 2}
    assert "the last of 3 checkpoints" in plane._repr_html_()
    for name in ("plane", "epochs"):
        assert plane.plot(name) is not None
    plt.close("all")
    with pytest.raises(InputError, match="unknown figure 'planes'"):
        plane.plot("planes")
    with pytest.raises(InputError, match="unknown method 'mine'"):
        plane.plot("plane", method="mine")
    assert {path.name for path in plane.save(tmp_path / "plane")} >= {"plane.csv", "plane_binned.png"}

    kept = run.save(tmp_path / "kept")
    folder = run.folder
    encoders = {"spec": f"run:{kept}", "run": run, "module": run.encoder}
    audit = mitools.audit(encoders, "digits?limit=100", critic=False, progress=False)
    assert audit.table["i_class_bits"].nunique() == 1, "a run is one encoder, by its spec and in memory"
    with pytest.raises(InputError, match="something lies there"):
        run.save(kept)
    del run, encoders
    assert not folder.exists(), "a run that no folder was named for goes with its object"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (3, "recipe is a int; give keys and values, the path of a YAML file, or a TrainingRecipe"),
        ({"encoder": "convnet"}, "recipe: 'data' is missing"),
        (RECIPE | {"epoch": 1}, "unknown key 'epoch'"),
        ("nowhere.yaml", "nowhere.yaml: no such file"),
    ],
)
def test_a_wrong_recipe(given, words):
    with pytest.raises(InputError, match=words):
        mitools.train(given, progress=False)


def test_several_processes_need_a_folder_they_share(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    for work, asked in ((mitools.train, RECIPE), (mitools.study, STUDY)):
        with pytest.raises(InputError, match="name one"):
            work(asked, progress=False)


def test_a_plane_of_nothing():
    with pytest.raises(InputError, match="nothing says what the encoders are for"):
        mitools.information_plane(["builtin:pixels"], progress=False)
    with pytest.raises(InputError, match="no run lies there"):
        mitools.information_plane("nowhere", progress=False)
