"""Phases as candidates: what the instrument of a recipe would record of each."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice

import numpy as np

from crystalvision.cores import usable_processors
from crystalvision.samples import CandidateInfo, Candidates, Expected
from crystalvision_simulate.powder._candidates import phase_digest
from crystalvision_simulate.powder._places import FoundPhase
from crystalvision_simulate.powder.source import PowderSource

_AHEAD = 64  # candidates that are worked on at a time
_NOTHING = "it has no reflection in the measured range"


class PhaseCandidates(Candidates):
    """Phases, and patterns of each.

    Args:
        source: With these phases.
        found: The phases, each with the file that it is from.
        left_out: Files that hold none → why.
    """

    def __init__(
        self, source: PowderSource, found: Sequence[FoundPhase], left_out: Mapping[str, str]
    ) -> None:
        self._source = source
        self._digests = [phase_digest(one.phase) for one in found]
        self.left_out = left_out
        self.entries = [
            CandidateInfo(
                name=one.phase.name,
                digest=digest,
                place=one.place,
                elements=one.phase.elements,
                facts={"space_group": str(one.phase.space_group)} if one.phase.space_group else {},
            )
            for one, digest in zip(found, self._digests, strict=True)
        ]

    def expected(self, indices: Iterable[int], *, draws: int) -> Iterator[Expected]:
        """See `crystalvision.sources.Candidates.expected`."""
        make, waiting = partial(self._expected, draws=draws), iter(indices)
        with ThreadPoolExecutor(usable_processors(), "crystalvision-powder") as executor:
            while part := list(islice(waiting, _AHEAD)):
                yield from executor.map(make, part)

    def _expected(self, index: int, *, draws: int) -> Expected:
        if not self._source.maker.is_seen(index):
            return Expected(index, None, _NOTHING)
        if not draws:
            return Expected(index, self._source.maker.expected(index, None)[None])
        # By what the candidate is, so that its patterns are the same in every library.
        key = int(self._digests[index][:16], 16)
        patterns = [
            self._source.maker.expected(index, np.random.SeedSequence([key, draw]))
            for draw in range(draws)
        ]
        return Expected(index, np.stack(patterns))
