"""`cv.index`: phase and zone axis of the spots of measured pictures."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crystalvision.api.session import Session
from crystalvision.console import progress
from crystalvision.errors import InputError
from crystalvision.figures import drawing
from crystalvision.measured_files import Readers
from crystalvision_simulate.candidates import candidate_crystals
from crystalvision_simulate.indexing import (
    Indexed,
    PatternSpots,
    axis_text,
    draw_indexed,
    index_spots,
    spots_of_picture,
)
from crystalvision_simulate.microscope import Analysed, Measured, read_pictures

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

TOP = 8
"""Explanations that are told of a picture."""
TOLERANCE = 0.03
"""By what share the size of a pixel may be wrong."""
GREATEST_INDEX = 4
"""Of the zone axes that are tried."""


@dataclass(frozen=True, eq=False, repr=False)
class IndexedPicture:
    """What explains the spots of one picture.

    Attributes:
        name: What the picture is called.
        found: Explanations, the best first.
        spots: Its spots.
        analysed: What else it shows.
    """

    name: str
    found: list[Indexed]
    spots: PatternSpots
    analysed: Analysed

    def plot(self) -> "Figure":
        """The picture with its spots, the best explanation's reflections, and a list."""
        with drawing():
            return draw_indexed(self.spots, self.analysed, self.found, self.name)

    def as_json(self, top: int = TOP) -> dict[str, Any]:
        """What becomes JSON: its explanations, the best first."""
        return {"picture": self.name, "found": [_as_json(one) for one in self.found[:top]]}

    def table(self, top: int = TOP) -> "pd.DataFrame":
        """A row for each explanation, the best first."""
        import pandas as pd

        rows = [
            {
                "candidate": one.name,
                "zone axis": axis_text(one.zone_axis),
                "score": one.score,
                "spots": f"{one.explained} of {one.spots}",
                "off [1/Å]": one.misfit_inv_angstrom,
                "pixel ×": one.scale,
            }
            for one in self.found[:top]
        ]
        columns = ["candidate", "zone axis", "score", "spots", "off [1/Å]", "pixel ×"]
        return pd.DataFrame(rows, columns=columns)

    def __repr__(self) -> str:
        return f"{self.name}\n{self.table().to_string(index=False, float_format='{:.4f}'.format)}"

    def _repr_html_(self) -> str:
        picture = BytesIO()
        self.plot().savefig(picture, format="png", dpi=90)
        table = self.table().to_html(index=False, float_format="{:.4f}".format)
        return (
            f"<p>{escape(self.name)}</p>{table}"
            f'<img src="data:image/png;base64,{b64encode(picture.getvalue()).decode()}" '
            f'alt="{escape(self.name)}: spots and reflections" style="max-width: 60rem">'
        )


class IndexedPictures(list[IndexedPicture]):
    """What explains the spots of pictures; a notebook shows it with figures."""

    def __repr__(self) -> str:
        return "\n\n".join(map(repr, self))

    def _repr_html_(self) -> str:
        return "".join(one._repr_html_() for one in self)


def index(
    file: str | Path,
    *,
    candidates: str | Path | Sequence[str | Path],
    pixel_size_inv_angstrom: float | None = None,
    centre: tuple[float, float] | None = None,
    tolerance: float = TOLERANCE,
    greatest_index: int = GREATEST_INDEX,
    session: Session | None = None,
) -> IndexedPictures:
    """Tell phase and zone axis from the spots of pictures, as `crystalvision index` does.

    Calculated positions are compared with those of the spots; the score is how much likelier the
    spots are with the crystal's reflections than by chance.

    Args:
        file: A measured picture of spots, or several.
        candidates: What it may be: crystal files (CIF, …), folders of them, structures by name.
        pixel_size_inv_angstrom: The side of a pixel [1/Å], where the file does not state it.
        centre: Row and column of the direct beam, about [pixels, from 0]; by default it is found.
        tolerance: By what share the size of a pixel may be wrong.
        greatest_index: Of the zone axes that are tried.
        session: Who asks; by default this Python session.

    Returns:
        What explains each picture; `result[0].found[0]` is the best explanation of the first.

    Raises:
        InputError: No such file or candidate, or a picture whose scale is not known or that shows
            too few spots.
    """
    size = pixel_size_inv_angstrom
    if size is not None and not 0 < size < 10:
        raise InputError(f"--pixel-size {size:g}: expected a size in 1/Å, such as 0.0125")
    if not 0 < tolerance < 1:
        raise InputError(f"--tolerance {tolerance:g}: expected a share, such as 0.03")
    catalogue = (session or Session.here()).catalogue
    places = [candidates] if isinstance(candidates, str | Path) else list(candidates)
    crystals = candidate_crystals(places, catalogue)
    about = None if centre is None else (centre[1], centre[0])
    made = IndexedPictures()
    for picture in read_pictures(Path(file), Readers(catalogue)):
        spots, analysed = spots_of_picture(_sized(picture, size), about)
        with progress("indexing", len(crystals)) as advance:
            found = index_spots(
                spots,
                crystals,
                tolerance=tolerance,
                greatest_index=greatest_index,
                advance=advance,
            )
        made.append(IndexedPicture(picture.name, found, spots, analysed))
    return made


def _sized(picture: Measured, pixel_size: float | None) -> Measured:
    if pixel_size is None:
        return picture
    if picture.pixel_size_inv_angstrom is not None:
        raise InputError(
            f"--pixel-size {pixel_size:g}: {picture.name} states "
            f"{picture.pixel_size_inv_angstrom:g} 1/Å itself; leave the option out"
        )
    return replace(picture, pixel_size_inv_angstrom=pixel_size)


def _as_json(one: Indexed) -> dict[str, object]:
    return {
        "candidate": one.name,
        "zone_axis": one.zone_axis,
        "score": round(one.score, 4),
        "explained": one.explained,
        "spots": one.spots,
        "scale": round(one.scale, 6),
        "rotation_deg": round(one.rotation_deg, 3),
        "misfit_inv_angstrom": round(one.misfit_inv_angstrom, 6),
        "hkl": one.hkl.tolist(),
    }
