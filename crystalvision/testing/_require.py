"""What a check says when it is not met."""

import torch


class NotMetError(AssertionError):
    """A plugin breaks its contract; the text says what was expected and what was found."""


class NotTestableError(Exception):
    """A check needs what is not installed here; the text says how to get it."""


def require(condition: object, message: str) -> None:
    """Fail with `message` unless `condition` holds.

    Raises:
        NotMetError: It does not hold.
    """
    if not condition:
        raise NotMetError(message)


def require_close(
    found: torch.Tensor, expected: torch.Tensor, what: str, tolerance: float = 1e-4
) -> None:
    """Fail unless two results are equal but for rounding.

    Args:
        found: One of them.
        expected: The other, of the same shape.
        what: What is compared, for the message.
        tolerance: Allowed difference, as a share of the largest value of `expected`: single values
            near zero are rounded as coarsely as the sums that they come from.

    Raises:
        NotMetError: They differ, or are not finite.
    """
    require(
        found.shape == expected.shape,
        f"{what}: shape {tuple(found.shape)} is not {tuple(expected.shape)}",
    )
    require(found.isfinite().all(), f"{what}: not all values are finite")
    scale = float(expected.abs().max())
    difference = float((found.float() - expected.float()).abs().max())
    require(
        difference <= tolerance * scale,
        f"{what}: values differ by up to {difference:.3g}, the largest being {scale:.3g}",
    )
