import shutil

import numpy as np
import pytest
import tifffile
from PIL import Image

from crystalvision.datasets import Dataset, verify
from crystalvision.errors import InputError
from crystalvision.exchange import import_folder

CLASSES = ("amorphous", "crystal", "twin")


def load(pictures, tmp_path, **settings):
    settings = {"pixel_size_inv_angstrom": 0.02, **settings}
    done = import_folder(pictures, tmp_path / "measured.zarr", **settings)
    assert not verify(tmp_path / "measured.zarr")
    return Dataset.open(tmp_path / "measured.zarr"), done


def refuse(pictures, tmp_path, **settings):
    """The one line that is said; nothing may be written."""
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError) as caught:
        import_folder(
            pictures, tmp_path / "measured.zarr", **{"pixel_size_inv_angstrom": 0.02, **settings}
        )
    assert sorted(tmp_path.iterdir()) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_folder_for_each_class(pictures, tmp_path):
    data, done = load(pictures, tmp_path)
    assert data.header.class_names == CLASSES
    assert data.column("label").tolist() == [0, 1, 2, 0, 1, 2]  # in the order of file names
    for sample in range(6):
        stored = np.load(pictures / CLASSES[sample % 3] / f"{sample:03d}.npy")
        assert np.array_equal(data.images([sample])[0, 0], stored)
    assert data.column("severity").tolist() == [0] * 6
    assert done.notes == (
        "no severities are given, so all are 0; give --severity CLASS=VALUE to train on them",
    )
    made = data.header.provenance
    assert (made.name, made.kind, made.files, made.command) == ("measured", "imported", 6, "")


def test_calibration_of_y_and_x_apart(pictures, tmp_path):
    data, _ = load(
        pictures, tmp_path, pixel_size_inv_angstrom=(0.02, 0.03), centre=(2.5, 3), energy_kev=200
    )
    y, x = data.header.axes
    assert (y.scale, y.offset, x.scale, x.offset) == (0.02, -0.05, 0.03, pytest.approx(-0.09))
    assert y.units == x.units == "1/angstrom"
    assert data.column("energy_kev").tolist() == [200] * 6
    assert data.header.provenance.settings["beam"] == {"energy_kev": 200}


def test_the_direct_beam_is_in_the_middle_by_default(pictures, tmp_path):
    data, _ = load(pictures, tmp_path)
    y, x = data.header.axes
    assert (y.offset, x.offset) == (-0.06, -0.08)  # rows 6 // 2, columns 8 // 2


def test_severities_of_classes(pictures, tmp_path):
    given = {"twin": 0.5, "crystal": 0.0, "amorphous": 1.0}
    data, done = load(pictures, tmp_path, severities=given)
    assert data.header.class_severities == (1.0, 0.0, 0.5)
    assert data.column("severity").tolist() == [1, 0, 0.5] * 2
    assert not done.notes


def test_a_table_with_all_that_is_known(write_csv, tmp_path):
    folder = write_csv(
        "file,class,severity,specimen,thickness [nm],dose_electrons,frame,operator,tilt_mrad\n"
        "twin/005.npy,tw,0.5,bar A,10.5,1e4,5,Ann,\n"
        "amorphous/000.npy,am,1,bar B,20,2e4,0,Bob,1.5\n"
        "amorphous\\003.npy,am,0.9,bar A,11,1e4,3,Ann,2\n"
    )
    data, done = load(folder, tmp_path)
    assert data.header.class_names == ("am", "tw")
    assert data.column("label").tolist() == [0, 0, 1]
    assert data.column("severity").tolist() == pytest.approx([1, 0.9, 0.5])
    assert data.header.class_severities == pytest.approx((0.95, 0.5))
    assert data.column("specimen").tolist() == [0, 1, 1]
    assert data.header.provenance.settings["specimens"] == ["bar B", "bar A"]
    units = {name: column.units for name, column in data.header.columns.items()}
    assert units["thickness"] == "nm"
    assert units["dose_electrons"] == "electron"
    assert units["tilt_mrad"] == "mrad"
    assert data.column("thickness").tolist() == [20, 11, 10.5]
    assert data.column("frame").dtype == np.int64
    assert data.column("frame").tolist() == [0, 3, 5]
    assert np.array_equal(data.column("tilt_mrad"), [1.5, 2, np.nan], equal_nan=True)
    left_out, unlisted = done.notes
    assert left_out.endswith("labels.csv: column 'operator' holds no numbers, so it is left out")
    assert unlisted.startswith("3 images are not in ")
    assert unlisted.endswith("so they are left out; the first is crystal/001.npy")


def test_labels_that_are_numbers_are_sorted_as_numbers(write_csv, tmp_path):
    lines = [f"{('amorphous', 'crystal', 'twin')[n % 3]}/{n:03d}.npy,{10 - n}" for n in range(6)]
    data, _ = load(write_csv("\n".join(["file,label", *lines])), tmp_path)
    assert data.header.class_names == ("5", "6", "7", "8", "9", "10")
    assert data.column("label").tolist() == [5, 4, 3, 2, 1, 0]


def test_label_orders_the_classes(write_csv, tmp_path):
    folder = write_csv("file,class,label\ntwin/002.npy,b,0\ntwin/005.npy,a,1\n")
    data, _ = load(folder, tmp_path)
    assert data.header.class_names == ("b", "a")


def test_images_with_the_same_pixels_show_one_specimen(pictures, tmp_path):
    shutil.copy(pictures / "amorphous/000.npy", pictures / "amorphous/100.npy")
    shutil.copy(pictures / "amorphous/000.npy", pictures / "twin/101.npy")
    data, _ = load(pictures, tmp_path)
    assert data.column("specimen").tolist() == [0, 1, 2, 3, 4, 5, 0, 0]
    parts = [name for name in ("train", "validation", "test") if {0, 6} & set(data.split(name))]
    assert len(parts) == 1


def test_named_specimens_may_not_share_an_image(write_csv, tmp_path, pictures):
    shutil.copy(pictures / "twin/002.npy", pictures / "twin/005.npy")
    folder = write_csv("file,class,specimen\ntwin/002.npy,a,one\ntwin/005.npy,a,two\n")
    assert "has the same pixels as twin/002.npy, but is of another" in refuse(folder, tmp_path)


def write_image(path, image):
    if path.suffix == ".npy":
        np.save(path, image)
    elif path.suffix == ".png":
        Image.fromarray(image).save(path)
    else:
        tifffile.imwrite(path, image)


@pytest.mark.parametrize(
    ("suffix", "dtype", "stored"),
    [
        (".png", "uint8", "uint16"),
        (".png", "uint16", "uint16"),
        (".tif", "uint8", "uint16"),
        (".tif", "int16", "uint16"),
        (".tiff", "uint16", "uint16"),
        (".tif", "uint32", "uint32"),
        (".tif", "int32", "uint32"),
        (".tif", "float32", "float32"),
        (".npy", "int8", "uint16"),
        (".npy", ">u2", "uint16"),
        (".npy", "float32", "float32"),
    ],
)
def test_every_kind_of_image_keeps_its_values(tmp_path, suffix, dtype, stored):
    rng = np.random.default_rng(1)
    images = rng.integers(0, 120, (4, 5, 7)).astype(dtype)
    for number, image in enumerate(images):
        place = tmp_path / "in" / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        write_image(place / f"{number}{suffix}", image)
    data, _ = load(tmp_path / "in", tmp_path)
    assert data.header.dtype == stored
    assert np.array_equal(data.images(np.arange(4))[:, 0], images)


def test_channels_must_be_asked_for(tmp_path):
    image = np.random.default_rng(0).integers(0, 255, (5, 7, 3)).astype(np.uint8)
    (tmp_path / "in/a").mkdir(parents=True)
    Image.fromarray(image).save(tmp_path / "in/a/rgb.png")
    told = refuse(tmp_path / "in", tmp_path)
    assert "rgb.png: has 3 channels, where 1 is expected" in told
    assert "--channels 3" in told
    data, _ = load(tmp_path / "in", tmp_path, channels=3)
    assert np.array_equal(data.images([0])[0], np.moveaxis(image, -1, 0))


@pytest.mark.parametrize(
    ("name", "image", "message"),
    [
        ("crystal/009.npy", np.ones((6, 9), np.uint16), "009.npy: is 6×9 uint16, but amorphous/0"),
        ("crystal/009.npy", np.ones((6, 8), np.uint8), "009.npy: is 6×8 uint8, but amorphous/000"),
        ("amorphous/000.npy", np.ones((6, 8)), "000.npy: holds float64; expected integers of 8"),
        (
            "amorphous/000.npy",
            np.ones((2, 3, 6, 8), np.uint8),
            "000.npy: has 3 channels, where 1 is expected: it",
        ),
    ],
)
def test_images_that_differ(pictures, tmp_path, name, image, message):
    if name.startswith("amorphous"):
        for path in pictures.rglob("*.npy"):
            np.save(path, image)
    else:
        np.save(pictures / name, image)
    assert message in refuse(pictures, tmp_path)


@pytest.mark.parametrize(
    ("value", "dtype", "message"),
    [
        (-3, "int16", "twin/005.npy: has negative values down to -3"),
        (np.nan, "float32", "twin/005.npy: 1 of 48 pixels are nan, which is how detectors mark"),
        (np.inf, "float32", "twin/005.npy: has values that are no finite numbers"),
    ],
)
def test_values_that_are_no_counts(pictures, tmp_path, value, dtype, message):
    for path in pictures.rglob("*.npy"):
        np.save(path, np.load(path).astype(dtype))
    image = np.load(pictures / "twin/005.npy")
    image[3, 2] = value
    np.save(pictures / "twin/005.npy", image)
    assert message in refuse(pictures, tmp_path)


def test_a_file_that_is_cut_short(pictures, tmp_path):
    path = pictures / "twin/005.npy"
    path.write_bytes(path.read_bytes()[:-10])
    assert "005.npy is not a NPY file: " in refuse(pictures, tmp_path)


def test_what_is_wrong_with_a_folder(pictures, tmp_path):
    assert "no such folder; expected a folder" in refuse(tmp_path / "absent", tmp_path)
    path = pictures / "twin/005.npy"
    assert "005.npy: is a file; expected a folder of labelled images" in refuse(path, tmp_path)
    (tmp_path / "list.csv").write_text("name,class\na.npy,x\n")
    assert "in the columns file and class" in refuse(tmp_path / "list.csv", tmp_path)
    (tmp_path / "empty").mkdir()
    assert "empty: holds no images; expected empty/CLASS/PATTERN.tif" in refuse(
        tmp_path / "empty", tmp_path
    )
    (pictures / "void").mkdir()
    assert "void: class 'void' has no image" in refuse(pictures, tmp_path)
    (pictures / "void/x.jpg").write_bytes(b"jpg")
    assert "x.jpg: files of type '.jpg' are not read; use ." in refuse(pictures, tmp_path)
    (pictures / "void/x.jpg").unlink()
    path.rename(pictures / "005.npy")
    assert "005.npy: lies beside the folders of classes" in refuse(pictures, tmp_path)


def test_splits_are_not_taken_for_classes(pictures, tmp_path):
    for name in CLASSES[:2]:
        shutil.rmtree(pictures / name)
    (pictures / "twin").rename(pictures / "Train")
    assert "its folders Train are splits, not classes" in refuse(pictures, tmp_path)


def test_hidden_files_are_left_alone(pictures, tmp_path):
    (pictures / ".git").mkdir()
    (pictures / "twin/.DS_Store").write_bytes(b"x")
    (pictures / "README.md").write_text("measured on a Monday")
    data, _ = load(pictures, tmp_path)
    assert len(data) == 6


GOOD = "twin/002.npy,a"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no column 'file' (columns: none)"),
        ("file,class\n", "has no line for any image"),
        ("name,class\nx,y\n", "has no column 'file' (columns: name, class)"),
        ("file\ntwin/002.npy\n", "has no column 'class' (columns: file)"),
        ("file;class\ntwin/002.npy;a\n", "columns are separated by ';'; save it with commas"),
        ("file,class,class\na,b,c\n", "has two columns 'class'"),
        (f"file,class\n{GOOD},3\n", "line 2: has 3 values, but there are 2 columns"),
        (f"file,class\n{GOOD}\n\n{GOOD}\n", "line 4: file 'twin/002.npy' is in line 2 already"),
        (f"file,class\n{GOOD}\n./{GOOD}\n", "line 3: file './twin/002.npy' is in line 2 already"),
        ("file,class\ntwin/2.npy,a\n", "line 2: file 'twin/2.npy' does not exist in"),
        ("file,class\n../x.npy,a\n", "line 2: file '../x.npy' lies outside"),
        ("file,class\n/x.npy,a\n", "line 2: file '/x.npy' lies outside"),
        ("file,class\n,a\n", "line 2: names no file"),
        ("file,class\ntwin/002.npy,\n", "line 2: names no class"),
        (f"file,class,severity\n{GOOD},high\n", "line 2: severity 'high' is no number"),
        (f"file,class,severity\n{GOOD},\n", "line 2: severity '' is no number"),
        (f"file,class,specimen\n{GOOD},\n", "line 2: names no specimen"),
        (f"file,class,split\n{GOOD},1\n", "column 'split' cannot keep its name"),
        (f"file,class,label\n{GOOD},1\n", "labels of a 1; expected 0 to 0"),
        (f"file,class,label\n{GOOD},x\n", "line 2: label 'x' of class 'a'; expected a whole"),
        (f"file,class,a [s],a\n{GOOD},1,2\n", "has two columns 'a'; rename or remove one"),
        (
            f"file,class,dose\n{GOOD},1.5\ntwin/005.npy,a,1O\n",
            "line 3: dose '1O' is no number, as others there are",
        ),
        (f"file,class,dose\n{GOOD},1.5\ntwin/005.npy,a,inf\n", "line 3: dose 'inf' is no number"),
    ],
)
def test_what_is_wrong_with_a_table(write_csv, tmp_path, text, message):
    assert message in refuse(write_csv(text), tmp_path)


def test_a_table_from_a_spreadsheet(pictures, tmp_path):
    text = "\ufefffile,class\r\ntwin/002.npy,Zwilling\r\ntwin/005.npy,Zwilling\r\n\r\n"
    (pictures / "labels.csv").write_bytes(text.encode())
    data, _ = load(pictures, tmp_path)
    assert data.header.class_names == ("Zwilling",)
    (pictures / "labels.csv").write_bytes("file,class\ntwin/002.npy,Körnung\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"labels\.csv: is not UTF-8 text; save it as CSV in UTF"):
        import_folder(pictures, tmp_path / "other.zarr", pixel_size_inv_angstrom=0.02)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pixel_size_inv_angstrom": None}, "size of a pixel is not known; give it in 1/Å"),
        ({"pixel_size_inv_angstrom": 0.0}, "pixel size 0 1/Å: expected a positive number"),
        ({"pixel_size_inv_angstrom": (0.1, -1)}, "pixel size -1 1/Å: expected a positive number"),
        ({"centre": (np.nan, 1)}, "centre nan,1: expected a row and a column"),
        ({"energy_kev": -200.0}, "--energy-kev -200: expected a positive number"),
        ({"severities": {"twin": 1.0}}, "--severity is not given for class 'amorphous'"),
        ({"severities": {"twn": 1.0}}, "--severity twn=1: no class 'twn'; classes are amorphous"),
        ({"severities": dict.fromkeys(CLASSES, np.inf)}, "expected a finite number"),
    ],
)
def test_what_is_wrong_with_a_setting(pictures, tmp_path, settings, message):
    assert message in refuse(pictures, tmp_path, **settings)


def test_settings_that_the_table_gives_already(write_csv, tmp_path):
    folder = write_csv(f"file,class,severity,energy_kev\n{GOOD},1,200\n")
    told = refuse(folder, tmp_path, severities={"a": 1.0})
    assert "so none can be given for classes" in told
    assert "labels.csv gives energy_kev for each image" in refuse(folder, tmp_path, energy_kev=200)


def test_the_place_is_checked_before_images_are_read(pictures, tmp_path):
    load(pictures, tmp_path)

    def begin(_what, _total):
        raise AssertionError

    with pytest.raises(InputError, match="exists already; go on with it by --resume"):
        import_folder(
            pictures, tmp_path / "measured.zarr", pixel_size_inv_angstrom=0.02, begin=begin
        )
    with pytest.raises(InputError, match="lies within the images' folder"):
        import_folder(pictures, pictures / "data.zarr", pixel_size_inv_angstrom=0.02)


def test_an_interrupted_import_goes_on_to_the_same_bytes(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr("crystalvision.exchange._plan._SHARD_BYTES", 200)  # 2 images of 96 bytes
    load(pictures, tmp_path)
    begun = tmp_path / "begun.zarr"

    class StopError(Exception):
        pass

    def begin(what, _total):
        def advance(_done):
            if what == "writing":
                raise StopError

        return advance

    with pytest.raises(StopError):
        import_folder(pictures, begun, pixel_size_inv_angstrom=0.02, begin=begin)
    assert Dataset.open(begun, allow_incomplete=True).missing_shards == [1, 2]
    import_folder(pictures, begun, pixel_size_inv_angstrom=0.02, mode="resume")
    whole = tmp_path / "measured.zarr"
    files = {path.relative_to(whole) for path in whole.rglob("*") if path.is_file()}
    assert files == {path.relative_to(begun) for path in begun.rglob("*") if path.is_file()}
    for file in files:
        assert (begun / file).read_bytes() == (whole / file).read_bytes(), file


@pytest.mark.parametrize("change", ["pixel", "label"])
def test_other_images_are_another_dataset(pictures, tmp_path, change):
    data, _ = load(pictures, tmp_path)
    before = data.identity
    if change == "pixel":
        image = np.load(pictures / "twin/005.npy")
        image[0, 0] += 1
        np.save(pictures / "twin/005.npy", image)
    else:
        (pictures / "twin/005.npy").rename(pictures / "crystal/005.npy")
    with pytest.raises(InputError, match=r"cannot be resumed: its provenance\.content_sha256"):
        load(pictures, tmp_path, mode="resume")
    data, _ = load(pictures, tmp_path, mode="overwrite")
    assert data.identity != before


def test_an_image_that_changes_while_it_is_imported(pictures, tmp_path):
    def begin(what, _total):
        if what == "writing":
            np.save(pictures / "twin/005.npy", np.ones((6, 8), np.uint16))
        return lambda _done: None

    with pytest.raises(InputError, match=r"twin/005.npy: was changed while it was imported"):
        load(pictures, tmp_path, begin=begin)
