"""The cells of a suite: every training that it asks for, those that others begin with first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from crystalvision.benchmarks._suite import Pairing, Start, Suite
from crystalvision.errors import InputError


class CellKey(NamedTuple):
    """What tells a cell from every other.

    Attributes:
        system: Name of the system in the suite.
        dataset: Name of the dataset that it is trained on.
        size: Patterns to train on, validation included.
        seed: Of the training.
    """

    system: str
    dataset: str
    size: int
    seed: int

    def __str__(self) -> str:
        return f"{self.system} on {self.size} of {self.dataset}, seed {self.seed}"

    @property
    def folder(self) -> str:
        """Its run, relative to the benchmark's folder."""
        return f"runs/{self.system}/{self._training}"

    @property
    def file_name(self) -> str:
        """A name for files about it."""
        return f"{self.system}--{self._training}"

    @property
    def _training(self) -> str:
        return f"{self.dataset}-{self.size}-seed{self.seed}"


@dataclass(frozen=True, slots=True)
class Cell:
    """One training and its tests.

    Attributes:
        key: What tells it from every other.
        tests: Names of the datasets that it is judged on; none where it only lends branches.
        starts: The cells whose branches its own begin with: branch → cell and its branch.
    """

    key: CellKey
    tests: tuple[str, ...]
    starts: Mapping[str, tuple[CellKey, str]]

    @property
    def needs(self) -> set[CellKey]:
        """The cells that must be trained before it."""
        return {key for key, _ in self.starts.values()}


def cells_of(suite: Suite) -> list[Cell]:
    """All cells of a suite, each after those that it begins with.

    Raises:
        InputError: Systems that begin with each other, datasets without what is asked of them, or
            nothing to do.
    """
    tests = _tests(suite)
    order: dict[CellKey, Cell] = {}
    for key in tests:
        _add(suite, key, tests, order, ())
    return list(order.values())


def sizes_of(suite: Suite, dataset: str) -> tuple[int, ...]:
    """The numbers of patterns, validation included, that a dataset is trained on.

    Raises:
        InputError: It has nothing to train on.
    """
    train = suite.datasets[dataset].train
    if train is None:
        raise InputError(
            f"suite '{suite.name}': dataset '{dataset}' is to be trained on, but has no `train`"
        )
    return train.sizes or (train.samples,)


def _tests(suite: Suite) -> dict[CellKey, tuple[str, ...]]:
    """The cells that are judged, with what they are judged on."""
    found: dict[CellKey, dict[str, None]] = {}
    for seed in suite.seeds:
        for pairing in suite.pairings or tuple(_usual(suite)):
            for dataset in pairing.train_on:
                tested = (dataset,) if pairing.test_on is None else pairing.test_on
                for test in tested:
                    _check_test(suite, test)
                for size in sizes_of(suite, dataset):
                    for system in pairing.systems or suite.systems:
                        key = CellKey(system, dataset, size, seed)
                        found.setdefault(key, {}).update(dict.fromkeys(tested))
    if not found:
        raise InputError(
            f"suite '{suite.name}' has nothing to do: no dataset has both `train` and `test`, and "
            "it has no pairings"
        )
    return {key: tuple(tested) for key, tested in found.items()}


def _usual(suite: Suite) -> Iterator[Pairing]:
    for name, plan in suite.datasets.items():
        if plan.train is not None and plan.test is not None:
            yield Pairing(train_on=(name,))


def _check_test(suite: Suite, dataset: str) -> None:
    if not suite.datasets[dataset].is_tested_on:
        raise InputError(
            f"suite '{suite.name}': dataset '{dataset}' is to be tested on, but has no `test`"
        )


def _add(
    suite: Suite,
    key: CellKey,
    tests: Mapping[CellKey, tuple[str, ...]],
    order: dict[CellKey, Cell],
    path: tuple[CellKey, ...],
) -> None:
    """Put a cell into the order, after those that it begins with."""
    if key in order:
        return
    if key in path:
        ring = " → ".join(each.system for each in (*path[path.index(key) :], key))
        raise InputError(
            f"suite '{suite.name}': systems begin with each other, so none can be first: {ring}"
        )
    starts = {
        branch: (_start_key(suite, start, key), start.branch)
        for branch, start in suite.systems[key.system].starts_from.items()
    }
    for before, _ in starts.values():
        _add(suite, before, tests, order, (*path, key))
    order[key] = Cell(key, tests.get(key, ()), starts)


def _start_key(suite: Suite, start: Start, key: CellKey) -> CellKey:
    if start.dataset is None:
        return key._replace(system=start.system)
    return CellKey(start.system, start.dataset, max(sizes_of(suite, start.dataset)), key.seed)
