"""Datasets that show themselves, and making them."""

from base64 import b64encode
from collections.abc import Mapping
from contextlib import ExitStack
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from crystalvision import datasets
from crystalvision.api._session import catalogue
from crystalvision.cards import write_card
from crystalvision.cli.console import progress
from crystalvision.config import apply_settings
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision.sources import (
    Cluster,
    SourceSpec,
    find_recipe,
    generate,
    read_recipe,
    source_of,
)
from crystalvision.training import choose_device

if TYPE_CHECKING:
    import pandas as pd


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


def simulate(
    recipe: str | Path | Mapping[str, Any],
    path: str | Path,
    *,
    samples: int | None = None,
    seed: int | None = None,
    set: Mapping[str, Any] | None = None,  # noqa: A002 - the word that the command has
    device: str = "cpu",
    workers: int | None = None,
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
        resume: Go on with a dataset that was interrupted.
        overwrite: Replace the dataset that is there.
        card: Write the dataset's card into it.

    Returns:
        The dataset.

    Raises:
        InputError: The recipe is wrong, or the place is taken.
        StorageError: The disk refuses.
    """
    if resume and overwrite:
        raise InputError("resume and overwrite exclude each other: go on, or start anew")
    parts = catalogue()
    spec = _spec(recipe, {"samples": samples, "seed": seed, **(set or {})}, parts, device)
    source = spec.open(parts)
    mode: Literal["create", "resume", "overwrite"] = "create"
    if resume or overwrite:
        mode = "resume" if resume else "overwrite"
    with ExitStack() as stack:
        cluster = None
        if workers is not None:
            cluster = stack.enter_context(Cluster.local(workers, device=spec.device))
        advance = stack.enter_context(progress("Simulating", source.header.samples))
        generate(spec, path, mode=mode, cluster=cluster, source=source, advance=advance)
    if card:
        write_card(path)
    return Dataset.open(path)


def _spec(
    recipe: str | Path | Mapping[str, Any],
    settings: Mapping[str, Any],
    parts: Catalogue,
    device: str,
) -> SourceSpec:
    if isinstance(recipe, Mapping):
        data, where = dict(recipe), "recipe"
    else:
        where = str(recipe)
        data = read_recipe(find_recipe(where, parts), parts)
    given = {key: value for key, value in settings.items() if value is not None}
    data = apply_settings(data, given, where)
    name = source_of(data, where, parts)
    return SourceSpec(name, data, str(choose_device(device)), described_in=where)
