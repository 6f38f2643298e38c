"""Metrics go to the trackers that a recipe names; modes without a network are run where they are there."""

import importlib.util
import json

import pytest

from mitools.core.errors import InputError
from mitools.training.loop.run_folder import RunFolder
from mitools.training.loop.trainer import train
from mitools.training.recipes import TrainingRecipe

CONTENT = {
    "encoder": "convnet",
    "data": "digits?limit=60",
    "method": "cross_entropy",
    "epochs": 2,
    "batch_size": 30,
    "log_every": 1,
}


def recipe(*trackers):
    return TrainingRecipe.model_validate({**CONTENT, "trackers": list(trackers)})


def missing(name):
    return importlib.util.find_spec(name) is None


@pytest.mark.parametrize("name", ["wandb", "mlflow"])
def test_a_tracker_that_is_not_installed_is_said_before_anything_is_computed(name, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, name, None)
    with pytest.raises(InputError, match=rf'trackers: {name}: needs .*pip install "mitools\[{name}\]"'):
        train(recipe(name), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_records_go_to_every_tracker_with_their_step(tmp_path, monkeypatch):
    told = []

    class Tracker:
        def start(self):
            told.append("start")

        def store_init_configuration(self, values):
            assert values["optimiser.name"] == "adamw"

        def log(self, values, step):
            told.append((step, set(values)))

        def finish(self):
            told.append("finish")

    monkeypatch.setattr("mitools.training.loop.trainer.require_trackers", lambda names: None)
    monkeypatch.setattr("mitools.training.loop.trackers._open", lambda name, folder: Tracker())
    train(recipe("wandb"), tmp_path / "run")
    assert (told[0], told[-1]) == ("start", "finish")
    assert [step for step, _ in told[1:-1]] == [0, 1, 2, 3]
    assert {"loss", "learning_rate"} <= told[1][1]


def test_a_run_goes_on_with_other_trackers(tmp_path):
    folder = RunFolder(tmp_path)
    folder.begin(recipe("wandb"))
    assert folder.recipe() == recipe("wandb")
    assert folder.is_of(recipe())
    with pytest.raises(InputError, match="another recipe"):
        folder.is_of(TrainingRecipe.model_validate({**CONTENT, "epochs": 3}))


@pytest.mark.skipif(missing("wandb"), reason="wandb is not installed (an extra of mitools)")
def test_weights_and_biases_offline(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    train(recipe("wandb"), tmp_path / "run")
    assert list((tmp_path / "run" / "wandb").glob("offline-run-*/*.wandb"))


@pytest.mark.skipif(missing("mlflow"), reason="mlflow is not installed (an extra of mitools)")
def test_mlflow_in_a_folder(tmp_path, monkeypatch):
    import mlflow

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    train(recipe("mlflow"), tmp_path / "run")
    client = mlflow.MlflowClient(f"sqlite:///{tmp_path / 'run' / 'mlflow.db'}")
    (experiment,) = client.search_experiments(filter_string="name = 'mitools'")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.data.params["epochs"] == "2"
    history = client.get_metric_history(run.info.run_id, "loss")
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert [one.step for one in history] == [json.loads(line)["step"] for line in lines]
