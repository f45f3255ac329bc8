"""A suite: datasets × systems × seeds, described by data, with budgets that change it."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

from crystalvision.benchmarks._claims import Claim, CurvePlan
from crystalvision.config import Config
from crystalvision.datasets import Despite

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Seed = Annotated[int, Field(ge=0, lt=2**63)]

_START = re.compile(r"(?P<system>[^#@]+)#(?P<branch>[^#@]+)(@(?P<dataset>[^#@]+))?")


class Samples(Config):
    """Patterns to simulate.

    Attributes:
        samples: How many.
        seed: Of the recipe; training and test data of one recipe need different ones.
    """

    samples: Annotated[int, Field(ge=1)]
    seed: Seed


class TrainSamples(Samples):
    """Patterns to train on.

    Attributes:
        validation_share: Share of them that chooses epochs and fits calibration.
        sizes: Numbers of patterns, validation included, to train on in turn, each a part of the
            next; by default all.
        same_steps: Whether every size is trained for as many steps as all patterns are, to within
            half an epoch: its epochs are more in the proportion in which its batches are fewer.
    """

    validation_share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    sizes: tuple[Annotated[int, Field(ge=4)], ...] = ()
    same_steps: bool = False

    @model_validator(mode="after")
    def _sizes_are_parts(self) -> Self:
        for size in self.sizes:
            if size > self.samples:
                raise ValueError(f"size {size} is more than the {self.samples} samples there are")
        return self


class DatasetPlan(Config):
    """A dataset of a suite: a recipe and what is made of it, or data that are there.

    Attributes:
        recipe: Name or YAML file of a recipe.
        path: A dataset to test on, such as imported measured patterns, instead of a recipe.
        source: The source that makes it; needed only where several are installed and the recipe's
            own distribution does not have exactly one.
        set: Values of the recipe to change, by path, as `crystalvision simulate --set` takes them.
        train: What to train on; a dataset without it is only tested on.
        test: What to test on; a dataset without it only lends branches to others.
        despite: Differences between its test data and what is trained on that are the very
            question: `energy`, or `axes` to take pixels as they are stored.
        title: What tables of tests call it; by default what is published of it, or its name.
        about: What its patterns show, for who looks at them.
        published: Key of the published test that it stands for.
    """

    recipe: str = ""
    path: str | None = None
    source: str | None = None
    set: dict[str, Any] = Field(default_factory=dict)
    train: TrainSamples | None = None
    test: Samples | None = None
    despite: tuple[Despite, ...] = ()
    title: str | None = None
    about: str = ""
    published: str | None = None

    @model_validator(mode="after")
    def _is_used(self) -> Self:
        if bool(self.recipe) == (self.path is not None):
            raise ValueError("give either a `recipe`, or the `path` of a dataset")
        if self.path is not None:
            if self.train or self.test or self.set or self.source:
                raise ValueError(
                    "a dataset that is there is tested on whole: leave `train`, `test`, `set` and "
                    "`source` out"
                )
            return self
        if self.train is None and self.test is None:
            raise ValueError("give `train`, `test` or both")
        if self.train is not None and self.test is not None and self.train.seed == self.test.seed:
            raise ValueError(
                f"train and test have the seed {self.train.seed}: the same specimens would be in "
                "both; give another"
            )
        return self

    @property
    def is_tested_on(self) -> bool:
        """Whether systems can be tested on it."""
        return self.test is not None or self.path is not None


class Start(Config):
    """The trained branch that a branch begins with: backbone and head.

    In YAML the text `SYSTEM#BRANCH`, of the cell with the same dataset and seed, or
    `SYSTEM#BRANCH@DATASET`, of the cell with another dataset and the same seed.

    Attributes:
        system: Name of a system of the suite.
        branch: Name of its branch.
        dataset: Name of a dataset of the suite; `None` for the same.
    """

    system: str
    branch: str
    dataset: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _accept_text(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        found = _START.fullmatch(value)
        if found is None:
            raise ValueError("expected SYSTEM#BRANCH, or SYSTEM#BRANCH@DATASET")
        return found.groupdict()


class SystemPlan(Config):
    """A system of a suite.

    Attributes:
        title: What tables call it; by default its name.
        experiment: Name or YAML file of an experiment, or the experiment itself.
        set: Values of the experiment to change, by path, as `crystalvision train --set` does.
        starts_from: Trained branches that branches begin with, by branch. A branch that no phase of
            the schedule trains stays as it was.
        published: Key of the published system that is shown beside it.
    """

    title: str | None = None
    experiment: str | dict[str, Any]
    set: dict[str, Any] = Field(default_factory=dict)
    starts_from: dict[str, Start] = Field(default_factory=dict)
    published: str | None = None


class Pairing(Config):
    """Which systems train on what, and what they are tested on.

    Attributes:
        systems: Names; by default all.
        train_on: Names of datasets.
        test_on: Names of datasets; by default the one that was trained on.
    """

    systems: tuple[str, ...] | None = None
    train_on: tuple[str, ...]
    test_on: tuple[str, ...] | None = None


class Bound(Config):
    """How to estimate the upper bound of the accuracy.

    Attributes:
        patterns: Draws of all that varies alike in every class; intervals need two.
        specimens: Specimens of each class that are made for each of them.
        seed: Draws them.
    """

    patterns: Annotated[int, Field(ge=2)]
    specimens: Annotated[int, Field(ge=1)]
    seed: Seed = 0


class Suite(Config):
    """What `crystalvision benchmark` runs, once its budget is chosen.

    Attributes:
        name: Its name.
        budget: Name of the budget that these numbers are of; `load_suite` fills it in.
        title: The question that it answers.
        description: What is compared, in a few sentences.
        target: The target by whose score systems are compared; by default `label`, or else the
            first that was judged.
        compare_with: The system from which the difference of every other is tested.
        published: YAML or JSON file of published results, beside the suite's own file.
        claims: What is said of systems; each is tested, beside the published numbers.
        seeds: Each system is trained once with each.
        datasets: By name.
        systems: By name, in the order of the tables.
        pairings: Which systems meet which datasets; by default every system trains on every
            dataset that has `train` and `test`, and is tested on the same one.
        by: A column of the test data, such as `dose_electrons`, for whose values results are given
            one by one.
        bound: How to estimate the upper bound; `None` for none.
        contrast: Training data whose runs are shown beside each other on every test, in one table.
        curves: Curves over tests, of the runs in that table.
        picture: Number of the pattern of each test that the page shows; `None` for none.
    """

    name: Name
    budget: str = ""
    title: str
    description: str
    target: str = ""
    compare_with: str
    published: str | None = None
    claims: tuple[Claim, ...] = ()
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)] = (0, 1, 2)
    datasets: Annotated[dict[Name, DatasetPlan], Field(min_length=1)]
    systems: Annotated[dict[Name, SystemPlan], Field(min_length=1)]
    pairings: tuple[Pairing, ...] = ()
    by: str | None = None
    bound: Bound | None = None
    contrast: tuple[str, ...] = ()
    curves: tuple[CurvePlan, ...] = ()
    picture: Annotated[int, Field(ge=0)] | None = None

    @field_validator("seeds")
    @classmethod
    def _seeds_differ(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) < len(seeds):
            raise ValueError("a seed is given twice; the same run would count twice")
        return seeds

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        _known(self.compare_with, self.systems, "compare_with", "system")
        for name, system in self.systems.items():
            for branch, start in system.starts_from.items():
                where = f"systems.{name}.starts_from.{branch}"
                _known(start.system, self.systems, where, "system")
                if start.dataset is not None:
                    _known(start.dataset, self.datasets, where, "dataset")
        for number, pairing in enumerate(self.pairings):
            for system_name in pairing.systems or ():
                _known(system_name, self.systems, f"pairings.{number}.systems", "system")
            for dataset in (*pairing.train_on, *(pairing.test_on or ())):
                _known(dataset, self.datasets, f"pairings.{number}", "dataset")
        self._check_shown()
        return self

    def _check_shown(self) -> None:
        """Check the names in what is told of the results."""
        for number, claim in enumerate(self.claims):
            for each in claim.systems:
                _known(each, self.systems, f"claims.{number}", "system")
            for each in claim.datasets:
                _known(each, self.datasets, f"claims.{number}", "dataset")
            self._check_pairs(claim, f"claims.{number}")
        for name in self.contrast:
            _known(name, self.datasets, "contrast", "dataset")
        for number, curve in enumerate(self.curves):
            for _, name in curve.points:
                _known(name, self.datasets, f"curves.{number}", "dataset")
        if self.curves and not self.contrast:
            raise ValueError("curves are of runs that `contrast` names; give it training data")

    def _check_pairs(self, claim: Claim, where: str) -> None:
        """Check that tests that are compared pattern by pattern have as many of them."""
        others = claim.than_tested_on or claim.tested_on
        if len(others) == 1:
            others *= len(claim.tested_on)
        for mine, other in zip(claim.tested_on, others, strict=True):
            first, second = self.datasets[mine].test, self.datasets[other].test
            if first and second and first.samples != second.samples:
                raise ValueError(
                    f"{where}: '{mine}' is tested on {first.samples} patterns and '{other}' on "
                    f"{second.samples}; what is compared pattern by pattern needs as many of both"
                )


def _known(name: str, names: Mapping[str, Any], where: str, what: str) -> None:
    if name not in names:
        raise ValueError(f"{where}: no {what} '{name}' in this suite; it has {', '.join(names)}")
