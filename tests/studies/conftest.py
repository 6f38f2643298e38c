"""A small study over embedded data, and how to run it."""

from pathlib import Path

import pytest

STUDY = """\
data: ["digits?limit=300", "digits?limit=200&classes=0,1,2,3"]
encoders:
  - builtin:pixels
  - {spec: "builtin:pca?k=4", family: pca}
  - {spec: "builtin:pca?k=16", family: pca}
  - {spec: "builtin:random_conv?width=8&seed=3", family: conv}
pairings: [same_class, labels]
estimators: [class_posterior, label_information, mixed_ksg]
metrics: [linear_acc]
seeds: [0, 1]
"""


@pytest.fixture
def study_file(tmp_path: Path) -> Path:
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)
    return path
