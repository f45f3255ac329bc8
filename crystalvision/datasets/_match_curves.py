"""How curves, such as powder patterns, fit the axis that a run was trained on."""

from typing import Literal

import numpy as np

from crystalvision.contracts import Axis, MeasuredAxis
from crystalvision.datasets._axes_text import axes_text
from crystalvision.datasets._conditions import Conditions
from crystalvision.datasets._curves import (
    POWDER_AXES,
    carry_curves,
    convertible,
    median_step,
    positions_on,
)
from crystalvision.errors import InputError
from crystalvision.text import axis_symbol, quantity_text, unit_text
from crystalvision.x_rays import same_wavelength

CurvesMatch = Literal["same", "carried"]

_EXACT = 1e-6  # of a step
_COARSEST = 5.0  # steps of the run that one of the data may hold: peaks are wider than that
_LEAST_SHARE = 0.2  # of what a run looks at


def match_curves(
    run: Conditions, data: Conditions, run_name: str, data_name: str
) -> tuple[CurvesMatch, str]:
    """How the axis of curves compares with that of a run, and what to say of it.

    Args:
        run: What the run was trained on; one even axis.
        data: What the curves state; one axis.
        run_name: What to call the run.
        data_name: What to call the curves.

    Raises:
        InputError: They cannot be brought onto that axis.
    """
    here, there = (conditions.axes or () for conditions in (data, run))
    mine, target = here[0], there[0]
    assert isinstance(target, Axis)  # noqa: S101 - only files have uneven axes
    sentence = f"{data_name} has {axes_text(here)}; {run_name} has {axes_text(there)}"
    if not convertible(mine, target):
        one, other = (f"'{axis.name}' in {unit_text(axis.units)}" for axis in (mine, target))
        raise InputError(
            f"{sentence}: {one} cannot be read as {other}; use data of that axis, or a run "
            "that was trained on this"
        )
    bragg = _bragg(mine, target, run, data, sentence, run_name, data_name)
    if not bragg and isinstance(mine, Axis) and _same(mine, target):
        return "same", ""
    waves = data.wavelength_angstrom, run.wavelength_angstrom
    places = positions_on(mine, target, *waves)
    if median_step(places) > _COARSEST * target.scale * (1 + _EXACT):
        raise InputError(
            f"{sentence}: its steps of {quantity_text(median_step(places), target.units, 3)} are "
            f"{median_step(places) / target.scale:.3g} times as large, and do not hold the peaks "
            "that are looked for; measure in smaller steps"
        )
    how = _how(mine, target, bragg, places, sentence, unknown=None in waves)
    return "carried", f"{sentence}: its intensities are {how}"


def _bragg(
    mine: MeasuredAxis,
    target: Axis,
    run: Conditions,
    data: Conditions,
    sentence: str,
    run_name: str,
    data_name: str,
) -> str:
    """What to say of wavelengths where points must be moved by Bragg's law; else nothing.

    Raises:
        InputError: A wavelength is needed and not known.
    """
    one, other = data.wavelength_angstrom, run.wavelength_angstrom
    if target.name != "two_theta" or mine.name not in POWDER_AXES:
        return ""
    if mine.name != "two_theta":
        if other is None:
            raise InputError(
                f"{sentence}: {run_name} does not state its wavelength, without which "
                f"{axis_symbol(mine.name)} has no place on 2θ; use data over 2θ"
            )
        return f"from {axis_symbol(mine.name)} to 2θ at {other:.5g} Å"
    if one is None and other is not None:
        raise InputError(
            f"{data_name} does not state its wavelength, and {run_name} has {other:.5g} Å; give it "
            "by --wavelength-angstrom, or by --anode, such as --anode Cu"
        )
    if one is None or other is None or same_wavelength(one, other):
        return ""
    return f"from 2θ at {one:.5g} Å to 2θ at {other:.5g} Å"


def _how(
    mine: MeasuredAxis,
    target: Axis,
    bragg: str,
    places: np.ndarray,
    sentence: str,
    *,
    unknown: bool,
) -> str:
    """How curves are carried, in words.

    Raises:
        InputError: They reach too little of what the run looks at.
    """
    _, seen = carry_curves(np.zeros(mine.size), None, places, target)
    share = float(seen.mean())
    known = places[np.isfinite(places)]
    if share < _LEAST_SHARE:
        reach = f"from {known.min():.4g} to {known.max():.4g}" if len(known) else "nowhere"
        raise InputError(
            f"{sentence}: it reaches {reach} there, {share:.0%} of it, and "
            f"{_LEAST_SHARE:.0%} is needed; measure more, or use a run of such a range"
        )
    words = ["averaged over those steps, so that counts are conserved"]
    if bragg:
        words.append(f"moved {bragg}")
    if target.name == "two_theta" and unknown:
        words.append("taken to be of one wavelength, which is not stated")
    if share < 1:
        words.append(f"and the {1 - share:.0%} that it does not reach is masked")
    return ", ".join(words)


def _same(data: Axis, run: Axis) -> bool:
    return (
        data.size == run.size
        and abs(data.scale - run.scale) * run.size <= _EXACT * run.scale * run.size
        and abs(data.offset - run.offset) <= _EXACT * run.scale * run.size
    )
