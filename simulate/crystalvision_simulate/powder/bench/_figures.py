"""What a bench shows of a powder: its lattice, its patterns with indices, and numbers."""

from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float

from crystalvision.contracts import Crystal, Instrument
from crystalvision.samples import BenchView, Curve, Curves, Mark
from crystalvision.text import quantity_text
from crystalvision_simulate.bench.peaks import peak_marks
from crystalvision_simulate.instruments.powder_diffractometer import PowderDiffractometer
from crystalvision_simulate.powder._maker import PowderSample
from crystalvision_simulate.powder._phase import Candidate
from crystalvision_simulate.powder.bench._lattice import lattice_map
from crystalvision_simulate.powder.source import PowderSource

_NAMES = ("ideal powder", "recorded", "expected")
_LEAST_COUNTS = 0.5
_LEAST = 0.3  # of the least that is expected: what is less is not drawn, tails of peaks would fill
# the figure
_U_PER_A3 = 1.66054  # g/cm³


def powder_view(source: PowderSource) -> BenchView:
    """What is seen of sample 0 of a source."""
    made, sample = source.maker.make(0), source.sample(0)
    (axis,) = source.maker.two_theta
    places = axis.values()
    ideal, expected = _on_one_scale(source, made)
    # What is expected is drawn last, over the counts that scatter about it.
    values = (ideal, np.asarray(made.counts.sum(axis=0), dtype=np.float64), expected)
    curves = tuple(Curve(name, places, each) for name, each in zip(_NAMES, values, strict=True))
    there = [source.candidates[place] for place in made.mixture.phases]
    wavelength = made.instrument.recorded.wavelength_angstrom
    marks: tuple[Mark, ...] = ()
    if isinstance(wavelength, float) and axis.name == "two_theta":
        marks = peak_marks(_cells(there), wavelength, curves)
    pattern = Curves(
        title="Pattern, with indices",
        x_label=axis.label,
        y_label="counts in a step",
        curves=curves,
        logarithmic=True,
        marks=marks,
    )
    return BenchView(
        figures=(lattice_map(there[0]), pattern),
        numbers=_numbers(source, made, there),
        notes=(),
        sample=sample,
        axes=source.maker.two_theta,
    )


def _on_one_scale(
    source: PowderSource, made: PowderSample
) -> tuple[Float[np.ndarray, "t"], Float[np.ndarray, "t"]]:
    """The ideal powder, and what is expected of this one, both as counts."""
    instrument: Instrument = made.instrument
    projected = instrument.project(made.pattern)
    peaks = projected.intensity.numpy().sum(axis=0).astype(np.float64)
    top = float(made.counts.max()) / max(float(peaks.max()), 1e-300)
    expected = top * peaks
    if isinstance(instrument, PowderDiffractometer):
        top = instrument.peak_counts
        quiet = replace(instrument, counting=False)
        counts = quiet.measure(projected, np.random.default_rng(0)).counts
        expected = np.asarray(counts.sum(axis=0), dtype=np.float64)
    ideal = source.maker.ideal(made).sum(axis=0).astype(np.float64)
    # As much of it: peaks that are wider are lower.
    ideal *= top * float(peaks.sum()) / max(float(ideal.sum()), 1e-300)
    least = max(_LEAST_COUNTS, _LEAST * float(expected.min()))
    return np.where(ideal < least, np.nan, ideal), expected


def _cells(phases: list[Candidate]) -> dict[str, tuple[Crystal, Any]]:
    """Unit cells by what is written before their indices; of one phase alone, nothing."""
    if len(phases) == 1:
        return {"": (phases[0].crystal, phases[0].occupancies)}
    return {f"{one.name.partition(' ')[0]} ": (one.crystal, one.occupancies) for one in phases}


def _numbers(source: PowderSource, made: PowderSample, there: list[Candidate]) -> dict[str, str]:
    """What is known of a powder."""
    first = there[0]
    lengths = np.linalg.norm(first.crystal.cell, axis=1) * (1 + made.columns["cell_error"])
    found = {
        "phase": first.name,
        "crystal system": first.crystal_system or "not known",
        "a, b, c": " ".join(f"{one:.4f}" for one in lengths) + " Å",
        "density": f"{first.density * _U_PER_A3:.3g} g/cm³",
    }
    if source.recipe.mixture is not None:
        for one, share in zip(there, made.mixture.weights, strict=True):
            found[f"share of {one.name}"] = f"{share:.1%}"
    for column in source.maker.kept:
        found[column.name] = quantity_text(made.columns[column.name], column.units, 4)
    found["counts in all"] = f"{float(made.counts.sum(dtype=np.float64)):,.6g}"
    return found
