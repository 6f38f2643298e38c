"""Boxes and masks from COCO's and VOC's files and from scenes, on files written here by hand."""

import json
from itertools import count

import numpy as np
import pytest
from PIL import Image

from mitools.core.errors import InputError
from mitools.datasets.detection import open_detection
from mitools.datasets.synthetic.scenes.scenes import Scenes


@pytest.fixture
def coco(tmp_path):
    """Write two images of 20x10 pixels and a COCO file, with some keys changed; gives its spec."""
    numbers = count()

    def write(**changes):
        images = tmp_path / "images"
        images.mkdir(exist_ok=True)
        for name in ("a.png", "b.png"):
            Image.new("RGB", (20, 10), (40, 90, 200)).save(images / name)
        square = [2, 1, 8, 1, 8, 6, 2, 6]
        content = {
            "images": [
                {"id": 7, "file_name": "b.png", "width": 20, "height": 10},
                {"id": 3, "file_name": "a.png", "width": 20, "height": 10},
            ],
            "categories": [{"id": 9, "name": "dog"}, {"id": 4, "name": "cat"}],
            "annotations": [
                {"id": 1, "image_id": 3, "category_id": 9, "bbox": [2, 1, 6, 5], "segmentation": [square],
                 "iscrowd": 0, "area": 30},
                {"id": 2, "image_id": 3, "category_id": 4, "bbox": [15, 4, 5.5, 6], "iscrowd": 1,
                 "segmentation": {"size": [10, 20], "counts": [150, 6, 44]}, "area": 6},
                {"id": 5, "image_id": 3, "category_id": 4, "bbox": [5, 5, 0, 3], "segmentation": [square]},
            ],
        } | changes  # fmt: skip
        path = tmp_path / f"coco{next(numbers)}.json"
        path.write_text(json.dumps(content))
        return f"coco:{path}?images={images}"

    return write


def annotation(**changes):
    return {"id": 1, "image_id": 3, "category_id": 4, "bbox": [0, 0, 4, 4]} | changes


def refused(spec):
    with pytest.raises(InputError) as caught:
        open_detection(spec)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_cocos_boxes_classes_and_crowds(coco):
    content = {"annotations": [annotation(id=1, category_id=9, bbox=[2, 1, 6, 5]),
                               annotation(id=2, bbox=[15, 4, 5.5, 6], iscrowd=1),
                               annotation(id=5, bbox=[5, 5, 0, 3])]}  # fmt: skip
    data = open_detection(coco(**content))
    assert list(data.classes) == ["cat", "dog"]  # in the order of their numbers, 4 and 9
    assert [data.objects_in(index) for index in range(len(data))] == [0, 1]
    assert not data.has_masks
    image, objects = data[1]
    assert image.size == (20, 10)
    # x, y, width, height become edges; half a pixel beyond the image is cut off, a box without area left out.
    assert objects.boxes.tolist() == [[2, 1, 8, 6], [15, 4, 20, 10]]
    assert objects.labels.tolist() == [1, 0]
    assert objects.ignored.tolist() == [False, True]
    assert data[0][1].boxes.shape == (0, 4)
    moved = {"annotations": [annotation(bbox=[2, 1, 6, 4])]}
    assert open_detection(coco(**moved)).digest != data.digest


def test_cocos_polygons_and_run_lengths_become_masks(coco):
    pytest.importorskip(
        "pycocotools", reason='masks of COCO need pycocotools: pip install "mitools[detection]"'
    )
    data = open_detection(coco())
    assert data.has_masks
    masks = data[1][1].masks
    assert masks.shape == (2, 10, 20)
    expected = np.zeros((10, 20), dtype=bool)
    expected[1:6, 2:8] = True
    assert (masks[0] == expected).all()
    runs = np.zeros(200, dtype=bool)
    runs[150:156] = True  # column by column
    assert (masks[1] == runs.reshape(20, 10).T).all()
    assert data[0][1].masks.shape == (0, 10, 20)


def test_what_is_no_coco_file_is_told(coco, tmp_path):
    (tmp_path / "text.json").write_text("boxes: none")
    (tmp_path / "list.json").write_text("[1, 2]")
    images = f"images={tmp_path}/images"
    assert "text.json: damaged, or no JSON" in refused(f"coco:{tmp_path}/text.json?{images}")
    assert "no annotations in COCO's format (no list 'images')" in refused(
        f"coco:{tmp_path}/list.json?{images}"
    )
    assert "absent.json: no such file" in refused(f"coco:{tmp_path}/absent.json?{images}")
    assert "annotations[0] has no 'bbox'" in refused(coco(annotations=[{"image_id": 3, "category_id": 4}]))
    assert "holds no boxes" in refused(coco(annotations=[]))
    assert "is not x, y, width, height" in refused(coco(annotations=[annotation(bbox=[1, 2, 3])]))
    assert "names category_id 5, which is not listed" in refused(
        coco(annotations=[annotation(category_id=5)])
    )
    assert "name the folder of the images" in refused(coco().partition("?")[0])
    absent = [{"id": 3, "file_name": "c.png", "width": 20, "height": 10}]
    assert "c.png: no such image, though it is annotated" in refused(
        coco(images=absent, annotations=[annotation()])
    )


@pytest.mark.parametrize("box", [[15, 2, 7, 3], [-3, 2, 7, 3], [2, 8, 3, 4], [50, 50, 3, 3]])
def test_a_box_outside_its_image_is_named(coco, box):
    told = refused(coco(annotations=[annotation(id=12, bbox=box)]))
    assert "annotation 12: the box (" in told
    assert "lies outside its image of 20x10 pixels; correct the annotation or leave it out" in told


def test_an_image_of_another_size_is_refused(coco):
    sizes = [{"id": 3, "file_name": "a.png", "width": 21, "height": 10}]
    data = open_detection(coco(images=sizes, annotations=[annotation()]))
    with pytest.raises(InputError, match=r"a\.png: has 20x10 pixels and its annotation says 21x10"):
        data[0]


def voc(folder, objects, name="one", listed=True):
    """Write an image of 20x10 pixels and its XML file."""
    for part in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (20, 10)).save(folder / "JPEGImages" / f"{name}.jpg")
    inner = "".join(
        f"<object><name>{title}</name><difficult>{int(difficult)}</difficult><bndbox><xmin>{box[0]}</xmin>"
        f"<ymin>{box[1]}</ymin><xmax>{box[2]}</xmax><ymax>{box[3]}</ymax></bndbox></object>"
        for title, difficult, box in objects
    )
    size = "<size><width>20</width><height>10</height><depth>3</depth></size>"
    (folder / "Annotations" / f"{name}.xml").write_text(
        f"<annotation><filename>{name}.jpg</filename>{size}{inner}</annotation>"
    )
    if listed:
        with (folder / "ImageSets" / "Main" / "trainval.txt").open("a") as stream:
            stream.write(f"{name}\n")


def test_vocs_boxes_count_from_one_and_hold_their_last_pixel(tmp_path):
    voc(tmp_path / "VOC2007", [("dog", False, (1, 1, 20, 10)), ("cat", True, (3, 4, 5, 6))])
    voc(tmp_path / "VOC2012", [("person", False, (2, 2, 2, 2))])
    voc(tmp_path / "VOC2012", [("person", False, (2, 2, 3, 3))], "unlisted", listed=False)
    data = open_detection(f"voc:{tmp_path}/VOC2007,{tmp_path}/VOC2012")
    assert (len(data), len(data.classes), data.has_masks) == (2, 20, False)
    objects = data[0][1]
    assert objects.boxes.tolist() == [[0, 0, 20, 10], [2, 3, 5, 6]]
    assert [data.classes[label] for label in objects.labels] == ["dog", "cat"]
    assert objects.ignored.tolist() == [False, True]
    assert data[1][1].boxes.tolist() == [[1, 1, 2, 2]]
    assert [data.objects_in(index) for index in range(2)] == [1, 1]


def test_what_is_no_voc_folder_is_told(tmp_path):
    assert "name a folder of PASCAL VOC" in refused(f"voc:{tmp_path}")
    voc(tmp_path / "empty", [])
    assert "trainval holds no boxes" in refused(f"voc:{tmp_path}/empty")
    voc(tmp_path / "outside", [("dog", False, (5, 5, 23, 9))])
    assert "one.xml: object 1 (dog): the box (4, 4, 23, 9) lies outside" in refused(f"voc:{tmp_path}/outside")
    (tmp_path / "outside" / "Annotations" / "one.xml").write_text("<annotation><size>")
    assert "no annotation in the format of PASCAL VOC" in refused(f"voc:{tmp_path}/outside")


def test_a_scenes_box_is_the_smallest_around_its_mask():
    data, scenes = open_detection("scenes?n=12&size=32&seed=3"), Scenes(12, size=32, seed=3)
    for index in range(12):
        image, objects = data[index]
        left, top, right, bottom = objects.boxes[0].astype(int)
        mask = objects.masks[0]
        assert mask[top:bottom, left:right].sum() == mask.sum() > 0
        assert mask[top, :].any()
        assert mask[bottom - 1, :].any()
        assert mask[:, left].any()
        assert mask[:, right - 1].any()
        shape = scenes.label_of(["shape"])[index]
        assert objects.labels.tolist() == [shape]
        # The object's pixels are where the segmentation has its shape, behind floor and wall.
        assert (mask == (scenes.modality(index, "segmentation")[0] == 2 + shape)).all()
        assert np.asarray(image).tolist() == np.asarray(scenes[index][0]).tolist()


def test_reading_a_scene_twice_gives_pictures_of_their_own():
    data = open_detection("scenes?n=2&size=32")
    first = data[0][0]
    first.putpixel((0, 0), (1, 2, 3))
    assert data[0][0].getpixel((0, 0)) != (1, 2, 3)


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("digits", "digits has no boxes; detection reads coco, scenes or voc"),
        ("folder:images", "folder has no boxes"),
        ("yolo:labels", "unknown source 'yolo'"),
        ("scenes?label=shape", "unknown option 'label'"),
    ],
)
def test_data_without_boxes_are_refused(spec, told):
    assert told in refused(spec)
