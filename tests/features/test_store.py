import hashlib
from contextlib import suppress

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from mitools.features import FeatureStore, default_root
from mitools.features.store import feature_key, resume_together

VALUES = np.random.default_rng(0).normal(size=(10, 2, 3)).astype(np.float32)
LABELS = np.arange(10) % 3
KEY = hashlib.sha256(b"key").hexdigest()
PARTS = {
    "encoder": "e",
    "preprocess": "p",
    "layer": "output",
    "data": "d",
    "views": "none",
    "precision": "float32",
}


def fill(root, dtype="float32"):
    store = FeatureStore(root)
    with store.write(KEY, LABELS, dtype) as writer:
        writer.append(VALUES[:4])
        writer.append(VALUES[4:])
    return store


def begin(store, error=None):
    """Write the first rows alone."""
    with store.write(KEY, LABELS) as writer:
        writer.append(VALUES[:4] + 1)
        if error:
            raise error


def test_what_is_written_in_batches_is_read_whole(tmp_path):
    kept = fill(tmp_path / "deep" / "store").read(KEY)
    np.testing.assert_array_equal(kept.values, VALUES)
    np.testing.assert_array_equal(kept.labels, LABELS)
    assert (kept.values.dtype, kept.labels.dtype) == (np.float32, np.int64)


def test_values_are_mapped_and_writing_to_them_leaves_the_file_alone(tmp_path):
    store = fill(tmp_path)
    kept = store.read(KEY)
    assert isinstance(kept.values.base, np.memmap)
    kept.values[0] = 7
    np.testing.assert_array_equal(store.read(KEY).values, VALUES)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_the_safetensors_library_reads_the_file(tmp_path, dtype):
    path = fill(tmp_path, dtype).path(KEY)
    arrays = load_file(path)
    assert arrays["values"].dtype == dtype
    np.testing.assert_array_equal(arrays["values"], VALUES.astype(dtype))
    np.testing.assert_array_equal(arrays["labels"], LABELS)
    with safe_open(path, "np") as file:
        assert file.metadata()["key"] == KEY


def test_an_unknown_key_is_none(tmp_path):
    assert FeatureStore(tmp_path / "nowhere").read(KEY) is None


def test_damage_anywhere_is_noticed_and_the_file_discarded(tmp_path):
    whole = fill(tmp_path).path(KEY).read_bytes()
    path = FeatureStore(tmp_path).path(KEY)
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        assert FeatureStore(tmp_path).read(KEY) is None, position
        assert not path.exists()


@pytest.mark.parametrize("keep", [0, 5, 40, 0.5, 0.99])
def test_a_file_cut_short_is_discarded(tmp_path, keep):
    store = fill(tmp_path)
    whole = store.path(KEY).read_bytes()
    store.path(KEY).write_bytes(whole[: keep if isinstance(keep, int) else int(keep * len(whole))])
    assert store.read(KEY) is None
    assert not store.path(KEY).exists()


@pytest.mark.parametrize(
    "content", [b"[]", b"{}", b'{"values": {"shape": []}, "__metadata__": {"sha256": "0"}}']
)
def test_a_foreign_header_is_discarded(tmp_path, content):
    store = FeatureStore(tmp_path)
    store.path(KEY).write_bytes(len(content).to_bytes(8, "little") + content)
    assert store.read(KEY) is None
    assert not store.path(KEY).exists()


def test_a_file_under_another_key_is_discarded(tmp_path):
    store, other = fill(tmp_path), hashlib.sha256(b"other").hexdigest()
    store.path(KEY).rename(store.path(other))
    assert store.read(other) is None


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_an_interrupted_writer_leaves_nothing(tmp_path, error):
    with pytest.raises(error):
        begin(FeatureStore(tmp_path), error)
    assert list(tmp_path.iterdir()) == []


def test_a_writer_that_stops_short_leaves_older_features_alone(tmp_path):
    store = fill(tmp_path)
    with pytest.raises(ValueError, match="4 rows were written for 10 labels"):
        begin(store)
    np.testing.assert_array_equal(store.read(KEY).values, VALUES)


class Killed(BaseException):
    """Ends a writer as ``kill -9`` does: the file is left as it is."""


def stop_after(store, seals, key=KEY, end=Killed):
    """Write four rows, then two, with a seal after each group asked for, and two more; then stop."""
    with suppress(end), store.write(key, LABELS) as writer:
        for group in (VALUES[:4], VALUES[4:6])[:seals]:
            writer.append(group)
            writer.seal()
        writer.append(VALUES[6:8] + 1)
        raise end


@pytest.mark.parametrize(("seals", "rows"), [(1, 4), (2, 6)])
def test_a_later_writer_goes_on_behind_the_last_seal(tmp_path, seals, rows):
    store = FeatureStore(tmp_path)
    stop_after(store, seals)
    assert store.read(KEY) is None
    with store.write(KEY, LABELS) as writer:
        assert resume_together([writer]) == rows
        writer.append(VALUES[rows:])
    assert [path.name for path in tmp_path.iterdir()] == [store.path(KEY).name]
    assert store.path(KEY).read_bytes() == fill(tmp_path / "undisturbed").path(KEY).read_bytes()


def test_writers_of_one_pass_go_back_to_the_seal_they_share(tmp_path):
    store, other = FeatureStore(tmp_path), hashlib.sha256(b"other").hexdigest()
    stop_after(store, 2)
    stop_after(store, 1, other)
    with store.write(KEY, LABELS) as first, store.write(other, LABELS) as second:
        assert resume_together([first, second]) == 4
        for writer in (first, second):
            writer.append(VALUES[4:])
    for key in (KEY, other):
        np.testing.assert_array_equal(store.read(key).values, VALUES)


def test_damage_behind_a_seal_starts_anew(tmp_path):
    store = FeatureStore(tmp_path)
    stop_after(store, 2)
    (partial,) = tmp_path.glob(".*.partial")
    whole = partial.read_bytes()
    for position in range(0, len(whole) - 4 * 2 * 6, 7):
        partial.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        with suppress(Killed), store.write(KEY, LABELS) as writer:
            assert resume_together([writer]) in (0, 4)  # 4 where the damage lies behind the first seal
            raise Killed
        stop_after(store, 2)
    with store.write(KEY, LABELS) as writer:
        writer.append(VALUES)
    np.testing.assert_array_equal(store.read(KEY).values, VALUES)


@pytest.mark.parametrize(
    "journal", ["", "{}", "[1]", '{"shape": [10, 2, 3], "dtype": "F", "seals": [[4, 1]]}']
)
def test_a_foreign_journal_starts_anew(tmp_path, journal):
    store = FeatureStore(tmp_path)
    stop_after(store, 1)
    next(tmp_path.glob(".*.seals")).write_text(journal)
    with store.write(KEY, LABELS) as writer:
        assert resume_together([writer]) == 0
        writer.append(VALUES)
    np.testing.assert_array_equal(store.read(KEY).values, VALUES)


def test_two_writers_at_once_do_not_disturb_each_other(tmp_path):
    store = FeatureStore(tmp_path)
    with store.write(KEY, LABELS) as first:
        first.append(VALUES[:4])
        with store.write(KEY, LABELS) as second:
            second.append(VALUES)
            second.seal()
        np.testing.assert_array_equal(store.read(KEY).values, VALUES)
        first.append(VALUES[4:])
    np.testing.assert_array_equal(store.read(KEY).values, VALUES)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_leaves_nothing_even_behind_a_seal(tmp_path):
    stop_after(FeatureStore(tmp_path), 2, end=OSError)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("part", PARTS)
def test_every_part_changes_the_key(part):
    assert feature_key(**PARTS) != feature_key(**PARTS | {part: PARTS[part] + "x"})


def test_parts_do_not_run_into_each_other():
    assert feature_key(**PARTS | {"data": "dx", "views": "y"}) != feature_key(
        **PARTS | {"data": "d", "views": "xy"}
    )


def test_the_default_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("MITOOLS_CACHE", str(tmp_path / "kept"))
    assert default_root() == tmp_path / "kept"
    monkeypatch.delenv("MITOOLS_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_root() == tmp_path / ".cache" / "mitools" / "features"
