"""What weights that a system begins with were trained on, beside what it is to be trained on."""

from collections.abc import Iterator

from crystalvision.datasets import Conditions, Dataset, differences
from crystalvision.errors import InputError
from crystalvision.models import SystemConfig, TrainedOn, trained_on


def check_first_weights(system: SystemConfig, dataset: Dataset) -> list[str]:
    """What to say of weights that come from runs of other data, a line each.

    Args:
        system: What names the weights.
        dataset: What the system is to be trained on.

    Raises:
        InputError: A head that tells the same classes in another order.
    """
    mine = Conditions.of_dataset(dataset)
    notes = []
    for branch, before, with_head in _beginnings(system):
        for name, target in before.targets.items() if with_head else ():
            known = target.classes
            names = dataset.header.targets[name].classes if name in dataset.header.targets else ()
            if known != names and sorted(known) == sorted(names):
                raise InputError(
                    f"branch '{branch}' is to begin with the weights of {before.run}, whose head "
                    f"tells the classes of '{name}' in the order {', '.join(known)}, but "
                    f"{dataset.path} has them in the order {', '.join(names)}; begin with the "
                    "backbone alone: move `weights` into the backbone's options"
                )
        found = differences(mine, before.conditions, str(dataset.path), before.run)
        notes += [f"branch '{branch}' begins with weights of other data: {each}" for each in found]
    return notes


def _beginnings(system: SystemConfig) -> Iterator[tuple[str, TrainedOn, bool]]:
    """Each branch that begins as a run left it: its name, the run, and whether the head does."""
    for name, branch in system.branches.items():
        for weights, with_head in (
            (branch.weights, True),
            (branch.backbone.options.get("weights"), False),
        ):
            before = trained_on(weights) if isinstance(weights, str) else None
            if before is not None:
                yield name, before, with_head
