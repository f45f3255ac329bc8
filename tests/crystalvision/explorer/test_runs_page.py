"""What the page of runs asks and shows: answers, what is near, and the curve along a degree."""

import numpy as np
import pytest
import tifffile

from crystalvision.api.session import Session
from crystalvision.contracts import Axis
from crystalvision.datasets import Dataset
from crystalvision.errors import InputError
from crystalvision.explorer._dropped import DroppedFiles
from crystalvision.explorer._opened import Opened
from crystalvision.explorer.named_runs import named_runs
from crystalvision.explorer.runs._answer import ask, ask_together
from crystalvision.explorer.runs._card import nearest_text, numbers_of
from crystalvision.explorer.runs._degrees import bench_of, degrees_of, rendered, values_of
from crystalvision.explorer.runs._fields import in_fields
from crystalvision.explorer.runs._figures import bars_figure, course_figures, map_figure_of
from crystalvision.explorer.runs._neighbours import TrainingPatterns, training_data
from crystalvision.explorer.runs._page import RunsPage
from crystalvision.explorer.runs._subject import of_dataset, of_file, of_held
from crystalvision.explorer.workspace import HeldPattern, Workspace
from crystalvision.measured_files import Readers
from crystalvision.prediction import Predictor, Stated
from crystalvision.samples import Control


@pytest.fixture(scope="module")
def predictor(run_path, catalogue):
    return Predictor.load(run_path, catalogue=catalogue)


@pytest.fixture(scope="module")
def sample(dataset, predictor):
    return ask("fused", predictor, of_dataset(dataset, 3), Stated())


@pytest.fixture(scope="module")
def training(predictor, dataset):
    told = []
    found = TrainingPatterns(predictor, dataset, lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1] == len(dataset.split("train")) + len(dataset.split("test"))
    return found


def test_a_sample_is_answered_as_predict_does(sample, dataset, predictor):
    direct = predictor.predict(dataset.images([3]).astype(np.float32))
    np.testing.assert_array_equal(
        sample.predictions["label"].probabilities, direct["label"].probabilities
    )
    said = numbers_of(sample)
    assert set(said) == {"label", "severity", "novelty"}
    assert said["label"].startswith(direct["label"].names[0])
    assert "of its limit" in said["novelty"]


def test_what_speaks_for_an_answer_is_drawn_over_the_pattern(sample):
    assert [one.target for one in sample.explanation.maps] == ["label", "severity"]
    figure = map_figure_of(sample, sample.explanation.maps[0])
    assert "label" in figure.title.text
    bars = bars_figure(sample)
    assert len(bars.y_range.factors) == 4
    assert bars.y_range.factors[-1] == sample.predictions["label"].names[0]


def test_an_ensemble_says_how_far_its_runs_disagree(predictor, dataset):
    together = ask_together([predictor, predictor], of_dataset(dataset, 3), Stated())
    assert "on 0.000 of it 2 answers disagree" in numbers_of(together)["label: entropy"]


def test_a_run_without_dropout_says_so_and_answers_all_the_same(predictor, dataset):
    answer = ask("fused", predictor, of_dataset(dataset, 3), Stated(), dropout=True)
    assert answer.several is None
    assert any("dropout" in note for note in answer.notes)
    assert not any("--" in note for note in answer.notes)  # on a page, options are fields


def test_a_pattern_without_a_scale_is_told_which_field_to_fill_in(predictor, tmp_path, catalogue):
    tifffile.imwrite(tmp_path / "odd.tif", np.ones((48, 48), dtype=np.uint16))
    subject = of_file(tmp_path / "odd.tif", 0, Readers(catalogue))
    with pytest.raises(InputError, match="--pixel-size-inv-angstrom") as caught:
        ask("fused", predictor, subject, Stated())
    said = in_fields(str(caught.value))
    assert "pixel size [1/Å]" in said
    assert "--" not in said


def test_a_pattern_on_other_axes_is_brought_onto_those_of_the_run(predictor, dataset):
    axes = tuple(
        Axis(name=name, size=64, scale=0.00625, offset=-0.00625 * 32 + 0.003125 - 0.00625 / 2)
        for name in ("q_y", "q_x")
    )
    fine = np.repeat(np.repeat(dataset.images([3])[0] / 4.0, 2, axis=1), 2, axis=2)
    answer = ask("fused", predictor, of_held(HeldPattern("fine", fine, axes)), Stated())
    assert answer.image.shape == (1, 32, 32)
    wrong = HeldPattern("curve", np.ones((1, 50)), (Axis(name="x", size=50, scale=1, offset=0),))
    with pytest.raises(InputError):
        ask("fused", predictor, of_held(wrong), Stated())


def test_what_was_not_measured_stays_hidden(predictor, dataset):
    image = dataset.images([3])[0].astype(np.float32)
    image[:, :5] = np.nan
    held = HeldPattern("stopped", image, dataset.header.axes)
    answer = ask("fused", predictor, of_held(held), Stated())
    assert np.isnan(answer.image[:, :5]).all()
    assert np.isfinite(answer.image[:, 5:]).all()


def test_dropped_files_are_read_and_a_broken_one_says_what_is_wrong(
    predictor, dataset, catalogue, tmp_path
):
    files, readers = DroppedFiles(), Readers(catalogue)
    tifffile.imwrite(tmp_path / "two.tif", dataset.images([3, 7])[:, 0], photometric="minisblack")
    path = files.keep("two.tif", (tmp_path / "two.tif").read_bytes())
    second = ask("fused", predictor, of_file(path, 1, readers), Stated())
    np.testing.assert_array_equal(second.image, dataset.images([7])[0])
    with pytest.raises(InputError, match="no pattern 2; expected 0 to 1"):
        ask("fused", predictor, of_file(path, 2, readers), Stated())
    broken = files.keep("broken.tif", b"no image at all")
    with pytest.raises(InputError, match=r"broken\.tif"):
        ask("fused", predictor, of_file(broken, 0, readers), Stated())


def test_the_nearest_training_pattern_of_one_is_itself(training, dataset):
    index = int(dataset.split("train")[4])
    image = dataset.images([index])[0].astype(np.float32)
    first, *rest = training.nearest(image, 5)
    assert (first.index, len(rest)) == (index, 4)
    assert first.distance == pytest.approx(0, abs=1e-3)
    assert first.label == dataset.header.class_names[index % 4]
    distances = [one.distance for one in (first, *rest)]
    assert distances == sorted(distances)
    assert nearest_text("<run>", [first]).count("&lt;run&gt;") == 1


def test_a_test_pattern_lies_where_it_lies_on_the_map(training, dataset):
    index = int(training.shown[2])
    place = training.place(dataset.images([index])[0].astype(np.float32))
    np.testing.assert_allclose(place, training.places[2], atol=1e-3)


def test_training_data_that_are_gone_are_found_among_what_is_open(
    predictor, dataset_path, other_dataset_path
):
    assert training_data(predictor, ()).identity == Dataset.open(dataset_path).identity
    record = predictor.record.dataset
    moved = record.model_copy(update={"path": "nowhere.zarr"})

    class Moved:
        path = predictor.path
        record = predictor.record.model_copy(update={"dataset": moved})

    assert training_data(Moved, (other_dataset_path, dataset_path)).path == dataset_path
    with pytest.raises(InputError, match="open it, too"):
        training_data(Moved, (other_dataset_path,))


def test_the_answer_is_drawn_along_the_degree_of_a_defect(predictor, catalogue, tiny_recipe):
    bench = bench_of(tiny_recipe(32, 0.0125), "tiny", catalogue)
    degrees = {one.title: one for one in degrees_of(bench)}
    degree = degrees["vacancy: fraction"]
    assert degree.settings == {"defect.vacancy": True}
    assert "Specimen and beam: thickness [Å]" in degrees
    values = values_of(degree.control, 0.1, 0.7, 3)
    steps = list(rendered(bench, degree, values, {}))
    assert [value for value, _ in steps] == [0.1, 0.4, 0.7]
    fractions = [one.recipe["classes"][0]["defects"][0]["fraction"] for _, one in steps]
    assert fractions == values
    images = [one.open((1, 32, 32)).read([0])[0] for _, one in steps]
    assert not np.array_equal(images[0], images[2])
    answers = [ask("fused", predictor, one, Stated()).predictions for _, one in steps]
    probability, severity = course_figures(
        degree.title, {"fused": (values, answers)}, logarithmic=False
    )
    assert probability.xaxis.axis_label == "vacancy: fraction"
    drawn = {
        one.data_source.data["name"][0]: one.data_source.data["y"] for one in probability.renderers
    }
    told = [each["label"].probabilities[0, 3] for each in answers]
    np.testing.assert_array_equal(drawn["vacancies_25"], told)
    assert "severity" in severity.title.text


def test_steps_go_by_factors_whole_numbers_stay_so_and_ends_are_checked():
    factors = Control("dose", "dose", "number", low=1, high=1e4, logarithmic=True)
    assert values_of(factors, 1, 1e4, 5) == [1, 10, 100, 1000, 10000]
    whole = Control("n", "n", "number", high=3, whole=True)
    assert values_of(whole, 0, 3, 9) == [0, 1, 2, 3]
    with pytest.raises(InputError, match="the lower one first"):
        values_of(whole, 3, 0, 5)


def test_runs_of_one_name_are_told_apart(tmp_path):
    one, other = tmp_path / "a" / "fused", tmp_path / "b" / "fused"
    assert list(named_runs([one, tmp_path / "single"])) == ["fused", "single"]
    assert list(named_runs([one, other])) == [str(one), str(other)]


def test_without_a_run_the_page_says_how_to_open_one(catalogue):
    page = RunsPage(Workspace(Session(catalogue), Opened()))
    assert "crystalvision explore RUN" in page._status.view.object
