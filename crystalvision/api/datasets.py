"""Datasets that show themselves, and making them."""

from base64 import b64encode
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from crystalvision import datasets
from crystalvision.api.cards import write_card_or_say
from crystalvision.api.clusters import one_cluster
from crystalvision.api.session import Changes, Session, apply_changes
from crystalvision.console import err, progress
from crystalvision.sources import (
    Cluster,
    Source,
    SourceSpec,
    find_recipe,
    generate,
    read_recipe,
    source_of,
)
from crystalvision.training import choose_device

if TYPE_CHECKING:
    import pandas as pd

_LONG = 3600.0  # s: what takes longer is announced


class Dataset(datasets.Dataset):
    """A dataset on the disk that shows itself in a notebook."""

    @property
    def table(self) -> "pd.DataFrame":
        """What is known of each sample, its class by name: a row for each."""
        import pandas as pd

        columns = {name: self.column(name) for name in self.header.columns}
        names = self.header.class_names
        known = {"class": [names[label] for label in columns["label"]], **columns}
        return pd.DataFrame(known).rename_axis("sample")

    def __repr__(self) -> str:
        header = self.header
        shape = " × ".join(map(str, header.image_shape))
        return (
            f"Dataset({str(self.path)!r}): {len(self)} patterns of {shape} {header.dtype}, "
            f"{len(header.class_names)} classes: {', '.join(header.class_names)}"
        )

    def _repr_html_(self) -> str:
        from crystalvision.cards import figure_png

        picture = b64encode(figure_png(self)).decode()
        alt = escape(f"Patterns of each class of {self.path.name}, and what is known of them")
        return (
            f"<p>{escape(repr(self))}</p>"
            f'<img src="data:image/png;base64,{picture}" alt="{alt}" style="max-width: 50rem">'
        )


@dataclass(frozen=True, slots=True)
class PlannedDataset:
    """A dataset that can be made: its recipe has been checked.

    Attributes:
        spec: What makes it.
        source: The same, open.
    """

    spec: SourceSpec
    source: Source

    @property
    def samples(self) -> int:
        """Number of samples."""
        return self.source.header.samples

    def make(
        self, path: Path, *, resume: bool, overwrite: bool, cluster: Cluster | None = None
    ) -> None:
        """Make it, or what is missing of it, telling how that proceeds.

        Raises:
            InputError: The place is taken.
            StorageError: The disk refuses.
        """
        mode = datasets.mode_of(resume=resume, overwrite=overwrite)
        cost = self.source.cost
        if cost is not None and cost.seconds > _LONG:
            err.print(f"this takes {cost}, by an estimate", soft_wrap=True)
        for note in self.source.notes:
            err.print(f"note: {note}", soft_wrap=True)
        with progress("Simulating", self.samples) as advance:
            generate(
                self.spec, path, mode=mode, cluster=cluster, source=self.source, advance=advance
            )


def plan_dataset(
    recipe: str | Path | Mapping[str, Any],
    *,
    samples: int | None = None,
    seed: int | None = None,
    set: Changes = (),  # noqa: A002 - the word that the command has
    device: str = "cpu",
    session: Session | None = None,
) -> PlannedDataset:
    """Check what is to be made; see `simulate`.

    Raises:
        InputError: The recipe is wrong.
    """
    session = session or Session.here()
    numbers = {"samples": samples, "seed": seed}
    given = [f"{key}={value}" for key, value in numbers.items() if value is not None]
    spec = spec_of(recipe, set, given, device=device, session=session)
    return PlannedDataset(spec, spec.open(session.catalogue))


def spec_of(
    recipe: str | Path | Mapping[str, Any], *changes: Changes, device: str, session: Session
) -> SourceSpec:
    """What makes a dataset, not yet opened.

    Args:
        recipe: Name of a shipped recipe, path of a YAML file, or the recipe itself.
        *changes: Values of the recipe to change.
        device: Where to render: `cpu`, `cuda` or `auto`.
        session: Who asks.

    Raises:
        InputError: There is no such recipe, source or device.
    """
    parts, where = session.catalogue, "recipe"
    if isinstance(recipe, Mapping):
        data = dict(recipe)
        name = where
    else:
        name = str(recipe)
        path = find_recipe(name, parts)
        data, where = read_recipe(path, parts), str(path)
    for each in changes:
        data = apply_changes(data, each, where)
    source = source_of(data, name, parts)
    return SourceSpec(
        source,
        data,
        str(choose_device(device)),
        plugins=session.selection,
        described_in=where,
    )


def simulate(
    recipe: str | Path | Mapping[str, Any],
    path: str | Path,
    *,
    samples: int | None = None,
    seed: int | None = None,
    set: Changes | None = None,  # noqa: A002 - the word that the command has
    device: str = "cpu",
    workers: int | None = None,
    scheduler: str | None = None,
    resume: bool = False,
    overwrite: bool = False,
    card: bool = True,
) -> Dataset:
    """Make a dataset of labelled patterns, as `crystalvision simulate` does.

    Args:
        recipe: Name of a shipped recipe, path of a YAML file, or the recipe itself.
        path: Where the dataset goes, such as `data.zarr`.
        samples: Number of patterns, instead of the recipe's.
        seed: Seed, instead of the recipe's.
        set: Values of the recipe to change, by path: `{"instrument.dose_electrons": 1e5}`.
        device: Where to render: `cpu`, `cuda` or `auto`.
        workers: Worker processes; by default this one makes the patterns, on every core.
        scheduler: Address of a Dask cluster that makes them, such as `tcp://node1:8786`.
        resume: Go on with a dataset that was interrupted.
        overwrite: Replace the dataset that is there.
        card: Write the dataset's card into it.

    Returns:
        The dataset.

    Raises:
        InputError: The recipe is wrong, or the place is taken.
        StorageError: The disk refuses.
    """
    datasets.mode_of(resume=resume, overwrite=overwrite)
    planned = plan_dataset(recipe, samples=samples, seed=seed, set=set or {}, device=device)
    path = Path(path)
    with ExitStack() as stack:
        cluster = stack.enter_context(one_cluster(workers, scheduler, planned.spec.device))
        planned.make(path, resume=resume, overwrite=overwrite, cluster=cluster)
    if card:
        write_card_or_say(path)
    return Dataset.open(path)


def open_data(
    data: datasets.Dataset | str | Path, subset: str | npt.ArrayLike | None = None
) -> datasets.Dataset:
    """A dataset, or the one at a path; or some of its samples, see `Dataset.subset`.

    Raises:
        InputError: There is none, or there are no such samples.
    """
    dataset = data if isinstance(data, datasets.Dataset) else datasets.Dataset.open(data)
    return dataset if subset is None else dataset.subset(subset)
