"""A run and the patterns that it looks at are compared: axes, beam, classes."""

import json
import shutil

import numpy as np
import pytest

from crystalvision.cli import main
from crystalvision.contracts import Recorded
from crystalvision.datasets import (
    Axis,
    Conditions,
    Dataset,
    DatasetHeader,
    DatasetWriter,
    Match,
    Simulated,
    defect_columns,
    match,
)
from crystalvision.errors import InputError
from crystalvision.evaluation import evaluate, load_metrics
from crystalvision.prediction import Ensemble, Predictor
from crystalvision.runs import Run

SCALE = 0.0125


def axes(size=32, scale=SCALE, centre=None, units="1/angstrom"):
    place = size / 2 if centre is None else centre
    return tuple(
        Axis(name=name, size=size, scale=scale, offset=-scale * place, units=units)
        for name in ("q_y", "q_x")
    )


def matched(run, data, despite=()):
    return match(run, data, run_name="RUN", data_name="DATA", despite=despite)


def knows(energy=None, **settings):
    found = {"axes": axes(**settings), "energy_kev": energy and (energy, energy)}
    return Conditions.model_validate(found)


@pytest.fixture
def stored(dataset, tmp_path):
    """Writes the test patterns anew, with other axes, classes or recipe."""

    def write(images=None, name="other.zarr", labels=None, **changes):
        images = dataset.images(np.arange(160)) if images is None else images
        header = dataset.header.model_dump()
        size = images.shape[-1]
        recipe = {"name": "rings again"}
        header |= {"image_shape": images.shape[1:], "axes": axes(size), **changes}
        header["provenance"] = Simulated(seed=5, recipe=recipe).model_dump()
        header = DatasetHeader.model_validate(header)
        rows = {name: dataset.column(name) for name in ("label", "severity")}
        if labels is not None:
            rows["label"] = labels
        with DatasetWriter.open(tmp_path / name, header) as writer:
            for shard in writer.missing_shards():
                here = np.asarray(writer.shard_indices(shard))
                columns = {key: values[here] for key, values in rows.items()}
                writer.write_shard(shard, images[here].astype(header.dtype), columns)
            writer.finish()
        return Dataset.open(tmp_path / name)

    return write


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, "same"),
        ({"scale": SCALE * 1.01}, "within what was trained"),
        ({"centre": 16.4}, "within what was trained"),
        ({"size": 64, "scale": SCALE / 2}, "carried"),
        ({"size": 32, "scale": 2 * SCALE}, "carried"),
        ({"size": 32, "scale": 1.2 * SCALE}, "carried"),
        ({"size": 64, "scale": SCALE}, "carried"),
        ({"size": 48, "centre": 20}, "carried"),
    ],
)
def test_axes_are_carried_where_the_data_reach_as_far(data, expected):
    found = matched(knows(), knows(**data))
    assert found.axes == expected
    assert bool(found.notes) == (expected != "same")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"scale": SCALE / 2}, "reaches from .* not over all that the run looks at"),
        ({"centre": 20}, "not over all that the run looks at.*--despite axes"),
        ({"scale": 2.5 * SCALE}, "its pixels are 2.5 times as large"),
        ({"size": 16}, "images of another size cannot be taken as they are stored"),
        ({"units": "1/nanometre"}, "'q_y' in 1/nm cannot be read as 'q_y' in 1/Å"),
    ],
)
def test_axes_that_cannot_be_carried_are_refused(data, message):
    with pytest.raises(InputError, match=message):
        matched(knows(), knows(**data))


def test_what_a_run_was_trained_on_is_what_it_tolerates():
    recorded = Recorded(centre_px=(2, 2), camera_length=0.04, energy_kev=(80, 200))
    header = DatasetHeader(
        samples=1,
        image_shape=(1, 32, 32),
        dtype="uint16",
        axes=axes(),
        provenance=Simulated(seed=0),
        recorded=recorded,
        generator={},
        samples_per_shard=1,
    )
    run = Conditions.of_header(header)
    assert (run.centre_px, run.camera_length, run.energy_kev) == ((2, 2), 0.04, (80, 200))
    assert matched(run, knows(120, centre=18)).axes == "within what was trained"
    assert matched(run, knows(120, scale=1.04 * SCALE)).axes == "within what was trained"
    assert matched(knows(120), knows(120, scale=1.04 * SCALE)).axes == "carried"
    with pytest.raises(InputError, match="recorded with 300 keV, but RUN was trained on 80 to 200"):
        matched(run, knows(300))


def test_another_energy_is_refused_unless_it_is_wanted():
    with pytest.raises(InputError, match=r"DATA was recorded with 300 keV.*--despite energy"):
        matched(knows(200), knows(300))
    found = matched(knows(200), knows(300), despite=["energy"])
    assert found.energy == "other"
    assert "judged all the same" in found.notes[0]
    assert matched(knows(200), knows(201)).energy == "same"
    assert matched(knows(200), knows()).energy == "assumed"
    assert matched(knows(), knows()).energy == "not stated"


def test_unknown_axes_are_assumed_and_said():
    found = matched(knows(), Conditions())
    assert found.axes == "assumed"
    assert "DATA states no axes" in found.notes[0]


@pytest.mark.parametrize("factor", [2, 3])
def test_finer_pixels_are_summed(factor):
    """Pixels that are a whole number of times finer are binned, which is exact."""
    rng = np.random.default_rng(0)
    fine = rng.poisson(5, (3, 1, 32 * factor, 32 * factor))
    centre = 16 * factor + (factor - 1) / 2  # edges of pixels meet
    data = knows(size=32 * factor, scale=SCALE / factor, centre=centre)
    found = matched(knows(), data).carry(fine)[0]
    summed = fine.reshape(3, 1, 32, factor, 32, factor).sum(axis=(3, 5))
    assert found.shape == (3, 1, 32, 32)
    assert np.allclose(found, summed, rtol=1e-5)


@pytest.mark.parametrize(("scale", "centre"), [(2.0, 16), (1.3, 15.2), (1.07, 16.9)])
def test_counts_within_the_runs_range_are_conserved(scale, centre):
    """A spot in the middle keeps its counts and its place in 1/Å."""
    coarse = np.zeros((1, 1, 32, 32), dtype=np.uint16)
    coarse[0, 0, 14:18, 12:15] = 100
    data = knows(scale=scale * SCALE, centre=centre)
    found = matched(knows(), data).carry(coarse)[0][0, 0]
    assert found.sum() == pytest.approx(coarse.sum(), rel=1e-5)
    for axis in range(2):
        q, q_run = data.axes[axis].values(), axes()[axis].values()
        before = (coarse[0, 0].sum(axis=1 - axis) * q).sum() / coarse.sum()
        after = (found.sum(axis=1 - axis) * q_run).sum() / found.sum()
        assert after == pytest.approx(before, abs=0.03 * SCALE)


def label(evaluation):
    return evaluation.metrics.targets["label"]


def test_a_run_says_the_same_of_finer_patterns(run, dataset, stored):
    """Each pixel split in four: the same patterns, on a camera of twice the pixels."""
    images = dataset.images(np.arange(160)).astype(np.float32)
    fine = np.repeat(np.repeat(images, 2, axis=2), 2, axis=3) / 4
    there = axes(64, SCALE / 2, 32.5)
    data = stored(fine, axes=there, dtype="float32")
    expected = evaluate(run, dataset, split="all")
    found = evaluate(run, data, split="all")
    assert found.metrics.conditions.axes == "carried"
    assert label(found)["accuracy"] == label(expected)["accuracy"]
    probabilities = [each.predictions["label"].probabilities for each in (found, expected)]
    assert np.allclose(*probabilities, atol=1e-4)


def test_classes_are_matched_by_name(run, dataset, stored):
    order = [2, 0, 3, 1]
    names = tuple(dataset.header.class_names[place] for place in order)
    severities = tuple(dataset.header.class_severities[place] for place in order)
    labels = np.array([order.index(int(label)) for label in dataset.column("label")])
    data = stored(labels=labels, columns=defect_columns(names, severities))
    expected, found = (evaluate(run, each, split="all") for each in (dataset, data))
    assert label(found)["accuracy"] == label(expected)["accuracy"]
    assert label(found)["confusion"] == label(expected)["confusion"]
    assert found.judged["label"].truth.tolist() == expected.judged["label"].truth.tolist()


def test_the_commands_say_what_was_done(run_path, dataset, stored, tmp_path, capsys):
    copy = shutil.copytree(run_path, tmp_path / "copy")
    data = stored(axes=axes(scale=2 * SCALE), recorded=Recorded(energy_kev=(300, 300)))
    line = ["evaluate", str(copy), "-d", str(data.path), "--name", "far"]
    assert main(line) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "its counts are carried onto those" in shown
    assert "that do not; it is taken to know 300 keV" in shown
    kept = load_metrics(copy / "evaluations" / "far").conditions
    assert (kept.axes, kept.energy) == ("carried", "assumed")
    assert kept.data_axes[0].scale == 2 * kept.run_axes[0].scale
    assert main([*line, "--despite", "axes"]) == 0
    assert load_metrics(copy / "evaluations" / "far").conditions.axes == "as stored"
    capsys.readouterr()
    assert main(["predict", str(copy), f"{data.path}[0:2]", "--json"]) == 0
    told = capsys.readouterr()
    [found] = json.loads(told.out)["conditions"]
    assert found["axes"] == "carried"
    assert "carried onto those" in told.err


def test_images_without_axes_can_be_given_them(run_path, dataset, tmp_path, capsys):
    image = dataset.images([1])[0, 0]
    np.save(tmp_path / "fine.npy", np.repeat(np.repeat(image, 2, 0), 2, 1) / 4)
    np.save(tmp_path / "plain.npy", image)

    def told(*line):
        assert main(["predict", str(run_path), *line, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    plain = told(str(tmp_path / "plain.npy"))
    assert plain["conditions"][0]["axes"] == "assumed"
    given = ["--pixel-size-inv-angstrom", str(SCALE / 2), "--centre", "32.5,32.5"]
    fine = told(str(tmp_path / "fine.npy"), *given, "--energy-kev", "200")
    assert fine["conditions"][0]["axes"] == "carried"
    assert fine["conditions"][0]["data_energy_kev"] == [200, 200]
    for one, other in zip(plain["predictions"], fine["predictions"], strict=True):
        assert one["label_probability"] == pytest.approx(other["label_probability"], abs=1e-4)


@pytest.mark.parametrize("gap", [2**32 - 1, float("nan"), -1])
def test_gaps_are_hidden_whatever_marks_them(gap, run_path, dataset, tmp_path, capsys):
    image = np.repeat(np.repeat(dataset.images([1])[0, 0], 2, 0), 2, 1).astype(np.float64)
    for name, marker in (("other.npy", -7), ("gap.npy", gap)):
        image[20:23] = marker
        np.save(tmp_path / name, image)
    fine = ["--pixel-size-inv-angstrom", str(SCALE / 2), "--centre", "32.5,32.5", "--json"]

    def predict(name, *line):
        return main(["predict", str(run_path), str(tmp_path / name), *fine, *line])

    assert predict("other.npy", "--gap-value", "-7") == 0
    other = json.loads(capsys.readouterr().out)["predictions"][0]
    assert predict("gap.npy", "--gap-value", str(gap)) == 0
    filled = json.loads(capsys.readouterr().out)["predictions"][0]
    assert filled["label_probability"] == other["label_probability"]
    assert predict("gap.npy") == 2
    assert "--gap-value" in capsys.readouterr().err


def test_counts_that_look_like_gaps_are_taken_where_they_are_said_to_be_counts(
    run_path, dataset, tmp_path, capsys
):
    image = dataset.images([1])[0, 0].astype(np.float64)
    image[3, 4] = 2**32
    np.save(tmp_path / "counts.npy", image)
    line = ["predict", str(run_path), str(tmp_path / "counts.npy"), "--gap-value", "none"]
    assert main([*line, "--csv"]) == 0
    assert main([*line, "--explain", "--explain-to", str(tmp_path / "explained")]) == 0
    capsys.readouterr()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--pixel-size-inv-angstrom", "0.01"], "states that itself; leave the option out"),
        (["--centre", "3,4"], "--centre 3,4 does nothing without --pixel-size-inv-angstrom"),
        (["--energy-kev", "-3"], "--energy-kev -3: expected a positive number"),
    ],
)
def test_what_contradicts_is_refused(run_path, dataset_path, options, message, capsys):
    assert main(["predict", str(run_path), f"{dataset_path}[0]", *options]) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_runs_of_other_axes_are_no_ensemble(run):
    record = run.record.model_copy(update={"conditions": knows(scale=2 * SCALE)})
    other = Run(run.path, record, run.system, run.preprocess)
    with pytest.raises(InputError, match="trained on patterns of the same axes and beam, but"):
        Ensemble([Predictor(run), Predictor(other)])


def test_a_match_reads_back():
    found = matched(knows(200), knows(200, scale=2 * SCALE))
    assert Match.model_validate_json(found.model_dump_json()) == found
