"""Schedules: presets, changes to them, users' lists, and what is wrong with them."""

import pytest

from crystalvision.config import Config, apply_overrides, validate
from crystalvision.errors import InputError
from crystalvision.training import Phase, Schedule, presets

FUSED = ["classifier", "regressor", "fusion", "head"]
PHASE = {
    "name": "all",
    "train": ["a"],
    "epochs": 2,
    "batch_size": 4,
    "optimiser": "adam",
    "learning_rate": 0.1,
}


class _Holder(Config):
    schedule: Schedule


def read(value: object, *overrides: str) -> Schedule:
    data = apply_overrides({"schedule": value}, overrides)
    return validate(_Holder, data, "test.yaml").schedule


def test_the_paper_preset_holds_the_papers_numbers():
    classifier, regressor, fusion = read("paper").for_parts(FUSED)
    assert classifier.epochs == 280
    assert classifier.batch_size == 3
    assert classifier.optimiser.name == "sgd"
    assert classifier.learning_rate.steps == ((180, 0.0015), (50, 0.0002), (50, 0.00001))
    assert classifier.monitor == "validation_accuracy"
    assert regressor.optimiser.name == "adam"
    assert (regressor.epochs, regressor.learning_rate.start) == (50, 0.001)
    assert (fusion.epochs, fusion.learning_rate.start) == (60, 0.002)
    assert (fusion.learning_rate.factor, fusion.learning_rate.patience) == (0.1, 4)
    assert fusion.monitor == "validation_accuracy"
    assert fusion.train == ("fusion", "head")


def test_the_papers_transfer_preset_holds_its_numbers():
    regressor, classifier, fusion = read("paper-transfer").for_parts(FUSED)
    assert (regressor.train, classifier.train) == (("regressor",), ("classifier",))
    assert (regressor.epochs, regressor.learning_rate.start) == (30, 0.002)
    assert (classifier.epochs, classifier.batch_size) == (35, 16)
    rate = classifier.learning_rate
    assert (rate.name, rate.start, rate.factor, rate.patience) == ("plateau", 0.002, 0.2, 5)
    assert classifier.monitor == "validation_accuracy"
    assert fusion == read("paper").for_parts(FUSED)[2]


def test_joint_trains_everything_at_once():
    (phase,) = read("joint").for_parts(FUSED)
    assert set(phase.train) == set(FUSED)
    assert read("joint").for_parts(["joint"])[0].train == ("joint",)


@pytest.mark.parametrize("name", presets())
def test_a_preset_leaves_out_what_a_system_lacks(name):
    assert [phase.train for phase in read(name).for_parts(["classifier"])] == [("classifier",)]


def test_a_preset_that_leaves_a_part_untrained_is_refused():
    with pytest.raises(InputError, match=r"schedule 'quick' has no phase for 'texture'"):
        read("quick").for_parts(["classifier", "texture"])


def test_a_preset_can_be_changed_by_phase():
    changed = read("quick", "schedule.classifier.epochs=3", "schedule.fusion.learning_rate=0.01")
    original = read("quick")
    assert changed.phases[0].epochs == 3
    assert changed.phases[0].optimiser == original.phases[0].optimiser
    assert changed.phases[1] == original.phases[1]
    assert changed.phases[2].learning_rate.name == "constant"
    assert changed.preset == "quick"


def test_one_value_inside_a_learning_rate_can_be_changed():
    changed = read("quick", "schedule.classifier.learning_rate.peak=0.1")
    assert changed.phases[0].learning_rate.name == "one-cycle"
    assert changed.phases[0].learning_rate.peak == 0.1


def test_another_learning_rate_inherits_no_options():
    rate = {"name": "cosine", "start": 0.01}
    changed = read({"name": "quick", "classifier": {"learning_rate": rate}})
    assert changed.phases[0].learning_rate.start == 0.01


def test_what_is_resolved_reads_back_the_same():
    schedule = read("paper")
    assert read(schedule.model_dump(mode="json")) == schedule


def test_a_users_list_that_names_an_absent_part_is_refused():
    with pytest.raises(InputError, match=r"phase 'all' trains 'a', but .* only: classifier, head"):
        read([PHASE]).for_parts(["classifier", "head"])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            "quik",
            r"no schedule is called 'quik'; did you mean 'quick'\? there are: joint, paper",
        ),
        ({"name": "quick", "clasifier": {}}, "schedule 'quick' has no phase 'clasifier'"),
        ({"name": "quick", "classifier": 3}, r"schedule.classifier=3: expected settings"),
        ([], "at least 1 item"),
        ([PHASE, PHASE], "two phases are called 'all'"),
        ([{**PHASE, "epochs": 0}], r"schedule.0.epochs=0: .*greater than 0"),
        ([{**PHASE, "epoch": 3}], r"unknown key 'schedule.0.epoch'"),
        ([{**PHASE, "learning_rate": -1}], "greater than 0"),
        ([{**PHASE, "learning_rate": {"name": "stps"}}], "stps"),
        ([{**PHASE, "train": []}], "at least 1 item"),
        ([{**PHASE, "monitor": "loss"}], r"monitor='loss'.*validation_accuracy"),
        (
            [{**PHASE, "optimiser": {"name": "adam", "momentum": 0.9}}],
            r"momentum=0.9 is an option of sgd, not of adam",
        ),
        (
            [{**PHASE, "learning_rate": {"name": "steps", "steps": [[1, 0.1]]}}],
            r"steps add up to 1 epochs, but epochs is 2",
        ),
    ],
)
def test_wrong_schedules_say_what_is_wrong(value, message):
    with pytest.raises(InputError, match=message) as caught:
        read(value)
    assert "\n" not in str(caught.value)


def test_a_phase_accepts_one_part_as_text():
    assert Phase.model_validate({**PHASE, "train": "a"}).train == ("a",)
