"""An oracle that knows what every candidate looks like without noise, and applies Bayes' rule."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

_NEVER = 1e-200  # electrons in place of none at all: a count there makes a candidate impossible


@dataclass(frozen=True, slots=True)
class Verdict:
    """What oracles achieve on counts of the candidates, each being the true one in turn.

    Attributes:
        upper: Accuracy of the oracle that has the true specimen on its list.
        confusion: Of the oracle that has not: share of each true class (rows) that it takes for
            each class, (c, c); `None` where one specimen a class leaves it none.
    """

    upper: float
    confusion: Float[np.ndarray, "c c"] | None


class Oracle:
    """Judges counts by their likelihood under a list of candidates, of each class equally many."""

    def __init__(self, rates: Float[np.ndarray, "c k p"], shares: Float[np.ndarray, "c"]) -> None:
        """Prepare what every dose needs.

        Args:
            rates: Expected electrons in each pixel at a dose of one, (c, k, p): class, specimen,
                pixel.
            shares: Shares of the classes, (c,), which add up to one.
        """
        self._rates = rates[..., rates.max(axis=(0, 1)) > 0]
        self._shares = shares
        candidates = self._rates.reshape(-1, self._rates.shape[-1]).astype(np.float64)
        # torch and not numpy: it can be told to use one thread, so sums are the same everywhere.
        self._log_rates = torch.from_numpy(np.log(np.maximum(candidates, _NEVER)))
        self._totals = candidates.sum(axis=1)

    def judge(self, dose: float, rng: np.random.Generator, *, exposures: int = 1) -> Verdict:
        """Draw counts of every candidate and classify them.

        The accuracy with the true one on the list is averaged as the probability of the class that
        is chosen, which has the same mean as counting what is right, and less noise.

        Args:
            dose: What the rates are multiplied with.
            rng: Draws the electrons.
            exposures: Times that each candidate is the true one.
        """
        classes, specimens = self._rates.shape[:2]
        upper = np.zeros(classes)
        confusion = np.zeros((classes, classes))
        for label, place in np.ndindex(classes, specimens):
            expected = self._rates[label, place].astype(np.float64) * dose
            counts = rng.poisson(expected, (exposures, len(expected)))
            scores = self._scores(counts, dose)
            upper[label] += np.exp(self._log_posterior(scores).max(axis=1)).sum()
            if specimens > 1:
                # The one of the same place in every other class goes too: lists stay as long.
                others = np.delete(scores, place, axis=2)
                chosen = self._log_posterior(others).argmax(axis=1)
                confusion[label] += np.bincount(chosen, minlength=classes)
        trials = specimens * exposures
        return Verdict(
            float(self._shares @ upper) / trials, confusion / trials if specimens > 1 else None
        )

    def _scores(self, counts: Int[np.ndarray, "n p"], dose: float) -> Float[np.ndarray, "n c k"]:
        """log-likelihood of counts under every candidate, but for what all have in common."""
        hit = np.flatnonzero(counts.any(axis=0))
        weights = torch.from_numpy(counts[:, hit].astype(np.float64))
        seen = (weights @ self._log_rates[:, torch.from_numpy(hit)].T).numpy()
        scores: Float[np.ndarray, "n c k"] = (seen - dose * self._totals).reshape(
            -1, *self._rates.shape[:2]
        )
        return scores

    def _log_posterior(self, scores: Float[np.ndarray, "n c k"]) -> Float[np.ndarray, "n c"]:
        """Bayes' rule: log-probability of each class, whose specimens are equally probable."""
        joint = np.log(self._shares) + np.logaddexp.reduce(scores, axis=2)
        posterior: Float[np.ndarray, "n c"] = joint - np.logaddexp.reduce(joint, axis=1)[:, None]
        return posterior
