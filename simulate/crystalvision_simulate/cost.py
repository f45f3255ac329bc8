"""What a recipe costs in memory and time, worked out before anything is made.

Estimates: the figures were measured on one core of a server, and are good to a factor of about
three. Memory is what a pattern needs at its fullest, times the patterns that are made at once.
"""

from collections.abc import Iterable

from crystalvision.available_memory import available_memory_bytes
from crystalvision.contracts import Cost, Instrument, Renderer, SpecimenSize
from crystalvision.errors import InputError
from crystalvision.sources import SourceCost, size_in_words
from crystalvision_simulate.recipes import Recipe

_ATOM_BYTES = 400  # of a crystal that is cut, given defects and compared
_ATOM_SECONDS = 1.0e-6
_SAMPLE_BYTES = 64  # labels and order, for the whole recipe
_PROCESS_BYTES = 0.6e9  # Python and torch


def estimate_cost(
    recipe: Recipe,
    renderers: Iterable[Renderer],
    instruments: Iterable[Instrument],
    *,
    atoms_per_angstrom3: float,
    elements: int,
    cores: int = 1,
) -> SourceCost:
    """What a recipe costs, from its settings alone, in microseconds; its images are not in it.

    Args:
        recipe: The recipe.
        renderers: Its renderer at the ends of what is drawn for it; the dearest counts, and one
            that does not know its own cost as free.
        instruments: Its instrument, likewise.
        atoms_per_angstrom3: Of the densest of its crystals [1/Å³].
        elements: Most elements in one of them.
        cores: How many patterns are made at once.
    """
    specimen = recipe.specimen
    thickness = max(specimen.thickness_angstrom.ends)
    width = max(specimen.width_angstrom.ends)
    atoms = atoms_per_angstrom3 * width**2 * thickness
    size = SpecimenSize((width, width, thickness), atoms, elements)
    memory, seconds = _dearest(one.cost(size) for one in renderers)
    memory += _ATOM_BYTES * atoms * (1 + recipe.most_configurations / 8)
    seconds = recipe.most_configurations * (seconds + _ATOM_SECONDS * atoms)
    recording = _dearest(one.cost(width) for one in instruments)
    memory += recording[0]
    seconds += recording[1]
    slices = f"{atoms:.3g} atoms in {width:g} × {width:g} × {thickness:g} Å"
    return SourceCost(
        memory_bytes=_PROCESS_BYTES + memory * cores + _SAMPLE_BYTES * recipe.samples,
        seconds_each=seconds,
        seconds=seconds * recipe.samples / cores,
        dataset_bytes=0.0,
        what=f"{slices}, {recipe.most_configurations} configuration(s), {recipe.samples} patterns",
    )


def _dearest(costs: Iterable[Cost | None]) -> tuple[float, float]:
    """Most bytes, and most seconds."""
    known = [one for one in costs if one is not None]
    return (
        max((one.memory_bytes for one in known), default=0.0),
        max((one.seconds for one in known), default=0.0),
    )


def check_memory(recipe: Recipe, cost: SourceCost) -> None:
    """Refuse what cannot fit into the machine's memory.

    Raises:
        InputError: It does not fit.
    """
    available = available_memory_bytes()
    if available is None or cost.memory_bytes <= available:
        return
    raise InputError(
        f"recipe '{recipe.name}' would take {cost} (an estimate, for {cost.what}), but "
        f"{size_in_words(available)} of memory are available; lower specimen.width_angstrom, "
        "specimen.thickness_angstrom, the renderer's band_limit_inv_angstrom, instrument.pixels "
        "or instrument.pixel_size_inv_angstrom"
    )
