"""Runs: trained systems that can be asked, judged and exported."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from crystalvision import datasets, runs
from crystalvision.api.datasets import open_data
from crystalvision.api.evaluations import Evaluation, Unit, evaluate
from crystalvision.api.matches import Matched, check_candidates, look_up
from crystalvision.api.measured import judged_data
from crystalvision.api.predictions import (
    Pattern,
    Predicted,
    Uncertainty,
    open_patterns,
    predict,
    prepared_batches,
)
from crystalvision.api.refined import Refining
from crystalvision.api.session import Session
from crystalvision.console import err, progress
from crystalvision.datasets import Despite
from crystalvision.errors import InputError
from crystalvision.evaluation import RESAMPLES, Split
from crystalvision.export import ExportCheck, Format, export_run
from crystalvision.measured_files import Readers
from crystalvision.models import listed
from crystalvision.prediction import Predictor, Stated, parse_elements
from crystalvision.storage import Destination
from crystalvision.training import choose_device

ADAPTATION_PRIOR = 16
"""Patterns that the statistics of a training count as, beside those of an adaptation."""
TOP = 5
"""Candidates that are given of each pattern."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A run as one file for other programs.

    Attributes:
        path: The file.
        check: How far it is from what the run itself says.
    """

    path: Path
    check: ExportCheck


class Run:
    """A trained system in its folder.

    Attributes:
        path: Its folder.
        record: What `run.yaml` says.
        system: The trained network or classical system.
    """

    def __init__(self, run: runs.Run, session: Session | None = None) -> None:
        """Take a loaded run; `Run.load` loads one."""
        self._run = run
        self._session = session or Session.here()
        self.path = run.path
        self.record = run.record
        self.system = run.system

    @classmethod
    def load(cls, path: str | Path, session: Session | None = None) -> Self:
        """Load a run folder.

        Args:
            path: The folder.
            session: Who asks; by default this Python session.

        Raises:
            InputError: It is no run, or a part that it was trained with is not there.
        """
        session = session or Session.here()
        return cls(runs.Run.load(path, session.catalogue), session)

    def evaluate(
        self,
        data: datasets.Dataset | str | Path,
        *,
        split: Split | None = None,
        subset: str | npt.ArrayLike | None = None,
        name: str | None = None,
        device: str = "cpu",
        calibrated: bool = True,
        resamples: int = RESAMPLES,
        by: Unit | None = None,
        gap_values: Sequence[str | float] | None = None,
        pixel_size_inv_angstrom: float | None = None,
        centre: tuple[float, float] | None = None,
        energy_kev: float | None = None,
        wavelength_angstrom: float | None = None,
        anode: str | None = None,
        reader: str | None = None,
        despite: Sequence[Despite] = (),
    ) -> Evaluation:
        """Judge the run, and keep the metrics and predictions in its folder.

        Args:
            data: The dataset; or labelled measured files, a folder or a CSV file as for
                `crystalvision.exchange.import_folder`, which are brought onto the run's axes.
            split: Part of it; by default `test` of the dataset that the run was trained on, `all`
                of any other.
            subset: Judge these samples of it alone, as `Dataset.subset` takes them.
            name: Name of the evaluation; by default that of dataset and split.
            device: Where to predict: `cpu`, `cuda` or `auto`.
            calibrated: Whether to use the run's calibration.
            resamples: How many resamples give the 95 % intervals.
            by: `specimen`: refuse data that have one pattern of each specimen. How well specimens
                are told from all of their patterns is in `metrics.specimens`.
            gap_values: Values of pixels of measured files that were not measured; see `predict`.
            pixel_size_inv_angstrom: Size of a pixel of measured images [1/Å].
            centre: Row and column of their direct beam [pixels, from 0].
            energy_kev: Energy of their beam [keV].
            wavelength_angstrom: Wavelength of files of powders that do not state it [Å].
            anode: Anode of their X-ray tube, instead.
            reader: Name of the reader of files; by default the one that knows each.
            despite: Differences from what the run was trained on that are known and wanted:
                `energy`, or `axes` to take pixels as they are stored.

        Returns:
            The evaluation; its `metrics` have every number, with intervals.

        Raises:
            InputError: Data that do not fit the run, or that it was trained on.
            StorageError: The disk refuses.
        """
        chosen = choose_device(device)
        stated = {
            "gap_values": gap_values,
            "pixel_size_inv_angstrom": pixel_size_inv_angstrom,
            "centre": centre,
            "energy_kev": energy_kev,
            "wavelength_angstrom": wavelength_angstrom,
            "anode": anode,
            "reader": reader,
        }
        with judged_data(data, self._run, self._session.catalogue, stated) as dataset:
            chosen_samples = open_data(dataset, subset)
            self._session.begin(chosen.type)
            return evaluate(
                self._run,
                chosen_samples,
                catalogue=self._session.catalogue,
                split=split,
                name=name,
                device=chosen,
                calibrated=calibrated,
                resamples=resamples,
                despite=tuple(despite),
                by=by,
                data_name=str(data) if dataset is not data else None,
            )

    def predict(
        self,
        *patterns: Pattern,
        uncertainty: Uncertainty | None = None,
        passes: int | None = None,
        seed: int | None = None,
        ensemble: "Sequence[Run | str | Path]" = (),
        calibrated: bool = True,
        gap_values: Sequence[str | float] | None = None,
        pixel_size_inv_angstrom: float | None = None,
        centre: tuple[float, float] | None = None,
        energy_kev: float | None = None,
        wavelength_angstrom: float | None = None,
        anode: str | None = None,
        reader: str | None = None,
        despite: Sequence[Despite] = (),
        explain_to: str | Path | None = None,
        elements: str | Sequence[str] | None = None,
        with_elements: str | Sequence[str] = (),
        top: int | None = None,
        refine: int | None = None,
        parts: int | None = None,
        misfit_limit: float | None = None,
        refine_to: str | Path | None = None,
        device: str = "cpu",
    ) -> Predicted:
        """Say what patterns show.

        Files that state how they were recorded are brought onto the run's axes; what is done to
        them is said on the standard error.

        Args:
            *patterns: Measured files, folders of them, stacks, `DATA.zarr[0:10]`, as `crystalvision
                predict` takes them; or raw counts (*grid), (c, *grid) or (n, c, *grid).
            uncertainty: Ask several times: with `dropout` at work, or an `ensemble` of runs.
            passes: How often dropout is asked; by default 30 times.
            seed: Draws what dropout leaves out; by default 0.
            ensemble: Further runs to ask.
            calibrated: Whether to use the run's calibration.
            gap_values: Values of pixels that the detector did not measure, such as 4294967295 or
                `nan`, which are hidden from the system; `["none"]` if every value is a count.
            pixel_size_inv_angstrom: Size of a pixel [1/Å] of images that do not state it; they are
                then carried onto the run's axes. By default that of the run.
            centre: Row and column of their direct beam [pixels, from 0]; by default half of the
                size.
            energy_kev: Energy of the beam [keV], where it is not stated.
            wavelength_angstrom: Wavelength of files of powders that do not state it [Å].
            anode: Anode of their X-ray tube, instead.
            reader: Name of the reader of files; by default the one that knows each.
            despite: As for `evaluate`.
            explain_to: Folder in which to draw what speaks for what is said, a PNG each.
            elements: Only classes of some of these elements, `"Ti,O"` or `["Ti", "O"]`.
            with_elements: Only classes that hold all of these.
            top: So many of the likeliest classes are told of each pattern.
            refine: So many of them are fitted to it, and put in a new order.
            parts: How many of them may be in it together; by default one.
            misfit_limit: Misfit above which a pattern is none of them; by default that of 95 % of
                patterns that are simulated anew.
            refine_to: Folder in which to draw what was fitted, a PNG each; by default `refined`.
            device: Where to predict: `cpu`, `cuda` or `auto`.

        Raises:
            InputError: No pattern, or one that is not like those that the run was trained on.
            StorageError: The disk refuses.
        """
        refining = Refining.asked(refine, parts, misfit_limit, refine_to)
        stated = Stated(pixel_size_inv_angstrom, centre, energy_kev, wavelength_angstrom, anode)
        chosen = choose_device(device)
        others = [each if isinstance(each, Run) else self.load(each, self._session)
                  for each in ensemble]  # fmt: skip
        predictors = [
            Predictor(each._run, chosen, calibrated=calibrated) for each in (self, *others)
        ]
        if calibrated and not predictors[0].calibrated:
            err.print(
                f"note: {self.path} holds no calibration: no flags; train it again",
                style="dim",
            )
        for predictor in predictors:
            if predictor.temperatures and not predictor.doubt_limits:
                err.print(
                    f"note: the calibration of {predictor.path} has no limit of doubt, as of an "
                    "earlier version, or where nothing was told rightly: nothing is flagged as "
                    "undecided; train it again",
                    style="dim",
                    soft_wrap=True,
                )
        self._session.begin(chosen.type)
        return predict(
            predictors,
            patterns,
            uncertainty=uncertainty,
            passes=passes,
            seed=seed,
            gap_values=gap_values,
            stated=stated,
            readers=Readers(self._session.catalogue),
            reader=reader,
            despite=tuple(despite),
            explain_to=None if explain_to is None else Path(explain_to),
            elements=None if elements is None else parse_elements(elements, "--elements"),
            with_elements=parse_elements(with_elements, "--with-elements") if with_elements else (),
            top=top,
            refining=refining,
            catalogue=self._session.catalogue,
        )

    def adapt(
        self,
        *patterns: Pattern,
        path: str | Path,
        prior: int = ADAPTATION_PRIOR,
        gap_values: Sequence[str | float] | None = None,
        pixel_size_inv_angstrom: float | None = None,
        centre: tuple[float, float] | None = None,
        energy_kev: float | None = None,
        wavelength_angstrom: float | None = None,
        anode: str | None = None,
        reader: str | None = None,
        despite: Sequence[Despite] = (),
        overwrite: bool = False,
    ) -> "Run":
        """A run whose batch normalisation knows the statistics of measured patterns, in a folder.

        No label is asked for, and no weight changes. Whether it gains or loses only patterns with
        labels tell: `evaluate` both. The calibration of the run does not hold for the new one.

        Args:
            *patterns: As for `predict`; at least two.
            path: The folder of the new run.
            prior: How many patterns the statistics of the training count as; 0 forgets them.
            gap_values: As for `predict`, and so are all others.
            pixel_size_inv_angstrom: See there [1/Å].
            centre: See there [pixels].
            energy_kev: See there [keV].
            wavelength_angstrom: See there [Å].
            anode: See there.
            reader: See there.
            despite: See there.
            overwrite: Whether a run that is there may be replaced.

        Raises:
            InputError: A system without batch normalisation, patterns that do not fit or are too
                few, or a place that is taken.
            StorageError: The disk refuses.
        """
        if not patterns:
            raise InputError("adapt: no pattern was given; give files or arrays of counts")
        if prior < 0:
            raise InputError(f"prior={prior}: expected 0 or more patterns")
        runs.check_free(Path(path), overwrite=overwrite)  # before patterns are read
        predictor = Predictor(self._run)
        self._session.begin("cpu")
        sources, _ = open_patterns(
            predictor,
            patterns,
            gap_values=gap_values,
            stated=Stated(pixel_size_inv_angstrom, centre, energy_kev, wavelength_angstrom, anode),
            readers=Readers(self._session.catalogue),
            reader=reader,
            despite=tuple(despite),
        )
        made = runs.adapted_run(
            self._run,
            prepared_batches(predictor, sources),
            Path(path),
            prior=prior,
            sources=[str(pattern) for pattern in patterns if not isinstance(pattern, np.ndarray)],
            overwrite=overwrite,
        )
        return Run(made, self._session)

    def look_up(
        self,
        *patterns: Pattern,
        candidates: str | Path | Sequence[str | Path] = (),
        library: bool | None = None,
        top: int = TOP,
        draws: int | None = None,
        gap_values: Sequence[str | float] | None = None,
        pixel_size_inv_angstrom: float | None = None,
        centre: tuple[float, float] | None = None,
        energy_kev: float | None = None,
        wavelength_angstrom: float | None = None,
        anode: str | None = None,
        reader: str | None = None,
        despite: Sequence[Despite] = (),
        device: str = "cpu",
    ) -> Matched:
        """Say which candidates patterns are most like, whether or not the run was trained on them.

        Args:
            *patterns: As for `predict`.
            candidates: Files and folders with candidates, such as a folder of CIF files.
            library: Whether to compare with the library of the run (`crystalvision library add`);
                by default where no candidates are given.
            top: How many to give of each pattern.
            draws: Expected patterns of each candidate that is not in the library yet.
            gap_values: As for `predict`, and so are all others.
            pixel_size_inv_angstrom: See there [1/Å].
            centre: See there [pixels].
            energy_kev: See there [keV].
            wavelength_angstrom: See there [Å].
            anode: See there.
            reader: See there.
            despite: See there.
            device: Where to compute: `cpu`, `cuda` or `auto`.

        Raises:
            InputError: No pattern, or one that is not like those that the run was trained on; no
                head of the run gives an embedding; or there are no candidates.
        """
        if not patterns:
            raise InputError("look_up: no pattern was given; give files or arrays of counts")
        places = [candidates] if isinstance(candidates, str | Path) else list(candidates)
        stated = Stated(pixel_size_inv_angstrom, centre, energy_kev, wavelength_angstrom, anode)
        chosen = choose_device(device)
        predictor = Predictor(self._run, chosen)
        stored = not places if library is None else library
        check_candidates(predictor, stored=stored)
        self._session.begin(chosen.type)
        sources, _ = open_patterns(
            predictor,
            patterns,
            gap_values=gap_values,
            stated=stated,
            readers=Readers(self._session.catalogue),
            reader=reader,
            despite=tuple(despite),
        )
        return look_up(
            predictor,
            sources,
            [Path(place) for place in places],
            catalogue=self._session.catalogue,
            stored=stored,
            top=top,
            draws=draws,
        )

    def export(
        self,
        path: str | Path | Destination,
        *,
        to: Format,
        data: datasets.Dataset | str | Path | None = None,
        calibrated: bool = True,
        overwrite: bool = False,
    ) -> Exported:
        """Write the run as one file for other programs: raw counts in, what it says of them out.

        The file is run before it appears: it says what `predict` says, or it is not there.

        Args:
            path: The file: `.onnx`, or `.pt2` for `torch-export`.
            to: The format: `onnx` or `torch-export`.
            data: Try the file on patterns of this dataset; by default on that of the training.
            calibrated: Whether to use the run's calibration.
            overwrite: Replace the file that is there.

        Raises:
            InputError: A format, file or dataset that cannot be used.
            ExportError: The system cannot be exported, or the file says something else.
            StorageError: The disk refuses.
        """
        checks: list[ExportCheck] = []
        with progress("exporting", None):
            written = export_run(
                self._run,
                to,
                path if isinstance(path, Destination) else Path(path),
                calibrated=calibrated,
                overwrite=overwrite,
                data=None if data is None else open_data(data),
                on_checked=checks.append,
            )
        return Exported(written, checks[0])

    def __repr__(self) -> str:
        phases = ", ".join(
            f"{phase.name}: {phase.monitor} {phase.best_value:.4f}" for phase in self.record.phases
        )
        return f"Run({str(self.path)!r}): {listed(self.record.targets)}; {phases}"

    def _repr_html_(self) -> str:
        import pandas as pd

        rows = [
            {
                "phase": phase.name,
                "epochs": phase.epochs,
                "best": phase.best_epoch,
                phase.monitor: phase.best_value,
                "seconds": phase.seconds,
            }
            for phase in self.record.phases
        ]
        table = pd.DataFrame(rows).to_html(index=False, float_format="{:.4g}".format, na_rep="")
        return f"<p>{escape(repr(self))}</p>{table}"
