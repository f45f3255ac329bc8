import csv
import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import ImageFolder
from torchvision.transforms.functional import pil_to_tensor

from crystalvision.datasets import Dataset
from crystalvision.errors import InputError, StorageError
from crystalvision.exchange import export_png

PLACES = ("vacancies 25 %", "no_defect", "twin _112_")
FOLDERS = set(PLACES)


@pytest.fixture
def exported(salt_path, tmp_path):
    export_png(salt_path, tmp_path / "images", scale="counts")
    return tmp_path / "images"


def read_table(folder):
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_grey(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_counts_are_sixteen_bits_without_loss(exported, salt):
    rows = read_table(exported)
    assert [int(row["sample"]) for row in rows] == list(range(len(salt)))
    for row in rows:
        image = read_grey(exported / row["file"])
        assert image.dtype == np.uint16
        assert np.array_equal(image, salt.images([int(row["sample"])])[0, 0])


def test_each_sample_lies_in_the_folder_of_its_split_and_class(exported, salt):
    for part in ("train", "validation", "test"):
        found = {path.relative_to(exported / part) for path in (exported / part).rglob("*.png")}
        labels = salt.column("label")
        expected = {f"{PLACES[labels[sample]]}/{sample:08d}.png" for sample in salt.split(part)}
        assert {path.as_posix() for path in found} == expected


def test_the_table_has_every_column_exactly(exported, salt):
    rows = read_table(exported)
    assert list(rows[0])[:3] == ["file", "split", "class"]
    for name, column in salt.header.columns.items():
        if column.dtype == "bool":
            found = np.array([int(row[name]) for row in rows]).astype(bool)
        else:
            found = np.array([float(row[name]) for row in rows]).astype(column.dtype)
        assert np.array_equal(found, salt.column(name), equal_nan=found.dtype.kind == "f"), name
    classes = [salt.header.class_names[label] for label in salt.column("label")]
    assert [row["class"] for row in rows] == classes


def test_image_folder_opens_every_part(exported, salt):
    for part in ("train", "validation", "test"):
        data = ImageFolder(
            exported / part,
            loader=lambda path: pil_to_tensor(Image.open(path)),
            allow_empty=True,
        )
        assert set(data.classes) == FOLDERS
        assert len(data) == len(salt.split(part))
        for image, number in data:
            assert image.shape == (1, 6, 8)
            assert data.classes[number] in FOLDERS


def test_the_default_loader_of_image_folder_reads_the_logarithmic_scale(salt_path, salt, tmp_path):
    export_png(salt_path, tmp_path / "log")
    data = ImageFolder(tmp_path / "log" / "train")
    place = {int(path[-12:-4]): number for number, (path, _) in enumerate(data.samples)}
    greatest = salt.images(np.arange(len(salt))).max()
    for sample in salt.split("train"):
        image, number = data[place[int(sample)]]
        counts = salt.images([sample])[0, 0].astype(float)
        grey = np.round(255 * np.log(1 + counts) / np.log(1 + greatest))
        assert np.array_equal(np.asarray(image), np.repeat(grey[..., None], 3, axis=2))
        assert data.classes[number] == PLACES[salt.column("label")[sample]]


def test_a_class_without_images_in_a_part_keeps_its_number(make_data, tmp_path):
    data = make_data(tmp_path / "few.zarr", samples=6)
    export_png(data, tmp_path / "images")
    parts = [path for path in (tmp_path / "images").iterdir() if path.is_dir()]
    assert parts
    for part in parts:
        assert {path.name for path in part.iterdir()} == FOLDERS


def test_the_scale_of_a_part_is_that_of_the_whole(salt_path, tmp_path):
    export_png(salt_path, tmp_path / "all")
    export_png(salt_path, tmp_path / "test", split="test")
    found = sorted((tmp_path / "test").rglob("*.png"))
    assert found
    for path in found:
        whole = tmp_path / "all" / path.relative_to(tmp_path / "test")
        assert path.read_bytes() == whole.read_bytes()


def test_the_readme_says_what_a_grey_value_means(salt_path, salt, tmp_path):
    export_png(salt_path, tmp_path / "log")
    text = (tmp_path / "log/README.md").read_text()
    assert "grey = round(255 · ln(1 + counts) / ln(1 + maximum))" in text
    assert f"{salt.images(np.arange(len(salt))).max()} counts" in text
    assert "| q_y (rows) | 0.05 | -0.15 | 1/Å |" in text
    assert "| 0 | vacancies 25 % | 0.9 |" in text


def test_fractions_are_drawn_over_nearly_five_decades(make_data, tmp_path):
    data = make_data(tmp_path / "wave.zarr", image_shape=(3, 6, 8), dtype="float32")
    export_png(data, tmp_path / "images")
    images = Dataset.open(data).images(np.arange(23))
    row = read_table(tmp_path / "images")[4]
    found = read_grey(tmp_path / "images" / row["file"])
    assert found.shape == (6, 8, 3)
    expected = 255 * np.log(1 + 65535 * (images[4] / float(images.max()))) / np.log(65536)
    assert np.abs(found - np.moveaxis(expected, 0, -1)).max() <= 0.51
    assert "ln(1 + 65535 · value / maximum)" in (tmp_path / "images/README.md").read_text()


def test_images_of_zeros_are_black(make_data, tmp_path):
    data = make_data(tmp_path / "dark.zarr", images=np.zeros((23, 1, 6, 8), dtype=np.uint16))
    export_png(data, tmp_path / "images")
    for path in (tmp_path / "images").rglob("*.png"):
        assert not read_grey(path).any()


def test_what_cannot_be_written_says_what_to_do(make_data, tmp_path):
    wave = make_data(tmp_path / "wave.zarr", dtype="float32")
    with pytest.raises(InputError, match="--scale counts needs counts, but images are float32"):
        export_png(wave, tmp_path / "images", scale="counts")
    colour = make_data(tmp_path / "colour.zarr", image_shape=(3, 6, 8))
    with pytest.raises(InputError, match="do not give back for 3 channels"):
        export_png(colour, tmp_path / "images", scale="counts")
    two = make_data(tmp_path / "two.zarr", image_shape=(2, 6, 8))
    with pytest.raises(InputError, match="images of 2 channels are no PNG"):
        export_png(two, tmp_path / "images")
    with pytest.raises(InputError, match="--scale grey is not one of log, counts"):
        export_png(two, tmp_path / "images", scale="grey")
    negative = make_data(
        tmp_path / "negative.zarr",
        dtype="float32",
        images=np.full((23, 1, 6, 8), -0.5, dtype=np.float32),
    )
    with pytest.raises(InputError, match=r"values go down to -0.5, of which there is no log"):
        export_png(negative, tmp_path / "images")
    assert not (tmp_path / "images").exists()


@pytest.mark.parametrize(("brightest", "fits"), [(65535, True), (65536, False)])
def test_counts_of_32_bits_are_written_where_they_fit(make_data, tmp_path, brightest, fits):
    images = np.zeros((23, 1, 6, 8), dtype=np.uint32)
    images[20, 0, 2, 3] = brightest
    data = make_data(tmp_path / "bright.zarr", images=images, dtype="uint32")
    if not fits:
        with pytest.raises(InputError, match="65536 counts do not fit into the 16 bits"):
            export_png(data, tmp_path / "images", scale="counts")
        return
    export_png(data, tmp_path / "images", scale="counts")
    path = tmp_path / "images" / read_table(tmp_path / "images")[20]["file"]
    assert read_grey(path)[2, 3] == 65535


def test_a_column_with_a_name_of_the_table_is_refused(make_data, tmp_path, monkeypatch):
    data = make_data(tmp_path / "salt.zarr")
    monkeypatch.setattr("crystalvision.exchange._png.CLASS", "data_quality")
    with pytest.raises(InputError, match="has a column 'data_quality', which is what this format"):
        export_png(data, tmp_path / "images")


def test_classes_that_differ_in_case_only_get_folders_of_their_own(make_data, tmp_path):
    names = ("Twin", "twin", "...")
    data = make_data(tmp_path / "salt.zarr", class_names=names)
    export_png(data, tmp_path / "images")
    folders = {path.name for path in (tmp_path / "images/train").iterdir()}
    assert folders == {"Twin", "twin_1", "class_2"}
    assert [row["class"] for row in read_table(tmp_path / "images")][:3] == list(names)


def test_what_is_there_is_replaced_only_if_it_is_an_export(exported, salt_path, tmp_path):
    with pytest.raises(InputError, match="exists already; replace it by --overwrite"):
        export_png(salt_path, exported)
    export_png(salt_path, exported, split="test", overwrite=True)
    assert not (exported / "train").exists()
    assert json.loads((exported / "dataset.json").read_text())["split"] == "test"
    notes = exported / "test/notes.txt"
    notes.write_text("do not lose")
    with pytest.raises(InputError, match=r"holds test/notes.txt, which is no part of an export"):
        export_png(salt_path, exported, overwrite=True)
    assert notes.read_text() == "do not lose"
    foreign = tmp_path / "thesis"
    foreign.mkdir()
    (foreign / "README.md").write_text("years")
    with pytest.raises(InputError, match="was not exported by crystalvision"):
        export_png(salt_path, foreign, overwrite=True)
    assert (foreign / "README.md").read_text() == "years"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "thesis"]


def test_a_link_is_not_followed_and_removed(exported, salt_path, tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/work.txt").write_text("years")
    (exported / "train/link").symlink_to(tmp_path / "precious")
    with pytest.raises(InputError, match="holds train/link"):
        export_png(salt_path, exported, overwrite=True)
    assert (tmp_path / "precious/work.txt").read_text() == "years"


def test_a_killed_export_is_cleared_away(exported, salt_path, tmp_path):
    shutil.copytree(exported, tmp_path / ".again.0123abcd.partial")
    (tmp_path / ".again.0123abcd.partial/dataset.json").unlink()
    export_png(salt_path, tmp_path / "again")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again", "images"]


def test_an_empty_folder_is_filled(salt_path, tmp_path):
    (tmp_path / "images").mkdir()
    export_png(salt_path, tmp_path / "images")
    assert (tmp_path / "images/labels.csv").is_file()


def test_two_exports_to_one_place_are_refused(salt_path, tmp_path):
    def begin(_what, _total):
        with pytest.raises(InputError, match="another process is writing it"):
            export_png(salt_path, tmp_path / "images")
        return lambda _done: None

    export_png(salt_path, tmp_path / "images", begin=begin)
    assert [path.name for path in tmp_path.iterdir()] == ["images"]


def test_damage_leaves_nothing_behind(make_data, tmp_path):
    data = make_data(tmp_path / "salt.zarr")
    file = data / "images/c/3/0/0/0"
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(StorageError, match="damaged"):
        export_png(data, tmp_path / "images", scale="counts")
    assert [path.name for path in tmp_path.iterdir()] == ["salt.zarr"]


def test_the_loader_in_the_readme_works(exported, salt, monkeypatch):
    monkeypatch.chdir(exported)
    text = (exported / "README.md").read_text()
    code = text.split("```python\n")[1].split("```")[0]
    namespace = {}
    exec(code, namespace)
    image, _ = namespace["images"][0]
    assert torch.from_numpy(np.asarray(image).astype(np.int32)).shape == (6, 8)
    assert len(namespace["images"]) == len(salt.split("train"))
