"""Reads weights from files and from run folders, without unpickling anything."""

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from crystalvision.errors import InputError

_PYTORCH = (".pth", ".pt", ".bin")

_WRAPPERS = ("state_dict", "model")
"""Under these keys, training scripts save weights beside other things."""


def read_file(path: Path) -> dict[str, torch.Tensor]:
    """The weights in a file.

    Args:
        path: A `.safetensors` file, or a `.pth`, `.pt` or `.bin` file of a state dict.

    Raises:
        InputError: Another kind of file, a damaged one, or one that holds more than tensors.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        if path.suffix in _PYTORCH:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # of unusual pickles: see below
                content = torch.load(path, map_location="cpu", weights_only=True)
            return _state(path, content)
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path} is damaged or holds more than weights, and nothing is unpickled: save the "
            "state dict alone, best with safetensors"
        ) from error
    except (SafetensorError, OSError, RuntimeError, EOFError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"{path} cannot be read as weights: {reason}") from error
    raise InputError(f"{path}: expected a file .safetensors, or a state dict {', '.join(_PYTORCH)}")


def _state(path: Path, content: Any) -> dict[str, torch.Tensor]:
    for wrapper in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping) or not all(
        isinstance(value, torch.Tensor) for value in content.values()
    ):
        raise InputError(f"{path} holds no state dict: expected names with their tensors")
    return dict(content)


def read_branch(weights: str) -> dict[str, torch.Tensor]:
    """The weights of a backbone in a run.

    Args:
        weights: `RUN#BRANCH`: the run's folder and the name of one of its branches; the folder
            alone where the run has but one.

    Raises:
        InputError: No such run or branch.
    """
    from crystalvision.models import SystemConfig
    from crystalvision.runs import load_record

    folder, branch = weights, ""
    if "#" in weights and not Path(weights).is_dir():
        folder, _, branch = weights.rpartition("#")
    if not Path(folder).is_dir():
        raise InputError(
            f"weights={weights}: no such file or run; expected imagenet, the path of a file "
            ".safetensors or .pth, or RUN#BRANCH such as runs/first#classifier"
        )
    system = load_record(Path(folder)).experiment.system
    if not isinstance(system, SystemConfig):
        raise InputError(
            f"weights={weights}: that run has a classical system, and so no backbone; expected a "
            "run that trained a network"
        )
    branches = list(system.branches)
    if not branch and len(branches) == 1:
        branch = branches[0]
    if branch not in branches:
        choices = " or ".join(f"{folder}#{each}" for each in branches)
        what = f"the run has no branch '{branch}'" if branch else "it has several branches"
        raise InputError(f"weights={weights}: {what}; expected {choices}")
    prefix = f"branches.{branch}.backbone."
    state = read_file(Path(folder) / "weights.safetensors")
    return {
        key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)
    }
