"""Reads weights from files, without unpickling anything."""

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from crystalvision.errors import InputError
from crystalvision.ordinary_files import check_ordinary

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
    check_ordinary(path)
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
