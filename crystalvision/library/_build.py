"""Places candidates: what a source expects of each, as the run sees it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float

from crystalvision.datasets import Simulated
from crystalvision.errors import InputError, PluginError
from crystalvision.library._library import Library, with_names_of_their_own
from crystalvision.library._store import weights_of
from crystalvision.plugins import Catalogue
from crystalvision.prediction import Predictor
from crystalvision.runs import RunRecord
from crystalvision.samples import Candidates, Expected
from crystalvision.sources import SourceSpec

DRAWS = 4
"""Expected patterns of a candidate, unless somebody says otherwise."""
_PATTERNS_AT_ONCE = 512


@dataclass(frozen=True, slots=True)
class Embedded:
    """Candidates that were placed.

    Attributes:
        library: Those that can be seen.
        left_out: Those that cannot be candidates: name or file → why.
    """

    library: Library
    left_out: dict[str, str] = field(default_factory=dict)


def candidates_for(
    record: RunRecord, catalogue: Catalogue, places: Sequence[Path] = ()
) -> Candidates:
    """Candidates in files and folders, as the source of a run's training data reads them.

    Args:
        record: Of the run.
        catalogue: Where its source is looked up.
        places: Files and folders; without any, the candidates that the run was trained on.

    Raises:
        InputError: The training data are of no source, or of one that knows no candidates; or no
            candidate is there.
    """
    made = record.dataset.online.made if record.dataset.online else record.dataset.provenance
    if not isinstance(made, Simulated) or not made.source:
        raise InputError(
            "the run was trained on data that no source made, so nothing tells what a candidate "
            "would look like; train it on data of crystalvision simulate"
        )
    find = getattr(catalogue.entry("source", made.source).load(), "find_candidates", None)
    if find is None:
        raise InputError(
            f"source '{made.source}', which made the data that the run was trained on, does not "
            "know what candidates would look like; sources that do say so by with_candidates"
        )
    found = find(SourceSpec(made.source, made.recipe), catalogue, tuple(places))
    if not isinstance(found, Candidates):
        raise PluginError(
            f"source '{made.source}': find_candidates gave {type(found).__name__}; expected "
            "crystalvision.sources.Candidates"
        )
    return found


def embed_candidates(
    predictor: Predictor,
    candidates: Candidates,
    *,
    draws: int,
    known: Library | None = None,
    advance: Callable[[int], object] = lambda _: None,
) -> Embedded:
    """Place candidates.

    Args:
        predictor: The run.
        candidates: The candidates.
        draws: How many expected patterns each place is the mean of; 0 for one at the middle of
            what the recipe draws.
        known: A library of the run whose places are taken over.
        advance: Called with the number of candidates that were worked through.

    Raises:
        InputError: No head of the run gives an embedding, or none of the candidates can be seen.
    """
    check_embeds(predictor)
    weights = weights_of(predictor.path)
    there = {} if known is None else _usable(known, weights, draws)
    rows: dict[int, Float[np.ndarray, "e"]] = {}
    left_out = dict(candidates.left_out)
    for number, entry in enumerate(candidates.entries):
        if entry.digest in there:
            rows[number] = there[entry.digest]
    advance(len(rows))
    new = [number for number in range(len(candidates)) if number not in rows]
    for part in _batches(candidates.expected(new, draws=draws), max(1, draws)):
        seen = [each for each in part if each.images is not None]
        left_out |= {
            candidates.entries[each.index].name: each.reason for each in part if each not in seen
        }
        if seen:
            places = _placed(predictor, seen)
            rows |= {each.index: row for each, row in zip(seen, places, strict=True)}
        advance(len(part))
    if not rows:
        reason = next(iter(left_out.values()), "there is none")
        raise InputError(f"none of {len(candidates)} candidates can be seen: {reason}")
    order = sorted(rows)
    library = Library(
        weights=weights,
        draws=draws,
        entries=with_names_of_their_own([candidates.entries[number] for number in order]),
        places=np.stack([rows[number] for number in order]),
    )
    return Embedded(_once(library), left_out)


def added(library: Library | None, more: Library) -> Library:
    """A library with more candidates; those that it has already stay as they are."""
    return more if library is None else library.joined(more)


def check_embeds(predictor: Predictor) -> None:
    """Check that a run gives places.

    Raises:
        InputError: No head of it does.
    """
    if predictor.embedding_head is None:
        raise InputError(
            f"{predictor.path}: no head of this run gives an embedding, so it knows no candidates "
            "but the classes that it was trained on; train one with the head embedding"
        )


def _usable(known: Library, weights: str, draws: int) -> dict[str, Float[np.ndarray, "e"]]:
    if (known.weights, known.draws) != (weights, draws):
        return {}
    return {entry.digest: row for entry, row in zip(known.entries, known.places, strict=True)}


def _placed(predictor: Predictor, seen: Sequence[Expected]) -> Float[np.ndarray, "n e"]:
    """The mean place of the patterns of each candidate, of length 1."""
    images = [np.asarray(each.images, dtype=np.float32) for each in seen]
    places = predictor.embed(np.concatenate(images))
    ends = np.cumsum([len(each) for each in images])[:-1]
    means = np.stack([part.mean(axis=0) for part in np.split(places, ends)])
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    return np.asarray(means / np.maximum(lengths, 1e-12), dtype=np.float32)


def _once(library: Library) -> Library:
    """A library in which no candidate stands twice."""
    first: dict[str, int] = {}
    for number, entry in enumerate(library.entries):
        first.setdefault(entry.digest, number)
    return library if len(first) == len(library) else library.part(list(first.values()))


def _batches(found: Iterator[Expected], each: int) -> Iterator[list[Expected]]:
    """Some candidates at a time, so many that their patterns fit into memory."""
    waiting: list[Expected] = []
    for one in found:
        waiting.append(one)
        if len(waiting) * each >= _PATTERNS_AT_ONCE:
            yield waiting
            waiting = []
    if waiting:
        yield waiting
