"""What a recipe costs in memory and time, worked out before anything is made.

Estimates: the figures were measured on one core of a server, and are good to a factor of about
three. Memory is what a pattern needs at its fullest, times the patterns that are made at once.
"""

from crystalvision.available_memory import available_memory_bytes
from crystalvision.contracts import Renderer, SpecimenSize
from crystalvision.errors import InputError
from crystalvision.sources import SourceCost, size_in_words
from crystalvision_simulate.recipes import Recipe

_ATOM_BYTES = 400  # of a crystal that is cut, given defects and compared
_ATOM_SECONDS = 1.0e-6
_PART_BYTES = 80  # of a point that the camera reads the pattern at
_PART_SECONDS = 60e-9
_PIXEL_BYTES = 60
_PIXEL_SECONDS = 150e-9
_PARTS_A_STEP = 1.25  # as `detector.project_batch` has it
_SAMPLE_BYTES = 64  # labels and order, for the whole recipe
_PROCESS_BYTES = 0.6e9  # Python and torch


def estimate_cost(
    recipe: Recipe,
    renderer: Renderer,
    *,
    atoms_per_angstrom3: float,
    elements: int,
    cores: int = 1,
) -> SourceCost:
    """What a recipe costs, from its settings alone, in microseconds.

    Args:
        recipe: The recipe.
        renderer: Its renderer; one that does not know its own cost counts as free.
        atoms_per_angstrom3: Of the densest of its crystals [1/Å³].
        elements: Most elements in one of them.
        cores: How many patterns are made at once.
    """
    specimen = recipe.specimen
    thickness = max(specimen.thickness_angstrom.ends)
    width = specimen.width_angstrom
    atoms = atoms_per_angstrom3 * width**2 * thickness
    size = SpecimenSize((width, width, thickness), atoms, elements)
    cost = renderer.cost(size)
    memory, seconds = (cost.memory_bytes, cost.seconds) if cost is not None else (0.0, 0.0)
    memory += _ATOM_BYTES * atoms * (1 + recipe.configurations / 8)
    seconds = recipe.configurations * (seconds + _ATOM_SECONDS * atoms)
    image = 0.0
    if recipe.camera is not None:
        camera = recipe.camera
        parts = max(1.0, 1 + _PARTS_A_STEP * camera.pixel_size_inv_angstrom * width)
        points = (camera.pixels * parts) ** 2
        image = camera.pixels**2 * (4 if recipe.detector is None else 2)
        memory += _PART_BYTES * points + _PIXEL_BYTES * camera.pixels**2
        seconds += _PART_SECONDS * points + _PIXEL_SECONDS * camera.pixels**2
    slices = f"{atoms:.3g} atoms in {width:g} × {width:g} × {thickness:g} Å"
    return SourceCost(
        memory_bytes=_PROCESS_BYTES + memory * cores + _SAMPLE_BYTES * recipe.samples,
        seconds_each=seconds,
        seconds=seconds * recipe.samples / cores,
        dataset_bytes=image * recipe.samples,
        what=f"{slices}, {recipe.configurations} configuration(s), {recipe.samples} patterns",
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
        "specimen.thickness_angstrom, the renderer's band_limit_inv_angstrom, camera.pixels or "
        "camera.pixel_size_inv_angstrom"
    )
