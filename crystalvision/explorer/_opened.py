"""What the explorer is started with: told apart by what lies there."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crystalvision.benchmarks import is_benchmark
from crystalvision.errors import InputError
from crystalvision.plugins import Catalogue

_YAML = {".yaml", ".yml"}


@dataclass(frozen=True, slots=True)
class Opened:
    """What the explorer was started with.

    Attributes:
        recipes: Names or paths of recipes.
        datasets: Folders of datasets.
        runs: Folders of runs.
        benchmarks: Folders of benchmarks.
    """

    recipes: tuple[str, ...] = ()
    datasets: tuple[Path, ...] = ()
    runs: tuple[Path, ...] = ()
    benchmarks: tuple[Path, ...] = ()


def opened(what: Sequence[str | Path], catalogue: Catalogue) -> Opened:
    """Tell recipes, datasets, runs and benchmarks apart.

    A name goes before a path, as for `crystalvision show`: a folder that has the name of a recipe
    is meant by `./NAME`.

    Raises:
        InputError: One is none of them.
    """
    found: dict[str, list[str | Path]] = {}
    for one in what:
        found.setdefault(_kind(str(one), catalogue), []).append(one)
    return Opened(
        recipes=tuple(map(str, found.get("recipe", ()))),
        datasets=tuple(map(Path, found.get("dataset", ()))),
        runs=tuple(map(Path, found.get("run", ()))),
        benchmarks=tuple(map(Path, found.get("benchmark", ()))),
    )


def _kind(text: str, catalogue: Catalogue) -> str:
    path = Path(text)
    if catalogue.has("recipe", text) or (path.suffix in _YAML and path.is_file()):
        return "recipe"
    if (path / "run.yaml").is_file():
        return "run"
    if (path / "zarr.json").is_file():
        return "dataset"
    if is_benchmark(path):
        return "benchmark"
    what = "holds none of them" if path.exists() else "there is no such thing"
    raise InputError(
        f"explore {text}: {what}; expected a recipe (by its name, or a .yaml file), a dataset "
        "(DATA.zarr), or the folder of a run or of a benchmark; recipes: "
        f"{', '.join(catalogue.names('recipe'))}"
    )
