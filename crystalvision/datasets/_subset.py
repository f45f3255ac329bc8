"""Which samples a text chooses: `0:500`, `10%`, or a condition on columns."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Int

from crystalvision.datasets._columns import Column
from crystalvision.datasets._splits import SPLIT_NAMES
from crystalvision.errors import InputError

Indices = Int[np.ndarray, "n"]

_RANGES = re.compile(r"[\d:,\s]+")
_RANGE = re.compile(r"(\d*):(\d*)|(\d+)")
_SHARE = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*%")
_LISTED = 12  # classes, in an error
EXPECTED = (
    "expected indices such as 0:500 or 3,7,12, a share of every split such as 10%, or a condition "
    "on columns such as 'thickness_angstrom < 200 and label == twin'"
)


def chosen_by(
    text: str,
    *,
    samples: int,
    split: Callable[[str, int | None], Indices],
    columns: Mapping[str, Column],
    read: Callable[[str], np.ndarray[Any, Any]],
) -> Indices:
    """Indices of the samples that a text chooses, (n,).

    Args:
        text: `0:500` or `3,7,12`; `10%` of every split, with the proportions of the classes, the
            smaller share within the larger; or a condition, as pandas' `query` reads it. A class is
            its name.
        samples: How many there are.
        split: Indices of a split, or of so many of it.
        columns: What is known of each sample.
        read: The values of a column.

    Raises:
        InputError: It is none of these.
    """
    text = text.strip()
    if share := _SHARE.fullmatch(text):
        part = float(share[1]) / 100
        if not 0 < part <= 1:
            raise InputError(f"subset {text!r}: expected more than 0 and at most 100 %")
        sizes = {name: round(part * len(split(name, None))) for name in SPLIT_NAMES}
        return np.sort(np.concatenate([split(name, size) for name, size in sizes.items() if size]))
    if _RANGES.fullmatch(text):
        return np.concatenate([_range(one.strip(), samples, text) for one in text.split(",")])
    return _where(text, columns, read)


def _range(one: str, samples: int, text: str) -> Indices:
    found = _RANGE.fullmatch(one)
    if found is None:
        raise InputError(f"subset {text!r}: {one!r} is no index; {EXPECTED}")
    if found[3]:
        return np.array([int(found[3])], dtype=np.int64)
    first, end = int(found[1] or 0), int(found[2] or samples)
    if not first < end <= samples:
        raise InputError(f"subset {text!r}: expected FIRST:END within 0:{samples}")
    return np.arange(first, end, dtype=np.int64)


def _where(
    text: str, columns: Mapping[str, Column], read: Callable[[str], np.ndarray[Any, Any]]
) -> Indices:
    """The samples for which a condition holds."""
    import pandas as pd

    known = {name: column for name, column in columns.items() if not column.shape}
    # A class is called by its name, with or without quotes.
    names = {one: one for each in known.values() for one in each.classes if one not in known}
    table = pd.DataFrame(
        {
            name: np.array(column.classes, dtype=object)[read(name)]
            if column.classes
            else read(name)
            for name, column in known.items()
        }
    )
    try:
        holds = table.eval(text, engine="python", local_dict={}, global_dict={}, resolvers=(names,))
    except Exception as error:  # pandas raises errors of many kinds for what it cannot read
        reason = str(error).partition("\n")[0] or type(error).__name__
        classes = [*names]
        more = f" and {len(classes) - _LISTED} more" if len(classes) > _LISTED else ""
        of = f"; classes: {', '.join(classes[:_LISTED])}{more}" if classes else ""
        raise InputError(
            f"subset {text!r}: {reason}; {EXPECTED} (columns: {', '.join(known)}{of})"
        ) from error
    if not isinstance(holds, pd.Series) or holds.dtype != bool or len(holds) != len(table):
        raise InputError(f"subset {text!r} is no condition; {EXPECTED}")
    found: Indices = np.flatnonzero(holds.to_numpy()).astype(np.int64)
    if not len(found):
        raise InputError(f"subset {text!r}: no sample is so")
    return found
