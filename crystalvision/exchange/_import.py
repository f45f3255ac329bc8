"""Makes a dataset of a folder of labelled images."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crystalvision.datasets import (
    Axis,
    Conditions,
    Dataset,
    DatasetWriter,
    Mode,
    check_place,
    doubts,
)
from crystalvision.errors import InputError
from crystalvision.exchange._check_images import Picture
from crystalvision.exchange._curves import CurveSettings
from crystalvision.exchange._frames import Frames
from crystalvision.exchange._plan import ImportPlan, plan_import
from crystalvision.exchange._selection import Begin, begin_nothing
from crystalvision.exchange._settings import ImportSettings
from crystalvision.measured_files import GapValues, Readers, is_list
from crystalvision.storage import disk_errors
from crystalvision.x_rays import stated_wavelength


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import made.

    Attributes:
        path: The dataset.
        samples: Number of samples.
        notes: What was left out or assumed, a line each.
        doubts: What makes the images a poor judge of a model, a line each; see `datasets.doubts`.
    """

    path: Path
    samples: int
    notes: tuple[str, ...]
    doubts: tuple[str, ...]


def import_folder(
    folder: Path | str,
    output: Path | str,
    *,
    pixel_size_inv_angstrom: float | tuple[float, float] | None = None,
    centre: tuple[float, float] | None = None,
    energy_kev: float | None = None,
    severities: Mapping[str, float] | None = None,
    learnt_severities: Mapping[str, float] | None = None,
    channels: int | None = None,
    page: int | None = None,
    gap_values: GapValues = None,
    name: str | None = None,
    mode: Mode = "create",
    readers: Readers | None = None,
    reader: str | None = None,
    axis: Axis | None = None,
    like: Conditions | None = None,
    wavelength_angstrom: float | None = None,
    anode: str | None = None,
    begin: Begin = begin_nothing,
) -> Imported:
    """Make a dataset of a folder of labelled images.

    The folder has a folder for each class, or a `labels.csv` that names the class of each file.
    Everything is checked before anything is written. Samples are in the order of the names of their
    files.

    Args:
        folder: The patterns: images, all of one shape and type, or curves. A file may hold several.
            Or a CSV file such as `labels.csv`, whose paths are relative to its folder.
        output: Where the dataset goes.
        pixel_size_inv_angstrom: Size of a pixel [1/Å], or that of rows (y) and of columns (x). A
            folder that was exported with `export_png` tells it itself, as do files that state it.
        centre: Row and column of the direct beam [pixels], from 0; by default half of the size.
        energy_kev: Energy of the electrons [keV].
        severities: Severity of each class, where there is no column `severity`.
        learnt_severities: Those that a run has learnt, by class: of images that are to judge it.
        channels: Channels of an image; by default 1.
        page: Which image of each file to take, from 0; by default each image is a sample.
        gap_values: Values that mark what the detector did not measure: such pixels are stored as 0
            and masked as not seen; `()` if every value is a count. By default images with such
            values are refused.
        name: Name of the dataset; by default that of the folder.
        mode: What to do with what is there already: refuse it, go on with it, or replace it.
        readers: What reads files; by default what is installed.
        reader: Name of the reader to use; by default the one that knows each file.
        axis: Axis of a dataset of curves, such as powder patterns; by default that of `like`, or
            else that which all have. Curves of others are brought onto it; see `Match.carry`.
        like: Conditions of a run or of a dataset, whose axes patterns are brought to, and curves to
            its wavelength: images may then differ in size and calibration.
        wavelength_angstrom: Wavelength of curves that do not state it [Å].
        anode: Anode of their X-ray tube, instead.
        begin: Told what begins and how many steps it has; what it returns is told of each.

    Raises:
        InputError: What is given or found in the folder is wrong, or the place is taken.
        StorageError: The disk refused.
    """
    folder, output = Path(folder), Path(output)
    labels = folder if folder.is_file() and is_list(folder) else None
    if labels is not None:
        folder = labels.parent
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "no such folder"
        raise InputError(
            f"{folder}: {what}; expected a folder of labelled images, or a CSV file that "
            "lists them in the columns file and class, with commas between"
        )
    if labels is None and output.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{output}: lies within the images' folder; choose a place beside it")
    check_place(output, mode)
    settings = ImportSettings(
        pixel_size_inv_angstrom,
        centre,
        energy_kev,
        severities,
        channels,
        name,
        page,
        gap_values,
        readers or Readers(),
        reader,
        CurveSettings(axis, stated_wavelength(wavelength_angstrom, anode), like),
        labels,
        learnt_severities,
    )
    with disk_errors(folder, "read"):
        plan = plan_import(folder, settings, begin)
    _write(plan, output, mode, begin)
    return Imported(output, plan.header.samples, plan.notes, tuple(doubts(Dataset.open(output))))


def _write(plan: ImportPlan, output: Path, mode: Mode, begin: Begin) -> None:
    with (
        DatasetWriter.open(output, plan.header, mode, plan.split) as writer,
        plan.frames() as frames,
    ):
        missing = writer.missing_shards()
        left = sum(len(writer.shard_indices(shard)) for shard in missing)
        advance = begin("writing", left)
        for shard in missing:
            indices = writer.shard_indices(shard)
            part = {name: rows[indices.start : indices.stop] for name, rows in plan.rows.items()}
            pictures = _pictures(plan, frames, indices)
            images = np.stack([picture.counts for picture in pictures])
            stored_seen = plan.header.seen
            masks = np.stack([picture.seen for picture in pictures])
            writer.write_shard(
                shard, images, part, masks if stored_seen and stored_seen.each_sample else None
            )
            advance(len(indices))
        writer.finish()


def _pictures(plan: ImportPlan, frames: Frames, indices: range) -> list[Picture]:
    """The images of some samples, the same as when they were checked."""
    pictures = []
    for index in indices:
        picture = plan.read(frames, plan.files[index])
        if picture.digest != plan.digests[index]:
            raise InputError(
                f"{plan.folder / plan.files[index]}: was changed while it was imported; run the "
                "same command again with --overwrite"
            )
        pictures.append(picture)
    return pictures
