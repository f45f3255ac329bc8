"""What the numbers among a renderer's options may be."""

from crystalvision.errors import InputError


def check_range(name: str, value: float, least: float, greatest: float) -> None:
    """Check one number.

    Raises:
        InputError: It is out of its range, or no number.
    """
    if not least <= value <= greatest:
        raise InputError(f"{name} is {value:g}; expected {least:g} to {greatest:g}")
