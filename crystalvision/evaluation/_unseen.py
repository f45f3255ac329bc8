"""Guards against leaks: what a run was trained on is not what it is judged on."""

from crystalvision.datasets import Dataset, Imported, Simulated, same_samples, same_things
from crystalvision.errors import InputError
from crystalvision.runs import Run


def check_unseen(run: Run, dataset: Dataset) -> None:
    """Refuse data that share samples, or what these show, with what a run was trained on.

    It does not matter which source made them, nor through which merges, exports and imports they
    went since.

    Raises:
        InputError: They do, or may.
    """
    trained = run.record.dataset.origins
    for identity, origin in dataset.header.origins.items():
        if identity in trained:
            raise InputError(
                f"{dataset.path} and the data that {run.path} was trained on have samples in "
                f"common, those of '{origin.name}': one of the two was made of the other, by a "
                "merge or by export and import, or both of the same; judge it on other data"
            )
        for other in trained.values():
            if isinstance(origin, Imported) and same_samples(origin, other):
                raise InputError(
                    f"{dataset.path} holds the images that {run.path} was trained on, imported "
                    f"anew as '{origin.name}'; judge it on other data, or train it again on these"
                )
            if isinstance(origin, Simulated) and (
                same_things(origin, other) or same_samples(origin, other)
            ):
                raise InputError(
                    f"{dataset.path} was made with the seed that the training data had "
                    f"({origin.seed}), so it may hold the specimens that {run.path} was trained "
                    "on; simulate it with another --seed"
                )
