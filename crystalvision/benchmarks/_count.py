"""How many weights the systems of runs have."""

from collections.abc import Callable

from crystalvision.contracts import grid_of
from crystalvision.errors import InputError, PluginError
from crystalvision.models import SystemConfig, build_system, count_parameters
from crystalvision.plugins import Catalogue
from crystalvision.runs import RunRecord, preprocess_of


def counting(catalogue: Catalogue) -> Callable[[RunRecord], int | None]:
    """Counts the weights of a run's system; equal systems are built but once."""
    known: dict[tuple[str, str], int | None] = {}

    def count(record: RunRecord) -> int | None:
        system = record.experiment.system
        if not isinstance(system, SystemConfig):
            return None
        bare = system.model_dump_json(exclude={"branches": {"__all__": {"weights"}}})
        case = bare, str((record.image_shape, record.targets, record.experiment.input))
        if case not in known:
            known[case] = _parameters(record, system, catalogue)
        return known[case]

    return count


def _parameters(record: RunRecord, system: SystemConfig, catalogue: Catalogue) -> int | None:
    import torch

    with torch.random.fork_rng(devices=()):
        try:
            axes = preprocess_of(record, catalogue).axes
            built = build_system(
                system,
                catalogue,
                in_channels=preprocess_of(record, catalogue).channels(record.image_shape[0]),
                targets=record.targets,
                grid=grid_of(axes),
                axes=axes,
                first_weights=False,
            )
        except (InputError, PluginError):  # its plugin is gone; the numbers of its runs stay
            return None
    return count_parameters(built)
