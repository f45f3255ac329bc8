"""Measured powder files of other ranges, steps and wavelengths, and a run that was trained."""

import csv
import json
import re
from dataclasses import dataclass

import numpy as np
import pytest

from crystalvision.cli import main
from crystalvision.contracts import Axis, Recorded, UnevenAxis, measured_axis
from crystalvision.datasets import (
    Column,
    Conditions,
    Dataset,
    DatasetHeader,
    DatasetWriter,
    Simulated,
    match,
)
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision.runs import train_run
from crystalvision.training import Experiment
from crystalvision.x_rays import K_ALPHA_ANGSTROM

AXIS = Axis(name="two_theta", size=160, scale=0.5, offset=10.0, units="degree")
CU, CO = K_ALPHA_ANGSTROM["Cu"][0], K_ALPHA_ANGSTROM["Co"][0]
RUN = Conditions(axes=(AXIS,), wavelength_angstrom=CU)
SAMPLES = 96


def lines(angle, label, phase):
    """Lines in 2θ whose distance tells the class."""
    return 20 * (1.2 + np.cos(2 * np.pi * (angle / (8, 4)[label] + phase)))


@dataclass(frozen=True)
class Trained:
    run: str
    data: str


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Trained:
    folder = tmp_path_factory.mktemp("trained")
    header = DatasetHeader(
        samples=SAMPLES,
        image_shape=(1, AXIS.size),
        dtype="uint16",
        columns={"label": Column(dtype="int64", classes=("fine", "coarse"))},
        axes=(AXIS,),
        provenance=Simulated(seed=0, recipe={"name": "lines"}),
        recorded=Recorded(wavelength_angstrom=CU),
        generator={"tests": "1"},
        samples_per_shard=SAMPLES,
    )
    rng = np.random.default_rng(0)
    labels = np.arange(SAMPLES) % 2
    mean = [lines(AXIS.values(), label, rng.uniform()) for label in labels]
    images = rng.poisson(mean)[:, None].astype(np.uint16)
    with DatasetWriter.open(folder / "lines.zarr", header) as writer:
        writer.write_shard(0, images, {"label": labels})
        writer.finish()
    phase = {"name": "eye", "train": ["eye"], "epochs": 12, "batch_size": 16}
    experiment = Experiment.model_validate(
        {
            "system": {"branches": {"eye": {"backbone": "xrdnet", "head": "softmax"}}},
            "input": [{"name": "bin", "size": 2}, "log1p", "standardise"],
            "augment": [{"name": "shift", "pixels": 3}, "thinning"],
            "schedule": [{**phase, "optimiser": "adamw", "learning_rate": 0.005}],
        }
    )
    data = Dataset.open(folder / "lines.zarr")
    train_run(experiment, data, folder / "run", catalogue=Catalogue.load())
    return Trained(str(folder / "run"), str(folder / "lines.zarr"))


def save(path, angle, values, head=""):
    rows = "\n".join(f"{a:.4f} {v:g}" for a, v in zip(angle, values, strict=True))
    path.write_text(f"{head}{rows}\n", encoding="utf-8")


def measured(folder, count=8, low=10.0, high=60.0, step=0.25, wavelength=CU, head=""):
    """Files of such a range in steps of such a size, (n,), and their classes."""
    rng = np.random.default_rng(1)
    angle = np.arange(low, high, step)
    sine = np.sin(np.deg2rad(angle / 2)) * CU / wavelength
    at_copper = np.rad2deg(2 * np.arcsin(sine))
    names = []
    for number in range(count):
        mean = lines(at_copper, number % 2, rng.uniform())
        save(folder / f"{number}.xy", angle, rng.poisson(mean), head)
        names.append(("fine", "coarse")[number % 2])
    return names


def predict(capsys, run, *line):
    assert main(["predict", run, *map(str, line), "--json"]) == 0
    found = capsys.readouterr()
    return json.loads(found.out), " ".join(found.err.split())


def refused(capsys, *line):
    assert main([*map(str, line)]) == 2
    text = capsys.readouterr().err
    assert len(text.strip().splitlines()) == 1
    return text


@pytest.mark.parametrize(
    ("settings", "options", "words"),
    [
        ({}, ["--anode", "Cu"], "counts are conserved, and the 38% that it does not reach"),
        ({"head": "# wavelength 1.5406 Å\n", "step": 0.5, "high": 90}, [], ""),
        (
            {"wavelength": CO, "low": 12, "high": 100, "step": 0.2, "head": "# anode: Co\n"},
            [],
            "moved from 2θ at 1.789 Å to 2θ at 1.5406 Å",
        ),
    ],
)
def test_files_of_other_ranges_are_told_as_well(
    trained, tmp_path, capsys, settings, options, words
):
    names = measured(tmp_path, **settings)
    told, err = predict(capsys, trained.run, tmp_path, *options)
    assert [each["label"] for each in told["predictions"]] == names
    assert words in err
    assert told["conditions"][0]["data_wavelength_angstrom"] == pytest.approx(
        CO if "wavelength" in settings else CU, rel=1e-4
    )


def test_what_was_not_reached_is_not_taken_for_zeros(trained, tmp_path, capsys):
    """A short pattern is told as if nothing stood there, whatever the run has seen there."""
    measured(tmp_path, count=1, high=50, step=0.5)
    short, _ = predict(capsys, trained.run, tmp_path / "0.xy", "--anode", "Cu")
    rows = np.loadtxt(tmp_path / "0.xy")
    more = np.arange(50, 90, 0.5)
    angle = np.concatenate([rows[:, 0], more])
    for name, value in (("nan", np.nan), ("zero", 0.0)):
        save(tmp_path / f"{name}.xy", angle, np.concatenate([rows[:, 1], np.full(80, value)]))
    names = [tmp_path / "nan.xy", tmp_path / "zero.xy"]
    masked, zeros = predict(capsys, trained.run, *names, "--anode", "Cu")[0]["predictions"]
    probability = short["predictions"][0]["label_probability"]["fine"]
    assert masked["label_probability"]["fine"] == pytest.approx(probability, abs=1e-6)
    assert zeros["label_probability"]["fine"] != pytest.approx(probability, abs=1e-6)


def test_a_list_names_files(trained, tmp_path, capsys):
    names = measured(tmp_path, count=4)
    with (tmp_path / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["file", "class"], *zip(["0.xy", "3.xy"], names, strict=False)])
    told, _ = predict(capsys, trained.run, tmp_path / "list.csv", "--anode", "Cu")
    assert [each["label"] for each in told["predictions"]] == [names[0], names[3]]
    found = refused(capsys, "predict", trained.run, tmp_path, "--anode", "Xx")
    assert "--anode Xx: expected one of Cr, Fe, Co, Cu" in found


@pytest.mark.parametrize(
    ("settings", "options", "message"),
    [
        ({}, [], "does not state its wavelength, and .* give it by --wavelength-angstrom, or by"),
        (
            {"head": "# anode: Co\n"},
            ["--anode", "Cu"],
            "states 1.789 Å itself, not 1.5406 Å; leave",
        ),
        ({"step": 3}, ["--anode", "Cu"], "steps of 3° are 6 times as large"),
        ({"low": 80, "high": 120}, ["--anode", "Cu"], "12% of it, and 20% is needed; measure more"),
        ({}, ["--wavelength-angstrom", "154"], "expected one of X-rays, 0.05 to 10 Å"),
        ({}, ["--anode", "Cu", "--wavelength-angstrom", "1.5"], "give one of them"),
        ({}, ["--reader", "xrdml"], "is not a XRDML file"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(
    trained, tmp_path, capsys, settings, options, message
):
    measured(tmp_path, count=1, **settings)
    found = refused(capsys, "predict", trained.run, tmp_path / "0.xy", *options)
    assert re.search(message, found)


def test_no_counts_and_a_cut_file_are_refused(trained, tmp_path, capsys):
    save(tmp_path / "zero.xy", np.arange(10, 60, 0.5), np.zeros(100))
    found = refused(capsys, "predict", trained.run, tmp_path / "zero.xy", "--anode", "Cu")
    assert "holds no counts: its value is 0 everywhere; leave it out" in found
    save(tmp_path / "below.xy", np.arange(10, 60, 0.5), np.linspace(-9, 0, 100))
    found = refused(capsys, "predict", trained.run, tmp_path / "below.xy", "--anode", "Cu")
    assert "holds no counts: its values go from -9 to 0, none is above 0" in found


def on_run(axis, values, wavelength=CU, seen=None):
    data = Conditions(axes=(axis,), wavelength_angstrom=wavelength)
    found = match(RUN, data, run_name="the run", data_name="the data")
    return found, *found.carry(np.asarray(values, dtype=float)[None], seen)


def peak(angle, centre=35.2, width=1.2):
    return 1000 * np.exp(-4 * np.log(2) * ((angle - centre) / width) ** 2) + 20


@pytest.mark.parametrize("step", [0.05, 0.1, 0.37, 0.5, 0.6])
def test_counts_are_conserved_and_peaks_keep_place_and_width(step):
    axis = Axis(name="two_theta", size=int(75 / step), scale=step, offset=12, units="degree")
    values = peak(axis.values())
    _, carried, seen = on_run(axis, values)
    assert carried[seen].sum() == pytest.approx(values.sum(), rel=0.02)
    angle, found = AXIS.values(), carried[0] / (AXIS.scale / step)
    known = seen[0]
    assert np.abs(found - peak(angle))[known].max() < 45
    weight = np.where(known, found - 20, 0)
    assert (weight * angle).sum() / weight.sum() == pytest.approx(35.2, abs=0.05)


def test_an_uneven_axis_bends_no_peak():
    parts = np.arange(10, 30, 0.2), np.arange(30, 40, 0.05), np.arange(40, 90, 0.3)
    places = np.concatenate(parts)
    axis = measured_axis("two_theta", places, "degree")
    assert isinstance(axis, UnevenAxis)
    _, carried, seen = on_run(axis, peak(places))
    scaled = carried[0] / np.median(carried[0] / peak(AXIS.values()))
    assert np.abs(scaled - peak(AXIS.values()))[seen[0]].max() < 45


def test_gaps_are_masked_and_touch_nothing_else():
    places = np.concatenate([np.arange(10, 30, 0.1), np.arange(60, 90, 0.1)])
    _, carried, seen = on_run(measured_axis("two_theta", places, "degree"), np.full(len(places), 7))
    angle = AXIS.values()
    assert not seen[0][(angle > 30.5) & (angle < 59.5)].any()
    assert seen[0][(angle < 29.5) | (angle > 60.5)].all()
    assert np.allclose(carried[0][seen[0]], 35, rtol=0.02)
    assert (carried[0][~seen[0]] == 0).all()
    mask = np.ones((1, 500), dtype=bool)
    mask[0, 100:110] = False
    values = np.full(500, 7.0)
    values[100:110] = 1e6
    fine = Axis(name="two_theta", size=500, scale=0.1, offset=10, units="degree")
    _, carried, seen = on_run(fine, values, seen=mask)
    assert carried.max() < 40
    assert np.flatnonzero(~seen[0])[0] == 20


@pytest.mark.parametrize(
    ("name", "units", "of_inverse_d"),
    [
        ("q", "1/angstrom", lambda s: 2 * np.pi * s),
        ("q", "1/nm", lambda s: 20 * np.pi * s),
        ("d", "angstrom", lambda s: 1 / s),
    ],
)
def test_q_and_d_have_a_place_on_two_theta(name, units, of_inverse_d):
    angle = np.arange(10, 90, 0.1)
    places = of_inverse_d(2 * np.sin(np.deg2rad(angle / 2)) / CU)
    order = np.argsort(places)
    found, carried, seen = on_run(
        measured_axis(name, places[order], units), peak(angle)[order], wavelength=None
    )
    assert seen.mean() > 0.98
    assert np.abs(carried[0] / 5 - peak(AXIS.values()))[seen[0]].max() < 45
    assert "to 2θ at 1.5406 Å" in found.notes[0]
    unknown = RUN.model_copy(update={"wavelength_angstrom": None})
    data = Conditions(axes=(measured_axis(name, places[order], units),))
    with pytest.raises(InputError, match="does not state its wavelength, without which"):
        match(unknown, data, run_name="the run", data_name="the data")


def test_another_wavelength_moves_peaks_to_where_the_run_has_them():
    angle = np.arange(12, 120, 0.1)
    at_copper = np.rad2deg(2 * np.arcsin(np.sin(np.deg2rad(angle / 2)) * CU / CO))
    axis = Axis(name="two_theta", size=len(angle), scale=0.1, offset=12, units="degree")
    _, carried, seen = on_run(axis, peak(at_copper), wavelength=CO)
    scaled = carried[0] / np.median((carried[0] / peak(AXIS.values()))[seen[0]])
    assert np.abs(scaled - peak(AXIS.values()))[seen[0]].max() < 45


def test_labelled_files_of_other_axes_become_a_dataset_and_are_judged(trained, tmp_path, capsys):
    folder = tmp_path / "measured"
    folder.mkdir()
    names = measured(folder, head="# wavelength 1.5406 Å\n")
    (folder / "wide").mkdir()
    more = measured(folder / "wide", wavelength=CO, low=12, high=100, head="# anode: Co\n")
    with (folder / "labels.csv").open("w", newline="") as file:
        rows = [(f"{n}.xy", each) for n, each in enumerate(names)]
        rows += [(f"wide/{n}.xy", each) for n, each in enumerate(more)]
        csv.writer(file).writerows([("file", "class"), *rows])
    data = tmp_path / "data.zarr"
    line = ["dataset", "import", folder, "-o", data]
    assert "lie on different axes" in refused(capsys, *line)
    assert "expected MIN:MAX:STEP in degrees" in refused(capsys, *line, "--axis", "90:10:1")
    assert "--like none: no such run or dataset" in refused(capsys, *line, "--like", "none")
    assert main([*map(str, line), "--axis", "10:80:0.25", "--like", trained.run]) == 0
    err = " ".join(capsys.readouterr().err.split())
    assert "16 curves were brought onto 281 points of 2θ" in err
    assert "--axis replaces that of --like" in err
    found = Dataset.open(data)
    assert found.header.axes[0].size == 281
    assert Conditions.of_dataset(found).wavelength_angstrom == pytest.approx(CU)
    assert 0.6 < found.seen(np.arange(16)).mean() < 0.95
    assert main(["evaluate", trained.run, "-d", str(data), "--json"]) == 0
    carried = json.loads(capsys.readouterr().out)
    assert carried["targets"]["label"]["metrics"]["accuracy"] == 1
    assert carried["conditions"]["axes"] == "carried"
    assert main(["evaluate", trained.run, "-d", str(folder), "--json"]) == 0
    direct = json.loads(capsys.readouterr().out)
    assert direct["targets"]["label"]["metrics"]["accuracy"] == 1
    assert direct["conditions"]["axes"] == "same"
    line = ["evaluate", trained.run, "-d", folder, "--anode", "Cu"]
    assert "states 1.789 Å itself, not 1.5406 Å" in refused(capsys, *line)
    line = ["evaluate", trained.run, "-d", data, "--anode", "Cu"]
    assert "is no folder or list of measured files" in refused(capsys, *line)


def test_a_table_never_replaces_what_is_read(trained, tmp_path, capsys):
    path = tmp_path / "pattern.csv"
    save(path, np.arange(10.0, 60.0, 0.25), np.arange(200.0))
    before = path.read_bytes()
    line = ["predict", trained.run, path, "--anode", "Cu", "-o", path]
    for also in ([], ["--overwrite"]):
        assert "is one of the files that are read" in refused(capsys, *line, *also)
    (tmp_path / "list.csv").write_text("file\npattern.csv\n")
    for place in (tmp_path, tmp_path / "list.csv"):
        line[2] = place
        told = refused(capsys, *line, "--overwrite")
        assert "is one of the files that are read" in told
    assert path.read_bytes() == before


def test_a_pixel_in_inverse_angstrom_is_nothing_to_curves(trained, tmp_path, capsys):
    path = tmp_path / "pattern.csv"
    save(path, np.arange(10.0, 60.0, 0.25), np.arange(200.0))
    line = ["predict", trained.run, path, "--pixel-size-inv-angstrom", "0.01"]
    assert "the run reads patterns of 1 dimension, to which that is nothing" in refused(
        capsys, *line
    )


def test_a_file_that_lists_nothing_is_said_to_be_no_list(trained, tmp_path, capsys):
    table = tmp_path / "list.csv"
    table.write_text("file;class\na.xy;x\n")
    line = ["evaluate", trained.run, "-d", table, "--anode", "Cu"]
    assert "a CSV file that lists them in the columns file and class" in refused(capsys, *line)
    line[3] = tmp_path / "absent"
    assert "absent: no such dataset" in refused(capsys, *line)


def test_a_list_and_one_axis_need_nothing_more(trained, tmp_path, capsys):
    names = measured(tmp_path, head="# wavelength 1.5406 Å\n")
    with (tmp_path / "mine.csv").open("w", newline="") as file:
        rows = [(f"{n}.xy", each) for n, each in enumerate(names)]
        csv.writer(file).writerows([("file", "class"), *rows])
    line = ["dataset", "import", tmp_path / "mine.csv", "-o", tmp_path / "data.zarr"]
    assert main([*map(str, line)]) == 0
    capsys.readouterr()
    found = Dataset.open(tmp_path / "data.zarr")
    assert found.header.axes[0].scale == pytest.approx(0.25)
    assert found.seen(np.arange(2)) is None
    assert np.array_equal(found.images([0])[0, 0], np.loadtxt(tmp_path / "0.xy", skiprows=1)[:, 1])
    assert main(["evaluate", trained.run, "-d", str(tmp_path / "mine.csv"), "--json"]) == 0
    metrics = json.loads(capsys.readouterr().out)["targets"]["label"]["metrics"]
    assert metrics["accuracy"] == 1
