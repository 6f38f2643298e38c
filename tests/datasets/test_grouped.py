"""Groups of images in folders and archives: found by the images' paths, whatever the order of rows."""

import warnings

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from mitools.core.errors import DataNote, InputError
from mitools.datasets import open_data
from mitools.datasets.grouped import read_groups, with_groups

WHO = {f"{name}/{k}.png": f"person {(k + place) % 3}" for place, name in enumerate("ab") for k in range(6)}


@pytest.fixture
def faces(tmp_path):
    """Two classes of six images; they come in order of class and name, as ``WHO`` does."""
    rng = np.random.default_rng(0)
    for path in WHO:
        (tmp_path / "faces" / path).parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "faces" / path)
    return tmp_path / "faces"


def packed(faces):
    import tarfile

    with tarfile.open(faces.with_suffix(".tar"), "w") as archive:
        archive.add(faces, "data/faces")
    return f"tar:{faces.with_suffix('.tar')}"


def table(folder, rows, header="path,group"):
    path = folder / "who.csv"
    path.write_text("\n".join([header, *(f"{file},{who}" for file, who in rows)]))
    return path


@pytest.mark.parametrize("form", ["folder", "tar"])
@pytest.mark.parametrize("beginning", ["", "faces/", "./", "faces\\"])
def test_rows_in_any_order_are_found_by_their_paths(faces, tmp_path, form, beginning):
    rows = [(beginning + path, who) for path, who in reversed(WHO.items())]
    spec = f"folder:{faces}" if form == "folder" else packed(faces)
    data = open_data(f"{spec}?groups={table(tmp_path, rows)}")
    assert data.groups.tolist() == list(WHO.values())
    some = open_data(f"{spec}?groups={table(tmp_path, rows)}&classes=b&limit=3")
    assert some.groups.tolist() == [WHO[f"b/{k}.png"] for k in (1, 3, 5)]
    again = with_groups(open_data(f"{spec}?classes=b"), table(tmp_path, rows))
    assert again.groups.tolist() == [WHO[f"b/{k}.png"] for k in range(6)]


def test_one_table_serves_both_parts(faces, tmp_path):
    faces.rename(tmp_path / "train")
    (tmp_path / "test").mkdir()
    for name in "ab":
        (tmp_path / "test" / name).mkdir()
        Image.new("RGB", (4, 4)).save(tmp_path / "test" / name / "0.png")
    rows = [(f"train/{path}", who) for path, who in WHO.items()]
    rows += [("test/b/0.png", "somebody"), ("test/a/0.png", "nobody")]
    data = open_data(f"folder:{tmp_path}?train=train&test=test&groups={table(tmp_path, rows)}")
    assert data.groups.tolist() == [f"train {who}" for who in WHO.values()] + ["test nobody", "test somebody"]
    later = with_groups(open_data(f"folder:{tmp_path}?train=train&test=test"), tmp_path / "who.csv")
    assert later.groups.tolist() == [*WHO.values(), "nobody", "somebody"]


def test_rows_without_paths_are_in_the_order_of_the_items(faces, tmp_path):
    (tmp_path / "who.csv").write_text("\n".join(["group", *WHO.values()]))
    assert open_data(f"folder:{faces}?groups={tmp_path}/who.csv").groups.tolist() == list(WHO.values())
    named = table(tmp_path, WHO.items())
    with pytest.warns(DataNote, match="rows are taken in order, and column 'path' is not read"):
        assert read_groups(named).tolist() == list(WHO.values()), "of rows that have no files"


def test_a_column_of_whole_numbers_is_no_paths(faces, tmp_path):
    rows = [(k, who) for k, who in enumerate(WHO.values())]
    named = table(tmp_path, rows, "image,group")
    assert open_data(f"folder:{faces}?groups={named}").groups.tolist() == list(WHO.values())
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataNote)
        assert read_groups(named).tolist() == list(WHO.values())
    columns = {"image": np.arange(12), "file": list(WHO)[::-1], "group": list(WHO.values())[::-1]}
    pq.write_table(pa.table(columns), tmp_path / "who.parquet")
    found = open_data(f"folder:{faces}?groups={tmp_path}/who.parquet").groups
    assert found.tolist() == list(WHO.values()), "the first column of texts"


@pytest.mark.parametrize("form", ["folder", "tar"])
def test_paths_of_another_place_are_found_by_their_endings(faces, tmp_path, form):
    rows = [(f"/data/frames/{path}", who) for path, who in reversed(WHO.items())]
    spec = f"folder:{faces}" if form == "folder" else packed(faces)
    assert open_data(f"{spec}?groups={table(tmp_path, rows)}").groups.tolist() == list(WHO.values())
    some = open_data(f"{spec}?groups={table(tmp_path, rows)}&classes=b")
    assert some.groups.tolist() == [WHO[f"b/{k}.png"] for k in range(6)]


def test_endings_that_may_be_several_files_or_leave_a_folder_out_are_refused(faces, tmp_path):
    rows = [(f"/data/{part}/{path}", who) for part in ("x", "y") for path, who in WHO.items()]
    with pytest.raises(InputError, match=r"several paths may be .*faces/a/0.png; write them as the data do"):
        open_data(f"folder:{faces}?groups={table(tmp_path, rows)}")
    rows = [(f"/data/{path.replace('/', '-')}", who) for path, who in WHO.items()]
    with pytest.raises(InputError, match=r"lists no a/0.png, as the data name .*faces/a/0.png; list every"):
        open_data(f"folder:{faces}?groups={table(tmp_path, rows)}")
    rows = [(f"/data/{path.replace('b/', 'c/')}", who) for path, who in WHO.items()]
    with pytest.raises(InputError, match=r"lists no b/0.png"):
        open_data(f"folder:{faces}?groups={table(tmp_path, rows)}&classes=b")


def test_tables_that_do_not_name_the_files_are_refused(faces, tmp_path):
    rows = list(WHO.items())
    for wrong, said in {
        tuple(rows[1:]): "lists no a/0.png, as the data name .*; list every file of the data",
        (*rows, rows[0]): "lists a path twice",
        tuple((path.partition("/")[2], who) for path, who in rows[:6]): "'0.png' may be .*write more of the",
    }.items():
        with pytest.raises(InputError, match=said):
            open_data(f"folder:{faces}?groups={table(tmp_path, wrong)}")
    with pytest.raises(InputError, match=r"no columns beside its images.*columns path and group"):
        open_data(f"folder:{faces}?groups=person")


def numbered(faces, tmp_path, cells, header="group"):
    path = tmp_path / "numbers.csv"
    path.write_text("\n".join([header, *cells]))
    return open_data(f"folder:{faces}?groups={path}")


@pytest.mark.parametrize("written", ["{}.0", "{}.", "{}.00", "{}"])
def test_whole_numbers_written_with_a_point_are_the_same_groups(faces, tmp_path, written):
    """A program writes 1 as 1.0 where another cell of its column was empty."""
    numbers = [k // 2 for k in range(len(WHO))]
    named = numbered(faces, tmp_path, [written.format(number) for number in numbers])
    assert named.groups.tolist() == list(map(str, numbers))
    np.save(tmp_path / "groups.npy", np.array(numbers, dtype=np.float64))
    assert open_data(f"folder:{faces}?groups={tmp_path}/groups.npy").groups.tolist() == numbers
    assert with_groups(open_data(f"folder:{faces}"), [float(k) for k in numbers]).groups.tolist() == numbers


@pytest.mark.parametrize("cells", [["1.0", "v2"], ["01", "1.0"], ["1.5", "1.0"], ["1e0", "1.0"]])
def test_names_that_look_like_numbers_stay_as_they_are(faces, tmp_path, cells):
    texts = (cells * len(WHO))[: len(WHO)]
    assert numbered(faces, tmp_path, texts).groups.tolist() == texts


def test_one_number_written_in_two_ways_is_refused(faces, tmp_path):
    texts = (["1", "2", "1.0"] * len(WHO))[: len(WHO)]
    with pytest.raises(InputError, match=r"groups hold '1' and '1\.0', which may be one group or two"):
        numbered(faces, tmp_path, texts)


def test_a_column_of_numbers_with_points_is_no_paths(faces, tmp_path):
    rows = [f"{len(WHO) - k}.0,{k // 2}" for k in range(len(WHO))]
    assert numbered(faces, tmp_path, rows, "image,group").groups.tolist() == [
        str(k // 2) for k in range(len(WHO))
    ]


def test_groups_that_differ_in_a_zero_at_their_end_stay_apart(faces, tmp_path):
    names = (["a", "a\0"] * len(WHO))[: len(WHO)]
    pq.write_table(pa.table({"group": names}), tmp_path / "groups.parquet")
    assert open_data(f"folder:{faces}?groups={tmp_path}/groups.parquet").groups.tolist() == names


def test_a_table_without_rows_has_no_groups_and_an_empty_file_is_none(tmp_path):
    table = tmp_path / "groups.csv"
    table.write_text("group\n")
    assert len(read_groups(table)) == 0
    table.write_text("")
    with pytest.raises(InputError, match=r"groups\.csv has no names of columns"):
        read_groups(table)
