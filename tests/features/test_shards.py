"""Passes by shards: joined, they are byte for byte the file of one long pass."""

import pickle
from collections.abc import Generator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mitools.backends.engines.base import Call, Engine
from mitools.backends.workers import Outcome, Step, WorkerLostError
from mitools.core.errors import EngineLostError, InputError
from mitools.datasets.open import open_data
from mitools.encoders.open import open_encoder
from mitools.features.extract import PassOptions, extract_layers, feature_keys
from mitools.features.shards import Pass, extract_on, open_encoder_spec
from mitools.features.store import FeatureStore
from mitools.views.item_views import ItemViews
from mitools.views.registry import make_view

DATA = "digits?limit=300"
CONV = "builtin:random_conv?width=4"
OPTIONS: PassOptions = {"batch_size": 8}


class Here(Engine):
    """Does tasks in this process, pickled as they travel; loses those it is told to, by their number."""

    def __init__(self, *lost: int) -> None:
        super().__init__("here")
        self.lost, self.done = set(lost), 0

    def messages(self, calls: Mapping[str, Call]) -> Generator[tuple[str, Outcome | Step], None, None]:
        for name, call in calls.items():
            self.done += 1
            if self.done in self.lost:
                yield name, Outcome(error=WorkerLostError("killed"))
                continue
            yield name, pickle.loads(pickle.dumps(call)).perform()


def two_views() -> ItemViews:
    return ItemViews(make_view("simclr"), count=2, seed=3)


def asked(spec: str = CONV, views: bool = False, data: str = DATA) -> Pass:
    return Pass(
        "0", spec, partial(open_data, data), partial(open_encoder_spec, spec), two_views if views else None
    )


def files(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in root.iterdir()}


@pytest.mark.parametrize("views", [False, True])
def test_shards_joined_are_the_file_of_one_pass_and_a_lost_worker_costs_one(
    tmp_path: Path, views: bool
) -> None:
    options: PassOptions = {**OPTIONS, "views": two_views() if views else None}
    extract_layers(open_encoder(CONV), open_data(DATA), store=FeatureStore(tmp_path / "one"), **options)
    engine = Here(2)
    told: list[tuple[str, int, int]] = []
    failed = extract_on(
        engine,
        [asked(views=views), asked(views=views)],
        store=FeatureStore(tmp_path / "shards"),
        options=OPTIONS,
        advance=lambda *step: told.append(step),
    )
    assert failed == {}
    shards = -(-300 // (16 * 8 // (2 if views else 1)))
    assert engine.done == shards + 1
    assert files(tmp_path / "shards") == files(tmp_path / "one")
    assert told[-1] == (f"features of {CONV}", 300, 300)
    again = Here()
    assert (
        extract_on(again, [asked(views=views)], store=FeatureStore(tmp_path / "shards"), options=OPTIONS)
        == {}
    )
    assert again.done == 0


def test_what_was_finished_before_an_engine_went_is_not_computed_again(tmp_path: Path) -> None:
    class Gone(Here):
        def messages(self, calls: Mapping[str, Call]) -> Generator[tuple[str, Outcome | Step], None, None]:
            yield next(super().messages(calls))
            raise EngineLostError("gone")

    store = FeatureStore(tmp_path / "shards")
    with pytest.raises(EngineLostError):
        extract_on(Gone(), [asked()], store=store, options=OPTIONS)
    assert len(files(store.root)) == 1
    engine = Here()
    assert extract_on(engine, [asked()], store=store, options=OPTIONS) == {}
    assert engine.done == 2
    extract_layers(open_encoder(CONV), open_data(DATA), store=FeatureStore(tmp_path / "one"), **OPTIONS)
    assert files(store.root) == files(tmp_path / "one")


def test_a_pass_that_cannot_be_made_leaves_the_others_alone(tmp_path: Path) -> None:
    wrong = asked("builtin:pca?k=4", data=DATA)._replace(name="1")  # nobody says which items train
    missing = asked("checkpoint:nowhere.pth?arch=convnet")._replace(name="2")
    store = FeatureStore(tmp_path / "shards")
    failed = extract_on(Here(), [wrong, asked(), missing], store=store, options=OPTIONS)
    assert set(failed) == {"1", "2"}
    assert all(isinstance(error, InputError) for error in failed.values())
    assert len(files(store.root)) == 1


def one_folder(root: Path, shade: int) -> None:
    """Write two images, a class each; the second time over the first ones."""
    for number, name in enumerate("ab"):
        (root / name).mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), shade + number).save(root / name / "0.png")


def test_what_a_worker_of_an_earlier_job_has_open_is_opened_anew(tmp_path: Path) -> None:
    """The data change between two jobs of an engine whose worker, this process, lives on."""
    images, store, engine = tmp_path / "images", FeatureStore(tmp_path / "store"), Here()
    passed = asked("builtin:random_conv?width=4&image_size=8", data=f"folder:{images}")
    for shade in (10, 200):
        one_folder(images, shade)
        assert extract_on(engine, [passed], store=store, options=OPTIONS) == {}
        assert engine.done == (1 if shade == 10 else 2)
    assert len(files(store.root)) == 2, "the second job read the first one's images"


def test_weights_that_appear_late_are_read_again_and_others_refused(tmp_path: Path) -> None:
    opens: list[int] = []

    class Late(Here):
        """Its worker still sees other data than the command, as often as it is told."""

        def __init__(self, wrong: int) -> None:
            super().__init__()
            self.wrong = wrong

        def messages(self, calls: Mapping[str, Call]) -> Generator[tuple[str, Outcome | Step], None, None]:
            opens.clear()
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("mitools.features.shards.feature_keys", self.keys)
                yield from super().messages(calls)

        def keys(self, *given: Any) -> dict[str, str]:
            opens.append(1)
            return {"output": "other"} if len(opens) <= self.wrong else feature_keys(*given)

    assert extract_on(Late(1), [asked()], store=FeatureStore(tmp_path / "late"), options=OPTIONS) == {}
    assert len(opens) == 1 + -(-300 // (16 * 8)), "once more for the first shard alone"
    failed = extract_on(Late(99), [asked()], store=FeatureStore(tmp_path / "other"), options=OPTIONS)
    assert "finds other data or other weights than the command" in str(failed["0"])
