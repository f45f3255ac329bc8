"""What a reader needs to make the same again: settings, commands, software, machine."""

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from crystalvision.report._data import Data
from crystalvision.report._results import Result
from crystalvision.text import command_line, file_names, one_line
from crystalvision.yaml_text import dump_yaml


def recipe_text(data: Data) -> str:
    """The recipe of a dataset, as YAML."""
    return as_yaml(data.recipe)


def experiment_text(result: Result) -> str:
    """The experiment of a run with everything filled in, as YAML."""
    return as_yaml(result.record.experiment.model_dump(mode="json"))


def recipe_files(data: Sequence[Data]) -> list[str]:
    """What the commands call the file of each recipe."""
    if len(data) == 1:
        return ["recipe.yaml"]
    return [f"recipe-{number}.yaml" for number, _ in enumerate(data, start=1)]


def experiment_file(result: Result) -> str:
    """What the commands call the file of a run's experiment."""
    return f"{file_names([result.name.replace('/', '-')], 'run')[0]}.yaml"


def commands(data: Sequence[Data], results: Sequence[Result]) -> str:
    """The commands that make the datasets, runs, evaluations and the page again."""
    made = [
        " ".join(
            (one_line(each.command).replace("recipe.yaml", file), "-o", command_line(each.path))
        )
        if each.command
        else f"# {one_line(each.path)}: measured or put together, so no command makes it again"
        for file, each in zip(recipe_files(data), data, strict=True)
    ]
    lines: list[tuple[str, ...]] = []
    for result in results:
        path, metrics = str(result.path), result.metrics
        lines.append(
            ("train", experiment_file(result), "-d", result.record.dataset.path, "-o", path)
        )
        judged = ("evaluate", path, "-d", metrics.dataset, "--split", metrics.split)
        calibrated = any(each.temperature is not None for each in metrics.targets.values())
        as_given = () if calibrated or metrics.rejected is not None else ("--uncalibrated",)
        lines.append((*judged, "--name", result.evaluation, *as_given))
    lines.append(("report", *(str(result.path) for result in results), "-o", "report.html"))
    return "\n".join([*made, *(command_line("crystalvision", *line) for line in lines)])


def environments(results: Sequence[Result]) -> list[tuple[list[str], dict[str, str]]]:
    """Each environment in which runs were trained, after the names of those runs."""
    found: list[tuple[list[str], dict[str, str]]] = []
    for result in results:
        environment = {"device": result.record.device, **result.record.environment}
        for names, known in found:
            if known == environment:
                names.append(result.name)
                break
        else:
            found.append(([result.name], environment))
    return found


def parts(results: Sequence[Result]) -> dict[str, str]:
    """Who gave each part of the systems: kind and name → distribution and version."""
    return {
        f"{plugin.kind} {plugin.name}": f"{plugin.distribution} {plugin.version}".strip()
        for result in results
        for plugin in result.record.plugins
    }


def machine() -> dict[str, str]:
    """Where the page is made."""
    import torch

    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": str(os.cpu_count() or "unknown"),
        "threads of torch": str(torch.get_num_threads()),
        **{name: version(name) for name in ("crystalvision", "matplotlib", "torch")},
    }


def as_yaml(value: Mapping[str, Any]) -> str:
    """Settings as YAML, without what is not set."""
    return dump_yaml(_without_nulls(value), width=88)


def _without_nulls(value: Any) -> Any:
    """The value without what is not set, which no reader needs to see."""
    if isinstance(value, Mapping):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_nulls(item) for item in value]
    return value
