"""A run on powder patterns, asked: likeliest candidates, elements, refits, explanations, maps."""

import json
import shutil

import numpy as np
import pytest

import crystalvision as cv
from crystalvision.cli import main
from crystalvision.errors import InputError
from crystalvision.prediction import CandidateFits, Predictor, refined_figure
from crystalvision.report import map_figure, map_patterns
from crystalvision.runs import Run

PHASES = ["silicon", "sodium-chloride", "magnesium-oxide", "copper"]
NAMES = ("Si Fd-3m", "NaCl Fm-3m", "MgO Fm-3m", "Cu Fm-3m")
RECIPE = {
    "source": "powder",
    "name": "four phases",
    "samples": 96,
    "seed": 2,
    "candidates": {"structures": PHASES},
    "crystal": {"cell_error": {"normal": [0, 0.001]}},
    "instrument": {
        "name": "powder-diffractometer",
        "two_theta_min_deg": 20,
        "two_theta_max_deg": 79.9,
        "step_deg": 0.1,
        "w_deg2": 0.02,
        "zero_shift_deg": {"uniform": [-0.05, 0.05]},
        "background_counts": 40,
    },
}
BRANCH = {
    "backbone": {"name": "resnet-1d", "widths": [8, 16]},
    "head": {"name": "dense", "hidden": [32]},
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return cv.simulate(RECIPE, tmp_path_factory.mktemp("data") / "powder.zarr")


@pytest.fixture(scope="module")
def run_path(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "powder"
    experiment = {
        "system": {"branches": {"classifier": BRANCH}},
        "input": ["max-scale", "sqrt"],
        "schedule": [
            {
                "name": "all",
                "train": ["classifier"],
                "epochs": 4,
                "batch_size": 16,
                "optimiser": {"name": "adamw"},
                "learning_rate": 0.003,
                "monitor": "validation_accuracy",
            }
        ],
    }
    cv.train(experiment, data, path)
    return path


@pytest.fixture(scope="module")
def copper(data):
    return np.asarray(data.images(np.array([3])))[0]


def test_likeliest_candidates_sum_to_one_and_elements_leave_some_out(run_path, copper):
    run = cv.Run.load(run_path)
    told = run.predict(copper, top=3)
    (likeliest,) = told.more["likeliest"]
    assert len(likeliest) == 3
    assert [one["probability"] for one in likeliest] == sorted(
        (one["probability"] for one in likeliest), reverse=True
    )
    some = run.predict(copper, elements="Na,Cl,Mg,O", with_elements=["O"])
    assert some.predictions["label"].names == ["MgO Fm-3m"]
    assert some.predictions["label"].probabilities.max() == pytest.approx(1)
    with pytest.raises(InputError, match="none of the 4 candidates consists of Fe alone"):
        run.predict(copper, elements="Fe")


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"elements": "Fe"}, "none of the 4 candidates consists of Fe alone"),
        ({"with_elements": ["U"]}, "none of the 4 candidates holds U"),
    ],
)
def test_what_a_run_cannot_do_is_said_before_a_file_is_read(run_path, asked, why, tmp_path):
    with pytest.raises(InputError, match=why):
        cv.Run.load(run_path).predict(tmp_path / "missing.xy", **asked)


def test_candidates_of_a_run_without_an_embedding_are_refused_before_a_file_is_read(
    run_path, tmp_path
):
    with pytest.raises(InputError, match="train one with the head embedding"):
        cv.Run.load(run_path).look_up(tmp_path / "missing.xy", candidates=tmp_path)


def test_a_source_that_fits_nothing_says_so_before_a_file_is_read(run_path, tmp_path):
    with pytest.raises(InputError, match="leave out --refine"):
        systems_run(run_path, tmp_path).predict(tmp_path / "missing.xy", refine=2)


def systems_run(run_path, tmp_path):
    """The same run, as if it had learnt crystal systems."""
    path = tmp_path / "systems"
    shutil.copytree(run_path, path)
    text = (path / "run.yaml").read_text()
    assert text.count("target: phase") == 1
    (path / "run.yaml").write_text(text.replace("target: phase", "target: crystal_system"))
    return cv.Run.load(path)


def test_candidates_are_fitted_drawn_and_ranked_anew(run_path, copper, tmp_path):
    told = cv.Run.load(run_path).predict(
        copper, refine=4, misfit_limit=0.2, refine_to=tmp_path / "fits"
    )
    (refined,) = told.refined
    assert refined.refinements[0].names == ("Cu Fm-3m",)
    assert not refined.refused
    assert told.as_json()["predictions"][0]["refined"] == "Cu Fm-3m"
    assert "refined_misfit" in told.as_csv().splitlines()[0]
    assert [path.suffix for path in (tmp_path / "fits").iterdir()] == [".png"]
    panels = refined_figure(refined).axes
    assert panels[0].get_legend_handles_labels()[1] == [
        "measured",
        "calculated",
        "background",
        "Cu Fm-3m",
        "difference",
    ]
    assert panels[-1].get_xlabel() == "2θ [°]"


def test_a_phase_that_is_no_candidate_is_none_of_these(run_path, copper, tmp_path):
    told = cv.Run.load(run_path).predict(
        copper, refine=3, elements="Si,Na,Cl,Mg,O", refine_to=tmp_path, misfit_limit=0.2
    )
    assert told.refined[0].refused
    assert told.more["none_of_these"] == [True]


def test_the_limit_comes_from_new_patterns_and_is_kept(run_path):
    catalogue = cv.Run.load(run_path)._session.catalogue
    fits = CandidateFits(Run.load(run_path), catalogue)
    limit = fits.misfit_limit(patterns=4)
    kept = json.loads((run_path / "refusal.json").read_text())
    assert kept == {
        "format": 1,
        "false_refusals": 0.05,
        "patterns": 4,
        "misfit_limit": limit,
    }
    assert 0.2 <= limit < 0.5
    (run_path / "refusal.json").write_text("{}")
    with pytest.raises(InputError, match="is not what --refine writes: remove it"):
        fits.misfit_limit(patterns=4)
    (run_path / "refusal.json").unlink()


def test_the_command_tells_the_same(run_path, data, tmp_path, capsys):
    arguments = ["predict", str(run_path), f"{data.path}[3]", "--top", "2"]
    arguments += ["--refine", "2", "--elements", "Cu,Si", "--misfit-limit", "0.3"]
    assert main([*arguments, "--refine-to", str(tmp_path / "fits")]) == 0
    printed = capsys.readouterr().out
    assert "Cu Fm-3m" in printed
    assert "NaCl" not in printed
    assert "zero shift" in printed
    assert main(["predict", str(run_path), f"{data.path}[3]", "--parts", "2"]) == 2
    assert "does nothing without --refine" in capsys.readouterr().err


def test_what_speaks_for_a_phase_is_drawn_beside_its_reflections(run_path, data, tmp_path):
    run, catalogue = Run.load(run_path), cv.Run.load(run_path)._session.catalogue
    explanation = Predictor(run).explain(np.asarray(data.images(np.array([0])))[0])
    (found,) = explanation.maps
    assert found.values.shape == (600,)
    marks = CandidateFits(run, catalogue).marks("Si Fd-3m")
    assert np.abs(marks - 28.44).min() < 0.05
    assert np.abs(marks - 47.30).min() < 0.05
    cv.Run.load(run_path).predict(f"{data.path}[0]", explain_to=tmp_path)
    assert len(list(tmp_path.iterdir())) == 1


def test_patterns_are_mapped_by_features_and_as_they_are(run_path, data):
    found = map_patterns(Run.load(run_path), data)
    assert set(found.classes) == set(NAMES)
    assert found.features.shape == found.patterns.shape == (len(found.label), 2)
    assert found.judged[0] > 0.7
    assert len(map_figure(found).axes) == 2
    with pytest.raises(InputError, match="none of its classes is 'gold'"):
        map_patterns(Run.load(run_path), data, classes=["gold"])


def test_systems_and_space_groups_keep_the_patterns_of_a_phase_in_one_split(tmp_path):
    for target, classes in (
        ("crystal_system", ("hexagonal", "cubic")),
        ("space_group", ("P6_3/m", "Fm-3m", "Fd-3m")),
    ):
        names = ["silicon", "germanium", "diamond", "copper", "gold", "nickel", "si3n4-beta"]
        recipe = {
            **RECIPE,
            "samples": 70,
            "target": target,
            "candidates": {"structures": names},
        }
        data = cv.simulate(recipe, tmp_path / f"{target}.zarr")
        assert data.header.class_names == classes
        phases = data.column("specimen")
        parts = [set(phases[data.split(name)]) for name in ("train", "validation", "test")]
        assert sum(map(len, parts)) == len(set.union(*parts))


def test_shares_of_a_mixture_are_learnt_and_told_by_name(tmp_path):
    recipe = {**RECIPE, "samples": 64, "mixture": {"phases": {"choice": [1, 2]}}}
    data = cv.simulate(recipe, tmp_path / "mixtures.zarr")
    shares = np.asarray(data.column("fractions"))
    assert shares.shape == (64, 4)
    assert np.allclose(shares.sum(axis=1), 1)
    assert set((shares > 0).sum(axis=1)) == {1, 2}
    assert data.header.targets["fractions"].components == NAMES
    head = {"name": "fractions"}
    experiment = {
        "system": {"branches": {"shares": {**BRANCH, "head": head}}},
        "input": ["max-scale", "sqrt"],
        "schedule": [
            {
                "name": "all",
                "train": ["shares"],
                "epochs": 2,
                "batch_size": 16,
                "optimiser": {"name": "adamw"},
                "learning_rate": 0.003,
                "monitor": "validation_fractions_found",
            }
        ],
    }
    run = cv.train(experiment, data, tmp_path / "run")
    found = run.evaluate(data).metrics.targets["fractions"].metrics
    assert 0 <= found["found"] <= 1
    told = run.predict(f"{data.path}[0]").as_json()["predictions"][0]["fractions"]
    assert tuple(told) == NAMES
    assert sum(told.values()) == pytest.approx(1, abs=1e-5)
