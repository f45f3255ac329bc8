"""`crystalvision predict`."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from crystalvision.cli._differences import DespiteOption, differences
from crystalvision.cli._predictions import (
    as_csv,
    as_json,
    likeliest,
    note_maps,
    png_name,
    print_likeliest,
    print_table,
    write_predictions,
)
from crystalvision.cli._recorded import (
    AnodeOption,
    ReaderOption,
    WavelengthOption,
    direct_beam,
)
from crystalvision.cli._refined import Refining, as_columns, print_refined
from crystalvision.cli._state import State
from crystalvision.console import err, out, print_json, progress
from crystalvision.errors import InputError
from crystalvision.ordinary_files import text_of

if TYPE_CHECKING:  # torch takes seconds to import, and --help must not wait for it
    import numpy as np

    from crystalvision.plugins import Catalogue
    from crystalvision.prediction import PatternSource, Predictions, Predictor

    Ask = Callable[[np.ndarray], Predictions]

_CHUNK = 64  # patterns in memory at once
_PASSES = 30
_UNSEEN = (math.nan,)  # sources give counts on the run's axes, and this for what was not seen


def predict(
    ctx: typer.Context,
    run: Annotated[Path, typer.Argument(help="The run folder.")],
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE...",
            help="Measured files, as instruments write them; folders of them, or a CSV file with a "
            "column file; DATA.zarr, 'DATA.zarr[3]' or 'DATA.zarr[0:10]'.",
        ),
    ],
    *,
    explain: Annotated[
        bool, typer.Option("--explain", help="Draw what speaks for what is said.")
    ] = False,
    explain_to: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Where --explain writes PNG files.  [default: explained]"
        ),
    ] = None,
    uncertainty: Annotated[
        Literal["dropout", "ensemble"] | None,
        typer.Option(help="Ask several times: with dropout at work, or several runs."),
    ] = None,
    passes: Annotated[
        int | None,
        typer.Option(min=2, max=10_000, help="How often dropout is asked.  [default: 30]"),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=2**63 - 1, help="Draws what dropout leaves out.  [default: 0]"),
    ] = None,
    ensemble: Annotated[
        list[Path] | None,
        typer.Option(metavar="RUN", help="A further run to ask; give it for each of them."),
    ] = None,
    uncalibrated: Annotated[
        bool,
        typer.Option(
            "--uncalibrated", help="Probabilities as the system gives them, and no reject flag."
        ),
    ] = False,
    gap_value: Annotated[
        list[str] | None,
        typer.Option(
            metavar="VALUE",
            help="Value of pixels that the detector did not measure, such as 4294967295 or nan, "
            "which are hidden from the system; none if every value is a count. Repeat it for each.",
        ),
    ] = None,
    pixel_size: Annotated[
        float | None,
        typer.Option(
            "--pixel-size-inv-angstrom",
            help="Size of a pixel in 1/Å, of images that do not state it; they are then carried "
            "onto the run's axes.  [default: that of the run]",
        ),
    ] = None,
    centre: Annotated[
        str | None,
        typer.Option(
            metavar="ROW,COLUMN",
            help="Pixel of their direct beam, from 0.  [default: half of the image's size]",
        ),
    ] = None,
    energy_kev: Annotated[
        float | None,
        typer.Option("--energy-kev", help="Energy of the beam in keV, where it is not stated."),
    ] = None,
    wavelength_angstrom: WavelengthOption = None,
    anode: AnodeOption = None,
    reader: ReaderOption = None,
    top: Annotated[
        int | None,
        typer.Option(min=1, max=1000, help="Likeliest classes to tell of each pattern."),
    ] = None,
    elements: Annotated[
        str | None,
        typer.Option(
            metavar="SYMBOLS", help="Only candidates of some of these elements, such as Ti,O."
        ),
    ] = None,
    with_elements: Annotated[
        str | None,
        typer.Option(metavar="SYMBOLS", help="Only candidates that hold all of these elements."),
    ] = None,
    refine: Annotated[
        int | None,
        typer.Option(
            min=1, max=1000, help="Fit so many of the likeliest candidates to each pattern."
        ),
    ] = None,
    parts: Annotated[
        int | None,
        typer.Option(
            min=1, max=8, help="Candidates that may be in a pattern together.  [default: 1]"
        ),
    ] = None,
    misfit_limit: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Misfit above which a pattern is none of the candidates.  [default: that of 95 % "
            "of simulated patterns]",
        ),
    ] = None,
    refine_to: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where --refine writes PNG files.  [default: refined]"),
    ] = None,
    despite: DespiteOption = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto.")] = "cpu",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Also write a .csv or .json file, and maps into an .npz file beside it.",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Write CSV.")] = False,
) -> None:
    """Say what each image shows, how surely: its class, how severe the defect is, or another."""
    from crystalvision.measured_files import Readers, parse_gap_values
    from crystalvision.prediction import Predictor, Stated, matched, open_sources
    from crystalvision.training import choose_device

    _check_formats(output, json=json, csv=csv)
    _refuse_idle({} if explain else {"--explain-to": explain_to}, "--explain")
    asks_dropout = uncertainty == "dropout"
    _refuse_idle(
        {} if asks_dropout else {"--passes": passes, "--seed": seed}, "--uncertainty dropout"
    )
    refining = Refining.asked(refine, parts, misfit_limit, refine_to)
    stated = Stated(pixel_size, direct_beam(centre), energy_kev, wavelength_angstrom, anode)
    state: State = ctx.obj
    chosen = choose_device(device)
    if chosen.type == "cpu":
        state.note_threads()
    predictors = [
        Predictor.load(path, catalogue=state.catalogue, device=chosen, calibrated=not uncalibrated)
        for path in (run, *(ensemble or ()))
    ]
    first = predictors[0]
    if not uncalibrated and not first.calibrated:
        err.print(f"note: {run} holds no calibration: no reject flag; train it again", style="dim")
    ask = _how_to_ask(predictors, uncertainty, passes or _PASSES, seed or 0)
    readers = Readers(state.catalogue)
    opened = [
        source
        for image in images
        for source in open_sources(image, first.record.image_shape, readers, reader)
    ]
    gap_values = parse_gap_values(gap_value or [])
    sources, fits = matched(first, opened, stated, differences(despite), gap_values)
    for note in (note for _, fit in fits for note in fit.notes):
        err.print(f"note: {note}", style="dim", markup=False, soft_wrap=True)
    conditions = [{"images": paths, **fit.model_dump(mode="json")} for paths, fit in fits]
    names = [name for source in sources for name in source.names]
    predictions = _restricted(_predicted(first, sources, ask), elements, with_elements)
    more: dict[str, Sequence[object]] = dict(likeliest(predictions, top) if top else {})
    _print_notes(sources)
    refined = None
    if refining is not None:
        refined = refining.run(first, state.catalogue, sources, predictions)
        more |= as_columns(refined)
    if explain:
        _explain(first, state.catalogue, sources, explain_to or Path("explained"))
    if output is not None:
        write_predictions(output, names, predictions, conditions, more)
    else:
        note_maps(predictions)
    if json:
        print_json(as_json(names, predictions, conditions, more))
    elif csv:
        out.write(as_csv(names, predictions, more))
    else:
        print_table(names, predictions)
        if top:
            print_likeliest(names, more)
        print_refined(refined or ())


def _predicted(
    predictor: "Predictor", sources: "Sequence[PatternSource]", ask: "Ask"
) -> "Predictions":
    from crystalvision.prediction import join

    parts = []
    with progress("predicting", sum(map(len, sources))) as advance:
        for source in sources:
            for chunk in _chunks(predictor, source):
                parts.append(ask(chunk))
                advance(len(chunk))
    return join(parts)


def _restricted(
    predictions: "Predictions", elements: str | None, with_elements: str | None
) -> "Predictions":
    """Predictions of the candidates that can be.

    Raises:
        InputError: Something that is no element, or a run whose classes have none.
    """
    from crystalvision.prediction import parse_elements, restrict

    if elements is None and with_elements is None:
        return predictions
    return restrict(
        predictions,
        None if elements is None else parse_elements(elements, "--elements"),
        () if with_elements is None else parse_elements(with_elements, "--with-elements"),
    )


def _check_formats(output: Path | None, *, json: bool, csv: bool) -> None:
    """Check what is asked for before anything is computed.

    Raises:
        InputError: Two formats, or a file of another.
    """
    if json and csv:
        raise InputError("--json and --csv: choose one of them")
    if output is not None and output.suffix not in {".csv", ".json"}:
        raise InputError(f"-o {output}: expected a file that ends in .csv or .json")


def _print_notes(sources: "Sequence[PatternSource]") -> None:
    """Say how files were understood."""
    from crystalvision.measured_files import notes_text

    notes: dict[str, list[str]] = {}
    for source in sources:
        for note in source.notes:
            notes.setdefault(note, []).append(text_of(source.path))
    for line in notes_text(notes):
        err.print(f"note: {line}", soft_wrap=True)


def _refuse_idle(options: Mapping[str, object], without: str) -> None:
    """Refuse options that would do nothing without another one."""
    for option, value in options.items():
        if value is not None:
            raise InputError(f"{option} {value} does nothing without {without}; give that, too")


def _how_to_ask(
    predictors: "Sequence[Predictor]",
    uncertainty: Literal["dropout", "ensemble"] | None,
    passes: int,
    seed: int,
) -> "Ask":
    from crystalvision.prediction import Ensemble

    several = len(predictors) > 1
    if uncertainty == "dropout" and several:
        raise InputError("--uncertainty dropout asks one run; leave --ensemble out")
    if uncertainty == "dropout":
        predictors[0].check_dropout(passes)
        return partial(predictors[0].predict, dropout_passes=passes, seed=seed, gap_values=_UNSEEN)
    if uncertainty == "ensemble" or several:
        return partial(Ensemble(predictors).predict, gap_values=_UNSEEN)
    return partial(predictors[0].predict, gap_values=_UNSEEN)


def _chunks(predictor: "Predictor", source: "PatternSource") -> "Iterator[np.ndarray]":
    """Checked patterns of a source, lazily, some at a time."""
    import numpy as np

    def read(places: range) -> np.ndarray:
        images = source.read(places)
        checked = [
            predictor.prepare(image, source.names[place], _UNSEEN)
            for place, image in zip(places, images, strict=True)
        ]
        return np.stack(checked)

    return (
        read(range(start, min(start + _CHUNK, len(source))))
        for start in range(0, len(source), _CHUNK)
    )


def _explain(
    predictor: "Predictor",
    catalogue: "Catalogue",
    sources: "Sequence[PatternSource]",
    folder: Path,
) -> None:
    from crystalvision.prediction import draw_explanation, marks_of_classes

    count = sum(map(len, sources))
    taken: set[str] = set()
    with progress("explaining", count) as advance:
        for source in sources:
            for place, name in enumerate(source.names):
                explanation = predictor.explain(source.read([place])[0], name, _UNSEEN)
                marks = marks_of_classes(predictor.run, catalogue, explanation)
                draw_explanation(explanation, folder / png_name(name, taken), name, marks)
                advance()
    err.print(f"{count} explanations in {folder}", soft_wrap=True)
