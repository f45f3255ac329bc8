"""What libraries warn of while they read a user's file: an error, or told."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from crystalvision.errors import InputError

_OF_CODE = (DeprecationWarning, PendingDeprecationWarning, FutureWarning, ResourceWarning)
_SERIOUS = re.compile(
    r"occupanc|species|element|symbol|missing|unknown|dummy|overlap|overwrit|cannot|could not"
    r"|not (?:be )?(?:found|determined|recogni[sz]ed|supported)|ignor|skipp|duplicate|invalid"
    r"|inconsisten|guess",
    re.IGNORECASE,
)
_LONGEST = 200


@contextmanager
def judged() -> Iterator[list[str]]:
    """Gather warnings of a block of code: those that doubt the atoms raise, others are listed.

    Raises:
        InputError: A warning says that elements, sites or cell are not what the file has.
    """
    warned: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield warned
    for each in caught:
        text = " ".join(str(each.message).split())[:_LONGEST]
        if issubclass(each.category, _OF_CODE) or text in warned:
            continue
        if _SERIOUS.search(text):
            raise InputError(f"its reader warns: {text}; convert it to CIF")
        warned.append(f"its reader warns: {text}")
