"""Experiments: files, shipped names, overrides, and the check against a dataset."""

import pytest
import yaml

from crystalvision.datasets import Dataset
from crystalvision.errors import InputError
from crystalvision.inputs import as_parts
from crystalvision.plugins import Catalogue
from crystalvision.training import ClassicalExperiment, Experiment, load_experiment, plan

SHIPPED = [entry.name for entry in Catalogue.load().of_kind("experiment")]


@pytest.fixture
def write(tmp_path, make_experiment):
    """Writes an experiment file with some changes."""

    def write(**changes):
        path = tmp_path / "experiment.yaml"
        path.write_text(yaml.safe_dump(make_experiment(**changes)))
        return str(path)

    return write


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_experiments_read_and_their_schedules_fit(name, catalogue):
    experiment = load_experiment(name, catalogue)
    if isinstance(experiment, ClassicalExperiment):
        assert experiment.system.features
        return
    parts = [*experiment.system.branches]
    if experiment.system.head is not None:
        parts += ["fusion", "head"]
    phases = experiment.schedule.for_parts(parts)
    assert {part for phase in phases for part in phase.train} == set(parts)


def test_single_is_the_classifier_of_quick(catalogue):
    quick, single = (load_experiment(name, catalogue) for name in ("quick", "single"))
    assert single.system.branches == {"classifier": quick.system.branches["classifier"]}
    assert single.model_copy(update={"system": quick.system}) == quick


def test_joint_is_half_of_quick_with_one_head_for_both(catalogue):
    quick, joint = (load_experiment(name, catalogue) for name in ("quick", "joint"))
    (branch,) = joint.system.branches.values()
    assert branch.backbone == quick.system.branches["classifier"].backbone
    assert (joint.input, joint.augment) == (quick.input, quick.augment)


def test_the_paper_experiment_sees_whole_patterns(catalogue):
    paper = load_experiment("paper", catalogue)
    assert paper.input == as_parts([{"name": "bin", "size": 1}, "log1p", "standardise"])
    assert paper.augment == ()
    assert {branch.backbone.name for branch in paper.system.branches.values()} == {"dnsnet"}


def test_overrides_and_seed_replace_what_the_file_says(catalogue, write):
    settings = ["system.branches.classifier.head.dropout=0.5", "seed=1"]
    experiment = load_experiment(write(), catalogue, overrides=settings, seed=2)
    assert experiment.system.branches["classifier"].head.options == {"dropout": 0.5}
    assert experiment.seed == 2


def test_an_experiment_reads_back_the_same(experiment):
    text = yaml.safe_dump(experiment.model_dump(mode="json"))
    assert Experiment.model_validate(yaml.safe_load(text)) == experiment


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"augment": [{"pixels": 3}]}, r"augment"),
        ({"augmnt": "none"}, r"unknown key 'augmnt'; did you mean 'augment'\?"),
        ({"augment": 3}, r"augment=3: "),
        ({"input": {"bin": 2}}, r"input: it has the keys bin, but no `name`"),
        ({"seed": -1}, r"seed=-1: "),
        ({"schedule": "quik"}, r"did you mean 'quick'\?"),
    ],
)
def test_wrong_settings_say_what_is_wrong(catalogue, write, changes, message):
    with pytest.raises(InputError, match=message) as caught:
        load_experiment(write(**changes), catalogue)
    assert "experiment.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_name_that_nobody_ships_lists_those_that_are(catalogue):
    with pytest.raises(InputError, match=r"'quikc'; did you mean 'quick'\?.*path of a .yaml file"):
        load_experiment("quikc", catalogue)


def test_a_missing_file_is_said_to_be_missing(catalogue, tmp_path):
    with pytest.raises(InputError, match=r"mine.yaml: no such file"):
        load_experiment(str(tmp_path / "mine.yaml"), catalogue)


def edit(branch: str, part: str, value: object, make_experiment) -> dict[str, object]:
    described = make_experiment()["system"]
    described["branches"][branch][part] = value
    return {"system": described}


def test_a_plan_is_made_without_reading_a_pattern(experiment, dataset, catalogue, monkeypatch):
    monkeypatch.setattr(Dataset, "images", lambda *_: pytest.fail("patterns were read"))
    ready = plan(experiment, dataset, catalogue)
    assert [phase.name for phase in ready.phases] == ["classifier", "regressor", "fusion"]
    assert set(ready.system.parts()) == {"classifier", "regressor", "fusion", "head"}


def test_plans_of_one_seed_have_the_same_first_weights(experiment, dataset, catalogue):
    def first_weight(seed: int) -> list[float]:
        seeded = experiment.model_copy(update={"seed": seed})
        weights = plan(seeded, dataset, catalogue).system.parameters()
        return next(weights).flatten().tolist()

    assert first_weight(0) == first_weight(0)
    assert first_weight(0) != first_weight(1)


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        (("classifier", "backbone", "dnsnet-tny"), r"no backbone is called 'dnsnet-tny'"),
        (("classifier", "head", {"name": "softmax", "dropuot": 1}), r"has no option 'dropuot'"),
        (("classifier", "backbone", {"name": "dnsnet-tiny", "in_channels": 3}), "in_channels"),
    ],
)
def test_a_wrong_part_is_found_before_reading(catalogue, dataset, make_experiment, edits, message):
    changes = edit(*edits, make_experiment)
    experiment = Experiment.model_validate(make_experiment(**changes))
    with pytest.raises(InputError, match=message):
        plan(experiment, dataset, catalogue)


def plan_changed(make_experiment, dataset, catalogue, **changes):
    return plan(Experiment.model_validate(make_experiment(**changes)), dataset, catalogue)


def test_a_bin_that_does_not_divide_the_images(make_experiment, dataset, catalogue):
    with pytest.raises(InputError, match=r"'bin': size=5 does not divide images of 32×32"):
        plan_changed(make_experiment, dataset, catalogue, input={"name": "bin", "size": 5})


def test_images_smaller_than_the_stride(make_experiment, dataset, catalogue):
    with pytest.raises(
        InputError,
        match=r"branch 'classifier' needs images of at least .* makes 2×2 of 32×32",
    ):
        plan_changed(make_experiment, dataset, catalogue, input={"name": "bin", "size": 16})


def test_a_monitor_that_the_heads_cannot_tell(make_experiment, dataset, catalogue):
    schedule = make_experiment()["schedule"]
    schedule[1]["monitor"] = "validation_accuracy"
    with pytest.raises(
        InputError,
        match=r"phase 'regressor' monitors validation_accuracy, which of their targets none has; "
        r"the heads of regressor have validation_loss, validation_severity_mae$",
    ):
        plan_changed(make_experiment, dataset, catalogue, schedule=schedule)


def test_a_phase_for_a_part_that_is_not_there(make_experiment, dataset, catalogue):
    described = make_experiment()["system"]
    system = {"branches": {"classifier": described["branches"]["classifier"]}}
    with pytest.raises(InputError, match=r"phase 'regressor' trains 'regressor'.*only: classifier"):
        plan_changed(make_experiment, dataset, catalogue, system=system)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        (
            "severity",
            0.3,
            r"have the severity 0.3, so the head of 'regressor' has nothing to learn; give sev",
        ),
        ("label", 1, r"of class '.+', so the head of 'head' has nothing to learn; choose"),
    ],
)
def test_a_head_without_anything_to_learn_is_refused(
    experiment, dataset, catalogue, monkeypatch, column, value, message
):
    whole = dataset.column
    monkeypatch.setattr(
        dataset, "column", lambda name: whole(name) * 0 + (value if name == column else whole(name))
    )
    with pytest.raises(InputError, match=message):
        plan(experiment, dataset, catalogue)
