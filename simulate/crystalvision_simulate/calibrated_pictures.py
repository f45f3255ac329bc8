"""`cv.calibrate`: what measured patterns tell of their microscope."""

import math
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crystalvision.api.session import Session
from crystalvision.console import progress
from crystalvision.contracts import Crystal
from crystalvision.errors import InputError
from crystalvision.figures import drawing
from crystalvision.measured_files import Readers, files_of_folder
from crystalvision.samples import Sample
from crystalvision.sources import SourceSpec, find_recipe, read_recipe, source_of
from crystalvision.storage import Destination, whole_file
from crystalvision_simulate.candidates import crystal_of
from crystalvision_simulate.microscope import (
    DOSE_ERROR,
    PICTURES,
    ROUNDS,
    Calibrated,
    Known,
    Parted,
    Simulate,
    as_json,
    draw,
    facts,
    part_facts,
    part_specimen,
    read_pictures,
    twin,
    write_as_twin,
    write_corrected,
    yaml_of,
)
from crystalvision_simulate.microscope import calibrate as calibrate_pictures
from crystalvision_simulate.recipes import SOURCE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_SHOWN = 4  # pictures in a notebook


@dataclass(frozen=True, eq=False, repr=False)
class CalibratedPictures:
    """Pictures of one camera, calibrated.

    Attributes:
        pictures: What was found of each.
        dose_electrons: Electrons of a picture, about, if they are known.
        dose_error: By what part of them that may be off.
        parted: The same without what the specimens of a recipe scatter diffusely, if one was given:
            of these is the twin.
    """

    pictures: tuple[Calibrated, ...]
    dose_electrons: float | None = None
    dose_error: float = DOSE_ERROR
    parted: Parted | None = None

    @property
    def table(self) -> "pd.DataFrame":
        """A row for each picture, with what was found of it in words."""
        import pandas as pd

        names = [one.analysed.measured.name for one in self.pictures]
        return pd.DataFrame([dict(facts(one)) for one in self.pictures], index=names).fillna("")

    def instrument(self, pixels: int | None = None) -> dict[str, Any]:
        """The simulated twin: options of the area detector, with ranges, as a recipe takes them.

        Args:
            pixels: Pixels of the twin along a side; by default up to 512.

        Raises:
            InputError: Nothing tells the size of a pixel, or more electrons are seen than there
                were.
        """
        dose = self.dose_electrons, self.dose_error
        if self.parted is None:
            return twin(self.pictures, pixels, *dose)
        return twin(self.parted.pictures, pixels, *dose, self.parted.doubts)

    def save(
        self, path: str | Path | Destination, *, pixels: int | None = None, overwrite: bool = False
    ) -> None:
        """Write the twin, for `instrument: ./instrument.yaml` in a recipe.

        Args:
            path: The file, such as `instrument.yaml`.
            pixels: As for `instrument`.
            overwrite: Whether a file that is there may be replaced.

        Raises:
            InputError: Nothing tells the size of a pixel, or the place is taken.
            StorageError: The disk refuses.
        """
        text = yaml_of(self.instrument(pixels), self.pictures, self.parted)
        with whole_file(_free(path, overwrite=overwrite), overwrite=True) as partial:
            partial.write_text(text, encoding="utf-8")

    def save_corrected(self, path: str | Path | Destination, *, overwrite: bool = False) -> None:
        """Write the pictures centred and without ellipse, what is hidden masked, as an EMD file.

        Args:
            path: The file, of the suffix .emd.
            overwrite: Whether a file that is there may be replaced.

        Raises:
            InputError: Nothing tells the size of a pixel, or the place is taken.
            StorageError: The disk refuses.
        """
        with whole_file(_free(path, overwrite=overwrite), overwrite=True) as partial:
            write_corrected(self.pictures, partial)

    def save_as_twin(
        self, path: str | Path | Destination, *, pixels: int | None = None, overwrite: bool = False
    ) -> None:
        """Write the pictures as the twin takes them, as an EMD file; see `save_corrected`."""
        with whole_file(_free(path, overwrite=overwrite), overwrite=True) as partial:
            write_as_twin(self.pictures, partial, pixels)

    def parted_by(self, simulate: Simulate) -> "CalibratedPictures":
        """The same, with a twin that lacks what specimens scatter diffusely.

        Args:
            simulate: Makes pictures of the specimens; `specimens_of` a recipe.

        Raises:
            InputError: As for `instrument`; no background could be fitted; or the camera sees
                farther than the recipe's renderer.
        """
        try:
            with progress("Simulating specimens", ROUNDS) as advance:
                dose = self.dose_electrons, self.dose_error
                parted = part_specimen(self.pictures, simulate, *dose, advance)
        except InputError as error:
            raise InputError(
                f"--recipe: {error}; or calibrate without --recipe (recipe=None)"
            ) from error
        return replace(self, parted=parted)

    def plot(self, number: int = 0, *, dark: bool = False) -> "Figure":
        """What was found, drawn over a picture for a person to judge.

        Args:
            number: Which picture, from 0.
            dark: Whether it is for a dark page.
        """
        with drawing():
            return draw(self.pictures[number], dark=dark)

    def as_json(self) -> list[dict[str, Any]]:
        """What becomes JSON: what was found of each picture."""
        return [as_json(one) for one in self.pictures]

    def __len__(self) -> int:
        """Number of pictures."""
        return len(self.pictures)

    def __repr__(self) -> str:
        lines = []
        for one in self.pictures:
            lines.append(one.analysed.measured.name)
            lines += [f"  {name}: {value}" for name, value in facts(one)]
        if self.parted is not None:
            lines.append("without what specimens scatter diffusely")
            lines += [f"  {name}: {value}" for name, value in part_facts(self.parted)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        figures = []
        for number, one in enumerate(self.pictures[:_SHOWN]):
            picture = BytesIO()
            self.plot(number).savefig(picture, format="png", dpi=80)
            alt = escape(f"{one.analysed.measured.name}: what was found")
            figures.append(
                f'<img src="data:image/png;base64,{b64encode(picture.getvalue()).decode()}" '
                f'alt="{alt}" style="max-width: 60rem">'
            )
        parted = ""
        if self.parted is not None:
            rows = "".join(
                f"<li>{escape(name)}: {escape(value)}</li>"
                for name, value in part_facts(self.parted)
            )
            parted = f"<p>Without what specimens scatter diffusely</p><ul>{rows}</ul>"
        return f"{self.table.T.to_html()}{parted}{''.join(figures)}"


def calibrate(
    *files: str | Path,
    crystal: str | Path | Crystal | None = None,
    zone_axis: Sequence[int] | None = None,
    scale_bar_inv_nm: float | None = None,
    pixel_size_inv_angstrom: float | None = None,
    centre: tuple[float, float] | None = None,
    dose_electrons: float | None = None,
    dose_error: float | None = None,
    recipe: str | Path | None = None,
    seed: int = 0,
    session: Session | None = None,
) -> CalibratedPictures:
    """Find what measured patterns tell of their microscope, as `crystalvision calibrate` does.

    Args:
        *files: Measured patterns of one camera at one camera length; a folder stands for all in it.
        crystal: What they are of: a structure by its name, a crystal file, or a crystal.
        zone_axis: The direction [uvw] along the beam, where it is known.
        scale_bar_inv_nm: The number at the scale bar [1/nm].
        pixel_size_inv_angstrom: The side of a pixel, about [1/Å].
        centre: Row and column of the direct beam, about [pixels, from 0]; by default it is found.
        dose_electrons: Electrons of each picture, about, of all that came through the specimen:
            the direct beam is mostly not seen, so without this the twin has a wide range.
        dose_error: By what part of it that dose may be off, by default 0.2: the less, the narrower
            the twin.
        recipe: What the twin is for: a shipped recipe by its name, or the path of one. Its
            specimens are simulated under the twin, and what they scatter diffusely is not taken for
            the microscope's background; its own instrument does not matter.
        seed: Of these specimens.
        session: Who asks; by default this Python session.

    Returns:
        What was found; judge `result.plot()` before `result.save("instrument.yaml")`.

    Raises:
        InputError: No such file, crystal or recipe, a picture that shows nothing, or numbers that
            are none.
    """
    for option, value in (
        ("--scale-bar-inv-nm", scale_bar_inv_nm),
        ("--pixel-size", pixel_size_inv_angstrom),
        ("--dose-electrons", dose_electrons),
    ):
        if value is not None and not 0 < value < math.inf:
            raise InputError(f"{option} {value:g}: expected more than 0")
    if dose_error is not None and dose_electrons is None:
        raise InputError(f"--dose-error {dose_error:g}: of which dose? Give --dose-electrons, too")
    if dose_error is not None and not 0 <= dose_error < 1:
        raise InputError(f"--dose-error {dose_error:g}: expected a share, from 0 to below 1")
    if not files:
        raise InputError("calibrate: no picture was given; give files or folders")
    session = session or Session.here()
    catalogue = session.catalogue
    simulate = None if recipe is None else specimens_of(recipe, seed, session)
    if isinstance(crystal, str | Path):
        crystal = crystal_of(str(crystal), catalogue, "--crystal")
    axis = None if zone_axis is None else tuple(int(one) for one in zone_axis)
    if axis is not None and len(axis) != 3:
        raise InputError(f"zone_axis={zone_axis}: expected three whole numbers, such as 0, 1, 1")
    known = Known(
        crystal=crystal,
        pixel_size_inv_angstrom=pixel_size_inv_angstrom,
        scale_bar_inv_angstrom=None if scale_bar_inv_nm is None else scale_bar_inv_nm / 10,
        zone_axis=None if axis is None else (axis[0], axis[1], axis[2]),
        centre=None if centre is None else (centre[1], centre[0]),
    )
    readers = Readers(catalogue)
    pictures = [
        picture
        for path in files_of(list(files), readers)
        for picture in read_pictures(path, readers)
    ]
    dose = dose_electrons, DOSE_ERROR if dose_error is None else dose_error
    found = CalibratedPictures(tuple(calibrate_pictures(pictures, known)), *dose)
    return found if simulate is None else found.parted_by(simulate)


def specimens_of(recipe: str | Path, seed: int, session: Session) -> Simulate:
    """What makes specimens of a recipe under any instrument.

    Raises:
        InputError: No such recipe, or none of crystals in an electron beam.
    """
    catalogue = session.catalogue
    path = find_recipe(str(recipe), catalogue)
    data = read_recipe(path, catalogue)
    source = catalogue.entry("source", source_of(data, str(recipe), catalogue))
    if source != catalogue.entry("source", SOURCE):
        raise InputError(f"--recipe {recipe}: no recipe of crystals, which a twin would take")

    def simulate(instrument: Mapping[str, Any], indices: Sequence[int]) -> Iterable[Sample]:
        changes = {"samples": ROUNDS * PICTURES, "seed": seed, "instrument": dict(instrument)}
        spec = SourceSpec(SOURCE, data | changes, plugins=session.selection, described_in=str(path))
        return spec.open(catalogue).samples(indices)

    return simulate


def files_of(places: Sequence[str | Path], readers: Readers) -> list[Path]:
    """Files, and those of folders.

    Raises:
        InputError: A folder without any.
    """
    found: list[Path] = []
    for path in map(Path, places):
        found += files_of_folder(path, readers) if path.is_dir() else [path]
    return found


def _free(path: str | Path | Destination, *, overwrite: bool) -> Destination:
    destination = path if isinstance(path, Destination) else Destination.look(Path(path))
    if destination.taken and not overwrite and not isinstance(path, Destination):
        raise InputError(f"{path} exists; say overwrite=True, or give another name")
    return destination
