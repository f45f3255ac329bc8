"""Whether a run and a dataset fit: targets, axes and beam, and nothing that it was trained on."""

from collections.abc import Collection

import numpy as np

from crystalvision.contracts import Target
from crystalvision.datasets import (
    Conditions,
    Dataset,
    Despite,
    Imported,
    Match,
    Simulated,
    match,
    same_samples,
    same_things,
)
from crystalvision.errors import InputError
from crystalvision.evaluation._record import Split
from crystalvision.runs import Run


def choose_samples(
    run: Run, dataset: Dataset, split: Split | None, *, despite: Collection[Despite] = ()
) -> tuple[Split, np.ndarray]:
    """The split to judge, and its indices, after checking that run and dataset fit.

    Raises:
        InputError: As for `evaluate`.
    """
    judged_targets(run, dataset)
    matched(run, dataset, despite)
    record = run.record
    same = dataset.identity == record.dataset.identity
    if not same:
        check_unseen(run, dataset)
    split = split or ("test" if same else "all")
    indices = np.asarray(dataset.split(split))
    if not len(indices):
        raise InputError(f"{dataset.path}: its {split} split is empty; choose another --split")
    if same and split == "test":
        trained = {index for index, name in run.split().items() if name != "test"}
        if seen := trained & set(dataset.numbers(indices).tolist()):
            raise InputError(
                f"{dataset.path}: its splits have changed since {run.path} was trained; "
                f"{len(seen)} patterns of the test split were used for training"
            )
    return split, indices


def judged_targets(run: Run, dataset: Dataset) -> dict[str, Target]:
    """What a run says something of and a dataset has, by name, as the run knows it.

    Raises:
        InputError: Nothing; classes that the run does not know, or another kind of value.
    """
    known, there = run.record.targets, dataset.header.targets
    found = {name: target for name, target in known.items() if name in there}
    if not found:
        raise InputError(
            f"{run.path} tells {', '.join(known)}, of which {dataset.path} has nothing; its "
            f"targets are {', '.join(there) or 'none'}"
        )
    for name, target in found.items():
        _check_target(target, there[name], str(run.path), str(dataset.path))
    return found


def _check_target(mine: Target, other: Target, run: str, data: str) -> None:
    """Check that a target of a dataset is what a run learnt under its name.

    Raises:
        InputError: It is not.
    """
    if not set(other.classes) <= set(mine.classes):
        raise InputError(
            f"{data} has the classes {', '.join(other.classes)}, but {run} was trained on "
            f"{', '.join(mine.classes)}; it can be judged on these alone"
        )
    for what in ("shape", "units", "symmetry"):
        one, two = getattr(mine, what), getattr(other, what)
        if one != two or bool(mine.classes) != bool(other.classes):
            raise InputError(
                f"target '{mine.name}' has {what} {two!r} in {data}, but {run} was trained on "
                f"{one!r}; judge it on data that state the same"
            )


def matched(run: Run, dataset: Dataset, despite: Collection[Despite]) -> Match:
    """How a dataset fits what a run was trained on.

    Raises:
        InputError: It does not.
    """
    record, channels = run.record, dataset.header.image_shape[0]
    if channels != record.image_shape[0]:
        raise InputError(
            f"{dataset.path} has images of shape {dataset.header.image_shape}, but {run.path} was "
            f"trained on {record.image_shape}"
        )
    return match(
        record.conditions,
        Conditions.of_dataset(dataset),
        run_name=str(run.path),
        data_name=str(dataset.path),
        despite=despite,
    )


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
