"""How well the classes of a recipe can be told apart at all, given the electrons there are.

The data flow, a module each: `_points` says what a bound is asked for, `_groups` draws a nuisance
and specimens of every class with it, `_oracle` judges counts of them by Bayes' rule, `_estimate`
averages over many draws, and `_assumptions` says what the result rests on.
"""

from crystalvision_simulate.bound._estimate import estimate_bound

__all__ = ["estimate_bound"]
