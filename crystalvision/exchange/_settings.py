"""What the user says of an import, and what becomes of it: records and notes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crystalvision.contracts import Recorded
from crystalvision.datasets import DatasetPart, axes_text
from crystalvision.exchange._calibration import Pair
from crystalvision.exchange._check_images import PictureReader
from crystalvision.exchange._curves import CurveReader, CurveSettings
from crystalvision.exchange._document import ExportDocument
from crystalvision.exchange._frames import Frames
from crystalvision.exchange._images import CarriedImageReader
from crystalvision.exchange._listing import Listing
from crystalvision.measured_files import GapValues, Readers

_AVERAGED = "averaged over its steps; what they do not reach is masked"
_SHARED_OUT = "counts are shared out by area"


@dataclass(frozen=True, slots=True)
class ImportSettings:
    """What the user says of the images; see `import_folder`."""

    pixel_size_inv_angstrom: float | Pair | None
    centre: Pair | None
    energy_kev: float | None
    severities: Mapping[str, float] | None
    channels: int | None
    name: str | None
    page: int | None = None
    gap_values: GapValues = None
    readers: Readers = field(default_factory=Readers)
    reader: str | None = None
    curves: CurveSettings = field(default_factory=CurveSettings)
    labels: Path | None = None
    learnt: Mapping[str, float] | None = None


def carried_notes(frames: Frames, read: PictureReader) -> list[str]:
    if isinstance(read, CarriedImageReader) and frames.carried:
        onto = axes_text(read.axes)
        return [f"{frames.carried:,} images were brought onto {onto}: {_SHARED_OUT}"]
    if not isinstance(read, CurveReader) or not frames.carried:
        return []
    wave = read.target.wavelength_angstrom
    at = "" if wave is None else f" at {wave:.5g} Å"
    onto = f"{axes_text(read.target.axes)}{at}"
    return [f"{frames.carried:,} curves were brought onto {onto}: {_AVERAGED}"]


def unused_notes(curves: CurveSettings) -> list[str]:
    """What was given and has no effect."""
    if curves.axis is None or curves.like is None:
        return []
    axes = axes_text(curves.like.axes)
    return [f"--axis replaces that of --like, {axes}, of which only the wavelength is used"]


def exported_from(document: ExportDocument) -> DatasetPart:
    header = document.header
    return DatasetPart(
        identity=document.identity, samples=header.samples, provenance=header.provenance
    )


def recorded_of(settings: ImportSettings, read: PictureReader) -> Recorded | None:
    """With what beam, as far as files or the user state it of all patterns."""
    given = settings.energy_kev
    found = read.energy_kev if isinstance(read, CarriedImageReader) else None
    energy = found if given is None else (given, given)
    wave = read.target.wavelength_angstrom if isinstance(read, CurveReader) else None
    if energy is None and wave is None:
        return None
    return Recorded(energy_kev=energy, wavelength_angstrom=wave)


def settings_record(settings: ImportSettings, listing: Listing) -> dict[str, Any]:
    """How the files were read, and what was said of all of them, in JSON types."""
    found: dict[str, Any] = {}
    if settings.gap_values:
        found["gap_values"] = [f"{value:.17g}" for value in settings.gap_values]
    if settings.page is not None:
        found["page"] = settings.page
    if settings.energy_kev is not None:
        found["beam"] = {"energy_kev": settings.energy_kev}
    if listing.specimen_names:
        found["specimens"] = list(listing.specimen_names)
    return found


def import_notes(
    folder: Path, listing: Listing, settings: ImportSettings, document: ExportDocument | None
) -> list[str]:
    notes = []
    if listing.severity is None and not settings.severities and not settings.learnt:
        notes.append(
            "no severities are given, so all are 0; give --severity CLASS=VALUE to train on them"
        )
    if document and document.scale != "counts":
        notes.append(
            f"{folder} holds grey values on the scale '{document.scale}', not counts; export with "
            "--scale counts to keep these"
        )
    return notes
