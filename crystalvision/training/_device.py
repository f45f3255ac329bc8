"""Devices, and random numbers that nobody passes in."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from crystalvision.errors import InputError


def choose_device(name: str) -> torch.device:
    """The device called `cpu`, `cuda` or `auto` (`cuda` where there is one).

    Raises:
        InputError: Another name, or `cuda` where there is none.
    """
    if name not in {"cpu", "cuda", "auto"}:
        raise InputError(f"--device {name}: expected cpu, cuda or auto")
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: torch finds no CUDA device here; use --device cpu")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


@contextmanager
def seeded(*seed: int) -> Iterator[None]:
    """Seed torch's global generators, and put them back as they were afterwards.

    First weights and dropout draw from those generators and take no other.
    """
    # Asking a GPU for its state would start it, also where nothing is to run on it.
    awake: bool = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]  # torch types it not
    gpus = range(torch.cuda.device_count()) if awake else ()
    with torch.random.fork_rng(devices=gpus):
        torch.manual_seed(derive(*seed))
        yield


def derive(*seed: int) -> int:
    """One seed from several whole numbers."""
    return int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0] >> np.uint64(1))
