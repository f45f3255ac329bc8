"""What `run.yaml` holds: everything that is needed to use a trained system again."""

import hashlib
import json
import platform
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from crystalvision.config import Config, Part
from crystalvision.contracts import Target
from crystalvision.datasets import Conditions, Dataset, Origin, Provenance, Simulated, origins
from crystalvision.models import LABEL, SEVERITY, ClassicalConfig
from crystalvision.plugins import SESSION, Catalogue
from crystalvision.training import AnyExperiment, PhaseRecord

FORMAT: Literal[2] = 2
SPLITS = ("train", "validation", "test")
PartKind = Literal["input", "backbone", "head", "fusion", "task", "feature", "estimator"]


class SubsetRecord(Config):
    """Samples of a dataset.

    Attributes:
        samples: How many.
        sha256: Of their indices, ascending, as little-endian int64.
    """

    samples: int
    sha256: str

    @classmethod
    def of(cls, dataset: Dataset) -> "SubsetRecord | None":
        """What a run remembers of a subset; nothing of a whole dataset."""
        chosen = dataset.chosen
        if chosen is None:
            return None
        numbers = np.sort(chosen).astype("<i8").tobytes()
        return cls(samples=len(chosen), sha256=hashlib.sha256(numbers).hexdigest())


class OnlineRecord(Config):
    """What made samples while a system trained.

    Attributes:
        samples: Samples of an epoch: epoch e, counted through all phases, had those from e times
            as many.
        made: Their source, recipe and seed.
    """

    samples: int
    made: Simulated


class DatasetRecord(Config):
    """The dataset that a system was trained on.

    Attributes:
        path: Where it was.
        identity: Its identity, so that a copy elsewhere is recognised.
        samples: How many patterns it had.
        provenance: Where its samples were made.
        subset: Which of them it was trained on, if not all.
        online: What made the samples that it learnt from instead, if any did.
    """

    path: str
    identity: str
    samples: int
    provenance: Provenance
    subset: SubsetRecord | None = None
    online: OnlineRecord | None = None

    @property
    def name(self) -> str:
        """What its maker calls it, or nothing."""
        return self.provenance.name

    @property
    def recipe(self) -> dict[str, Any]:
        """What it was made by, as a person reads it."""
        return self.provenance.shown()

    @property
    def recipe_hash(self) -> str:
        """SHA-256 of that, as JSON with sorted keys."""
        text = json.dumps(self.recipe, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def origins(self) -> dict[str, Origin]:
        """Identity → where samples that it was trained, validated or tested on were made."""
        known = origins(self.identity, self.provenance)
        return known if self.online is None else known | origins("online", self.online.made)


class PluginRecord(Config):
    """A plugin's thing that the system uses, and who gave it.

    Attributes:
        kind: Such as "backbone".
        name: Its name as the experiment wrote it.
        distribution: The distribution, or the path of a single file.
        version: The distribution's version; of a single file, what tells its content.
    """

    kind: PartKind
    name: str
    distribution: str
    version: str

    @property
    def how_to_get(self) -> str:
        """What the user can do to have it again."""
        if self.distribution == SESSION:
            return (
                "define it again in this session, and then: "
                f"crystalvision.register({self.kind}={{'{self.name}': ...}})"
            )
        if self.distribution.endswith(".py"):
            return f"load it with -p {self.distribution}"
        return f"install it with: pip install '{self.distribution}'"


class AdaptedRecord(Config):
    """To what the batch statistics of a run were adapted after its training.

    Attributes:
        run: The run that it was before.
        sources: What the patterns are called, as far as they fit a line.
        patterns: How many they were.
        prior: How many patterns the trained statistics counted as.
    """

    run: str
    sources: tuple[str, ...]
    patterns: int
    prior: int


class RunRecord(Config):
    """A run.

    Attributes:
        format: Version of this layout.
        experiment: The experiment with everything filled in.
        dataset: What it was trained on.
        targets: What it says something of, by name: what it was trained to tell, and what follows
            from that.
        image_shape: Shape (c, *grid) of the raw patterns, before binning.
        calibration: Axes of the patterns.
        conditions: How they were recorded.
        plugins: Who gave the parts.
        phases: How the training went.
        training_seconds: Wall time of the training [s].
        device: `cpu` or the GPU's name.
        environment: Versions of the software.
        processes: How many processes trained together.
        command: The command line, or nothing where Python called.
        git_revision: Commit of the toolkit where it runs from a checkout, with "+" if files differ
            from it; or "".
        adapted: To what it was adapted since, if it was.
    """

    format: Literal[2] = FORMAT
    experiment: AnyExperiment
    dataset: DatasetRecord
    targets: dict[str, Target]
    image_shape: tuple[int, ...]
    calibration: tuple[dict[str, Any], ...]
    conditions: Conditions
    plugins: tuple[PluginRecord, ...]
    phases: tuple[PhaseRecord, ...]
    training_seconds: float
    device: str
    environment: dict[str, str]
    processes: int = 1
    command: tuple[str, ...] = ()
    git_revision: str = ""
    adapted: AdaptedRecord | None = None

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes of `label`; empty where it is not told."""
        return self.targets[LABEL].classes if LABEL in self.targets else ()

    @property
    def class_severities(self) -> tuple[float, ...]:
        """Severity of each of them; empty where they have none."""
        return self.targets[LABEL].class_severities if LABEL in self.targets else ()


def record_of(
    experiment: AnyExperiment,
    dataset: Dataset,
    plugins: tuple[PluginRecord, ...],
    phases: Sequence[PhaseRecord],
    targets: Mapping[str, Target],
    *,
    seconds: float,
    command: Sequence[str],
    device: str = "cpu",
    processes: int = 1,
    online: OnlineRecord | None = None,
) -> RunRecord:
    """The record of what was trained here and now.

    Args:
        experiment: What was trained.
        dataset: What it was trained on.
        plugins: Who gave the parts.
        phases: How the training went.
        targets: What the system tells, by name.
        seconds: How long it took [s].
        command: The command line, or nothing.
        device: `cpu` or the GPU's name.
        processes: Processes that trained together.
        online: What made the samples that it learnt from, if not the dataset.
    """
    header = dataset.header
    return RunRecord(
        experiment=experiment,
        dataset=dataset_record(dataset, online),
        targets=_with_severity(targets, header.targets),
        image_shape=header.image_shape,
        calibration=tuple(axis.model_dump(mode="json") for axis in header.axes),
        conditions=Conditions.of_dataset(dataset),
        plugins=plugins,
        phases=tuple(phases),
        training_seconds=seconds,
        device=device,
        environment=environment(),
        processes=processes,
        command=tuple(command),
        git_revision=git_revision(),
    )


def _with_severity(learnt: Mapping[str, Target], known: Mapping[str, Target]) -> dict[str, Target]:
    """What a system tells, and the severity that follows from classes that have one."""
    follows = SEVERITY in known and LABEL in learnt and learnt[LABEL].class_severities
    return dict(learnt) if not follows else {**learnt, SEVERITY: known[SEVERITY]}


def splits_of(dataset: Dataset) -> dict[int, str]:
    """The split of each sample, by its index in the whole dataset: index → "train" and so on."""
    return {int(index): name for name in SPLITS for index in dataset.numbers(dataset.split(name))}


def dataset_record(dataset: Dataset, online: OnlineRecord | None = None) -> DatasetRecord:
    """What a run remembers of its dataset."""
    return DatasetRecord(
        path=str(dataset.path),
        identity=dataset.identity,
        samples=len(dataset),
        provenance=dataset.header.provenance,
        subset=SubsetRecord.of(dataset),
        online=online,
    )


def plugin_records(
    experiment: AnyExperiment, catalogue: Catalogue, targets: Mapping[str, Target]
) -> tuple[PluginRecord, ...]:
    """Who gives each part of an experiment's input and system, and the tasks of its targets.

    Raises:
        InputError: A part that does not exist.
    """
    records: dict[tuple[str, str], PluginRecord] = {}
    parts = parts_of(experiment)
    parts += [("task", Part.of(target.task)) for target in targets.values()]
    for kind, part in parts:
        plugin = catalogue.entry(kind, part.name).plugin
        records[kind, part.name] = PluginRecord(
            kind=kind,
            name=part.name,
            distribution=plugin.distribution,
            version=plugin.version or _content(plugin.distribution),
        )
    return tuple(records.values())


def _content(file: str) -> str:
    """What tells the content of a single file from others."""
    try:
        return f"sha256:{hashlib.sha256(Path(file).read_bytes()).hexdigest()[:12]}"
    except OSError:  # a plugin that was registered without a file
        return ""


def parts_of(experiment: AnyExperiment) -> list[tuple[PartKind, Part]]:
    """Every part that an experiment's input and system name, with its kind."""
    parts: list[tuple[PartKind, Part]] = [("input", part) for part in experiment.input]
    system = experiment.system
    if isinstance(system, ClassicalConfig):
        parts += [("feature", part) for part in system.features]
        return [*parts, ("estimator", system.estimator)]
    for branch in system.branches.values():
        parts += [("input", part) for part in branch.input]
        parts += [("backbone", branch.backbone), ("head", branch.head)]
    parts.append(("fusion", system.fusion))
    if system.head is not None:
        parts.append(("head", system.head))
    return parts


def environment() -> dict[str, str]:
    """Versions of what decides the numbers of a training."""
    packages = ("crystalvision", "lightning", "numpy", "scikit-image", "scikit-learn", "zarr")
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        **{name: version(name) for name in packages},
        "torch": str(torch.__version__),  # with the CUDA version, unlike its metadata
        "threads": str(torch.get_num_threads()),  # weights repeat for one number of them only
    }


def git_revision() -> str:
    """The commit that this toolkit is checked out at, "+" if its files differ; or ""."""
    folder = Path(__file__).resolve().parents[2]
    if not (folder / ".git").exists():
        return ""
    try:
        commit, changes = (
            subprocess.run(  # noqa: S603 - the arguments are written here, none is a user's
                ["git", "-C", str(folder), *arguments],  # noqa: S607 - wherever the user has git
                check=True,
                capture_output=True,
                text=True,
                timeout=10,
            ).stdout.strip()
            for arguments in (("rev-parse", "HEAD"), ("status", "--porcelain", "-uno"))
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return commit + ("+" if changes else "")
