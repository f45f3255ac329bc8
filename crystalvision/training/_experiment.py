"""An experiment: the system, how its input is prepared, and how it is trained."""

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from crystalvision.config import Config, apply_overrides, load_yaml, validate
from crystalvision.errors import InputError
from crystalvision.inputs import Parts
from crystalvision.models import ClassicalConfig, SystemConfig
from crystalvision.plugins import Catalogue
from crystalvision.training._schedule import Schedule

Precision = Literal["32", "bf16", "16"]


def _accept_bits(value: object) -> object:
    """YAML reads `32` as a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class Experiment(Config):
    """What `crystalvision train` runs for a system of networks.

    Attributes:
        system: Branches, fusion and final head.
        input: How patterns are prepared: steps in their order, each a name or a name with options.
        augment: What changes the counts of training images, in this order, in phases that train a
            branch: a name, names with options, or `none`.
        schedule: A preset, a changed preset, or a list of phases.
        precision: `32`; or `bf16` or `16`, in which a GPU multiplies matrices several times as
            fast, with weights kept in 32 bits.
        seed: Draws the first weights, the order of the patterns, augmentation and dropout.
    """

    system: SystemConfig
    input: Parts
    augment: Parts = ()
    schedule: Schedule
    precision: Annotated[Precision, BeforeValidator(_accept_bits)] = "32"
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0


class ClassicalExperiment(Config):
    """What `crystalvision train` runs for a classical system, which is fitted in one step.

    Attributes:
        system: Features and the estimator that reads them.
        input: How patterns are prepared: steps in their order, each a name or a name with options.
        seed: Draws whatever features and estimator draw.
    """

    system: ClassicalConfig
    input: Parts
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0

    @model_validator(mode="before")
    @classmethod
    def _nothing_that_networks_have(cls, value: object) -> object:
        if isinstance(value, Mapping):
            for key in ("schedule", "augment"):
                if key in value:
                    raise ValueError(
                        f"'{key}' is for networks: a system of features and an estimator is "
                        f"fitted in one step, to the patterns as they are; leave '{key}' out"
                    )
            system = value.get("system")
            if isinstance(system, Mapping) and (mixed := _NETWORK_KEYS.intersection(system)):
                raise ValueError(
                    f"system has '{min(mixed)}' beside features or an estimator; give either "
                    "branches, or features and an estimator"
                )
        return value


def _is_classical(data: object) -> bool:
    """Whether an experiment describes a classical system; also one whose keys are misspelt."""
    if isinstance(data, ClassicalExperiment):
        return True
    system = data.get("system") if isinstance(data, Mapping) else None
    if not isinstance(system, Mapping):
        return False
    if _CLASSICAL_KEYS.intersection(system):
        return True
    return not _NETWORK_KEYS.intersection(system) and any(
        difflib.get_close_matches(str(key), _CLASSICAL_KEYS) for key in system
    )


_CLASSICAL_KEYS = frozenset(ClassicalConfig.model_fields)
_NETWORK_KEYS = frozenset(SystemConfig.model_fields)
AnyExperiment = Annotated[
    Annotated[Experiment, Tag("<network>")] | Annotated[ClassicalExperiment, Tag("<classical>")],
    Discriminator(lambda data: "<classical>" if _is_classical(data) else "<network>"),
]
"""Either kind of experiment. Tags in angle brackets are left out of error messages."""


def check_experiment(data: Mapping[str, Any], source: str) -> Experiment | ClassicalExperiment:
    """Check data against the kind of experiment that its system tells.

    Args:
        data: What was read.
        source: Where it was read from, for the error.

    Raises:
        InputError: A setting is wrong.
    """
    if _is_classical(data):
        return validate(ClassicalExperiment, data, source)
    return validate(Experiment, data, source)


def load_experiment(
    source: str,
    catalogue: Catalogue,
    *,
    overrides: Iterable[str] = (),
    seed: int | None = None,
) -> Experiment | ClassicalExperiment:
    """Read an experiment.

    Args:
        source: The path of a YAML file, or the name of an experiment that a plugin ships.
        catalogue: Where names are looked up.
        overrides: `key=value` texts, as `--set` takes them.
        seed: Replaces the experiment's seed.

    Raises:
        InputError: No such file or name, or a setting that is wrong.
    """
    data = apply_overrides(read_experiment(source, catalogue), overrides)
    if seed is not None:
        data["seed"] = seed
    return check_experiment(data, source)


def read_experiment(source: str, catalogue: Catalogue) -> dict[str, Any]:
    """The data of an experiment, not checked.

    Args:
        source: The path of a YAML file, or the name of an experiment that a plugin ships.
        catalogue: Where names are looked up.

    Raises:
        InputError: No such file or name, or no mapping in it.
    """
    path = Path(source)
    if path.suffix not in {".yaml", ".yml"} and not path.is_file():
        path = _shipped(source, catalogue)
    return load_yaml(path)


def _shipped(name: str, catalogue: Catalogue) -> Path:
    try:
        return catalogue.path("experiment", name)
    except InputError as error:
        raise InputError(f"{error}; or give the path of a .yaml file") from error
