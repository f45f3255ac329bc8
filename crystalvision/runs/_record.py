"""What `run.yaml` holds: everything that is needed to use a trained system again."""

import hashlib
import json
import platform
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import torch

from crystalvision.config import Config, Part
from crystalvision.contracts import Target
from crystalvision.datasets import Conditions, Dataset
from crystalvision.models import LABEL, SEVERITY, ClassicalConfig
from crystalvision.plugins import SESSION, Catalogue
from crystalvision.training import AnyExperiment, PhaseRecord

FORMAT: Literal[2] = 2
SPLITS = ("train", "validation", "test")
PartKind = Literal["input", "backbone", "head", "fusion", "task", "feature", "estimator"]


class DatasetRecord(Config):
    """The dataset that a system was trained on.

    Attributes:
        path: Where it was.
        identity: Its identity, so that a copy elsewhere is recognised.
        samples: How many patterns it had.
        recipe: What it was made by.
        recipe_hash: SHA-256 of that, as JSON with sorted keys.
        command: What makes it from the recipe, saved as `recipe.yaml`; empty where nothing does,
            `None` where the run does not say.
    """

    path: str
    identity: str
    samples: int
    recipe: dict[str, Any]
    recipe_hash: str = ""
    command: str | None = None


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
    """
    header = dataset.header
    return RunRecord(
        experiment=experiment,
        dataset=dataset_record(dataset),
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


def _with_severity(told: Mapping[str, Target], known: Mapping[str, Target]) -> dict[str, Target]:
    """What a system tells, and the severity that follows from classes that have one."""
    follows = SEVERITY in known and LABEL in told and told[LABEL].class_severities
    return dict(told) if not follows else {**told, SEVERITY: known[SEVERITY]}


def splits_of(dataset: Dataset) -> dict[int, str]:
    """The split of each sample: index → "train" and so on."""
    return {int(index): name for name in SPLITS for index in dataset.split(name)}


def dataset_record(dataset: Dataset) -> DatasetRecord:
    """What a run remembers of its dataset."""
    recipe = json.dumps(dict(dataset.header.recipe), sort_keys=True, default=str)
    return DatasetRecord(
        path=str(dataset.path),
        identity=dataset.identity,
        samples=len(dataset),
        recipe=dict(dataset.header.recipe),
        recipe_hash=hashlib.sha256(recipe.encode()).hexdigest(),
        command=dataset.header.command,
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
