"""What one of the further processes of a training does; it writes nothing."""

import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from crystalvision.datasets import Dataset
from crystalvision.errors import CrystalVisionError
from crystalvision.plugins import Catalogue, PluginSelection
from crystalvision.runs._train import train_run
from crystalvision.sources import SourceSpec
from crystalvision.training import Experiment, Machine, Online


def main() -> None:
    """Read the job from the standard input, and train until it is done or the input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started this process ends it
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_the_first, daemon=True).start()
    torch.set_num_threads(job["threads"])
    selection = PluginSelection(
        tuple(Path(file) for file in job["plugin_files"]), frozenset(job["blocked_plugins"])
    )
    machine = dict(job["machine"])
    try:
        dataset = Dataset.open(Path(job["dataset"]))
        train_run(
            Experiment.model_validate(job["experiment"]),
            dataset if job["subset"] is None else dataset.subset(job["subset"]),
            job["path"],
            catalogue=Catalogue.load(selection),
            machine=Machine(torch.device(machine.pop("device")), **machine),
            online=_online(job["online"], selection),
        )
    except CrystalVisionError as error:
        sys.exit(str(error))


def _online(settings: Mapping[str, Any] | None, selection: PluginSelection) -> Online | None:
    """What makes samples while it trains, if anything does."""
    if settings is None:
        return None
    spec = SourceSpec(settings["source"], settings["recipe"], settings["device"], plugins=selection)
    return Online(spec, settings["samples"], settings["workers"])


def _end_with_the_first() -> None:
    sys.stdin.read()
    os._exit(1)  # whatever a collective operation may be waiting for
