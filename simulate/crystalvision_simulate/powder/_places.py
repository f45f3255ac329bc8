"""Phases in files and folders that a user names; what cannot be read is left out, and told."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from crystalvision.config import load_yaml, validate
from crystalvision.errors import CrystalVisionError, InputError
from crystalvision.plugins import Catalogue
from crystalvision_simulate.powder._candidates import (
    CandidateSettings,
    cif_files,
    is_cif,
    of_cif,
    of_lines,
    phases_of,
)
from crystalvision_simulate.powder._phase import Candidate

_LINES = (".jsonl", ".jsonl.gz")
_SETTINGS = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class FoundPhase:
    """A phase, and where it is from.

    Attributes:
        phase: The phase.
        place: Its file; empty for none.
    """

    phase: Candidate
    place: str = ""


def phases_in(
    places: Sequence[Path], catalogue: Catalogue
) -> tuple[list[FoundPhase], dict[str, str]]:
    """Phases in files and folders, and the files that hold none, with the reason.

    Args:
        places: CIF files and folders of them, files of JSON lines, and YAML files that hold what
            `candidates` of a recipe says.
        catalogue: Where parts are looked up.

    Raises:
        InputError: A place is not there or is none of these, a file of lines or a YAML file is
            wrong, or no phase is left.
    """
    found: list[FoundPhase] = []
    left_out: dict[str, str] = {}
    for place in places:
        if place.is_dir():
            files = cif_files(place, str(place))
        elif not place.exists():
            raise InputError(f"{place}: no such file or folder of candidates")
        elif is_cif(place):
            files = [place]
        else:
            found += [FoundPhase(one, str(place)) for one in _of_list(place, catalogue)]
            continue
        for file in files:
            try:
                found.append(FoundPhase(of_cif(file), str(file)))
            except CrystalVisionError as error:
                left_out[str(file)] = str(error).removeprefix(f"{file}: ")
    if not found:
        name, reason = next(iter(left_out.items()))
        raise InputError(f"no candidate could be read: {name}: {reason}")
    return found, left_out


def _of_list(place: Path, catalogue: Catalogue) -> Iterator[Candidate]:
    """The phases that one file holds.

    Raises:
        InputError: It is of another kind, or wrong.
    """
    name = place.name.lower()
    if name.endswith(_LINES):
        yield from of_lines(place)
    elif name.endswith(_SETTINGS):
        settings = validate(CandidateSettings, load_yaml(place), str(place))
        yield from phases_of(settings, catalogue)
    else:
        raise InputError(
            f"{place}: expected a folder of CIF files, a file .cif or .cif.gz, JSON lines (.jsonl, "
            ".jsonl.gz), or a .yaml file with what `candidates` of a recipe says"
        )
