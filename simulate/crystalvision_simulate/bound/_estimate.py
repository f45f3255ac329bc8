"""The bound of a recipe: the mean over many draws of the nuisance, made on every core."""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from threading import Lock

import numpy as np
from jaxtyping import Float

from crystalvision.cores import usable_processors
from crystalvision.errors import InputError
from crystalvision.sources import AccuracyBound, BoundPoint
from crystalvision_simulate.bound._assumptions import assumptions_of
from crystalvision_simulate.bound._groups import draw_group, rates_of
from crystalvision_simulate.bound._oracle import Oracle, Verdict
from crystalvision_simulate.bound._points import detector_of, untold_of, values_of
from crystalvision_simulate.pipeline import map_in_order, one_torch_thread
from crystalvision_simulate.recipes import Recipe
from crystalvision_simulate.simulator import Simulator

RESAMPLES = 2000
LEVEL = 0.95
_EXPOSURES = 16  # counts drawn of a group at least, so that electrons add little to the spread
_AHEAD = 2


def estimate_bound(
    simulator: Simulator,
    *,
    patterns: int,
    specimens: int,
    untold: Sequence[str] = (),
    parts: int = 1,
    column: str = "",
    seed: int = 0,
    threads: int | None = None,
    advance: Callable[[int], object] = lambda _: None,
) -> AccuracyBound:
    """Estimate the upper bound of the accuracy on the patterns of a recipe.

    The result does not depend on the number of threads.

    Args:
        simulator: Of the recipe.
        patterns: Draws of the nuisance.
        specimens: Specimens of each class for each of them.
        untold: Columns of the nuisance that the oracles are not told, `all` for all of it; each
            specimen of a class then has a draw of its own of them. By default they are told.
        parts: Equally probable parts of each of their ranges: of what is untold, the oracles are
            told in which it lies.
        column: What the recipe chooses from several values, for a bound for each; by default one
            for all patterns.
        seed: Draws them.
        threads: By default one a core.
        advance: Called with the number of draws that were worked through.

    Raises:
        InputError: A number is too small, the recipe has no detector or one class, or the column
            is none with single values.
    """
    detector_of(simulator)
    hidden = untold_of(simulator, untold, column)
    _check(patterns, specimens, seed, hidden, parts)
    values = values_of(simulator, column)
    started = time.perf_counter()
    shares = _shares(simulator.recipe)
    rendering = nullcontext() if simulator.device.type == "cpu" else Lock()
    work = partial(
        _judge,
        simulator,
        shares,
        rendering,
        specimens=specimens,
        untold=hidden,
        parts=parts,
        column=column,
        values=values,
        seed=seed,
    )
    verdicts: list[list[Verdict]] = []
    count = threads or usable_processors()
    with one_torch_thread(), ThreadPoolExecutor(count, "crystalvision-bound") as executor:
        for verdict in map_in_order(executor, work, range(patterns), _AHEAD * count):
            verdicts.append(verdict)
            advance(1)
    points = tuple(
        _point(value, [row[place] for row in verdicts], shares, seed)
        for place, value in enumerate(values)
    )
    return AccuracyBound(
        column=column,
        points=points,
        patterns=patterns,
        specimens=specimens,
        untold=hidden,
        parts=parts,
        seed=seed,
        class_names=tuple(settings.name for settings in simulator.recipe.classes),
        class_shares=tuple(shares.tolist()),
        assumptions=assumptions_of(
            simulator.instrument.extremes, _varying(simulator), untold=hidden, parts=parts
        ),
        recipe=simulator.recipe.name,
        recipe_sha256=_sha256(simulator),
        seconds=time.perf_counter() - started,
    )


def _check(patterns: int, specimens: int, seed: int, untold: Sequence[str], parts: int) -> None:
    if patterns < 2:
        raise InputError(f"patterns={patterns}: an interval needs at least 2, better 50")
    if specimens < 1:
        raise InputError(f"specimens={specimens}: expected at least 1 of each class, better 4")
    if parts < 1:
        raise InputError(f"parts={parts}: expected 1, which tells nothing of its place, or more")
    if untold and specimens < 2:
        raise InputError(
            f"specimens={specimens} with something untold: expected at least 2, better 16, since "
            "each has a draw of it, between which the oracle has to choose"
        )
    if parts > 1 and not untold:
        raise InputError(f"parts={parts}: of what? say what is untold, such as thickness_angstrom")
    if seed < 0:
        raise InputError(f"seed={seed}: expected 0 or more")


def _shares(recipe: Recipe) -> Float[np.ndarray, "c"]:
    shares = np.array([settings.share for settings in recipe.classes], dtype=np.float64)
    normalised: Float[np.ndarray, "c"] = shares / shares.sum()
    return normalised


def _judge(
    simulator: Simulator,
    shares: Float[np.ndarray, "c"],
    rendering: AbstractContextManager[object],
    index: int,
    *,
    specimens: int,
    untold: Sequence[str],
    parts: int,
    column: str,
    values: Sequence[float | None],
    seed: int,
) -> list[Verdict]:
    """What oracles achieve for one draw of the nuisance, value by value."""
    dose_name = detector_of(simulator).dose_option
    exposures = -(-_EXPOSURES // (specimens * len(shares)))
    oracle: Oracle | None = None
    verdicts: list[Verdict] = []
    for value in values:
        fixed = {column: value} if value is not None else {}
        if oracle is None or column != dose_name:  # another dose needs no other images
            group = draw_group(
                simulator,
                index,
                seed=seed,
                specimens=specimens,
                untold=untold,
                parts=parts,
                fixed=fixed,
            )
            with rendering:
                rates = rates_of(simulator, group)
            oracle = Oracle(rates, shares)
            streams = group.counting.spawn(len(values))
        dose = group.nuisance[0][dose_name] if column != dose_name else float(value or 0)
        rng = np.random.default_rng(streams[len(verdicts)])
        verdicts.append(oracle.judge(dose, rng, exposures=exposures))
    return verdicts


def _point(
    value: float | None, verdicts: Sequence[Verdict], shares: Float[np.ndarray, "c"], seed: int
) -> BoundPoint:
    """Means over the draws, with intervals that resample the draws."""
    found = _interval([verdict.upper for verdict in verdicts], seed)
    # Whoever always says the most frequent class is right that often.
    upper = [max(end, float(shares.max())) for end in found]
    confusions = [verdict.confusion for verdict in verdicts if verdict.confusion is not None]
    if not confusions:
        return BoundPoint(value=value, upper=upper[1], upper_low=upper[0], upper_high=upper[2])
    right = [float(shares @ np.diag(confusion)) for confusion in confusions]
    informed = _interval(right, seed)
    return BoundPoint(
        value=value,
        upper=upper[1],
        upper_low=upper[0],
        upper_high=upper[2],
        informed=informed[1],
        informed_low=informed[0],
        informed_high=informed[2],
        confusion=tuple(map(tuple, np.mean(confusions, axis=0).tolist())),
    )


def _interval(values: Sequence[float], seed: int) -> tuple[float, float, float]:
    """Lower end, mean, and upper end of a percentile bootstrap interval."""
    # Sums of shares can exceed one by rounding.
    found = np.clip(values, 0, 1)
    rng = np.random.default_rng(seed)
    means = found[rng.integers(len(found), size=(RESAMPLES, len(found)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    mean = float(found.mean())
    return min(float(low), mean), mean, max(float(high), mean)


def _varying(simulator: Simulator) -> list[str]:
    """Columns of what is drawn alike for all classes and is not the same for all patterns."""
    fixed = {name for name, value in simulator.quantities.items() if len(set(value.ends)) == 1}
    return [name for name in simulator.nuisance if name not in fixed]


def _sha256(simulator: Simulator) -> str:
    """What tells the recipe's content from that of others."""
    changes = {"structure_sha256": simulator.crystals.structure_sha256}
    described = simulator.recipe.model_copy(update=changes).model_dump(
        mode="json", exclude={"name", "description", "samples", "seed"}
    )
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()
