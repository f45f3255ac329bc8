"""Finds what is wrong with a suite before anything of it is run."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product

from crystalvision.benchmarks._cells import Cell, CellKey
from crystalvision.benchmarks._datasets import SuiteDataset
from crystalvision.benchmarks._experiments import experiment_of
from crystalvision.benchmarks._suite import Suite
from crystalvision.classical import build_classical
from crystalvision.datasets import Conditions, DatasetHeader, match, same_things
from crystalvision.errors import InputError, PluginError
from crystalvision.inputs import build_preprocess
from crystalvision.plugins import Catalogue
from crystalvision.runs import parts_of
from crystalvision.training import (
    AnyExperiment,
    ClassicalExperiment,
    Experiment,
    check_fits,
)

Sources = Mapping[tuple[str, str], SuiteDataset]


def check_suite(
    suite: Suite,
    cells: list[Cell],
    sources: Sources,
    catalogue: Catalogue,
    advance: Callable[[], object] = lambda: None,
) -> dict[str, str]:
    """Check every experiment against the data that it will meet.

    Args:
        suite: With its experiments written out.
        cells: Its cells.
        sources: What makes its datasets.
        catalogue: Where parts are looked up.
        advance: Called as often as there are datasets and systems.

    Returns:
        What will fail for want of a plugin or of weights, by system; the rest can be run.

    Raises:
        InputError: A setting is wrong, or data do not belong together.
    """
    experiments = {cell.key: experiment_of(suite, cell) for cell in cells}  # needs no data
    for made in sources.values():
        _ = made.header
        advance()
    _check_target(suite, sources)
    _check_data(suite, cells, sources)
    known: dict[tuple[str, tuple[int, ...], int], str] = {}
    troubles: dict[str, str] = {}
    reported: set[str] = set()
    for cell in cells:
        header = sources[cell.key.dataset, "train"].header
        name = cell.key.system
        case = name, tuple(header.image_shape), len(header.class_names)
        if case not in known:
            where = f"suite '{suite.name}', system '{name}'"
            known[case] = _trouble(experiments[cell.key], cell, header, catalogue, where)
        if known[case]:
            troubles[name] = known[case]
        if name not in reported:
            reported.add(name)
            advance()
    return troubles


def _trouble(
    experiment: AnyExperiment, cell: Cell, header: DatasetHeader, catalogue: Catalogue, where: str
) -> str:
    """What will go wrong with an experiment that is in order by itself; "" for nothing.

    Raises:
        InputError: It is not in order.
    """
    for kind, part in parts_of(experiment):
        if catalogue.failures and not catalogue.has(kind, part.name):
            broken = ", ".join(failure.plugin.name for failure in catalogue.failures)
            return f"no {kind} '{part.name}'; plugins that could not be loaded: {broken}"
    try:
        if isinstance(experiment, ClassicalExperiment):
            _build_classical(experiment, header, catalogue)
            return ""
        return _trouble_of_network(_unstarted(experiment, cell), header, catalogue)
    except PluginError as error:
        return str(error)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def _trouble_of_network(experiment: Experiment, header: DatasetHeader, catalogue: Catalogue) -> str:
    try:
        check_fits(experiment, header, catalogue)
    except InputError as error:
        # Weights that are not on this machine do not make a suite wrong.
        check_fits(experiment, header, catalogue, first_weights=False)
        return str(error)
    return ""


def _unstarted(experiment: Experiment, cell: Cell) -> Experiment:
    """The experiment without weights of cells, which are still to be trained."""
    branches = {
        name: branch.model_copy(update={"weights": None}) if name in cell.starts else branch
        for name, branch in experiment.system.branches.items()
    }
    system = experiment.system.model_copy(update={"branches": branches})
    return experiment.model_copy(update={"system": system})


def _build_classical(
    experiment: ClassicalExperiment, header: DatasetHeader, catalogue: Catalogue
) -> None:
    build_classical(
        experiment.system,
        catalogue,
        preprocess=build_preprocess(experiment.input, catalogue, header.axes),
        channels=header.image_shape[0],
        targets=header.targets,
        seed=experiment.seed,
    )


def _check_target(suite: Suite, sources: Sources) -> None:
    """Check that every test has the target by which systems are compared.

    Raises:
        InputError: One has not.
    """
    for made in sources.values():
        if suite.target and made.role == "test" and suite.target not in made.header.targets:
            raise InputError(
                f"suite '{suite.name}': target '{suite.target}' is none of dataset '{made.name}'; "
                f"it has {', '.join(made.header.targets) or 'none'}"
            )


def _check_data(suite: Suite, cells: list[Cell], sources: Sources) -> None:
    """Check that what is learnt from and what is tested on belong together.

    Raises:
        InputError: Other classes or images, common specimens, or no column `by`.
    """
    by_key = {cell.key: cell for cell in cells}
    checked: set[tuple[str, str]] = set()
    for cell in cells:
        for test in cell.tests:
            for learnt in _learnt(cell.key, by_key):
                if (learnt, test) not in checked:
                    checked.add((learnt, test))
                    _check_pair(suite, learnt, test, sources)
            _check_recorded(suite, cell.key.dataset, test, sources)
            columns = sources[test, "test"].header.columns
            if suite.by is not None and suite.by not in columns:
                raise InputError(
                    f"suite '{suite.name}', by={suite.by!r}: dataset '{test}' has no such column; "
                    f"its columns: {', '.join(columns) or 'none'}"
                )


def _learnt(key: CellKey, cells: Mapping[CellKey, Cell]) -> Iterator[str]:
    """The datasets from which the weights of a cell come."""
    yield key.dataset
    for before in cells[key].needs:
        yield from _learnt(before, cells)


def _check_pair(suite: Suite, learnt: str, test: str, sources: Sources) -> None:
    mine, other = (sources[each].header for each in ((learnt, "train"), (test, "test")))
    where = f"suite '{suite.name}': what is learnt from '{learnt}' and tested on '{test}'"
    if not set(other.class_names) <= set(mine.class_names):
        raise InputError(
            f"{where} has classes {_listed(mine.class_names)} here and "
            f"{_listed(other.class_names)} there"
        )
    if _same(mine, other):
        raise InputError(
            f"{where} would share specimens: both have the seed {_seed(mine)}; give `test` another"
        )


def _same(one: DatasetHeader, other: DatasetHeader) -> bool:
    """Whether two datasets may show the same things."""
    parts = product(one.origins.values(), other.origins.values())
    return any(same_things(*pair) for pair in parts)


def _seed(header: DatasetHeader) -> int | None:
    return getattr(header.provenance, "seed", None)


def _listed(values: Iterable[object]) -> str:
    return ", ".join(map(str, values))


def _check_recorded(suite: Suite, learnt: str, test: str, sources: Sources) -> None:
    """Check that what is trained on and what is tested on were recorded alike.

    Raises:
        InputError: They were not, and the suite does not say that it wants that.
    """
    mine, other = (sources[each].header for each in ((learnt, "train"), (test, "test")))
    where = f"suite '{suite.name}': "
    if mine.image_shape != other.image_shape:
        where += (
            f"what is learnt from '{learnt}' and tested on '{test}' has images of shape "
            f"{_listed(mine.image_shape)} here and {_listed(other.image_shape)} there: "
        )
    if mine.image_shape[0] != other.image_shape[0]:
        raise InputError(where.removesuffix(": "))
    try:
        match(
            *(Conditions.of_header(each) for each in (mine, other)),
            run_name=f"what is learnt from '{learnt}'",
            data_name=f"what is tested on '{test}'",
            despite=suite.datasets[test].despite,
        )
    except InputError as error:
        here = rf"`despite: [\1]` in the suite's dataset '{test}'"
        reason = re.sub(r"--despite (\w+)", here, str(error))
        raise InputError(f"{where}{reason}") from error
