"""Curves over an angle, a rotation and a map to learn, and masks go through every room of data."""

import io
import json
import re
import tarfile

import h5py
import numpy as np
import pytest
import torch
import xarray
import zarr

from crystalvision.cards import write_card
from crystalvision.cli.dataset.info import info
from crystalvision.datasets import (
    Axis,
    Column,
    Conditions,
    Dataset,
    DatasetHeader,
    DatasetWriter,
    PatternDataset,
    Seen,
    Simulated,
    describe,
    doubts,
    label_column,
    match,
    merge,
    verify,
)
from crystalvision.errors import InputError, StorageError
from crystalvision.exchange import export_hdf5, export_png, export_webdataset

POINTS = 60
PHASES = ("matrix", "pore", "inclusion")
COLUMNS = {
    "orientation": Column(
        dtype="float64",
        shape=(4,),
        task="orientation",
        symmetry="m-3m",
        description="unit quaternion of the crystal",
    ),
    "phase": Column(dtype="uint8", shape=(5, 7), classes=PHASES, description="what lies where"),
    "lattice_angstrom": Column(dtype="float32", units="angstrom"),
}
AXES = (Axis(name="two_theta", size=POINTS, scale=0.5, offset=10.0, units="degree"),)


def header(*, labelled=False, seen=None, axes=AXES, channels=1, samples=10, **changes):
    label = {"label": label_column(("cubic", "hexagonal"))} if labelled else {}
    fields = {
        "samples": samples,
        "image_shape": (channels, *(axis.size for axis in axes)),
        "dtype": "uint32",
        "columns": {**label, **COLUMNS},
        "axes": axes,
        "seen": seen,
        "provenance": Simulated(seed=3, recipe={"name": "powders"}),
        "generator": {"tests": "1"},
        "samples_per_shard": 4,
    }
    return DatasetHeader.model_validate({**fields, **changes})


def content(header, seed=0):
    """Images, columns and masks of all samples; the masks are those that each sample would have."""
    rng = np.random.default_rng([header.provenance.seed, seed])
    count = header.samples
    images = rng.poisson(20, (count, *header.image_shape)).astype(header.dtype)
    turns = rng.normal(size=(count, 4))
    columns = {
        "label": np.arange(count) % 2,
        "orientation": turns / np.linalg.norm(turns, axis=1, keepdims=True),
        "phase": rng.integers(0, len(PHASES), (count, 5, 7)).astype(np.uint8),
        "lattice_angstrom": rng.uniform(3, 6, count).astype(np.float32),
    }
    columns = {name: columns[name] for name in header.columns}
    masks = rng.random((count, 1, *header.grid)) > 0.2
    return images, columns, masks


def write(path, header, seed=0):
    images, columns, masks = content(header, seed)
    each = header.seen is not None and header.seen.each_sample
    with DatasetWriter.open(path, header) as writer:
        for shard in range(header.shards):
            rows = slice(header.shard_indices(shard).start, header.shard_indices(shard).stop)
            part = {name: values[rows] for name, values in columns.items()}
            writer.write_shard(shard, images[rows], part, masks[rows] if each else None)
        writer.finish()
    return path


def beam_stop():
    """One mask for all samples: the first points and a dead one were not measured."""
    mask = np.ones((1, POINTS), dtype=bool)
    mask[0, :6] = mask[0, 40] = False
    return Seen.of(mask), mask


@pytest.fixture(params=["one mask", "masks", "none"])
def kind(request):
    """What is said of the points that were seen, and the masks of all samples."""
    made = header()
    if request.param == "none":
        return None, None
    if request.param == "masks":
        return Seen(each_sample=True), content(made)[2]
    seen, mask = beam_stop()
    return seen, np.broadcast_to(mask, (made.samples, *mask.shape))


def same(dataset, header, masks, seed=0):
    images, columns, _ = content(header, seed)
    indices = np.arange(header.samples)
    assert np.array_equal(dataset.images(indices), images)
    for name, values in columns.items():
        assert np.array_equal(dataset.column(name), values), name
        assert np.array_equal(dataset.column(name, [7, 2]), values[[7, 2]]), name
    found = dataset.seen(indices)
    assert found is None if masks is None else np.array_equal(found, masks)


def test_what_is_written_is_read(tmp_path, kind):
    seen, masks = kind
    made = header(seen=seen)
    path = write(tmp_path / "a.zarr", made)
    assert verify(path) == []
    dataset = Dataset.open(path)
    assert dataset.header == made
    same(dataset, made, masks)
    assert list(made.targets) == ["orientation", "phase", "lattice_angstrom"]


def test_batches_have_targets_by_name_and_masks(tmp_path, kind):
    seen, masks = kind
    made = header(seen=seen)
    dataset = Dataset.open(write(tmp_path / "a.zarr", made))
    images, columns, _ = content(made)
    patterns = PatternDataset(dataset, [8, 1, 5], ("phase", "lattice_angstrom"))
    batch = next(iter(patterns.loader(3)))
    assert np.array_equal(batch.images.numpy(), images[[8, 1, 5]])
    assert list(batch.targets) == ["phase", "lattice_angstrom"]
    assert batch.targets["phase"].dtype == torch.int64
    for name, values in batch.targets.items():
        assert np.array_equal(values.numpy(), columns[name][[8, 1, 5]])
    assert batch.seen is None if masks is None else (batch.seen.numpy() == masks[[8, 1, 5]]).all()
    assert PatternDataset(dataset, [0]).names == ()
    with pytest.raises(InputError, match="no target 'label'"):
        PatternDataset(dataset, [0], ("label",))


def test_other_readers_find_it(tmp_path, kind):
    seen, masks = kind
    path = write(tmp_path / "a.zarr", header(seen=seen, labelled=True))
    data = xarray.open_zarr(path)
    assert data.images.dims == ("sample", "channel", "two_theta")
    assert data.two_theta.attrs["units"] == "degree"
    assert data.orientation.shape == (10, 4)
    assert data.phase.attrs["flag_meanings"] == "matrix pore inclusion"
    if masks is not None:
        assert np.array_equal(np.broadcast_to(data.seen.values, masks.shape), masks)


def test_without_classes_splits_are_not_stratified_and_without_it_tools_say_so(tmp_path):
    dataset = Dataset.open(write(tmp_path / "a.zarr", header(samples=40)))
    sizes = [len(dataset.split(name)) for name in ("train", "validation", "test")]
    assert sizes == [28, 4, 8]
    assert doubts(dataset) == []
    with pytest.raises(InputError, match="has no classes, which a test needs: expected a column"):
        dataset.check_classes("a test")


@pytest.mark.parametrize("name", ["orientation", "phase", "seen"])
def test_damage_of_an_array_is_found_and_refused(tmp_path, name):
    path = write(tmp_path / "a.zarr", header(seen=Seen(each_sample=True)))
    array = zarr.open_array(path / name, mode="r+")
    array[5] = 1 - array[5] if name != "seen" else ~array[5]
    found = [str(problem) for problem in verify(path)]
    assert any(f"the {name} of 1 samples, the first is 5, do not match" in text for text in found)
    dataset = Dataset.open(path)
    with pytest.raises(StorageError, match="sample 1 does not match its checksum"):
        dataset.seen([5]) if name == "seen" else dataset.column(name)


def test_a_map_of_no_class_is_refused(tmp_path):
    made = header()
    images, columns, masks = content(made)
    columns["phase"][2, 1, 1] = 3
    part = {name: values[:4] for name, values in columns.items()}
    with (
        DatasetWriter.open(tmp_path / "a.zarr", made) as writer,
        pytest.raises(InputError, match="phase 3 is no class; they go from 0 to 2"),
    ):
        writer.write_shard(0, images[:4], part)
    columns["phase"][2, 1, 1] = 0
    part = {name: values[:4] for name, values in columns.items()}
    with (
        DatasetWriter.open(tmp_path / "b.zarr", made) as writer,
        pytest.raises(InputError, match="the header says of no mask for each sample"),
    ):
        writer.write_shard(0, images[:4], part, masks[:4])
    with (
        DatasetWriter.open(tmp_path / "c.zarr", header(seen=Seen(each_sample=True))) as writer,
        pytest.raises(InputError, match=r"seen are none; expected bool \(4, 1, 60\)"),
    ):
        writer.write_shard(0, images[:4], part)


def test_merged_data_keep_arrays_masks_and_classes(tmp_path, kind):
    seen, masks = kind
    one = header(seen=seen)
    phases = ("void", "pore", "matrix", "inclusion")
    columns = {**COLUMNS, "phase": COLUMNS["phase"].model_copy(update={"classes": phases})}
    two = header(provenance=Simulated(seed=4, recipe={"name": "others"}), columns=columns)
    merge([write(tmp_path / "a.zarr", one), write(tmp_path / "b.zarr", two)], tmp_path / "m.zarr")
    assert verify(tmp_path / "m.zarr") == []
    merged = Dataset.open(tmp_path / "m.zarr")
    (images, first, _), (others, second, _) = content(one), content(two)
    assert np.array_equal(merged.images(np.arange(20)), np.concatenate([images, others]))
    turns = np.concatenate([first["orientation"], second["orientation"]])
    assert np.array_equal(merged.column("orientation"), turns)
    assert merged.header.columns["phase"].classes == (*PHASES, "void")
    expected = np.concatenate([first["phase"], np.array([3, 1, 0, 2])[second["phase"]]])
    assert np.array_equal(merged.column("phase"), expected)
    found = merged.seen(np.arange(20))
    if masks is None:
        assert found is None
    else:
        assert np.array_equal(found[:10], masks)
        assert found[10:].all()


def test_other_axes_are_not_merged(tmp_path):
    axes = (AXES[0].model_copy(update={"units": "radian"}),)
    paths = [
        write(tmp_path / "a.zarr", header()),
        write(tmp_path / "b.zarr", header(axes=axes, provenance=Simulated(seed=4))),
    ]
    with pytest.raises(InputError, match="its units of axis two_theta is radian, but that of"):
        merge(paths, tmp_path / "m.zarr")


def test_its_card_speaks_of_its_own_axes(tmp_path, kind):
    seen, _ = kind
    path = write(tmp_path / "a.zarr", header(seen=seen))
    card = write_card(path)
    text = (path / "README.md").read_text()
    assert "2θ (`two_theta`) | 60 | 0.5° | 10° | 39.5°" in text
    assert "Curves are uint32 `(channel, two_theta)` = 1 × 60" in text
    assert "`orientation` (4) |" in text
    assert "symmetry m-3m" in text
    assert "0: matrix, 1: pore, 2: inclusion" in text
    assert ("were" in text and "measured" in text and "`seen`" in text) == (seen is not None)
    assert not re.search("1/Å|q_x|severity|label", text)
    described = json.loads((path / "croissant.json").read_text())
    fields = {field["name"]: field for field in described["recordSet"][-1]["field"]}
    assert fields["phase"]["arrayShape"] == "5,7"
    assert "1/Å" not in json.dumps(described)
    assert "card.png" in card.files
    assert verify(path) == []


def test_info_tells_targets_axes_and_masks(tmp_path, kind, capsys):
    seen, masks = kind
    path = write(tmp_path / "a.zarr", header(seen=seen))
    info(path)
    printed = capsys.readouterr().out
    assert "60 points of 0.5°" in printed
    assert "orientation (4,): orientation, symmetry m-3m" in printed
    assert ("of the points" in printed) == (masks is not None)
    if masks is not None:
        assert describe(Dataset.open(path))["seen"]["share"] == pytest.approx(masks.mean())


def test_hdf5_holds_all_of_it(tmp_path, kind):
    seen, masks = kind
    made = header(seen=seen)
    path = write(tmp_path / "a.zarr", made)
    export_hdf5(path, tmp_path / "a.h5")
    images, columns, _ = content(made)
    with h5py.File(tmp_path / "a.h5") as file:
        assert np.array_equal(file["crystalvision/images/data"][:], images)
        assert file["crystalvision/images/dim2"].attrs["units"] == "degree"
        assert np.array_equal(file["data/images/dim3"][:], AXES[0].values())
        for name, values in columns.items():
            assert np.array_equal(file["columns"][name][:], values)
        if masks is not None:
            assert np.array_equal(np.broadcast_to(file["columns/seen"][:], masks.shape), masks)


def test_webdataset_holds_all_of_it(tmp_path, kind):
    seen, masks = kind
    made = header(seen=seen)
    export_webdataset(write(tmp_path / "a.zarr", made), tmp_path / "tars")
    images, columns, _ = content(made)
    found = {}
    for tar in (tmp_path / "tars").glob("*.tar"):
        with tarfile.open(tar) as opened:
            found |= {member.name: opened.extractfile(member).read() for member in opened}

    def array(name):
        return np.load(io.BytesIO(found[f"00000003.{name}"]))

    assert np.array_equal(array("npy"), images[3])
    assert np.array_equal(array("orientation.npy"), columns["orientation"][3])
    assert np.array_equal(array("phase.npy"), columns["phase"][3])
    assert "00000003.cls" not in found
    if masks is not None:
        assert np.array_equal(array("seen.npy"), masks[3])
    assert "1/Å" not in (tmp_path / "tars/README.md").read_text()


def test_curves_are_no_pictures(tmp_path):
    path = write(tmp_path / "a.zarr", header(labelled=True))
    with pytest.raises(InputError, match="patterns along two_theta are no images; use --to hdf5"):
        export_png(path, tmp_path / "png")


def test_png_says_what_it_leaves_out(tmp_path):
    axes = tuple(Axis(name=name, size=8, scale=0.1, offset=0.0) for name in ("y", "x"))
    made = header(labelled=True, axes=axes, dtype="uint16", seen=Seen(each_sample=True))
    path = write(tmp_path / "a.zarr", made)
    done = export_png(path, tmp_path / "png", scale="counts")
    assert [note.split(" left out")[0] for note in done.notes] == [
        "column 'orientation'",
        "column 'phase'",
        "the masks of what was seen",
    ]
    plain = write(tmp_path / "b.zarr", header(axes=axes))
    with pytest.raises(InputError, match="has no classes, which an export into a folder for each"):
        export_png(plain, tmp_path / "other")


def test_volumes_are_drawn_as_sums(tmp_path):
    axes = tuple(Axis(name=name, size=8, scale=0.1, offset=0.0) for name in ("energy", "y", "x"))
    path = write(tmp_path / "a.zarr", header(axes=axes, seen=Seen(each_sample=True)))
    assert verify(path) == []
    write_card(path)
    assert "Volumes are uint32 `(channel, energy, y, x)`" in (path / "README.md").read_text()


def test_an_older_format_is_refused_in_one_line(tmp_path):
    path = write(tmp_path / "a.zarr", header())
    for file in ("zarr.json", "crystalvision.json"):
        text = (path / file).read_text()
        (path / file).write_text(text.replace('"format": 3', '"format": 2'))
    with pytest.raises(InputError, match="format 2; this version of crystalvision reads format 3"):
        Dataset.open(path)


def knows(*axes):
    return Conditions(axes=axes)


def test_curves_are_carried_and_other_dimensions_refused():
    fine = Axis(name="two_theta", size=240, scale=0.125, offset=9.8125, units="degree")
    found = match(knows(*AXES), knows(fine), run_name="the run", data_name="the data")
    assert found.axes == "carried"
    counts = np.random.default_rng(0).poisson(50, (3, 1, 240))
    carried, seen = found.carry(counts)
    assert seen.all()
    assert carried.shape == (3, 1, 60)
    assert carried[:, :, 1:-1] == pytest.approx(counts.reshape(3, 1, 60, 4).sum(-1)[:, :, 1:-1])
    mask = np.ones((1, 240), dtype=bool)
    mask[0, 81:84] = False
    _, seen = found.carry(counts[0], mask)
    assert np.flatnonzero(~seen[0]).tolist() == [20]
    other = (*AXES, Axis(name="x", size=4, scale=1, offset=0, units="angstrom"))
    with pytest.raises(InputError, match="of 2 dimensions are none of 1; use data of those axes"):
        match(knows(*AXES), knows(*other), run_name="the run", data_name="the data")
    turned = AXES[0].model_copy(update={"units": "radian"})
    with pytest.raises(InputError, match="'two_theta' in radian cannot be read as 'two_theta' in"):
        match(knows(*AXES), knows(turned), run_name="the run", data_name="the data")


def test_a_mask_of_a_large_detector_is_verified(tmp_path):
    side = 4200
    axes = tuple(Axis(name=name, size=side, scale=0.1, offset=0.0) for name in ("y", "x"))
    mask = np.ones((1, side, side), dtype=bool)
    mask[0, 2000:2100] = False
    made = header(axes=axes, samples=1, seen=Seen.of(mask), columns={}, dtype="uint16")
    with DatasetWriter.open(tmp_path / "a.zarr", made) as writer:
        writer.write_shard(0, np.zeros((1, 1, side, side), dtype=np.uint16), {})
        writer.finish()
    assert verify(tmp_path / "a.zarr") == []
    assert np.array_equal(Dataset.open(tmp_path / "a.zarr").seen([0])[0], mask)
    assert np.array_equal(xarray.open_zarr(tmp_path / "a.zarr").seen.values, mask)
