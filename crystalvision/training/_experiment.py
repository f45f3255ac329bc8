"""An experiment: the system, how its input is prepared, and how it is trained."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from crystalvision.config import Config, apply_overrides, load_yaml, validate
from crystalvision.errors import InputError
from crystalvision.models import SystemConfig
from crystalvision.plugins import Catalogue
from crystalvision.training._preprocess import InputConfig
from crystalvision.training._schedule import Schedule

Precision = Literal["32", "bf16", "16"]


def _accept_bits(value: object) -> object:
    """YAML reads `32` as a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class Experiment(Config):
    """What `crystalvision train` runs.

    Attributes:
        system: Branches, fusion and final head.
        input: How patterns are prepared.
        augment: `dihedral` turns and mirrors the images of phases that train a branch.
        schedule: A preset, a changed preset, or a list of phases.
        precision: `32`; or `bf16` or `16`, in which a GPU multiplies matrices several times as
            fast, with weights kept in 32 bits.
        seed: Draws the first weights, the order of the patterns, augmentation and dropout.
    """

    system: SystemConfig
    input: InputConfig = InputConfig()
    augment: Literal["dihedral", "none"] = "none"
    schedule: Schedule
    precision: Annotated[Precision, BeforeValidator(_accept_bits)] = "32"
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0


def load_experiment(
    source: str,
    catalogue: Catalogue,
    *,
    overrides: Iterable[str] = (),
    seed: int | None = None,
) -> Experiment:
    """Read an experiment.

    Args:
        source: The path of a YAML file, or the name of an experiment that a plugin ships.
        catalogue: Where names are looked up.
        overrides: `key=value` texts, as `--set` takes them.
        seed: Replaces the experiment's seed.

    Raises:
        InputError: No such file or name, or a setting that is wrong.
    """
    path = Path(source)
    if path.suffix not in {".yaml", ".yml"} and not path.is_file():
        path = _shipped(source, catalogue)
    data = apply_overrides(load_yaml(path), overrides)
    if seed is not None:
        data["seed"] = seed
    return validate(Experiment, data, source)


def _shipped(name: str, catalogue: Catalogue) -> Path:
    try:
        return catalogue.path("experiment", name)
    except InputError as error:
        raise InputError(f"{error}; or give the path of a .yaml file") from error
