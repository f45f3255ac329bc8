"""Symmetry operations as integers: read, compared, completed and held against a cell."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache

import numpy as np
from jaxtyping import Float, Int

from crystalvision.errors import InputError

PARTS = 120
"""Translations are counted in these parts of a cell vector: every denominator of the International
Tables, and fifths, divide it."""

MOST_OPERATIONS = 192 * 8  # of the richest group, in a cell of eight of its cells

_LONGEST = 200
_LARGEST_FACTOR = 9
_TERM = re.compile(
    r"(?P<sign>[+-]?)(?:(?P<number>\d+/\d+|\d*\.\d+|\d+\.?)\*?)?(?P<axis>[xyz])?"
    r"(?:/(?P<divisor>\d+))?"
)


@dataclass(frozen=True, eq=False)
class Operations:
    """Symmetry operations x → W x + w, modulo whole cell vectors.

    Attributes:
        rotations: W in fractional coordinates, (n, 3, 3).
        translations: w [1/120 of a cell vector], from 0 to 119, (n, 3).
    """

    rotations: Int[np.ndarray, "n 3 3"]
    translations: Int[np.ndarray, "n 3"]

    def __len__(self) -> int:
        """Number of operations."""
        return len(self.rotations)

    @cached_property
    def keys(self) -> frozenset[bytes]:
        """Each operation as bytes: groups with equal sets are equal."""
        return frozenset(_keys(self.rotations, self.translations))

    def is_group(self) -> bool:
        """Whether each two of them, one after the other, are one of them."""
        rotations = np.einsum("aij,bjk->abik", self.rotations, self.rotations)
        translations = np.einsum("aij,bj->abi", self.rotations, self.translations)
        translations = (translations + self.translations[:, None, :]) % PARTS
        if abs(rotations).max() > np.iinfo(np.int8).max:
            return False
        products = _keys(rotations.reshape(-1, 3, 3), translations.reshape(-1, 3))
        return frozenset(products) == self.keys

    def misfit(self, cell: Float[np.ndarray, "3 3"]) -> float:
        """How far the operations are from leaving the lengths and angles of a cell as they are.

        Args:
            cell: Cell vectors as rows [Å], (3, 3).

        Returns:
            The largest change of an element of the metric tensor, as a part of the product of the
            two lengths: about twice the relative change of a length, or the change of an angle in
            radians.
        """
        metric = cell @ cell.T
        turned = np.einsum("nji,jk,nkl->nil", self.rotations, metric, self.rotations)
        lengths = np.sqrt(np.diag(metric))
        return float((abs(turned - metric) / np.outer(lengths, lengths)).max())

    def images(self, sites: Float[np.ndarray, "m 3"]) -> Float[np.ndarray, "m n 3"]:
        """Where each operation takes each site, in fractional coordinates, (m, n, 3)."""
        images: Float[np.ndarray, "m n 3"] = (
            np.einsum("nij,mj->mni", self.rotations, sites) + self.translations / PARTS
        )
        return images


def operations_from(triplets: Iterable[str]) -> Operations:
    """The operations that a file lists; the identity is added where it is missing.

    Args:
        triplets: Such as `-x+y, -x, z+1/3`.

    Raises:
        InputError: One is not understood, or they do not form a group.
    """
    found: dict[bytes, tuple[Int[np.ndarray, "3 3"], Int[np.ndarray, "3"]]] = {}
    for text in ("x,y,z", *triplets):
        rotation, translation = _parsed(text)
        (key,) = _keys(rotation[None], translation[None])
        found.setdefault(key, (rotation, translation))
        if len(found) > MOST_OPERATIONS:
            raise InputError(f"more than {MOST_OPERATIONS} symmetry operations")
    rotations, translations = zip(*found.values(), strict=True)
    operations = Operations(np.array(rotations), np.array(translations))
    if not operations.is_group():
        raise InputError(
            f"the {len(operations)} symmetry operations do not form a group: some are missing or "
            "misspelt; list every operation of the space group"
        )
    return operations


@lru_cache(maxsize=1024)
def operations_of_hall(symbol: str) -> Operations:
    """The operations of a Hall symbol.

    Raises:
        InputError: It is not one.
    """
    import gemmi

    try:
        group = gemmi.symops_from_hall(symbol)
        listed = [(operation.rot, operation.tran) for operation in group]
    except (RuntimeError, ValueError, IndexError, OverflowError) as error:
        raise InputError(f"Hall symbol '{symbol}' is not understood ({error})") from error
    rotations, translations = (np.array(each, dtype=np.int64) for each in zip(*listed, strict=True))
    scale = gemmi.Op.DEN
    if (rotations % scale).any():
        raise InputError(f"Hall symbol '{symbol}' gives operations that are not of this cell")
    return Operations(rotations // scale, translations * (PARTS // scale) % PARTS)


def _parsed(text: str) -> tuple[Int[np.ndarray, "3 3"], Int[np.ndarray, "3"]]:
    rows = "".join(text[:_LONGEST].split()).lower().replace("\N{MINUS SIGN}", "-").split(",")
    wrong = InputError(
        f"symmetry operation '{text[:60]}' is not understood; expected one such as "
        "'-x+y, -x, z+1/3' in quotes"
    )
    try:
        found = [_row(row) for row in rows]
    except (ValueError, ZeroDivisionError) as error:
        raise wrong from error
    factors = [factor for each, _ in found for factor in each]
    shifts = [shift * PARTS for _, shift in found]
    if len(found) != 3 or any(each.denominator != 1 for each in (*factors, *shifts)):
        raise wrong
    if max(map(abs, factors)) > _LARGEST_FACTOR:
        raise wrong
    rotation = np.array([int(each) for each in factors]).reshape(3, 3)
    if abs(round(float(np.linalg.det(rotation)))) != 1:
        raise wrong
    return rotation, np.array([int(each % PARTS) for each in shifts])


def _row(text: str) -> tuple[list[Fraction], Fraction]:
    """Factors of x, y and z, and the constant, of one of the three expressions."""
    factors, shift, place = [Fraction(0)] * 3, Fraction(0), 0
    while place < len(text):
        term = _TERM.match(text, place)
        if term is None or term.end() == place or (place and not term["sign"]):
            raise ValueError
        if term["number"] is None and term["axis"] is None:
            raise ValueError
        number = _number(term["number"]) / int(term["divisor"] or 1)
        number = -number if term["sign"] == "-" else number
        if term["axis"]:
            factors["xyz".index(term["axis"])] += number
        else:
            shift += number
        place = term.end()
    if not place:
        raise ValueError
    return factors, shift


def _number(text: str | None) -> Fraction:
    """A number as it is written; decimals stand for the fraction that they round."""
    if text is None:
        return Fraction(1)
    number = Fraction(text)
    decimals = len(text.partition(".")[2])
    if decimals < 3:
        return number
    nearest = number.limit_denominator(24)
    return nearest if abs(nearest - number) <= Fraction(1, 10**decimals) else number


def _keys(rotations: Int[np.ndarray, "n 3 3"], translations: Int[np.ndarray, "n 3"]) -> list[bytes]:
    table = np.concatenate([rotations.reshape(-1, 9), translations], axis=1).astype(np.int8)
    packed = np.ascontiguousarray(table).view(np.dtype((np.void, 12))).ravel()
    return [bytes(each) for each in np.unique(packed)] if len(packed) > 1 else [packed.tobytes()]
