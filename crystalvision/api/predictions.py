"""What runs say of patterns: asking them, and their answers as tables, text and files."""

import io
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from crystalvision.api.png_names import png_name
from crystalvision.api.refined import Refining, likeliest_columns, refined_columns
from crystalvision.api.tables import check_table, write_table
from crystalvision.console import err, progress
from crystalvision.datasets import Despite
from crystalvision.errors import InputError
from crystalvision.measured_files import Readers, notes_text, parse_gap_values
from crystalvision.ordinary_files import text_of
from crystalvision.plugins import Catalogue
from crystalvision.prediction import (
    UNSEEN,
    Ensemble,
    PatternSource,
    Predictions,
    Predictor,
    RefinedPattern,
    Stated,
    check_elements,
    draw_explanation,
    flat_columns,
    grouped_columns,
    join,
    map_arrays,
    marks_of_classes,
    matched,
    open_sources,
    restrict,
)
from crystalvision.storage import Destination, whole_file
from crystalvision.text import csv_writer, json_text

if TYPE_CHECKING:
    import pandas as pd
    import torch

Pattern = str | Path | np.ndarray[Any, Any]
Ask = Callable[[np.ndarray[Any, Any]], Predictions]
Uncertainty = Literal["dropout", "ensemble"]

_CHUNK = 64  # patterns in memory at once
_PASSES = 30


@dataclass(frozen=True, slots=True)
class Predicted:
    """What runs say of some patterns.

    Attributes:
        names: What each pattern is called, (n,).
        predictions: What is said of them.
        conditions: How they fit what the run was trained on, and what was done for it; a mapping in
            JSON types for each kind of patterns.
        more: What else was asked for of each pattern, such as the likeliest classes, in JSON types.
        refined: What was fitted to each pattern, if that was asked for.
    """

    names: tuple[str, ...]
    predictions: Predictions
    conditions: Sequence[Mapping[str, Any]] = ()
    more: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    refined: tuple[RefinedPattern, ...] = ()

    @property
    def table(self) -> "pd.DataFrame":
        """A row for each pattern: each target, how probable its classes are, and the novelty."""
        import pandas as pd

        columns = flat_columns(self.predictions)
        return pd.DataFrame(columns, index=pd.Index(self.names, name="pattern"))

    def as_json(self) -> dict[str, object]:
        """What becomes JSON: one mapping for each pattern, and what holds for all."""
        columns = grouped_columns(self.predictions)
        return {
            "sources": dict(self.predictions.sources),
            "calibrated": self.predictions.calibrated,
            "conditions": self.conditions,
            "predictions": [
                {
                    "image": name,
                    **{key: _at(values, place) for key, values in columns.items()},
                    **{key: values[place] for key, values in self.more.items()},
                }
                for place, name in enumerate(self.names)
            ],
        }

    def as_csv(self) -> str:
        """A line of headings, and one for each pattern."""
        columns = flat_columns(self.predictions)
        table = io.StringIO()
        writer = csv_writer(table)
        writer.writerow(["image", *columns, *self.more])
        for place, name in enumerate(self.names):
            values = [_at(each, place) for each in columns.values()]
            values += [_in_a_cell(each[place]) for each in self.more.values()]
            cells = [f"{value:.6g}" if isinstance(value, float) else value for value in values]
            writer.writerow([name, *cells])
        return table.getvalue()

    def save(self, path: str | Path | Destination, *, overwrite: bool = False) -> Path | None:
        """Write a file of CSV or JSON, and beside it one of maps, where there are any.

        Args:
            path: A file that ends in `.csv` or `.json`.
            overwrite: Whether files that are there may be replaced.

        Returns:
            The file of maps, or `None`.

        Raises:
            InputError: Another ending, or a file that is there already.
            StorageError: The disk refuses.
        """
        to = check_table(path, overwrite=overwrite)
        arrays = map_arrays(self.predictions)
        beside = to.path.with_suffix(".npz")
        if arrays:
            with (
                whole_file(beside, overwrite=overwrite) as partial_file,
                partial_file.open("wb") as file,
            ):
                np.savez_compressed(file, allow_pickle=False, **arrays)
        write_table(to, self.as_csv(), self.as_json())
        return beside if arrays else None

    def __repr__(self) -> str:
        return repr(self.table)

    def _repr_html_(self) -> str:
        return str(self.table.to_html(float_format="{:.3f}".format))


def predict(
    predictors: Sequence[Predictor],
    patterns: Sequence[Pattern],
    *,
    uncertainty: Uncertainty | None,
    passes: int | None,
    seed: int | None,
    gap_values: Sequence[str | float] | None,
    stated: Stated,
    readers: Readers,
    reader: str | None,
    despite: Sequence[Despite],
    explain_to: Path | None,
    elements: Collection[str] | None = None,
    with_elements: Collection[str] = (),
    top: int | None = None,
    refining: Refining | None = None,
    catalogue: Catalogue,
) -> Predicted:
    """Ask runs about patterns; see `Run.predict`.

    Raises:
        InputError: No pattern, or one that does not fit.
        StorageError: The disk refuses an explanation.
    """
    if not patterns:
        raise InputError("predict: no pattern was given; give files or arrays of counts")
    first = predictors[0]
    ask = _how_to_ask(predictors, uncertainty, passes, seed)
    # What the run cannot do is said before any file is read.
    if elements is not None or with_elements:
        check_elements(first.record.targets, elements, with_elements)
    fits = None if refining is None else refining.open(first, catalogue)
    sources, conditions = open_patterns(
        first,
        patterns,
        gap_values=gap_values,
        stated=stated,
        readers=readers,
        reader=reader,
        despite=despite,
    )
    names = tuple(name for source in sources for name in source.names)
    answers = []
    with progress("predicting", len(names)) as advance:
        for source in sources:
            for chunk in chunks(first, source):
                answers.append(ask(chunk))
                advance(len(chunk))
    print_notes(sources)
    predictions = join(answers)
    if elements is not None or with_elements:
        predictions = restrict(predictions, elements, with_elements)
    more = {} if top is None else likeliest_columns(predictions, top)
    refined: tuple[RefinedPattern, ...] = ()
    if refining is not None and fits is not None:
        refined = refining.run(first, fits, sources, predictions)
        more |= refined_columns(refined)
    if explain_to is not None:
        _explain(first, catalogue, sources, explain_to)
    return Predicted(names, predictions, conditions, more, refined)


def open_patterns(
    predictor: Predictor,
    patterns: Sequence[Pattern],
    *,
    gap_values: Sequence[str | float] | None,
    stated: Stated,
    readers: Readers,
    reader: str | None,
    despite: Sequence[Despite],
) -> tuple[list[PatternSource], list[dict[str, Any]]]:
    """Patterns on the axes of a run, not read yet, and how they fit it, in JSON types.

    What was done to them is said on the standard error.

    Raises:
        InputError: One that does not fit.
    """
    shape = predictor.record.image_shape
    opened = [
        source
        for place, pattern in enumerate(patterns)
        for source in _opened(pattern, place, shape, readers, reader)
    ]
    gaps = parse_gap_values([str(value) for value in gap_values or ()])
    sources, fits = matched(predictor, opened, stated, despite, gaps)
    for note in (note for _, fit in fits for note in fit.notes):
        err.print(f"note: {note}", style="dim", markup=False, soft_wrap=True)
    conditions = [{"images": paths, **fit.model_dump(mode="json")} for paths, fit in fits]
    return sources, conditions


def _at(values: Any, place: int) -> object:
    if isinstance(values, Mapping):
        return {name: _at(each, place) for name, each in values.items()}
    value = values[place]
    return value.tolist() if hasattr(value, "tolist") else value


def _in_a_cell(value: object) -> object:
    """A value as CSV has it: what has parts as JSON."""
    return json_text(value) if isinstance(value, Mapping | list) else value


def _how_to_ask(
    predictors: Sequence[Predictor],
    uncertainty: Uncertainty | None,
    passes: int | None,
    seed: int | None,
) -> Ask:
    if uncertainty != "dropout":
        for option, value in (("--passes", passes), ("--seed", seed)):
            if value is not None:
                raise InputError(
                    f"{option} {value} does nothing without --uncertainty dropout; give that, too"
                )
    several = len(predictors) > 1
    if uncertainty == "dropout":
        if several:
            raise InputError("--uncertainty dropout asks one run; leave --ensemble out")
        passes = _PASSES if passes is None else passes
        predictors[0].check_dropout(passes)
        return partial(
            predictors[0].predict, dropout_passes=passes, seed=seed or 0, gap_values=UNSEEN
        )
    if uncertainty == "ensemble" or several:
        return partial(Ensemble(predictors).predict, gap_values=UNSEEN)
    return partial(predictors[0].predict, gap_values=UNSEEN)


def _opened(
    pattern: Pattern,
    place: int,
    image_shape: tuple[int, ...],
    readers: Readers,
    reader: str | None,
) -> list[PatternSource]:
    """The patterns that one argument stands for."""
    if not isinstance(pattern, np.ndarray):
        return open_sources(str(pattern), image_shape, readers, reader)
    stack = pattern if pattern.ndim > len(image_shape) else pattern[None]
    name = f"array {place}"
    names = [f"{name}[{number}]" for number in range(len(stack))] if len(stack) > 1 else [name]
    return [PatternSource(names, lambda places: stack[list(places)], Path(name))]


def prepared_batches(
    predictor: Predictor, sources: Sequence[PatternSource]
) -> Iterator["torch.Tensor"]:
    """What a system sees of patterns (b, c, *grid), in batches of nearly the same size."""
    patterns = np.concatenate([each for source in sources for each in chunks(predictor, source)])
    with progress("adapting", len(patterns)) as advance:
        for part in np.array_split(patterns, -(-len(patterns) // _CHUNK)):
            yield predictor.prepared(part)
            advance(len(part))


def chunks(predictor: Predictor, source: PatternSource) -> Iterator[np.ndarray[Any, Any]]:
    """Checked patterns of a source, lazily, some at a time."""

    def read(places: range) -> np.ndarray[Any, Any]:
        images = source.read(places)
        checked = [
            predictor.prepare(image, source.names[place], UNSEEN)
            for place, image in zip(places, images, strict=True)
        ]
        return np.stack(checked)

    return (
        read(range(start, min(start + _CHUNK, len(source))))
        for start in range(0, len(source), _CHUNK)
    )


def print_notes(sources: Sequence[PatternSource]) -> None:
    """Say how files were understood."""
    notes: dict[str, list[str]] = {}
    for source in sources:
        for note in source.notes:
            notes.setdefault(note, []).append(text_of(source.path))
    for line in notes_text(notes):
        err.print(f"note: {line}", soft_wrap=True)


def _explain(
    predictor: Predictor, catalogue: Catalogue, sources: Sequence[PatternSource], folder: Path
) -> None:
    count = sum(map(len, sources))
    taken: set[str] = set()
    with progress("explaining", count) as advance:
        for source in sources:
            for place, name in enumerate(source.names):
                explanation = predictor.explain(source.read([place])[0], name, UNSEEN)
                marks = marks_of_classes(predictor.run, catalogue, explanation)
                draw_explanation(explanation, folder / png_name(name, taken), name, marks)
                advance()
    err.print(f"{count} explanations in {folder}", soft_wrap=True)
