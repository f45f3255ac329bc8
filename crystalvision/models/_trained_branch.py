"""Reads the weights of a branch out of a run's folder; the run itself is not loaded."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from crystalvision.config import load_yaml, validate
from crystalvision.contracts import Target
from crystalvision.datasets import Conditions
from crystalvision.errors import InputError
from crystalvision.models._branch import Branch
from crystalvision.models._config import BranchConfig, SystemConfig
from crystalvision.ordinary_files import check_ordinary

_RECORD, _WEIGHTS = "run.yaml", "weights.safetensors"


@dataclass(frozen=True, slots=True)
class TrainedBranch:
    """A branch as a run left it.

    Attributes:
        config: Its backbone and head.
        state: Its weights; their keys begin with `backbone.` or `head.`.
    """

    config: BranchConfig
    state: dict[str, torch.Tensor]

    def part(self, name: str) -> dict[str, torch.Tensor]:
        """The weights of its `backbone` or its `head`, under their own keys."""
        prefix = f"{name}."
        return {
            key.removeprefix(prefix): value
            for key, value in self.state.items()
            if key.startswith(prefix)
        }


@dataclass(frozen=True, slots=True)
class TrainedOn:
    """What a run was trained on, as far as weights that are taken from it depend on that.

    Attributes:
        run: Its folder.
        conditions: How its patterns were recorded.
        targets: What it tells, by name.
    """

    run: str
    conditions: Conditions
    targets: Mapping[str, Target]


def read_trained_branch(weights: str, instead: str = "") -> TrainedBranch:
    """The branch that `RUN#BRANCH` names.

    Args:
        weights: The run's folder and the name of one of its branches; the folder alone where the
            run has but one.
        instead: What else may stand there, for the error.

    Raises:
        InputError: No such run or branch, or its weights cannot be read.
    """
    folder, branch = _taken_apart(weights)
    if not Path(folder).is_dir():
        what = f"file or run; expected {instead}" if instead else "run; expected "
        raise InputError(
            f"weights={weights}: no such {what}RUN#BRANCH such as runs/first#classifier"
        )
    record = _record(Path(folder))
    system = _system(weights, Path(folder), record)
    branches = list(system.branches)
    if not branch and len(branches) == 1:
        branch = branches[0]
    if branch not in branches:
        choices = " or ".join(f"{folder}#{each}" for each in branches)
        what = f"the run has no branch '{branch}'" if branch else "it has several branches"
        raise InputError(f"weights={weights}: {what}; expected {choices}")
    prefix = f"branches.{branch}."
    state = {
        key.removeprefix(prefix): value
        for key, value in _read(Path(folder) / _WEIGHTS).items()
        if key.startswith(prefix)
    }
    return TrainedBranch(system.branches[branch], state)


def trained_on(weights: str) -> TrainedOn | None:
    """What the run that `RUN#BRANCH` names was trained on; `None` where that is no run of ours.

    Raises:
        InputError: Its record cannot be read.
    """
    folder = Path(_taken_apart(weights)[0])
    if not (folder / _RECORD).is_file():
        return None
    record = _record(folder)
    try:
        conditions = Conditions.model_validate(record["conditions"])
        targets = {name: Target.model_validate(one) for name, one in record["targets"].items()}
        return TrainedOn(str(folder), conditions, targets)
    except (AttributeError, KeyError, TypeError, ValueError):  # the record of another version
        return None


def _taken_apart(weights: str) -> tuple[str, str]:
    """The folder and the branch of `RUN#BRANCH`; "" for the branch of a folder alone."""
    if "#" in weights and not Path(weights).is_dir():
        folder, _, branch = weights.rpartition("#")
        return folder, branch
    return weights, ""


def load_trained_branch(branch: Branch, config: BranchConfig) -> None:
    """Give a branch the weights, of backbone and head, that its description names.

    Raises:
        InputError: No such weights, or of another backbone or head.
    """
    if config.weights is None:
        return
    trained = read_trained_branch(config.weights)
    for kind in ("backbone", "head"):
        mine, other = getattr(config, kind).name, getattr(trained.config, kind).name
        if mine != other:
            raise InputError(
                f"branch '{branch.name}' has the {kind} '{mine}', but that of "
                f"{config.weights}, with whose weights it is to begin, has '{other}'; give it the "
                f"same{_only_the_backbone(kind)}"
            )
    _check(branch, config.weights, trained.state)
    branch.load_state_dict(trained.state)


def _only_the_backbone(kind: str) -> str:
    if kind == "backbone":
        return ", or leave `weights` out"
    return ", or begin with the backbone alone: move `weights` into the backbone's options"


def _check(branch: Branch, source: str, found: dict[str, torch.Tensor]) -> None:
    expected = branch.state_dict()
    for key in sorted(expected.keys() | found.keys()):
        mine, other = (
            tuple(state[key].shape) if key in state else "none" for state in (expected, found)
        )
        if mine != other:
            raise InputError(
                f"branch '{branch.name}' cannot begin with the weights of {source}: '{key}' has "
                f"shape {other} there and {mine} here; options of backbone and head, channels and "
                "number of classes must be the same"
            )


def _record(folder: Path) -> dict[str, Any]:
    record = folder / _RECORD
    if not record.is_file():
        raise InputError(f"{folder} is no run: it has no {_RECORD}")
    return load_yaml(record)


def _system(weights: str, folder: Path, record: Mapping[str, Any]) -> SystemConfig:
    experiment = record.get("experiment")
    system = experiment.get("system") if isinstance(experiment, dict) else None
    if not isinstance(system, dict):
        raise InputError(
            f"{folder / _RECORD} describes no system; expected what crystalvision train writes"
        )
    if "branches" not in system:
        raise InputError(
            f"weights={weights}: that run has a classical system, and so no backbone; expected a "
            "run that trained a network"
        )
    return validate(SystemConfig, system, str(folder / _RECORD))


def _read(path: Path) -> dict[str, torch.Tensor]:
    try:
        check_ordinary(path)
        return load_file(path)
    except (SafetensorError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"{path} cannot be read as weights: {reason}") from error
