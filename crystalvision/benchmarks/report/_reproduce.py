"""What a reader needs to run a benchmark again, whole or cell by cell."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from crystalvision.benchmarks._facts import RunFacts
from crystalvision.benchmarks._folder import BenchmarkFolder
from crystalvision.benchmarks._rows import ResultRow
from crystalvision.benchmarks._suite import DatasetPlan, Samples
from crystalvision.benchmarks.report._load import LoadedBenchmark
from crystalvision.report import as_yaml
from crystalvision.text import command_line, one_line

_DROPPED = ("command",)
_HERE = BenchmarkFolder(Path())


@dataclass(frozen=True, slots=True)
class ReproduceCommands:
    """How the runs of a system are made again.

    Attributes:
        title: What tables call it.
        words: Its parts in words.
        file: What the commands call its experiment.
        experiment: The experiment of its first run, as YAML.
        commands: One `train` for each run, and its `evaluate`s.
    """

    title: str
    words: str
    file: str
    experiment: str
    commands: str


def whole_command(benchmark: LoadedBenchmark) -> str:
    """The command that makes the benchmark again."""
    command = _command(benchmark)
    if command:
        return command_line(*command)
    name, folder = benchmark.suite.name, benchmark.folder.name
    budget = ["--budget", benchmark.budget] if benchmark.budget else []
    return command_line("crystalvision", "benchmark", name, *budget, "-o", folder)


def preparation(benchmark: LoadedBenchmark) -> str:
    """What a shell must be told before the commands of single runs, or ""."""
    return "export OMP_NUM_THREADS=1" if _device(benchmark) == "cpu" else ""


def dataset_commands(benchmark: LoadedBenchmark) -> str:
    """The commands that make the datasets again."""
    program = _program(benchmark)
    lines: list[str] = []
    for name, plan in benchmark.suite.datasets.items():
        if plan.train is not None:
            whole = str(_HERE.training_data(name, plan, plan.train.samples))
            lines.append(_make(benchmark, plan, plan.train, whole))
            lines.append(command_line(*program, *_split(whole, plan.train.validation_share, 0)))
            for size in _parts(benchmark, name, plan.train.samples):
                part, share = str(_HERE.training_data(name, plan, size)), size / plan.train.samples
                lines.append(command_line("cp", "-r", whole, part))
                rest = _split(part, plan.train.validation_share * share, 1 - share)
                lines.append(command_line(*program, *rest))
        if plan.test is not None:
            test = str(_HERE.test_data(name))
            lines.append(_make(benchmark, plan, plan.test, test))
    return "\n".join(lines)


def systems_again(benchmark: LoadedBenchmark) -> list[ReproduceCommands]:
    """Every system that has a run, with the commands of its runs."""
    found = []
    for name in benchmark.suite.systems:
        rows = _runs(benchmark, name)
        if not rows:
            continue
        first = benchmark.runs[rows[0].run]
        found.append(
            ReproduceCommands(
                title=benchmark.title(name),
                words=first.system,
                file=f"{name}.yaml",
                experiment=as_yaml(first.experiment),
                commands="\n".join(
                    line for row in rows for line in _commands(benchmark, name, row, first)
                ),
            )
        )
    return found


def environment_facts(environment: Mapping[str, Any]) -> dict[str, str]:
    """What is known of software and machine, name → text; nested names are joined."""
    facts: dict[str, str] = {}
    for key, value in environment.items():
        if key in _DROPPED or value in (None, "", [], {}):
            continue
        name = key.replace("_", " ")
        if isinstance(value, Mapping):
            facts |= {f"{name}: {inner}": text for inner, text in environment_facts(value).items()}
        elif isinstance(value, list):
            facts[name] = ", ".join(str(item) for item in value)
        else:
            facts[name] = str(value)
    return facts


def _command(benchmark: LoadedBenchmark) -> list[str]:
    """The command line that was run, without the program's folder; nothing if it is not known."""
    command = [str(part) for part in benchmark.environment.get("command") or ()]
    return [PurePath(command[0]).name, *command[1:]] if command else []


def _program(benchmark: LoadedBenchmark) -> list[str]:
    """The program, with the options that the benchmark had, such as the plugins of its user."""
    command = _command(benchmark)
    return command[: command.index("benchmark")] if "benchmark" in command else ["crystalvision"]


def _device(benchmark: LoadedBenchmark) -> str:
    return str(benchmark.environment.get("device") or "cpu")


def _where(benchmark: LoadedBenchmark) -> list[str]:
    """Options that have a command run where the benchmark did; without any it is the CPU."""
    return [] if _device(benchmark) == "cpu" else ["--device", _device(benchmark)]


def _parts(benchmark: LoadedBenchmark, dataset: str, whole: int) -> list[int]:
    """Numbers of patterns, less than all, that were trained on."""
    sizes = {row.train_patterns for row in benchmark.rows if row.trained_on == dataset}
    return sorted(sizes - {whole})


def _split(path: str, validation: float, test: float) -> list[str]:
    shares = ["--validation", f"{validation:.12g}", "--test", f"{test:.12g}"]
    return ["dataset", "split", path, *shares]


def _make(benchmark: LoadedBenchmark, plan: DatasetPlan, samples: Samples, path: str) -> str:
    """The command that makes a dataset, or a comment where there is none."""
    count = ["--samples", str(samples.samples), "--seed", str(samples.seed)]
    values = [*count, *_sets(plan.set)]
    made_by = shlex.split(_made_by(benchmark, plan))
    if not made_by:
        about = one_line(f"# {path}: its source has no command; {plan.recipe}")
        return f"{about} {command_line(*values)}"
    words = [plan.recipe if word == "recipe.yaml" else word for word in made_by[1:]]
    line = [*_program(benchmark), *words, "-o", path, *values, *_where(benchmark)]
    return command_line(*line)


def _made_by(benchmark: LoadedBenchmark, plan: DatasetPlan) -> str:
    """What makes a dataset from `recipe.yaml`, as runs on data of the same source remember it."""
    for row in benchmark.rows:
        run = benchmark.runs.get(row.run)
        if run is not None and benchmark.suite.datasets[row.trained_on].source == plan.source:
            return run.data_command
    return ""


def _sets(values: Mapping[str, Any]) -> list[str]:
    return [part for key, value in values.items() for part in ("--set", f"{key}={_inline(value)}")]


def _inline(value: Any) -> str:
    """A value as YAML on one line; JSON is YAML."""
    return value if isinstance(value, str) else json.dumps(value)


def _runs(benchmark: LoadedBenchmark, system: str) -> list[ResultRow]:
    """The first row of each run of a system."""
    first: dict[str, ResultRow] = {}
    for row in benchmark.rows:
        if row.system == system and row.status == "ok":
            first.setdefault(row.run, row)
    return list(first.values())


def _commands(
    benchmark: LoadedBenchmark, system: str, row: ResultRow, first: RunFacts
) -> Sequence[str]:
    changed = _changes(first.experiment, benchmark.runs[row.run].experiment)
    plan = benchmark.suite.datasets[row.trained_on]
    data = str(_HERE.training_data(row.trained_on, plan, row.train_patterns))
    program, device = _program(benchmark), _where(benchmark)
    train = ["train", f"{system}.yaml", "-d", data, "-o", row.run, *_sets(changed)]
    lines = [command_line(*program, *train, *device)]
    for each in benchmark.rows:
        if each.run == row.run and each.tested_on and not each.by and each.status == "ok":
            test = str(_HERE.test_data(each.tested_on))
            judge = ["evaluate", row.run, "-d", test, "--split", "all", "--name", each.evaluation]
            lines.append(command_line(*program, *judge, *device))
    return lines


def _changes(before: Any, after: Any, path: str = "") -> dict[str, Any]:
    """What `--set` makes of one experiment the other, path → value."""
    if isinstance(before, Mapping) and isinstance(after, Mapping) and before.keys() == after.keys():
        found: dict[str, Any] = {}
        for key in before:
            found |= _changes(before[key], after[key], f"{path}.{key}" if path else key)
        return found
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        found = {}
        for place, (one, other) in enumerate(zip(before, after, strict=True)):
            found |= _changes(one, other, f"{path}.{place}")
        return found
    return {} if before == after else {path: after}
