"""Finds and reads suites, and applies their budgets."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from crystalvision.benchmarks._suite import DatasetPlan, Suite
from crystalvision.config import apply_overrides, apply_settings, load_yaml, validate
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue

_USUAL = "quick"  # budget of a suite that has several
_PARTS = ("train", "test")  # of a dataset, each of which it may lack


def find_suite(source: str, catalogue: Catalogue) -> Path:
    """The YAML file of a suite.

    Args:
        source: Its path, or the name of a suite that a plugin ships.
        catalogue: Where names are looked up.

    Raises:
        InputError: No such name.
    """
    if source.endswith((".yaml", ".yml")):
        return Path(source)
    try:
        return catalogue.path("suite", source)
    except InputError as error:
        raise InputError(f"{error}; or give the path of a .yaml file") from error


def load_suite(
    path: Path,
    budget: str | None = None,
    overrides: Iterable[str] = (),
    *,
    settings: Mapping[str, Any] | None = None,
) -> Suite:
    """Read a suite and apply one of its budgets.

    The file holds a suite and `budgets`, by name; a budget's values replace those of the suite, key
    by key, at any depth. `null` takes a key away. A file without `budgets`, such as the
    `suite.yaml` of a benchmark's folder, is taken as it is, and has at most the budget that it
    names. Files that it names lie beside it.

    What `every_dataset` says then holds for each dataset that does not say otherwise; of `train`
    and `test`, for those that have them.

    Args:
        path: A YAML file.
        budget: Name of a budget; by default `quick`, if the file has budgets.
        overrides: `key=value` texts, as `--set` takes them, applied last.
        settings: The same as values by path.

    Raises:
        InputError: The file is no suite, or has no such budget.
    """
    data = load_yaml(path)
    if "budgets" in data:
        budgets, budget = data.pop("budgets"), budget or _USUAL
        if not isinstance(budgets, Mapping) or budget not in budgets:
            listing = ", ".join(budgets) if isinstance(budgets, Mapping) and budgets else "none"
            raise InputError(f"{path}: it has no budget '{budget}'; its budgets: {listing}")
        changes = budgets[budget] or {}
        if not isinstance(changes, Mapping):
            raise InputError(
                f"{path}, budgets.{budget}: expected a mapping of keys to values, found {changes!r}"
            )
        data = {**merged(data, changes), "budget": budget}
    elif budget is not None and budget != data.get("budget"):
        raise InputError(
            f"{path}: it has no budget '{budget}', for it has no `budgets`; leave --budget out"
        )
    data = apply_settings(apply_overrides(data, overrides), settings or {}, str(path))
    data = _with_common(data, path)
    suite = validate(Suite, data, f"{path}, budget {budget}" if budget else str(path))
    return _found(suite, path.parent)


def _with_common(data: dict[str, Any], path: Path) -> dict[str, Any]:
    """A suite whose datasets say themselves what `every_dataset` says of all.

    Raises:
        InputError: It is no mapping.
    """
    common = data.pop("every_dataset", None)
    if common is None:
        return data
    plans = data.get("datasets")
    if not isinstance(common, Mapping) or not isinstance(plans, Mapping):
        raise InputError(f"{path}, every_dataset: expected a mapping, as each of `datasets` is")
    completed = {}
    for name, plan in plans.items():
        own: Mapping[str, Any] = plan or {}
        used = {key: value for key, value in common.items() if key in own or key not in _PARTS}
        completed[name] = merged(used, own)
    return {**data, "datasets": completed}


def _found(suite: Suite, folder: Path) -> Suite:
    """The suite with the files that it names as absolute paths."""
    published = suite.published and str((folder / suite.published).resolve())
    datasets = {
        name: plan.model_copy(update={"recipe": _file(plan.recipe, folder), **_path(plan)})
        for name, plan in suite.datasets.items()
    }
    systems = {
        name: plan.model_copy(update={"experiment": _file(plan.experiment, folder)})
        for name, plan in suite.systems.items()
    }
    update = {"published": published, "datasets": datasets, "systems": systems}
    return suite.model_copy(update=update)


def _path(plan: DatasetPlan) -> dict[str, str]:
    """The path of data that are there, absolute: it is where the user is that counts."""
    return {} if plan.path is None else {"path": str(Path(plan.path).resolve())}


def _file(value: Any, folder: Path) -> Any:
    if isinstance(value, str) and value.endswith((".yaml", ".yml")):
        return str((folder / value).resolve())
    return value


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Two mappings in one, the second's values before the first's; `None` takes a key away."""
    result = dict(base)
    for key, value in changes.items():
        before = result.get(key)
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(before, Mapping):
            result[key] = merged(before, value)
        else:
            result[key] = value
    return result
