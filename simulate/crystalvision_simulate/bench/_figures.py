"""What a bench shows of a sample: the crystal, its patterns, and profiles of them."""

from functools import lru_cache

import numpy as np
from ase.data import chemical_symbols
from jaxtyping import Float

from crystalvision.contracts import Axis
from crystalvision.samples import BenchView, Curve, Curves, DotMap, Dots, Mark, Picture, Sample
from crystalvision.text import quantity_text
from crystalvision_simulate.bench._sample import BenchSample
from crystalvision_simulate.bench.peaks import indices_text, peak_marks
from crystalvision_simulate.instruments.area_detector import AreaDetector
from crystalvision_simulate.pictures import (
    CrystalView,
    PatternView,
    colours_of,
    marked_crystal,
    pattern_views,
)

_NAMES = ("ideal crystal", "with defects", "recorded")
_DECADES = 5.0  # between the darkest and the brightest colour of a pattern without noise
_LEAST_MARK = 0.45  # Å
_QUANTITIES = {
    "fraction": "fraction of the beam in a pixel",
    "counts": "counts in a pixel",
    "image": "on the renderer's own scale",
}


def bench_view(sample: BenchSample) -> BenchView:
    """What is seen of a sample."""
    made = sample.made
    patterns = pattern_views(sample.simulator, made)
    figures: list[Picture | Curves | DotMap] = []
    if sample.crystal is not None:
        figures.append(_crystal(sample.crystal))
    if len(patterns[0].axes) == 2:
        figures += _pictures(patterns)
        figures.append(_profiles(patterns, sample))
    else:
        figures.append(_curves(patterns, sample))
    facts = sample.simulator.crystals.facts[made.scene.cut.structure]
    note = sample.simulator.note([made.projection], [made.recording])
    recording = made.recording
    return BenchView(
        figures=tuple(figures),
        numbers=_numbers(sample),
        notes=(*([note] if note else []), *(f"assumed: {text}" for text in facts.assumed)),
        sample=Sample(
            recording.counts,
            made.scene.columns,
            None if recording.seen is None else recording.seen[None],
        ),
        axes=made.projection.pattern.axes,
    )


def _numbers(sample: BenchSample) -> dict[str, str]:
    """What was measured on a sample."""
    made, simulator = sample.made, sample.simulator
    facts = simulator.crystals.facts[made.scene.cut.structure]
    columns = made.scene.columns
    found = {
        "crystal": f"{facts.formula}, {facts.space_group}",
        "atoms": f"{len(made.scene.specimens[0].numbers):,}",
        "thickness": f"{made.scene.drawn['thickness_angstrom']:.4g} Å",
    }
    for name, measure in simulator.defects.measures.items():
        found[name] = quantity_text(columns[name], measure.units, 4)
    found["counts in all"] = f"{float(made.recording.counts.sum(dtype=np.float64)):,.6g}"
    return found


def _crystal(view: CrystalView) -> DotMap:
    """The crystal along the beam, with what defects did to it."""
    part = marked_crystal(view)
    elements = sorted({*part.numbers.tolist(), *part.vacant_numbers.tolist()})
    colours = colours_of(elements)
    radii = np.array([part.radii[int(number)] for number in part.numbers])
    dots = []
    for number in elements:
        here = (part.numbers == number) & ~part.between
        if here.any():
            symbol = chemical_symbols[number]
            dots.append(_dots(symbol, part.atoms_xy[here], radii[here], colours[number]))
    marks = {
        "substituted": (part.atoms_xy[part.substituted], 1.35 * radii[part.substituted]),
        "vacant": (part.vacant_xy, np.array([part.radii[int(n)] for n in part.vacant_numbers])),
        "between the sites": (part.atoms_xy[part.between], 1.2 * radii[part.between]),
    }
    for name, (places, sizes) in marks.items():
        if len(places):
            dots.append(_dots(name, places, np.maximum(sizes, _LEAST_MARK), "", marked=True))
    arrows = np.hstack([part.arrows_xy, part.arrows_xy + part.arrows])
    axis = " ".join(str(index) for index in view.zone_axis)
    moved = f"; lines: motion × {part.enlarged}" if part.enlarged else ""
    return DotMap(
        title=f"Crystal along [{axis}], a slice of {part.thickness:.2g} Å{moved}",
        units="Å",
        half_width=view.window_angstrom / 2,
        dots=tuple(dots),
        arrows=arrows,
        arrow_name="moved",
    )


def _dots(
    name: str,
    places: Float[np.ndarray, "n 2"],
    radii: Float[np.ndarray, "n"],
    colour: str,
    *,
    marked: bool = False,
) -> Dots:
    return Dots(name, places[:, 0], places[:, 1], radii, colour, marked=marked)


def _pictures(patterns: tuple[PatternView, ...]) -> list[Picture]:
    """The patterns; those of one unit share one scale of colours."""
    found = []
    for name, pattern in zip(_NAMES, patterns, strict=False):
        alike = [other for other in patterns if other.unit == pattern.unit]
        top = _round_above(max(_brightest(other) for other in alike))
        low = 0.7 if pattern.unit == "counts" else top * 10**-_DECADES
        rows, columns = pattern.axes
        image = np.nan_to_num(np.asarray(pattern.image.sum(axis=0), dtype=np.float32))
        found.append(
            Picture(
                title=f"Pattern: {name}" if name != "recorded" else f"Recorded: {pattern.title}",
                image=image,
                axes=(rows, columns),
                quantity=_QUANTITIES[pattern.unit],
                low=low,
                high=max(top, 2 * low),
                marks=tuple(
                    Mark(indices_text(one.hkl), one.q_x_inv_angstrom, one.q_y_inv_angstrom)
                    for one in pattern.labels
                ),
            )
        )
    return found


def _round_above(value: float) -> float:
    """1, 2 or 5 times a power of ten: colours that hardly change can be compared."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= 0.999 * value))


def _brightest(pattern: PatternView) -> float:
    """The brightest pixel beside the direct beam."""
    image = np.asarray(pattern.image.sum(axis=0), dtype=np.float64)
    beside = _distance(pattern.axes) > pattern.dark_radius
    top = float(image[beside].max()) if beside.any() else float(image.max())
    return top if top > 0 else 1.0


@lru_cache(maxsize=2)
def _distance(axes: tuple[Axis, ...]) -> Float[np.ndarray, "h w"]:
    """Distance of each pixel from zero on both axes."""
    rows, columns = (axis.values() for axis in axes)
    distance: Float[np.ndarray, "h w"] = np.hypot(rows[:, None], columns[None, :])
    distance.setflags(write=False)  # it is kept
    return distance


def _profiles(patterns: tuple[PatternView, ...], sample: BenchSample) -> Curves:
    """Means along rings about zero, of what is expected in counts and of the counts."""
    rows, columns = patterns[0].axes
    step = max(abs(rows.scale), abs(columns.scale))
    rings = np.rint(_distance(patterns[0].axes) / step).astype(np.int64)
    pixels = np.bincount(rings.ravel())
    scale, quantity = _scale(patterns, sample)
    curves = []
    for name, pattern in zip(_NAMES, patterns, strict=False):
        image = np.asarray(pattern.image.sum(axis=0), dtype=np.float64)
        factor = 1.0 if pattern.unit == "counts" else scale
        sums = np.bincount(rings.ravel(), weights=image.ravel())
        curves.append(
            Curve(name, step * np.arange(len(sums)), factor * sums / np.maximum(pixels, 1))
        )
    units = columns.label.partition("[")[2]
    return Curves(
        title="Radial profile: means along rings",
        x_label=f"|q| [{units}" if units else "distance",
        y_label=quantity,
        curves=tuple(curves),
        logarithmic=True,
    )


def _scale(patterns: tuple[PatternView, ...], sample: BenchSample) -> tuple[float, str]:
    """What a pattern without noise is multiplied by to be expected counts, and their name."""
    instrument = sample.made.projection.instrument
    if patterns[-1].unit != "counts" or not isinstance(instrument, AreaDetector):
        return 1.0, _QUANTITIES[patterns[0].unit]
    dose = instrument.exposure(sample.made.projection.pattern.area_angstrom2).dose_electrons
    return dose * instrument.gain_counts_per_electron, _QUANTITIES["counts"]


def _curves(patterns: tuple[PatternView, ...], sample: BenchSample) -> Curves:
    """Patterns over one axis: those without noise on the scale of the recorded one."""
    (axis,) = patterns[0].axes
    places = axis.values()
    recorded = patterns[-1].unit == "counts"
    factor = 1.0
    if recorded:
        top = float(np.max(patterns[1].image))
        factor = float(np.max(patterns[-1].image)) / top if top > 0 else 1.0
    curves = tuple(
        Curve(
            name,
            places,
            np.asarray(pattern.image.sum(axis=0), dtype=np.float64)
            * (1.0 if pattern.unit == "counts" else factor),
        )
        for name, pattern in zip(_NAMES, patterns, strict=False)
    )
    return Curves(
        title="Pattern",
        x_label=axis.label,
        y_label="counts" if recorded else _QUANTITIES[patterns[0].unit],
        curves=curves,
        logarithmic=True,
        marks=_marks(sample, axis, curves),
    )


def _marks(sample: BenchSample, axis: Axis, curves: tuple[Curve, ...]) -> tuple[Mark, ...]:
    """Indices above the strongest peaks of a powder of X-rays; none of what is no such thing."""
    parent = sample.made.ideal.parent
    wavelength = sample.made.projection.instrument.recorded.wavelength_angstrom
    if parent is None or axis.name != "two_theta" or not isinstance(wavelength, float):
        return ()
    return peak_marks({"": (parent.unit_cell, None)}, wavelength, curves)
