import pandas as pd
import pytest

from mitools.core.errors import InputError
from mitools.datasets import open_data, require_classes

TEXTS = ["a good film", 'he said "no",\nand left', "sehr schön", "007", "null", "good"]
LABELS = ["yes", "no", "yes", "no", "10", "yes"]


@pytest.fixture(params=["csv", "parquet"])
def write(request, tmp_path):
    def write(name="reviews", **columns):
        path = tmp_path / f"{name}.{request.param}"
        table = pd.DataFrame(columns or {"text": TEXTS, "label": LABELS, "rating": range(6)})
        table.to_csv(path, index=False) if request.param == "csv" else table.to_parquet(path)
        return path

    return write


def refused(spec) -> str:
    with pytest.raises(InputError) as caught:
        open_data(spec)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_texts_and_labels_come_back_as_written(write):
    data = open_data(f"text:{write()}")
    assert [data[index][0] for index in range(len(data))] == TEXTS
    assert [data.classes[data[index][1]] for index in range(len(data))] == LABELS
    assert data.name == "reviews"


def test_columns_may_have_any_name(write):
    path = write(review=TEXTS, stars=[5, 1, 10, 1, 5, 5])
    data = open_data(f"text:{path}?text=review&label=stars")
    assert list(data.classes) == ["1", "5", "10"]
    assert data.labels.tolist() == [1, 0, 2, 0, 1, 1]


def test_numbers_with_leading_zeros_stay_names(write):
    path = write(text=TEXTS, label=["01", "1", "01", "1", "2", "2"])
    assert list(open_data(f"text:{path}").classes) == ["01", "1", "2"]


def test_the_digest_follows_content_and_columns(write):
    columns = {"text": TEXTS, "other": TEXTS[::-1], "label": LABELS}
    path = write(**columns)
    digests = [open_data(f"text:{path}").digest, open_data(f"text:{path}?text=other").digest]
    digests.append(open_data(f"text:{write(**columns | {'text': ['b', *TEXTS[1:]]})}").digest)
    assert len(set(digests)) == 3
    assert open_data(f"text:{write('copy', **columns)}").digest == digests[0]


def test_classes_and_limits_are_those_of_every_source(write):
    data = open_data(f"text:{write()}?classes=no,yes&limit=4")
    assert len(data) == 4
    require_classes(data, 1)


def test_what_cannot_be_read_is_one_line(write, tmp_path):
    path = write()
    kind = path.suffix.removeprefix(".")
    assert f"{path}: no column 'txt'; nearest: text," in refused(f"text:{path}?text=txt")
    assert "no column 'labels'; nearest: text, label or rating" in refused(f"text:{path}?label=labels")
    assert "unknown option 'column'" in refused(f"text:{path}?column=a")
    assert "nowhere.csv: no such file" in refused("text:nowhere.csv")
    assert "write for example text:reviews.csv?text=review&label=stars" in refused("text:")
    assert "neither .csv nor .parquet" in refused(f"text:{tmp_path}/reviews.json")
    path.write_bytes(b"text,label\n\xff\xfe,\xe9\n" if kind == "csv" else path.read_bytes()[:-20])
    assert f"{path}: no readable {kind} file" in refused(f"text:{path}")


@pytest.mark.parametrize("column", ["text", "label"])
@pytest.mark.parametrize("nothing", ["", " ", None])
def test_rows_that_lack_something_are_named(write, column, nothing):
    columns = {"text": list(TEXTS), "label": list(LABELS)}
    columns[column][4] = nothing
    assert f"column {column!r} has nothing in row 4; drop such rows" in refused(f"text:{write(**columns)}")


def test_columns_of_another_kind_are_refused(tmp_path):
    path = tmp_path / "x.parquet"
    pd.DataFrame({"text": [1, 2], "label": ["a", "b"]}).to_parquet(path)
    assert "column 'text' holds 1 in row 0; it must hold texts" in refused(f"text:{path}")
    pd.DataFrame({"text": ["a", "b"], "label": [1.0, 2.0]}).to_parquet(path)
    assert "column 'label' holds 1.0 in row 0; it must hold names or whole numbers" in refused(f"text:{path}")


def test_rows_of_another_length_and_empty_tables_are_refused(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("text,label\na,b\na,b,c\n")
    assert "no readable csv file" in refused(f"text:{path}")
    path.write_text("text,label\n")
    assert f"{path}: no rows" in refused(f"text:{path}")
    path.write_text("")
    assert "x.csv has no names of columns" in refused(f"text:{path}")
