"""Everything about an import but the writing: the folder is read, and every image is checked."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from crystalvision.config import validate
from crystalvision.datasets import (
    SPECIMEN,
    SPECIMEN_COLUMN,
    Axis,
    Column,
    DatasetHeader,
    Imported,
    SplitSettings,
    defect_columns,
    digest,
)
from crystalvision.errors import InputError
from crystalvision.exchange._calibration import axes_of, pair
from crystalvision.exchange._check_images import (
    ImageReader,
    Kind,
    PictureReader,
    check_headers,
    read_digests,
    specimens_of,
)
from crystalvision.exchange._curves import CurveSettings, check_curves
from crystalvision.exchange._document import DOCUMENT, ExportDocument, read_document
from crystalvision.exchange._file_digests import FILE_DIGEST, FILE_DIGEST_COLUMN, file_digests
from crystalvision.exchange._frames import Frames
from crystalvision.exchange._images import (
    StatedPixels,
    check_images_like,
    stated_axes,
)
from crystalvision.exchange._labels_csv import list_labels_csv
from crystalvision.exchange._listing import Listing, list_class_folders
from crystalvision.exchange._png import LABELS
from crystalvision.exchange._selection import Begin, Rows
from crystalvision.exchange._settings import (
    ImportSettings,
    carried_notes,
    exported_from,
    import_notes,
    recorded_of,
    settings_record,
    unused_notes,
)
from crystalvision.exchange._severities import class_severities, severities_of
from crystalvision.measured_files import notes_text
from crystalvision.ordinary_files import text_of

_SHARD_BYTES = 8 * 2**20
_ENERGY = "energy_kev"


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """A dataset that can be written now.

    Attributes:
        folder: Where the images are.
        files: Their paths within it, in the order of the samples.
        read: Reads one, as it is stored.
        digests: SHA-256 (hex) of the pixels of each.
        header: What the dataset is to be.
        rows: Its columns, name → (samples,).
        split: How it is to be split; None for as usual.
        notes: What was left out or assumed, a line each.
        frames: Opens files as they were checked.
    """

    folder: Path
    files: tuple[str, ...]
    read: PictureReader
    digests: list[str]
    header: DatasetHeader
    rows: Rows
    split: SplitSettings | None
    notes: tuple[str, ...]
    frames: Callable[[], Frames]


def plan_import(folder: Path, settings: ImportSettings, begin: Begin) -> ImportPlan:
    """Read a folder of labelled images, and check all of it.

    Args:
        folder: The folder.
        settings: What the user says of it.
        begin: Told what begins and how many steps it has; what it returns is told of each.

    Raises:
        InputError: What is given or found in the folder is wrong.
    """
    document = read_document(folder / DOCUMENT)
    known = document.header if document else None
    labels = settings.labels or folder / LABELS
    if labels.is_file():
        listing = list_labels_csv(folder, labels, settings.readers, known)
    else:
        listing = list_class_folders(folder, settings.readers)
    channels = settings.channels or (known.image_shape[0] if known else None)
    opened = partial(
        Frames, folder, channels or 1, settings.page, settings.readers, settings.reader
    )
    with opened() as frames:
        plan = _plan(listing, channels, settings, document, frames, begin)
    return replace(plan, frames=opened)


def _plan(
    listing: Listing,
    channels: int | None,
    settings: ImportSettings,
    document: ExportDocument | None,
    frames: Frames,
    begin: Begin,
) -> ImportPlan:
    """Read every image that a listing names; see `plan_import`."""
    folder = frames.folder
    known = document.header if document else None
    read, axes, listing = _check(listing, channels, settings, document, frames, begin)
    kind = read.kind
    severities = class_severities(listing, settings.severities, known, settings.learnt)
    energy = _energy(listing, settings.energy_kev)
    digests, seen = read_digests(frames, listing.files, read, begin("reading", len(listing.files)))
    if seen is None and known is not None and known.grid == kind.shape[1:]:
        seen = None if known.seen is None or known.seen.each_sample else known.seen
    columns = {**listing.columns, **energy}
    rows: Rows = {
        "label": listing.labels,
        "severity": severities_of(listing, severities),
        SPECIMEN: specimens_of(folder, listing, digests),
        **{name: values for name, (_, values) in columns.items()},
    }
    header = _header(folder, settings, listing, kind, axes)
    content = {"files": listing.files, "digests": digests, "rows": _as_lists(rows)}
    columns[FILE_DIGEST] = FILE_DIGEST_COLUMN, file_digests(folder, listing.files)
    rows[FILE_DIGEST] = columns[FILE_DIGEST][1]
    provenance = Imported(
        name=settings.name or text_of(folder.resolve().name),
        files=len(listing.files),
        content_sha256=digest(content),
        settings=settings_record(settings, listing),
        exported_from=exported_from(document) if document else None,
    )
    fields = {
        **header,
        "seen": seen,
        "recorded": recorded_of(settings, read),
        "columns": {
            **defect_columns(listing.class_names, severities),
            SPECIMEN: SPECIMEN_COLUMN,
            **{name: declared for name, (declared, _) in columns.items()},
        },
        "provenance": provenance,
    }
    return ImportPlan(
        folder=folder,
        files=listing.files,
        read=read,
        digests=digests,
        header=validate(DatasetHeader, fields, str(folder)),
        rows=rows,
        split=document.splits if document else None,
        notes=(
            *listing.notes,
            *import_notes(folder, listing, settings, document),
            *carried_notes(frames, read),
            *unused_notes(settings.curves),
            *notes_text(frames.notes),
        ),
        frames=lambda: frames,
    )


def _check(
    listing: Listing,
    channels: int | None,
    settings: ImportSettings,
    document: ExportDocument | None,
    frames: Frames,
    begin: Begin,
) -> tuple[PictureReader, tuple[Axis, ...], Listing]:
    """What reads the patterns that a listing names, their axes, and the listing of each."""
    folder, advance = frames.folder, begin("checking", len(listing.files))
    if frames.patterns(listing.files[0]).frame(0).dimensions == 1:
        if settings.pixel_size_inv_angstrom is not None or settings.centre is not None:
            raise InputError(f"{folder}: holds curves, which have no pixels; leave their size out")
        curves, listing = check_curves(frames, listing, settings.curves, advance)
        return curves, (curves.axis,), listing
    if replace(settings.curves, like=None) != CurveSettings():
        raise InputError(
            f"{folder}: holds images; an axis, a wavelength and an anode are for curves: leave "
            "them out"
        )
    known = document.header if document else None
    size, like = settings.pixel_size_inv_angstrom, settings.curves.like
    if like is not None and known is None:
        stated = None if size is None else StatedPixels(pair(size), settings.centre)
        images, listing = check_images_like(
            frames, listing, like, stated, settings.gap_values, advance
        )
        return images, images.axes, listing
    kind, listing = check_headers(frames, listing, channels, advance)
    if document and document.scale == "counts":
        kind = Kind(kind.shape, document.header.dtype)
    axes = None if size is not None or known is not None else stated_axes(frames, listing)
    axes = axes or axes_of(folder, kind, size, settings.centre, known)
    return ImageReader(kind, settings.gap_values), axes, listing


def _header(
    folder: Path,
    settings: ImportSettings,
    listing: Listing,
    kind: Kind,
    axes: tuple[Axis, ...],
) -> dict[str, Any]:
    """The dataset's header, but for its columns and what depends on the pixels."""
    image_bytes = np.dtype(kind.dtype).itemsize * int(np.prod(kind.shape))
    return {
        "samples": len(listing.files),
        "image_shape": kind.shape,
        "dtype": kind.dtype,
        "axes": axes,
        "generator": {name: version(name) for name in ("crystalvision", "numpy")},
        "samples_per_shard": int(np.clip(_SHARD_BYTES // image_bytes, 1, 256)),
    }


def _energy(
    listing: Listing, energy_kev: float | None
) -> dict[str, tuple[Column, np.ndarray[Any, Any]]]:
    """The column `energy_kev`, if the energy is given."""
    if energy_kev is None:
        return {}
    if not (math.isfinite(energy_kev) and energy_kev > 0):
        raise InputError(f"--energy-kev {energy_kev:g}: expected a positive number, such as 200")
    if _ENERGY in listing.columns:
        raise InputError(
            f"labels.csv gives {_ENERGY} for each image; leave out --energy-kev, or remove the "
            "column"
        )
    column = Column(dtype="float32", units="keV", description="energy of an electron")
    return {_ENERGY: (column, np.full(len(listing.files), energy_kev, dtype=np.float32))}


def _as_lists(rows: Rows) -> dict[str, list[str]]:
    """Columns in JSON types; as text, since JSON has no NaN."""
    return {name: [str(value) for value in values] for name, values in rows.items()}
