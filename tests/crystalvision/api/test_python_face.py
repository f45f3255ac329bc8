"""The Python face: what a notebook types, and what it shows."""

import json
import subprocess
import sys

import pytest
import tifffile
from torch import nn

import crystalvision as cv
from crystalvision.cli import main
from crystalvision.errors import InputError

SMALL = {
    "specimen.width_angstrom": 20,
    "specimen.thickness_angstrom": 30,
    "instrument.pixels": 32,
    "instrument.pixel_size_inv_angstrom": 0.08,
    "renderer.slice_thickness_angstrom": 8,
    "instrument.dose_electrons": 1e5,
}
QUICK = {"schedule.classifier.epochs": 1, "input.bin.size": 1}


class MyNet(nn.Module):
    """A network of a cell."""

    def __init__(self, in_channels: int, width: int = 4) -> None:
        super().__init__()
        self.num_features, self.stride = width, 4
        self.layers = nn.Conv2d(in_channels, width, 4, 4)

    def forward(self, images):
        return self.layers(images)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("face")


@pytest.fixture(scope="module")
def data(folder):
    return cv.simulate("si3n4-four-classes", folder / "data.zarr", samples=48, set=SMALL)


@pytest.fixture(scope="module")
def run(folder, data):
    cv.register(backbone={"mynet": MyNet})
    settings = {"system.branches.classifier.backbone": "mynet", **QUICK}
    return cv.train("single", data, folder / "run", set=settings)


@pytest.fixture(scope="module")
def forest(folder, data):
    """A run whose parts the commands know, too."""
    return cv.train("random-forest", data, folder / "forest", set={"input.bin.size": 1})


def test_a_dataset_shows_itself(data):
    assert "48 patterns of 1 × 32 × 32 uint16, 4 classes: no_defect" in repr(data)
    assert data._repr_html_().count('<img src="data:image/png;base64,') == 1
    assert len(data.table) == 48
    assert set(data.table["class"]) == set(data.header.class_names)
    assert data.header.provenance.recipe["instrument"]["dose_electrons"] == 1e5


def test_the_command_makes_the_same(data, folder):
    settings = [word for key, value in SMALL.items() for word in ("--set", f"{key}={value:g}")]
    other = folder / "by-command.zarr"
    command = ["simulate", "si3n4-four-classes", "-o", str(other), "--samples", "48", *settings]
    assert main(command) == 0
    assert cv.Dataset.open(other).identity == data.identity
    assert (cv.Dataset.open(other).images([7]) == data.images([7])).all()


def test_the_ten_lines_of_the_design(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = {"set": SMALL, "samples": 48}
    data = cv.simulate("si3n4-four-classes", "data.zarr", **small)
    cv.register(backbone={"tenlines": MyNet})
    chosen = {"system.branches.classifier.backbone": "tenlines", **QUICK}
    run = cv.train("single", data, "runs/a", set=chosen)
    assert 0 <= run.evaluate(data).metrics.targets["label"]["accuracy"] <= 1
    tifffile.imwrite("pattern.tif", data.images([0])[0, 0])
    assert run.predict("pattern.tif").predictions["label"].names[0] in data.header.class_names


def test_a_recipe_may_be_a_mapping(data, folder):
    made = cv.simulate(data.header.provenance.shown(), folder / "again.zarr")
    assert made.identity == data.identity
    with pytest.raises(InputError, match=r"--resume and --overwrite exclude each other"):
        cv.simulate(
            data.header.provenance.shown(), folder / "again.zarr", resume=True, overwrite=True
        )


def test_a_class_of_a_cell_trains_is_saved_and_loaded(run, data):
    again = cv.Run.load(run.path)
    assert type(again.system.branches["classifier"].backbone).__name__ == "MyNet"
    expected = run.predict(f"{data.path}[0:4]").table
    assert again.predict(data.images(range(4))).table.equals(
        expected.set_axis([f"array 0[{number}]" for number in range(4)]).rename_axis("pattern")
    )
    assert "mynet" in set(cv.list_plugins("backbone")["name"])


def test_another_session_says_how_to_have_it(run_python, run):
    code = f"import crystalvision as cv; cv.Run.load({str(run.path)!r})"
    done = run_python("-c", code)
    expected = "then: crystalvision.register(backbone={'mynet': ...})"
    assert done.returncode == 1
    assert expected in done.stderr.splitlines()[-1]


def test_a_run_is_judged_and_shows_itself(run, data):
    found = run.evaluate(data)
    assert 0 <= found.metrics.targets["label"]["accuracy"] <= 1
    assert (run.path / "evaluations" / "data-test" / "metrics.json").is_file()
    assert "<table" in run._repr_html_()
    assert "classifier: validation_accuracy" in repr(run)


def test_an_evaluation_is_kept_and_shows_itself(run, data):
    found = run.evaluate(data, split="all", name="whole", resamples=50)
    assert found.path == run.path / "evaluations" / "whole"
    row = found.table.query("target == 'label' and metric == 'accuracy'").iloc[0]
    assert row["value"] == found.metrics.targets["label"]["accuracy"]
    assert row["low"] <= row["value"] <= row["high"]
    assert "48 patterns" in repr(found)
    assert "<table" in found._repr_html_()


def test_a_part_of_a_dataset_is_judged_under_a_name_of_its_own(forest, data, capsys):
    run = forest
    found = run.evaluate(data, split="all", subset="dose_electrons > 0 and label != pristine")
    pristine = data.header.class_names.index("pristine")
    others = int((data.column("label") != pristine).sum())
    assert found.metrics.samples == found.metrics.subset.samples == others
    assert found.path.name == f"data-all-{found.metrics.subset.sha256[:8]}"
    by_indices = run.evaluate(data, split="all", subset=found.indices, name="same")
    assert by_indices.metrics.subset == found.metrics.subset
    command = ["evaluate", str(run.path), "-d", str(data.path), "--split", "all", "--json"]
    assert main([*command, "--subset", "label != pristine"]) == 0
    assert json.loads(capsys.readouterr().out)["subset"]["sha256"] == found.metrics.subset.sha256


def test_the_command_says_what_the_face_says(forest, data, tmp_path, capsys):
    run = forest
    pattern = f"{data.path}[0:3]"
    assert main(["predict", str(run.path), pattern, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    predicted = run.predict(pattern)
    assert shown == json.loads(json.dumps(predicted.as_json(), default=float))
    assert predicted.save(tmp_path / "table.csv") is None
    assert main(["predict", str(run.path), pattern, "--csv"]) == 0
    assert capsys.readouterr().out == predicted.as_csv() == (tmp_path / "table.csv").read_text()
    with pytest.raises(InputError, match=r"expected a file that ends in .csv or .json"):
        predicted.save(tmp_path / "table.xlsx")
    with pytest.raises(InputError, match="--passes 3 does nothing without --uncertainty dropout"):
        run.predict(pattern, passes=3)


def test_a_run_is_explained_exported_and_reported(run, data, tmp_path):
    run.predict(data.images([0]), explain_to=tmp_path / "why")
    assert [path.name for path in (tmp_path / "why").iterdir()] == ["array 0.png"]
    exported = run.export(tmp_path / "run.pt2", to="torch-export", data=data)
    assert exported.path.is_file()
    assert exported.check.differences["label"] < 1e-3
    run.evaluate(data)
    report = cv.write_report(run, tmp_path / "page.html")
    assert report.table.loc[run.path.name, "accuracy"] >= 0
    assert report.path.read_text().startswith("<!DOCTYPE html>")
    assert "<table" in report._repr_html_()


def test_what_a_command_would_do_is_said_before(data):
    planned = cv.plan_dataset("si3n4-four-classes", samples=5, set=SMALL)
    assert planned.samples == 5
    bench = cv.plan_benchmark("fusion", budget="quick")
    assert {"system", "dataset", "size", "seed", "tested_on"} == set(bench.table.columns)
    with pytest.raises(InputError, match="--workers and --scheduler exclude each other"):
        bench.run("nowhere", workers=2, scheduler="tcp://nowhere:1")


def test_predictions_are_a_table(run, data):
    predicted = run.predict(data.images([3])[0, 0], f"{data.path}[5]")
    assert list(predicted.table.index) == ["array 0", f"{data.path}[5]"]
    probabilities = predicted.table.filter(like="label_probability_").sum(axis=1)
    assert probabilities.to_numpy() == pytest.approx(1, abs=1e-5)
    assert "<table" in predicted._repr_html_()


def test_a_classical_system_trains_too(folder, data):
    run = cv.train("knn", data, folder / "knn", set={"input.bin.size": 1})
    assert run.predict(data.images([0])).predictions["label"].probabilities.shape == (1, 4)
    with pytest.raises(InputError, match="no pattern was given"):
        run.predict()


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"backbone": {"resnet18": MyNet}}, "a backbone 'resnet18' is installed already"),
        ({"backbones": {"mine": MyNet}}, "no kind of plugin is called 'backbones'"),
        ({"backbone": {"mine": 3}}, "is of type int; expected a class"),
    ],
)
def test_what_cannot_be_registered(parts, message):
    with pytest.raises(InputError, match=message):
        cv.register(**parts)


def test_importing_it_is_quick_and_imports_no_torch():
    code = "import sys, crystalvision; print('torch' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("subset", ["75%", "label != pristine"])
def test_a_part_of_a_dataset_is_trained_on(folder, data, subset):
    run = cv.train("knn", data, folder / f"part-{subset[0]}", subset=subset)
    assert run.record.dataset.subset.samples == len(data.subset(subset))
    command = ["train", "knn", "-d", str(data.path), "-o", str(folder / f"by-command-{subset[0]}")]
    assert main([*command, "--subset", subset]) == 0
    again = cv.Run.load(command[-1])
    assert again.record.dataset.subset == run.record.dataset.subset


def test_every_name_is_there():
    for name in cv.__all__:
        assert getattr(cv, name) is not None
    assert set(cv.__all__) <= set(dir(cv))
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = cv.trian
