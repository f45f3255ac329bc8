"""A library beside a run of images: a stranger's source says what candidates look like."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

import crystalvision as cv
from crystalvision.api.session import Session
from crystalvision.cli import main
from crystalvision.contracts import Axis
from crystalvision.datasets import Dataset, DatasetHeader, Simulated, label_column
from crystalvision.errors import InputError, PluginError
from crystalvision.library import (
    Library,
    added,
    candidates_for,
    embed_candidates,
    load_library,
    look_up,
    save_library,
    search,
)
from crystalvision.plugins import KINDS, Catalogue, PluginInfo
from crystalvision.prediction import Predictor
from crystalvision.runs import train_run
from crystalvision.samples import CandidateInfo, Candidates, Expected, with_candidates
from crystalvision.sources import Sample, Source, SourceSpec, generate
from crystalvision.training import Experiment

SIZE, TRAINED = 24, (2, 3, 4, 5, 6, 7, 8, 10)


def ring(radius: float, rng: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    mean = 30 * np.exp(-((np.hypot(y, x) - radius) ** 2)) + 0.5
    return rng.poisson(mean).astype(np.uint16)[None]


class Rings(Source):
    def __init__(self, spec, catalogue):
        del catalogue
        self.recipe = dict(spec.recipe)

    @property
    def header(self):
        axes = tuple(Axis(name=n, size=SIZE, scale=1.0, offset=-12.0) for n in ("q_y", "q_x"))
        return DatasetHeader(
            samples=self.recipe["samples"],
            image_shape=(1, SIZE, SIZE),
            dtype="uint16",
            columns={"label": label_column([f"ring {each}" for each in TRAINED])},
            axes=axes,
            provenance=Simulated(
                source="rings", recipe=self.recipe, seed=self.recipe["seed"], drawn_from="rings"
            ),
            generator={"tests": "1"},
            samples_per_shard=80,
        )

    def samples(self, indices):
        for index in indices:
            label = index % len(TRAINED)
            rng = np.random.default_rng([self.recipe["seed"], index])
            yield Sample(ring(TRAINED[label], rng), {"label": label})


class Radii(Candidates):
    def __init__(self, radii):
        self.radii = radii
        self.entries = [
            CandidateInfo(f"ring {each:g}", str(each), elements=("H",), facts={"radius": f"{each}"})
            for each in radii
        ]
        self.left_out = {}

    def expected(self, indices, *, draws):
        for index in indices:
            if self.radii[index] > SIZE:
                yield Expected(index, None, "it lies outside the image")
                continue
            rng = np.random.default_rng(0)
            images = [ring(self.radii[index], rng) for _ in range(max(1, draws))]
            yield Expected(index, np.stack(images))


def find(spec, catalogue, places):
    del spec, catalogue
    return Radii([float(each.name) for each in places] or list(map(float, TRAINED)))


@with_candidates(find)
def rings(spec, catalogue):
    return Rings(spec, catalogue)


@pytest.fixture(scope="module")
def with_rings():
    info = PluginInfo("rings", "rings", "1")
    return Catalogue.load().with_parts([(KINDS["source"], info, {"rings": rings, "mute": Rings})])


@pytest.fixture(scope="module")
def run(with_rings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    spec = SourceSpec("rings", {"name": "rings", "samples": 320, "seed": 1})
    generate(spec, folder / "rings.zarr", source=spec.open(with_rings))
    head = {"name": "embedding", "size": 16, "pooled": True}
    phase = {"name": "eye", "train": ["eye"], "epochs": 12, "batch_size": 32}
    experiment = Experiment.model_validate(
        {
            "system": {"branches": {"eye": {"backbone": "ziletti", "head": head}}},
            "input": ["log1p", "standardise"],
            "augment": "none",
            "schedule": [{**phase, "optimiser": "adamw", "learning_rate": 0.005}],
        }
    )
    data = Dataset.open(folder / "rings.zarr")
    return train_run(experiment, data, folder / "run", catalogue=with_rings)


@pytest.fixture(scope="module")
def predictor(run):
    return Predictor(run)


def library_of(predictor, *radii, draws=2):
    found = embed_candidates(predictor, Radii(list(radii)), draws=draws)
    return found.library


def test_what_was_never_trained_on_is_recognised(predictor):
    library = library_of(predictor, *map(float, TRAINED), 9.0)
    rng = np.random.default_rng(5)
    images = np.stack([ring(9.0, rng) for _ in range(20)])
    matches = look_up(predictor, library, images, top=3)
    assert np.mean([names[0] == "ring 9" for names in matches.names]) > 0.7
    assert (np.diff(matches.similarity, axis=1) <= 0).all()
    assert (matches.probability.sum(axis=1) <= 1 + 1e-9).all()


def test_classes_that_were_trained_on_are_the_closed_case(predictor, run, with_rings):
    found = embed_candidates(predictor, candidates_for(run.record, with_rings), draws=4)
    rng = np.random.default_rng(6)
    images = np.stack([ring(each, rng) for each in TRAINED])
    names = look_up(predictor, found.library, images, top=1).names
    right = [f"ring {each}" for each in TRAINED]
    assert np.mean([one == [other] for one, other in zip(names, right, strict=True)]) > 0.8


def test_what_cannot_be_seen_is_left_out_and_said(predictor):
    found = embed_candidates(predictor, Radii([3.0, 99.0, 3.0]), draws=0)
    assert found.library.names == ("ring 3",)  # and once
    assert found.left_out == {"ring 99": "it lies outside the image"}
    with pytest.raises(InputError, match="none of 1 candidates can be seen: it lies outside"):
        embed_candidates(predictor, Radii([99.0]), draws=0)


def test_a_library_is_kept_and_grows(predictor, run):
    first = library_of(predictor, 3.0, 4.0)
    save_library(first, run.path)
    loaded = load_library(run.path)
    assert loaded.entries == first.entries
    assert (loaded.places == first.places).all()
    more = embed_candidates(predictor, Radii([4.0, 9.5]), draws=2, known=loaded).library
    assert (more.places[0] == first.places[1]).all()  # taken over
    both = added(loaded, more)
    assert both.names == ("ring 3", "ring 4", "ring 9.5")
    save_library(both, run.path)
    assert len(load_library(run.path)) == 3
    with pytest.raises(InputError, match="of 2 draws and one of 0"):
        added(both, library_of(predictor, 5.0, draws=0))


def test_a_library_of_other_weights_is_refused(predictor, run):
    save_library(library_of(predictor, 3.0), run.path)
    record = run.path / "library" / "library.yaml"
    record.write_text(record.read_text().replace(library_of(predictor, 3.0).weights, "0" * 64))
    with pytest.raises(InputError, match="it was trained again"):
        load_library(run.path)
    (run.path / "library" / "candidates.jsonl").write_text("{")
    save_library(library_of(predictor, 3.0), run.path)
    (run.path / "library" / "candidates.jsonl").write_text(json.dumps({"name": 1}))
    with pytest.raises(InputError, match=r"candidates\.jsonl is missing or damaged"):
        load_library(run.path)


def test_names_differ_where_candidates_do(predictor):
    twice = Radii([3.0, 4.0])
    twice.entries = [CandidateInfo("ring", str(each)) for each in (3.0, 4.0)]
    assert embed_candidates(predictor, twice, draws=0).library.names == ("ring", "ring (2)")


def unit(rows: int, size: int = 8, seed: int = 0) -> np.ndarray:
    places = np.random.default_rng(seed).standard_normal((rows, size))
    return (places / np.linalg.norm(places, axis=1, keepdims=True)).astype(np.float32)


def test_a_search_is_what_sorting_gives():
    places, queries = unit(500), unit(7, seed=1)
    entries = tuple(CandidateInfo(f"{each}", f"{each}") for each in range(500))
    library = Library("0", 0, entries, places)
    found = search(library, queries, top=4, sharpness=3.0)
    cosines = queries @ places.T
    assert (found.index == np.argsort(-cosines, axis=1)[:, :4]).all()
    weights = np.exp(3.0 * cosines.astype(np.float64))
    expected = np.take_along_axis(weights, found.index, axis=1) / weights.sum(1, keepdims=True)
    assert found.probability == pytest.approx(expected, rel=1e-5)
    assert search(library.part([1, 2]), queries, top=9).index.shape == (7, 2)
    with pytest.raises(InputError, match="top is 0"):
        search(library, queries, top=0)


def test_candidates_that_lie_on_each_other_are_marked():
    places = unit(3)
    places[2] = places[1]
    entries = tuple(CandidateInfo(f"{each}", f"{each}") for each in range(3))
    found = search(Library("0", 0, entries, places), places[1:2], top=3)
    assert found.alike[0].tolist() == [True, True, False]


def test_runs_and_sources_that_cannot_have_a_library_say_so(run, with_rings, predictor):
    def with_source(name):
        made = run.record.dataset.provenance.model_copy(update={"source": name})
        dataset = run.record.dataset.model_copy(update={"provenance": made})
        return run.record.model_copy(update={"dataset": dataset})

    with pytest.raises(InputError, match="does not know what candidates would look like"):
        candidates_for(with_source("mute"), with_rings)
    with pytest.raises(InputError, match="data that no source made"):
        candidates_for(with_source(""), with_rings)
    wrong = with_candidates(lambda spec, catalogue, places: [])(lambda spec, catalogue: None)
    info = PluginInfo("wrong", "wrong", "1")
    other = with_rings.with_parts([(KINDS["source"], info, {"wrong": wrong})])
    with pytest.raises(PluginError, match="find_candidates gave list"):
        candidates_for(with_source("wrong"), other)


def test_a_run_without_an_embedding_is_refused(run):
    plain = SimpleNamespace(path=run.path, embedding_head=None)
    with pytest.raises(InputError, match="train one with the head embedding"):
        embed_candidates(plain, Radii([3.0]), draws=0)


@pytest.fixture
def command(monkeypatch, with_rings, capsys, tmp_path):
    """The command line, with rings among its sources."""
    monkeypatch.setattr(Catalogue, "load", classmethod(lambda cls, *_: with_rings))
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        status = main(list(map(str, arguments)))
        return status, *capsys.readouterr()

    return call


def test_commands_add_list_and_look_up(command, run, tmp_path):
    np.save(tmp_path / "ring.npy", ring(9.0, np.random.default_rng(5))[0])
    shutil.rmtree(run.path / "library", ignore_errors=True)
    assert command("predict", run.path, "ring.npy", "--library")[0] == 2
    status, told, _ = command("library", "add", run.path, "3.0", "9.0", "--draws", 2)
    assert (status, told.split(": ")[1]) == (0, "2 candidates added, 2 in all\n")
    _, told, _ = command("library", "info", run.path, "--json")
    assert [each["name"] for each in json.loads(told)["candidates"]] == ["ring 3", "ring 9"]
    _, told, said = command("library", "add", run.path, "99.0", "5.0")
    assert "1 candidates added, 3 in all" in told
    assert "ring 99 was left out: it lies outside the image" in said
    _, told, _ = command("predict", run.path, "ring.npy", "--library", "--top", 2, "--json")
    (found,) = json.loads(told)["predictions"]
    assert found["candidates"][0]["name"] == "ring 9"
    assert len(found["candidates"]) == 2
    _, told, _ = command("predict", run.path, "ring.npy", "--candidates", "4.0", "--csv")
    assert told.splitlines()[1].startswith("ring.npy,1,ring 4,")
    _, told, _ = command("predict", run.path, "ring.npy", "--library", "-o", "found.json")
    assert "ring 9" in told
    assert json.loads((tmp_path / "found.json").read_text())["candidates"] == 3


def test_what_does_not_go_together_is_refused(command, run):
    status, _, said = command("predict", run.path, "ring.npy", "--library", "--explain")
    assert status == 2
    assert "--explain cannot be had with --candidates" in said


def test_from_python(run, with_rings):
    trained = cv.Run(run, Session(with_rings))
    image = ring(9.0, np.random.default_rng(5))
    table = trained.look_up(image, candidates=["9.0", "4.0"], top=1, draws=2).table
    assert table["candidate"].tolist() == ["ring 9"]
    with pytest.raises(InputError, match="no pattern was given"):
        trained.look_up(candidates="9.0")
