"""How a system is described."""

import pytest

from crystalvision.config import validate
from crystalvision.errors import InputError
from crystalvision.models import SystemConfig

BRANCH = {"backbone": "anything", "head": {"name": "something", "dropout": 0.5}}


def read(**data: object) -> SystemConfig:
    return validate(SystemConfig, data, "test.yaml")


def test_a_branch_alone_joins_nothing():
    config = read(branches={"classifier": BRANCH})
    assert config.fusion.name == "none"
    assert config.head is None
    assert config.branches["classifier"].head.options == {"dropout": 0.5}


def test_a_description_survives_being_written_and_read():
    config = read(branches={"a": BRANCH, "b": BRANCH}, fusion="concat", head="perceptron")
    assert read(**config.model_dump()) == config


@pytest.mark.parametrize("name", ["fusion", "head"])
def test_names_that_schedules_use_are_refused(name):
    with pytest.raises(InputError, match=rf"test.yaml: .*a branch cannot be called '{name}'"):
        read(branches={name: BRANCH})


@pytest.mark.parametrize("name", ["a.b", "", "2nd", "items", "forward", "training", "a b"])
def test_names_that_weights_cannot_have_are_refused(name):
    with pytest.raises(InputError, match=rf"a branch cannot be called '{name}': expected letters"):
        read(branches={name: BRANCH})


def test_a_system_needs_a_branch():
    with pytest.raises(InputError, match="branches"):
        read(branches={})


def test_a_mistyped_key_is_named_with_the_nearest():
    with pytest.raises(InputError, match=r"unknown key 'fussion'; did you mean 'fusion'\?"):
        read(branches={"a": BRANCH}, fussion="concat")
