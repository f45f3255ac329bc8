"""What each cell of a suite trains."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crystalvision.benchmarks._cells import Cell
from crystalvision.benchmarks._suite import Start, Suite, SystemPlan, TrainSamples
from crystalvision.config import apply_settings
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue
from crystalvision.runs import parts_of
from crystalvision.training import AnyExperiment, Experiment, check_experiment, read_experiment


def with_experiments(suite: Suite, catalogue: Catalogue) -> Suite:
    """The suite with the experiments that it names written out in it.

    So a benchmark's folder says all that it trains, and notices when a file has changed.

    Raises:
        InputError: No such experiment, or a setting that is wrong.
    """
    systems = {
        name: plan.model_copy(update={"experiment": _data(suite, name, plan, catalogue)})
        for name, plan in suite.systems.items()
    }
    written = suite.model_copy(update={"systems": systems})
    for name in systems:
        where = f"suite '{suite.name}', system '{name}'"
        _check_names(check_experiment(_settings(written, name), where), catalogue, where)
    return written


def experiment_of(suite: Suite, cell: Cell) -> AnyExperiment:
    """The experiment of a cell of a suite that has its experiments written out.

    Raises:
        InputError: A setting that is wrong, or a start that does not fit.
    """
    name = cell.key.system
    data = {**_settings(suite, name), "seed": cell.key.seed}
    branches = _branches(suite, name)
    for branch, start in suite.systems[name].starts_from.items():
        where = f"suite '{suite.name}', systems.{name}.starts_from.{branch}"
        _check_start(suite, branches, branch, start, where)
        run, other = cell.starts[branch]
        branches[branch] = {**branches[branch], "weights": f"{run.folder}#{other}"}
    if cell.starts:
        data["system"] = {**data["system"], "branches": branches}
    experiment = check_experiment(data, f"suite '{suite.name}', system '{name}'")
    train = suite.datasets[cell.key.dataset].train
    if train is not None and train.same_steps and isinstance(experiment, Experiment):
        return _with_steps_of(experiment, train, cell.key.size)
    return experiment


def _with_steps_of(experiment: Experiment, train: TrainSamples, size: int) -> Experiment:
    """The experiment with so many epochs that every phase has the steps that all patterns give."""
    learnt = 1 - train.validation_share

    def times(batch_size: int) -> float:
        whole, part = (
            math.ceil(round(each * learnt) / batch_size) for each in (train.samples, size)
        )
        return whole / max(1, part)

    phases = tuple(
        phase.model_copy(update={"epochs": round(phase.epochs * times(phase.batch_size))})
        for phase in experiment.schedule.phases
    )
    schedule = experiment.schedule.model_copy(update={"phases": phases})
    return experiment.model_copy(update={"schedule": schedule})


def _check_names(experiment: AnyExperiment, catalogue: Catalogue, where: str) -> None:
    """Refuse what no plugin offers, unless a plugin that may offer it could not be loaded."""
    if catalogue.failures:
        return
    for kind, part in parts_of(experiment):
        try:
            catalogue.entry(kind, part.name)
        except InputError as error:
            raise InputError(f"{where}: {error}") from error


def _data(suite: Suite, name: str, plan: SystemPlan, catalogue: Catalogue) -> dict[str, Any]:
    if isinstance(plan.experiment, dict):
        return plan.experiment
    try:
        return read_experiment(plan.experiment, catalogue)
    except InputError as error:
        raise InputError(f"suite '{suite.name}', system '{name}': {error}") from error


def _settings(suite: Suite, name: str) -> dict[str, Any]:
    plan = suite.systems[name]
    if not isinstance(plan.experiment, dict):
        raise TypeError(f"the experiment of system '{name}' is not written out")
    where = f"suite '{suite.name}', system '{name}'"
    return _with_places(apply_settings(plan.experiment, plan.set, where))


def _branches(suite: Suite, name: str) -> dict[str, Any]:
    system = _settings(suite, name).get("system")
    branches = system.get("branches") if isinstance(system, dict) else None
    return dict(branches) if isinstance(branches, Mapping) else {}


def _check_start(
    suite: Suite, branches: Mapping[str, Any], branch: str, start: Start, where: str
) -> None:
    """Refuse a start from or to a branch that is not there, or of another backbone or head."""
    others = _branches(suite, start.system)
    mine = ("this system", branch, branches)
    for system, name, there in (mine, (f"'{start.system}'", start.branch, others)):
        if name not in there:
            listing = ", ".join(there) or "none: it has no networks"
            raise InputError(f"{where}: {system} has no branch '{name}'; its branches: {listing}")
    for part in ("backbone", "head"):
        own, other = (_name(each.get(part)) for each in (branches[branch], others[start.branch]))
        if own != other:
            raise InputError(
                f"{where}: {part} '{own}' cannot begin with the weights of {part} '{other}' of "
                f"{start.system}#{start.branch}; give both branches the same"
            )


def _name(part: object) -> object:
    return part.get("name") if isinstance(part, Mapping) else part


def _with_places(data: dict[str, Any]) -> dict[str, Any]:
    """The experiment with absolute paths of the weights that its backbones begin with.

    Cells are trained in the benchmark's folder, not where the user is.
    """
    system = data.get("system")
    branches = system.get("branches") if isinstance(system, dict) else None
    for branch in branches.values() if isinstance(branches, dict) else ():
        if isinstance(branch, dict):
            _place(branch)
            _place(branch.get("backbone"))
    return data


def _place(holder: object) -> None:
    weights = holder.get("weights") if isinstance(holder, dict) else None
    if not isinstance(holder, dict) or not isinstance(weights, str):
        return
    if Path(weights.rpartition("#")[0] or weights).exists():
        holder["weights"] = str(Path(weights).resolve())
