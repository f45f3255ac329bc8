"""What fusions of several branches share."""

from collections.abc import Mapping

from torch import nn

from crystalvision.errors import InputError


def check_branches(fusion: str, branch_features: Mapping[str, int], least: int = 1) -> None:
    """Refuse too few branches.

    Args:
        fusion: Name of the fusion, for the error.
        branch_features: Number of features of each branch, name → f_i.
        least: How many there must be.

    Raises:
        InputError: There are fewer.
    """
    if len(branch_features) < least:
        names = ", ".join(branch_features) or "none"
        raise InputError(
            f"fusion '{fusion}' joins at least {least} branches; there are "
            f"{len(branch_features)} ({names})"
        )


class Projections(nn.ModuleDict):
    """Brings each branch to one width: batch normalisation, then a linear layer without bias.

    Branches may differ in scale by orders of magnitude, and what joins them must not care.
    """

    def __init__(self, branch_features: Mapping[str, int], width: int) -> None:
        super().__init__(
            {
                name: nn.Sequential(nn.BatchNorm1d(count), nn.Linear(count, width, bias=False))
                for name, count in branch_features.items()
            }
        )
