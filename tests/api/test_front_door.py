import os
import subprocess
import sys

import pytest

import mitools

PUBLIC = {
    "mutual_information", "certify", "audit", "correlate", "calibrate", "train", "study", "information_plane",
    "measure_features", "measure_variables", "measure_views", "export_encoder",
    "list_encoders", "list_datasets", "list_estimators", "list_measures", "list_views", "ClassInformation",
    "Estimate", "InputError", "Interval", "__version__",
}  # fmt: skip


def run(code):
    """Run code in a fresh interpreter."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_what_is_public():
    assert set(mitools.__all__) == PUBLIC
    assert dir(mitools) == sorted(PUBLIC)
    assert all(getattr(mitools, name) is not None for name in PUBLIC)
    with pytest.raises(AttributeError, match="no attribute 'measure'"):
        mitools.measure  # noqa: B018


def test_importing_it_takes_no_time_and_loads_no_library():
    heavy = ("numpy", "torch", "scipy", "sklearn", "pandas", "matplotlib", "pydantic", "rich")
    seconds, *loaded = run(
        "import sys, time; start = time.process_time(); import mitools;"
        "dir(mitools); mitools.__version__, mitools.InputError, mitools.audit, mitools.list_encoders;"
        f"print(time.process_time() - start, *sorted(set({heavy}) & set(sys.modules)))"
    )
    assert loaded == []
    assert float(seconds) < 0.2


def test_a_function_stays_itself_whatever_is_imported():
    code = (
        "import mitools, mitools.calibration, mitools.studies, mitools.auditing, mitools.training;"
        "print(*(callable(getattr(mitools, name)) for name in"
        " ('audit', 'study', 'train', 'correlate', 'calibrate', 'certify')))"
    )
    assert run(code) == ["True"] * 6


def test_star_import_gives_what_is_public():
    assert set(run("from mitools import *; print(*dir())")) >= PUBLIC - {"__version__"}


def test_listing_takes_patterns_of_either_case():
    encoders = mitools.list_encoders("*ResNet*")
    assert {"timm:resnet50.a1_in1k", "torchvision:resnet50", "checkpoint:PATH?arch=cifar_resnet20"} <= set(
        encoders
    )
    assert mitools.list_encoders("no such thing") == []
    assert "auto" in mitools.list_estimators()
    assert mitools.list_datasets("TAR*") == ["tar:cifar10-test.tar.gz"]
    assert "linear_acc" in mitools.list_measures()
    assert mitools.list_views("LAB*") == ["lab:ab"]


def test_every_source_of_encoders_is_listed():
    from mitools.encoders.open import SOURCES

    assert {spec.partition(":")[0] for spec in mitools.list_encoders()} == set(SOURCES)
