"""Every way to extend CrystalVision, on one page.

A plugin is a module with functions marked `@hookimpl`, named in the entry-point group
`crystalvision` of its distribution, or loaded from a single file with `-p ./my_plugin.py`::

    from crystalvision import hookimpl

    @hookimpl
    def crystalvision_backbones():
        return {"mynet": "my_package.mynet:MyNet"}

Each hook returns a mapping of names to what they stand for. A factory may be given as the callable
itself, a `functools.partial` of one, or text, `"package.module:attribute"`, which is imported only
when it is asked for: so the command line stays quick, and a plugin whose dependency is missing
costs only its own names. A factory's keyword parameters are the thing's options; their annotations
are checked, their defaults shown by `crystalvision plugins show`. The toolkit itself supplies the
parameters named below.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:  # torch takes seconds to import, and --help must not wait for it
    import typer

    from crystalvision.contracts import (
        Augmentation,
        Backbone,
        Crystal,
        Defect,
        Estimator,
        Features,
        Fusion,
        Head,
        Input,
        Instrument,
        Reader,
        Renderer,
        Task,
    )
    from crystalvision.samples import Source

hookspec = pluggy.HookspecMarker("crystalvision")


@hookspec
def crystalvision_structures() -> "Mapping[str, str | Callable[..., Crystal]]":
    """Ideal crystals: name → factory of one periodic unit cell.

    Example: `return {"nacl": "my_package.nacl:rock_salt"}`, where
    `rock_salt(a_angstrom: float = 5.64) -> Crystal`. What a factory had to assume, it says in
    `Crystal.assumed`: the user is told, and the dataset keeps it.
    """


@hookspec
def crystalvision_defects() -> "Mapping[str, str | Callable[..., Defect]]":
    """Defects: name → factory; a defect takes a crystal and returns it with its measured degree.

    Example: `return {"vacancy": Vacancy}`, where `Vacancy(fraction: float)` has
    `apply(crystal, rng) -> DefectiveCrystal`, and in `measures` the columns that it fills.
    """


@hookspec
def crystalvision_renderers() -> "Mapping[str, str | Callable[..., Renderer]]":
    """Renderers: name → factory; a renderer turns specimens into calibrated patterns.

    Example: `return {"multislice": "my_package.multislice:Multislice"}`, whose instances have
    `render(specimens, beams, device=..., dtype=...) -> list[Pattern]`; with `cost(size) -> Cost`,
    what cannot fit into memory is refused before work starts.
    """


@hookspec
def crystalvision_instruments() -> "Mapping[str, str | Callable[..., Instrument]]":
    """Instruments: name → factory of what records patterns, between a renderer and the dataset.

    Example: `return {"strip": "my_package.strip:StripDetector"}`, whose instances have
    `axes(axes) -> axes` and `measure(projected, rng) -> Recording`. One is made for each sample
    that draws other numbers for its options.
    """


@hookspec
def crystalvision_sources() -> "Mapping[str, str | Callable[..., Source]]":
    """Sources of samples: name → factory of what makes datasets, such as the simulation engine.

    The toolkit supplies `spec`, which holds the recipe, and `catalogue`. With a source come making
    datasets on a cluster, resuming, repairing, and training on samples while they are made.
    Example: `return {"simulation": "my_package.source:open_source"}`.
    """


@hookspec
def crystalvision_readers() -> "Mapping[str, str | Callable[..., Reader]]":
    """Readers of measured files: name → factory of what opens files of one format.

    Which reader a file is for is told by its name and its first bytes: `suffixes`, `signatures`
    and `recognises(start)`. All are made to choose one, so modules of readers import only what is
    quick to import, and the rest where a file is opened.
    Example: `return {"xrdml": "my_package.xrdml:Xrdml"}`, whose instances have `format`, such as
    "XRDML", and `open(path) -> MeasuredFile`, with the frames of the file and `read(number) ->
    Recording`.
    """


@hookspec
def crystalvision_inputs() -> "Mapping[str, str | Callable[..., Input]]":
    """Inputs: name → factory of one step from raw counts to what a network sees, (b, c, *grid).

    The toolkit supplies `axes`, those of what the step gets, where the factory asks for them.
    Example: `return {"log1p": Log1p}`, whose instances have `axes(axes) -> axes` and
    `forward(images, seen) -> (images, seen)`, where `seen` tells which points were measured.
    """


@hookspec
def crystalvision_augmentations() -> "Mapping[str, str | Callable[..., Augmentation]]":
    """Augmentations of training images: name → factory of what changes their counts (b, c, *grid).

    Example: `return {"dihedral": Dihedral}`, whose instances have `check(image_shape)` and
    `apply(counts, generator, seen) -> (counts, seen)`.
    """


@hookspec
def crystalvision_backbones() -> "Mapping[str, str | Callable[..., Backbone]]":
    """Backbones: name → factory of a network from images (b, c, *grid) to features.

    The features are a map (b, f, *grid'). The toolkit supplies `in_channels`, and where the factory
    asks for it `dimensions`, the number of dimensions of the grid.
    Example: `return {"mynet": MyNet}`, where `MyNet(in_channels: int, width: int = 32)` has
    `num_features`, `stride` and, unless it reads images of rows and columns, `dimensions`.
    """


@hookspec
def crystalvision_heads() -> "Mapping[str, str | Callable[..., Head]]":
    """Heads: name → factory of a module over features, with its loss and what it says of targets.

    The toolkit supplies `num_features`, and where the factory asks for them `targets`, what the
    dataset has to be learnt (name → `Target`), `num_classes`, those of the target that the option
    `target` names (or else of `label`), `grid`, the shape of the prepared images, and `map_grid`,
    that of the feature map, which a final head does not have: `()`.
    Example: `return {"softmax": Softmax}`, where `Softmax(num_features: int, num_classes: int,
    target: str = "label")` has `targets`, `forward`, `loss` and `predict`.
    """


@hookspec
def crystalvision_tasks() -> "Mapping[str, str | Callable[..., Task]]":
    """Tasks: name → factory of what judges and shows one kind of target.

    A dataset's target names its task, and a run is judged by it wherever it is told.
    Example: `return {"texture": "my_package.texture:Texture"}`, whose instances have
    `score(estimate, truth, target)`, `metrics(judged)`, `columns(judged)` and
    `figures(judged, metrics)`.
    """


@hookspec
def crystalvision_fusions() -> "Mapping[str, str | Callable[..., Fusion]]":
    """Fusion strategies: name → factory of a module that joins what several branches produced.

    The toolkit supplies `branch_features`, a mapping of branch name to its number of features, and
    where the factory asks for them `branch_outputs`, the same of its head's raw outputs, and
    `num_classes`.
    Example: `return {"concat": Concat}`.
    """


@hookspec
def crystalvision_features() -> "Mapping[str, str | Callable[..., Features]]":
    """Features of classical systems: name → factory of what describes images by numbers (b, f).

    The toolkit supplies, where the factory asks for them, `image_shape` (c, *grid) of the
    prepared images, `centre`, where the direct beam lies in them [points], and `seed`.
    Example: `return {"total-counts": "my_package.counts:TotalCounts"}`.
    """


@hookspec
def crystalvision_estimators() -> "Mapping[str, str | Callable[..., Estimator]]":
    """Estimators of classical systems: name → factory of a classifier like scikit-learn's.

    The toolkit supplies `seed` where the factory asks for it, and decides how many jobs run.
    Example: `return {"extra-trees": "my_package.trees:extra_trees"}`, where
    `extra_trees(trees: int = 500, seed: int = 0)` returns an `ExtraTreesClassifier`.
    """


@hookspec
def crystalvision_recipes() -> Mapping[str, Path]:
    """Recipes of datasets: name → YAML file, so that `crystalvision simulate NAME` finds it.

    Example: `return {"nacl-vacancies": Path(__file__).parent / "nacl-vacancies.yaml"}`.
    """


@hookspec
def crystalvision_experiments() -> Mapping[str, Path]:
    """Experiments: name → YAML file, so that `crystalvision train NAME` finds it.

    Example: `return {"quick": Path(__file__).parent / "quick.yaml"}`.
    """


@hookspec
def crystalvision_suites() -> Mapping[str, Path]:
    """Suites of benchmarks: name → YAML file, so that `crystalvision benchmark NAME` finds it.

    Example: `return {"my-heads": Path(__file__).parent / "my-heads.yaml"}`.
    """


@hookspec
def crystalvision_functions() -> "Mapping[str, str | Callable[..., Any]]":
    """Functions of the Python face: name → function, which `import crystalvision as cv` has there.

    What the toolkit itself has under a name goes first.
    Example: `return {"index": "my_package.indexing:index"}`, which is `cv.index(…)` then.
    """


@hookspec
def crystalvision_commands() -> "Mapping[str, str | Callable[..., Any] | typer.Typer]":
    """Commands of the command line: name → typer function, or a typer app with subcommands.

    Example: `return {"simulate": "my_package.cli:simulate"}`. Text is imported only when the
    command runs or shows its help.
    """
