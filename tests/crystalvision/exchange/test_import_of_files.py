"""Which files of a folder are imported, which of their images, and what is told of both."""

import os
import shutil

import numpy as np
import pytest
import tifffile
from PIL import Image

from crystalvision.cli import main
from crystalvision.datasets import Dataset, verify
from crystalvision.errors import InputError
from crystalvision.exchange import changed_files, import_folder

SIZE = {"pixel_size_inv_angstrom": 0.02}
GREY = {"photometric": "minisblack"}


def counts(seed, *shape):
    return np.random.default_rng(seed).integers(0, 900, shape or (6, 8)).astype(np.uint16)


def load(folder, tmp_path, **settings):
    done = import_folder(folder, tmp_path / "data.zarr", **SIZE, **settings)
    assert not verify(tmp_path / "data.zarr")
    return Dataset.open(tmp_path / "data.zarr"), done


@pytest.fixture
def stacks(tmp_path):
    """Two files of three pages and one of one, of two classes."""
    for number, (name, pages) in enumerate([("a", 3), ("a", 1), ("b", 3)]):
        (tmp_path / "in" / name).mkdir(parents=True, exist_ok=True)
        path = tmp_path / "in" / name / f"{number}.tif"
        tifffile.imwrite(path, counts(number, pages, 6, 8), **GREY)
    return tmp_path / "in"


def test_every_page_is_a_sample(stacks, tmp_path):
    data, done = load(stacks, tmp_path)
    assert np.array_equal(
        data.images(np.arange(7))[:, 0],
        np.concatenate([counts(0, 3, 6, 8), counts(1, 1, 6, 8), counts(2, 3, 6, 8)]),
    )
    assert data.column("label").tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert data.column("page").tolist() == [0, 1, 2, 0, 0, 1, 2]
    assert data.column("specimen").tolist() == [0, 0, 0, 1, 2, 2, 2]
    told = " ".join(done.notes)
    assert "7 images in 3 files; those of one file count as one specimen" in told


def test_files_that_share_an_image_show_one_specimen(stacks, tmp_path):
    tifffile.imwrite(stacks / "b/3.tif", counts(2, 3, 6, 8)[1])
    tifffile.imwrite(stacks / "a/4.tif", counts(0, 3, 6, 8)[::-1], **GREY)
    data, _ = load(stacks, tmp_path)
    assert data.column("specimen").tolist() == [0, 0, 0, 1, 2, 2, 2, 2, 0, 0, 0]


def test_one_page_of_each_file(stacks, tmp_path):
    (stacks / "a/1.tif").unlink()
    data, _ = load(stacks, tmp_path, page=1)
    assert np.array_equal(data.images([0, 1])[:, 0], [counts(0, 3, 6, 8)[1], counts(2, 3, 6, 8)[1]])
    assert data.header.recipe["page"] == 1
    with pytest.raises(InputError, match=r"0\.tif: has no image 3; its images go from 0 to 2"):
        import_folder(stacks, tmp_path / "other.zarr", page=3, **SIZE)


def test_labels_of_single_pages(stacks, tmp_path):
    lines = ["file,class,specimen", "a/0.tif[2],x,s", "b/2.tif,y,t", "a/0.tif[0],y,u"]
    (stacks / "labels.csv").write_text("\n".join(lines))
    data, done = load(stacks, tmp_path)
    expected = np.stack([counts(0, 3, 6, 8)[0], counts(0, 3, 6, 8)[2], *counts(2, 3, 6, 8)])
    assert np.array_equal(data.images(np.arange(5))[:, 0], expected)
    assert data.column("label").tolist() == [1, 0, 1, 1, 1]
    assert "1 images are not in" in " ".join(done.notes)
    lines[1] = "a/0.tif[7],x,s"
    (stacks / "labels.csv").write_text("\n".join(lines))
    with pytest.raises(InputError, match=r"0\.tif: has no image 7"):
        import_folder(stacks, tmp_path / "other.zarr", **SIZE)


def test_an_array_of_three_axes_is_not_guessed_at(tmp_path):
    (tmp_path / "in/a").mkdir(parents=True)
    np.save(tmp_path / "in/a/0.npy", counts(0, 3, 6, 8))
    with pytest.raises(InputError, match=r"3 images or one of 3 channels; give --channels 1 or"):
        import_folder(tmp_path / "in", tmp_path / "data.zarr", **SIZE)
    data, _ = load(tmp_path / "in", tmp_path, channels=1)
    assert np.array_equal(data.images(np.arange(3))[:, 0], counts(0, 3, 6, 8))
    shutil.rmtree(data.path)
    data, _ = load(tmp_path / "in", tmp_path, channels=3)
    assert np.array_equal(data.images([0])[0], counts(0, 3, 6, 8))


def test_folders_behind_links_are_followed_and_circles_are_not(pictures, tmp_path):
    (pictures / "twin").rename(tmp_path / "elsewhere")
    (pictures / "twin").symlink_to(tmp_path / "elsewhere")
    (pictures / "crystal/more").symlink_to(tmp_path / "far")
    (tmp_path / "far").mkdir()
    np.save(tmp_path / "far/006.npy", counts(6))
    (tmp_path / "far/back").symlink_to(pictures / "crystal")
    (pictures / "crystal/all").symlink_to("..")
    data, _ = load(pictures, tmp_path)
    assert data.column("label").tolist() == [0, 1, 2, 0, 1, 2, 1]
    shutil.rmtree(tmp_path / "far")
    with pytest.raises(InputError, match="more: is a link to nothing; mend or remove it"):
        import_folder(pictures, tmp_path / "other.zarr", **SIZE)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder")
def test_a_folder_that_cannot_be_read_is_told(pictures, tmp_path):
    (pictures / "twin/locked").mkdir(mode=0)
    with pytest.raises(InputError, match="locked: cannot be read: Permission denied"):
        import_folder(pictures, tmp_path / "data.zarr", **SIZE)


def test_what_systems_and_editors_leave_is_counted(pictures, tmp_path):
    (pictures / "__MACOSX").mkdir()
    (pictures / "Thumbs.db").write_bytes(b"x")
    for name in ("Thumbs.db", "._000.npy", "desktop.ini", "000.npy~", ".DS_Store"):
        (pictures / "twin" / name).write_bytes(b"x")
    data, done = load(pictures, tmp_path)
    assert len(data) == 6
    assert "7 hidden files, and such as Thumbs.db or x.tif~, are left out" in done.notes


def test_names_that_are_no_unicode(pictures, tmp_path, capsys):
    name = os.fsdecode(b"K\xf6rnung")
    (pictures / "twin/002.npy").rename(pictures / "twin" / f"{name}.npy")
    data, _ = load(pictures, tmp_path)
    assert len(data) == 6
    (pictures / "twin").rename(pictures / name)
    line = ["dataset", "import", str(pictures), "-o", str(tmp_path / "other.zarr")]
    assert main([*line, "--pixel-size-inv-angstrom", "0.02"]) == 2
    assert "K\\xf6rnung: its name is not UTF-8, and a class's name must be" in " ".join(
        capsys.readouterr().err.split()
    )


def test_grey_pictures_and_real_colours(tmp_path):
    (tmp_path / "in/a").mkdir(parents=True)
    grey = (counts(0) % 256).astype(np.uint8)
    for number in range(2):
        Image.fromarray(np.dstack([grey + number] * 3)).save(tmp_path / f"in/a/{number}.png")
    data, done = load(tmp_path / "in", tmp_path)
    assert np.array_equal(data.images([0, 1])[:, 0], [grey, grey + 1])
    assert "2 files, the first is" in " ".join(done.notes)
    assert "is a picture of 3 channels that are all alike; one is read" in " ".join(done.notes)


def test_marks_of_gaps(pictures, tmp_path):
    for path in pictures.rglob("*.npy"):
        image = np.load(path).astype(np.uint32)
        image[2] = 2**32 - 1
        np.save(path, image)
    told = r"000\.npy: 8 of 48 pixels are 4294967295, .* give --gap-value 4294967295"
    with pytest.raises(InputError, match=told):
        import_folder(pictures, tmp_path / "data.zarr", **SIZE)
    data, _ = load(pictures, tmp_path, gap_values=(2**32 - 1,))
    assert data.images(np.arange(6)).max() < 900
    assert data.header.recipe["gap_values"] == ["4294967295"]
    assert (data.images(np.arange(6))[:, 0, 2] == 0).all()
    assert not data.header.seen.each_sample
    seen = data.seen(np.arange(6))
    assert not seen[:, :, 2].any()
    assert seen.sum() == 6 * 40


def test_gaps_that_differ_are_kept_for_each_image(pictures, tmp_path):
    mark = 2**32 - 1
    expected = np.ones((6, 1, 6, 8), dtype=bool)
    for number, path in enumerate(sorted(pictures.rglob("*.npy"), key=lambda path: path.name)):
        image = np.load(path).astype(np.uint32)
        image[number] = mark
        expected[number, 0, number] = False
        np.save(path, image)
    data, _ = load(pictures, tmp_path, gap_values=(mark,))
    assert data.header.seen.each_sample
    assert np.array_equal(data.seen(np.arange(6)), expected)
    assert verify(data.path) == []


def test_no_gaps_are_no_mask(pictures, tmp_path):
    data, _ = load(pictures, tmp_path, gap_values=(2**32 - 1,))
    assert data.seen([0]) is None


def test_pixels_that_saturate_are_imported_and_told(pictures, tmp_path):
    image = np.load(pictures / "twin/005.npy")
    image[2:4, 3:5] = 65535
    np.save(pictures / "twin/005.npy", image)
    data, done = load(pictures, tmp_path)
    assert data.images([5]).max() == 65535
    assert "005.npy: has pixels at 65535, the largest that its type holds" in " ".join(done.notes)


def test_a_file_that_changes_later_is_found(pictures, tmp_path, capsys):
    data, _ = load(pictures, tmp_path)
    assert changed_files(data, pictures) == []
    with (pictures / "twin/005.npy").open("ab") as file:
        file.write(b"x")
    lost, new = changed_files(data, pictures)
    assert "the files of 1 samples, the first is 5, are not in" in lost
    assert "the first is twin/005.npy, were added or changed" in new
    line = ["dataset", "verify", str(data.path)]
    assert main(line) == 0
    assert main([*line, "--images", str(pictures)]) == 1
    assert "the first is twin/005.npy" in capsys.readouterr().out


def test_doubts_of_what_was_imported(pictures, tmp_path):
    shutil.copy(pictures / "crystal/001.npy", pictures / "twin/007.npy")
    for name in ("000.npy", "003.npy"):
        (pictures / "amorphous" / name).unlink()
    np.save(pictures / "amorphous/009.npy", counts(9))
    _, done = load(pictures, tmp_path)
    told = " ".join(done.doubts)
    assert "class 'amorphous' has one image, which cannot be learnt and tested" in told
    assert "1 images have the same pixels as one of another class: samples 0 and " in told
    assert "are of 'crystal' and 'twin'" in told
    assert "split has no image of class" in told
