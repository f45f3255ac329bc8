"""The datasets of a suite: what makes them, and making them."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from crystalvision.benchmarks._cells import Cell
from crystalvision.benchmarks._folder import BenchmarkFolder
from crystalvision.benchmarks._suite import DatasetPlan, Samples, Suite
from crystalvision.config import apply_settings
from crystalvision.datasets import Dataset, DatasetHeader, DatasetWriter, SplitSettings
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue, PluginSelection
from crystalvision.sources import (
    Cluster,
    Source,
    SourceSpec,
    find_recipe,
    generate,
    read_recipe,
    source_of,
)
from crystalvision.storage import disk_errors, whole_folder


@dataclass(frozen=True, slots=True)
class SimulatedDataset:
    """A dataset that a source makes.

    Attributes:
        name: Name in the suite.
        role: "train" or "test".
        spec: What makes it.
        source: The same, open.
        split: How it is split.
    """

    name: str
    role: str
    spec: SourceSpec
    source: Source
    split: SplitSettings

    @property
    def header(self) -> DatasetHeader:
        """What the dataset will say of itself; finding out may take seconds."""
        return self.source.header


@dataclass(frozen=True, slots=True)
class ImportedDataset:
    """A dataset that is there, to test on.

    Attributes:
        name: Name in the suite.
        path: Where it is.
        header: What it says of itself.
        role: "test".
    """

    name: str
    path: Path
    header: DatasetHeader
    role: str = "test"


SuiteDataset: TypeAlias = SimulatedDataset | ImportedDataset


def open_sources(
    suite: Suite,
    cells: list[Cell],
    catalogue: Catalogue,
    selection: PluginSelection,
    device: str,
) -> dict[tuple[str, str], SuiteDataset]:
    """What makes the datasets that the cells use, by name and role.

    Raises:
        InputError: A recipe is wrong, or its source is unknown.
    """
    used: dict[tuple[str, str], None] = {}
    for cell in cells:
        used |= {(cell.key.dataset, "train"): None}
        used |= {(name, "test"): None for name in cell.tests}
    return {
        (name, role): _made(suite, name, role, catalogue, selection, device)
        for name, role in sorted(
            used, key=lambda each: (list(suite.datasets).index(each[0]), each[1])
        )
    }


def make_dataset(
    made: SuiteDataset,
    place: BenchmarkFolder,
    plan: DatasetPlan,
    *,
    cluster: Cluster | None,
    advance: Callable[[int], object],
) -> None:
    """Make a dataset, or what is missing of it.

    One that is whole stays as it is, whichever versions of the software made it.

    Raises:
        InputError: Another dataset is there, or it cannot be made.
        StorageError: The disk refuses.
    """
    path = place.test_data(made.name)
    if made.role == "train" and plan.train is not None:
        path = place.training_data(made.name, plan, plan.train.samples)
    if _identity_at(path) == made.header.identity:
        advance(made.header.samples)
        return
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if made.role == "test":
            place.bound(made.name).unlink(missing_ok=True)  # it is of test data that are gone
    if isinstance(made, ImportedDataset):
        with whole_folder(path, overwrite=True) as partial, disk_errors(path):
            shutil.copytree(made.path, partial, copy_function=_link_or_copy, dirs_exist_ok=True)
        advance(made.header.samples)
        return
    generate(
        made.spec,
        path,
        mode="resume",
        cluster=cluster,
        source=made.source,
        split=made.split,
        advance=advance,
    )


def make_part(name: str, plan: DatasetPlan, size: int, place: BenchmarkFolder) -> None:
    """Make the dataset of which only so many patterns are trained on.

    It is the whole dataset, split so that the rest is in the part "test", which nothing reads.
    Smaller parts lie within larger ones.

    Raises:
        StorageError: The disk refuses.
    """
    if plan.train is None or size == plan.train.samples:
        return
    whole = place.training_data(name, plan, plan.train.samples)
    path = place.training_data(name, plan, size)
    share = size / plan.train.samples
    settings = SplitSettings(
        validation_share=plan.train.validation_share * share, test_share=1 - share
    )
    if _identity_at(path) == _identity_at(whole):
        return
    with whole_folder(path, overwrite=True) as partial:
        with disk_errors(path):
            # Shards never change, so their names may share the bytes.
            shutil.copytree(whole, partial, copy_function=_link_or_copy, dirs_exist_ok=True)
        with DatasetWriter.hold(partial, Dataset.open(partial).header) as writer:
            writer.split(settings)


def training_split(validation_share: float) -> SplitSettings:
    """The split of a dataset that is only trained on."""
    return SplitSettings(validation_share=validation_share, test_share=0)


def _identity_at(path: Path) -> str | None:
    """The identity of the dataset at a path, or `None` where there is no whole one."""
    try:
        return Dataset.open(path).identity
    except InputError:
        return None


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a disk without links
        shutil.copy2(source, target)


def _made(
    suite: Suite,
    name: str,
    role: str,
    catalogue: Catalogue,
    selection: PluginSelection,
    device: str,
) -> SuiteDataset:
    plan = suite.datasets[name]
    where = f"suite '{suite.name}', dataset '{name}'"
    if plan.path is not None and role == "test":
        try:
            return ImportedDataset(name, Path(plan.path), Dataset.open(plan.path).header)
        except InputError as error:
            raise InputError(
                f"{where}: {error}; name a dataset by --set datasets.{name}.path=DATA.zarr"
            ) from error
    samples: Samples | None = plan.train if role == "train" else plan.test
    if samples is None:
        raise InputError(f"{where} has no `{role}`")
    try:
        path = find_recipe(plan.recipe, catalogue)
        recipe = apply_settings(read_recipe(path, catalogue), plan.set, where)
        changes = {"samples": samples.samples, "seed": samples.seed}
        if plan.source is not None:
            recipe["source"] = plan.source
        source = source_of(recipe, plan.recipe, catalogue)
        spec = SourceSpec(source, {**recipe, **changes}, device, plugins=selection)
        opened = spec.open(catalogue)
    except InputError as error:
        raise InputError(f"{where}: {str(error).removeprefix(f'{where}, ')}") from error
    split = SplitSettings()
    if role == "train" and plan.train is not None:
        split = training_split(plan.train.validation_share)
    return SimulatedDataset(name, role, spec, opened, split)
