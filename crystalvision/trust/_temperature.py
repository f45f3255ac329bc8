"""Temperature scaling: probabilities that say how often they are right."""

import math

import numpy as np
import torch
from jaxtyping import Float, Int

from crystalvision.errors import InputError

_SMALLEST = torch.finfo(torch.float32).tiny  # a probability of 0 has no logarithm
_PRIOR = 1.0  # standard deviation of the natural logarithm of the temperature
_BOUNDS = (math.log(0.05), math.log(20.0))


def scale(
    probabilities: Float[torch.Tensor, "b k"], temperature: float
) -> Float[torch.Tensor, "b k"]:
    """Probabilities at another temperature: p^(1/T), with rows that sum to one.

    For a softmax head this divides the scores by T (Guo et al. 2017, arXiv:1706.04599); written in
    probabilities it serves every head, fusion and classical system alike. The order of the classes
    stays.

    Args:
        probabilities: Probability of each class, (b, k).
        temperature: T; above 1 it makes predictions less sure, below 1 surer.
    """
    if temperature == 1:
        return probabilities
    return (probabilities.clamp(min=_SMALLEST).log() / temperature).softmax(dim=1)


def fit_temperature(
    probabilities: Float[torch.Tensor, "n k"], label: Int[torch.Tensor, "n"]
) -> float:
    """The temperature under which labels are likeliest.

    The logarithm of the temperature has a normal prior of mean 0 and standard deviation 1: a few
    patterns that are all told rightly would else be proof of certainty, at a temperature of 0.

    Args:
        probabilities: What a system says of patterns that it was not trained on, (n, k).
        label: Index of the actual class, (n,).

    Raises:
        InputError: No patterns.
    """
    from scipy.optimize import minimize_scalar

    if not len(label):
        raise InputError("there are no patterns to calibrate with")
    scores = probabilities.double().clamp(min=_SMALLEST).log()
    rows = torch.arange(len(label))

    def loss(log_temperature: float) -> float:
        told = (scores / math.exp(log_temperature)).log_softmax(dim=1)
        return -float(told[rows, label].sum()) + 0.5 * (log_temperature / _PRIOR) ** 2

    found = minimize_scalar(loss, bounds=_BOUNDS, method="bounded", options={"xatol": 1e-4})
    return round(float(np.exp(found.x)), 6)
