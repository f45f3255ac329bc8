"""What the page of datasets knows of samples: filters, orders, twins, thumbnails."""

import shutil
from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from crystalvision.api.session import Session
from crystalvision.contracts import Axis
from crystalvision.datasets import Column, Dataset, DatasetHeader, DatasetWriter, Simulated
from crystalvision.evaluation import evaluate, save
from crystalvision.explorer._opened import Opened
from crystalvision.explorer.dataset._answers import Answers, ask, kept_answers
from crystalvision.explorer.dataset._facets import Facet, facets_of, selected
from crystalvision.explorer.dataset._filters import Filters
from crystalvision.explorer.dataset._gallery import SHOWN
from crystalvision.explorer.dataset._orders import (
    FARTHEST,
    HARDEST,
    MISLABELLED,
    NOVEL,
    STORED,
    ordered,
    orders_of,
)
from crystalvision.explorer.dataset._page import DatasetPage
from crystalvision.explorer.dataset._sample import known_table, sample_figures
from crystalvision.explorer.dataset._twin import Twin, twin_of
from crystalvision.explorer.patterns import figure_of, limits, thumbnail
from crystalvision.explorer.workspace import Workspace
from crystalvision.prediction import Predictor
from crystalvision.runs import Run
from crystalvision.samples import Curves, Picture
from crystalvision.sources import SourceSpec, generate

PERFECT = {"name": "perfect", "severity": 0.0, "defects": []}


@pytest.fixture(scope="module")
def workspace(catalogue):
    return Workspace(Session(catalogue), Opened())


@pytest.fixture(scope="module")
def facets(dataset):
    return {one.name: one for one in facets_of(dataset)}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory, tiny_recipe):
    path = tmp_path_factory.mktemp("tiny") / "tiny.zarr"
    recipe = tiny_recipe(24, 0.05)
    recipe |= {"samples": 8, "classes": [PERFECT, *recipe["classes"]]}
    generate(SourceSpec("simulation", recipe, threads=1), path)
    return Dataset.open(path)


@pytest.fixture(scope="module")
def evaluated(run_path, dataset, catalogue, tmp_path_factory):
    path = shutil.copytree(run_path, tmp_path_factory.mktemp("evaluated") / "fused")
    save(evaluate(Run.load(path, catalogue), dataset, resamples=100), path)
    return path


def test_columns_and_split_become_facets_with_units_and_classes(facets, dataset):
    assert set(facets) == {"label", "severity", "split"}
    assert facets["label"].classes == dataset.header.class_names
    assert facets["split"].classes == ("train", "validation", "test")
    assert facets["split"].counts(np.ones(160, bool)).sum() == 160
    assert facets["label"].text(2) == "random_displacement"


def test_histograms_filter_each_other_but_not_themselves(facets, dataset):
    wanted = {"label": frozenset({3}), "split": frozenset({0})}
    chosen = selected(facets, wanted, len(dataset))
    assert set(np.asarray(dataset.column("label"))[chosen]) == {3}
    for_label = selected(facets, wanted, len(dataset), but="label")
    assert (facets["label"].counts(for_label) > 0).all()  # its own filter left out
    assert (facets["label"].counts(chosen)[:3] == 0).all()
    assert selected(facets, {"severity": (0.2, 0.7)}, len(dataset)).sum() == 80


def test_bins_go_by_factors_where_numbers_do_and_take_what_is_unknown():
    dose = Facet.of("dose_electrons", np.array([1e2, 1e3, 1e5, np.nan]), units="electrons")
    assert dose.logarithmic
    assert dose.counts(np.ones(4, bool)).sum() == 3
    assert dose.text(3) == "–"
    constant = Facet.of("energy_kev", np.full(5, 200.0))
    assert constant.counts(np.ones(5, bool)).tolist() == [5]
    assert constant.within(constant.ends).all()


def test_filters_tell_of_a_change_and_clear(facets):
    told = []
    filters = Filters(lambda: told.append(int(filters.chosen.sum())))
    filters.show(facets, ["label", "severity"])
    filters._histograms["label"]._control.value = ["pristine"]
    filters._histograms["severity"]._control.value = (0.5, 0.9)
    assert told == [40, 0]
    some = filters._histograms["severity"]._bars.data["some"]
    assert some.sum() == 40  # its own range is left out
    filters.show(dict(facets))  # as when a run has said more: filters stay, and are shown
    assert filters._histograms["label"]._control.value == ["pristine"]
    filters._cleared()
    assert told[-1] == 160


def test_kept_predictions_give_the_hardest_and_the_mislabelled(evaluated, dataset, facets):
    (answers,) = kept_answers({"fused": evaluated}, dataset)
    test = dataset.split("test")
    assert np.flatnonzero(np.isfinite(answers.right)).tolist() == test.tolist()
    assert {STORED, HARDEST, MISLABELLED, FARTHEST} == set(orders_of(answers))
    everything = np.ones(len(dataset), bool)
    hard = ordered(HARDEST, everything, answers, facets)
    assert sorted(hard.tolist()) == test.tolist()
    assert (np.diff(answers.right[hard]) >= 0).all()
    wrong = ordered(MISLABELLED, everything, answers, facets)
    labels = np.asarray(dataset.column("label"))
    assert set(wrong) == {index for index in test if answers.taken[index] != labels[index]}
    assert (np.diff(answers.sure[wrong]) <= 0).all()


def test_a_swapped_label_is_the_first_candidate(dataset, facets):
    answers = Answers.none("made up", len(dataset))
    labels = np.asarray(dataset.column("label"))
    answers.taken[:], answers.sure[:] = labels, 0.9
    answers.taken[[7, 30]], answers.sure[7], answers.sure[30] = 0, 0.99, 0.8
    found = ordered(MISLABELLED, np.ones(len(dataset), bool), answers, facets)
    assert found.tolist() == [7, 30]


def test_asking_a_run_fills_what_no_evaluation_keeps(run, dataset, facets):
    answers, done = Answers.none("asked", len(dataset)), []
    some = np.arange(0, 160, 2)

    def advance(count):
        done.append(count)
        return True

    ask(Predictor(run), dataset, some, answers, advance)
    assert done == [64, 80]
    assert np.flatnonzero(np.isfinite(answers.novelty)).tolist() == some.tolist()
    novel = ordered(NOVEL, np.ones(len(dataset), bool), answers, facets)
    assert (np.diff(answers.novelty[novel]) <= 0).all()
    direct = Predictor(run).predict(dataset.images([4]).astype(np.float32))
    assert answers.right[4] == pytest.approx(direct["label"].probabilities[0, 0], abs=1e-5)
    assert len(list(answers.facets(dataset.header.class_names))) == 4


def test_asking_ends_when_it_is_told_to(run, dataset):
    answers = Answers.none("asked", len(dataset))
    ask(Predictor(run), dataset, np.arange(160), answers, lambda _: False)
    assert np.isfinite(answers.right).sum() == 64


def test_a_twin_is_made_by_the_source_and_the_sample_is_checked(workspace, tiny):
    twins = [twin_of(workspace, tiny, index) for index in range(2)]
    assert all("bit for bit" in twin.note for twin in twins)
    perfect, holes = (twin.image for twin in twins)
    assert holes.shape == tiny.header.image_shape
    np.testing.assert_allclose(perfect, holes)  # all else is fixed in this recipe
    # What was recorded of the perfect one is the twin with noise; of the other it is not.
    counts = tiny.images([0, 1]).astype(float)
    expected = perfect * counts.sum(axis=(1, 2, 3), keepdims=True) / perfect.sum()
    misfit = ((counts - expected) ** 2 / (expected + 1)).mean(axis=(1, 2, 3))
    assert misfit[0] < misfit[1]
    assert misfit[0] < 1


def test_a_twin_of_samples_that_nothing_made_is_none(workspace, dataset):
    twin = twin_of(workspace, dataset, 0)
    assert twin.image is None
    assert "no source" in twin.note


def test_a_sample_is_shown_beside_its_twin_with_all_that_is_known(workspace, tiny):
    twin = twin_of(workspace, tiny, 1)
    sample, ideal = sample_figures(tiny, 1, twin)
    assert isinstance(sample, Picture)
    assert ideal.title == "ideal twin"
    facets = {one.name: one for one in facets_of(tiny)}
    text = known_table(tiny, 1, facets)
    assert "holes" in text
    assert "thickness angstrom [Å]" in text
    assert len(sample_figures(tiny, 1, Twin(None, ""))) == 1


@pytest.fixture(scope="module")
def curves_path(tmp_path_factory):
    """A curve of 300 points for each of many samples, with a name that looks like markup."""
    path = tmp_path_factory.mktemp("curves") / "curves.zarr"
    header = DatasetHeader(
        samples=40,
        image_shape=(1, 300),
        dtype="uint16",
        columns={
            "label": Column(dtype="int64", classes=("<b>one</b>", "two")),
            "shares": Column(dtype="float32", shape=(2,), components=("a", "b")),
            "map": Column(dtype="float32", shape=(4, 4)),
        },
        axes=(Axis(name="two_theta", size=300, scale=0.1, offset=10, units="degree"),),
        provenance=Simulated(seed=0),
        generator={},
        samples_per_shard=20,
    )
    rng = np.random.default_rng(0)
    with DatasetWriter.open(path, header) as writer:
        for shard in writer.missing_shards():
            rows = np.asarray(writer.shard_indices(shard))
            columns = {
                "label": rows % 2,
                "shares": rng.random((len(rows), 2), dtype=np.float32),
                "map": rng.random((len(rows), 4, 4), dtype=np.float32),
            }
            writer.write_shard(shard, rng.poisson(9, (len(rows), 1, 300)).astype("u2"), columns)
        writer.finish()
    return path


def test_curves_are_drawn_as_curves_and_parts_of_vectors_are_filtered(curves_path):
    dataset = Dataset.open(curves_path)
    facets = {one.name: one for one in facets_of(dataset)}
    assert set(facets) == {"label", "shares a", "shares b", "split"}
    (figure,) = sample_figures(dataset, 3, Twin(None, ""))
    assert isinstance(figure, Curves)
    assert "2θ" in figure.x_label
    text = known_table(dataset, 0, facets)
    assert "<b>" not in text
    (both,) = sample_figures(dataset, 3, Twin(np.ones((1, 300)), "made"))
    assert [curve.name for curve in both.curves] == ["sample 3", "ideal twin, scaled"]


def test_thumbnails_are_small_and_grey_where_nothing_was_measured():
    image = np.full((1, 200, 100), 5.0, dtype=np.float32)
    image[0, :100] = np.nan
    pixels = np.asarray(Image.open(BytesIO(b64decode(thumbnail(image).partition(",")[2]))))
    assert max(pixels.shape) <= 96
    assert (pixels[0, 0] == 128).all()
    assert not (pixels[-1, -1] == 128).all()
    curve = thumbnail(np.arange(3000.0)[None])
    assert Image.open(BytesIO(b64decode(curve.partition(",")[2]))).size == (96, 64)


def test_a_volume_is_shown_as_a_sum_that_says_so():
    axes = [Axis(name=name, size=4, scale=1, offset=0) for name in ("x", "q_y", "q_x")]
    found = figure_of("it", [("it", np.ones((1, 4, 4, 4)))], tuple(axes), "counts")
    assert found.title == "it, summed along x"
    assert (found.image == 4).all()
    assert limits(np.zeros((2, 2))) == (0.5, 1.0)


def test_the_page_reads_a_page_of_images_and_no_more(dataset_path, catalogue):
    page = DatasetPage(Workspace(Session(catalogue), Opened(datasets=(dataset_path,))))
    dataset, page._facets, _ = page._read(dataset_path)
    asked = []
    read = dataset.images
    dataset.images = lambda some: asked.append(len(some)) or read(some)
    pictures = page._thumbnails(dataset, np.arange(SHOWN))
    assert set(asked) == {SHOWN}
    assert pictures[2][0] == "2 random_displacement"
    assert pictures[0][1].startswith("data:image/png;base64,")


def test_without_a_dataset_the_page_says_how_to_open_one(workspace):
    assert "crystalvision explore DATA.zarr" in DatasetPage(workspace)._status.view.object
