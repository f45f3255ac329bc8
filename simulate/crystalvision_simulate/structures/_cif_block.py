"""A CIF's data blocks: its tags and values, and the block that holds the structure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalvision.errors import InputError

if TYPE_CHECKING:
    import gemmi

_NUMBER = re.compile(
    r"(?P<value>[+-]?(?:\d+\.?(?P<decimals>\d*)|\.(?P<only>\d+))(?:[eE](?P<power>[+-]?\d{1,3}))?)"
    r"(?:\(\d*\))?"
)
_FRACTION = re.compile(r"(?P<above>[+-]?\d{1,6})/(?P<below>[1-9]\d{0,5})")
_WHERE = re.compile(r"^string:(\d+)(?::\d+\(\d+\))?")  # gemmi's line:column(byte)
_LONGEST_NUMBER = 60
_MOST_NAMES = 8


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written.

    Attributes:
        value: The number.
        step: One in its last digit; zero for a fraction.
    """

    value: float
    step: float


@dataclass(frozen=True, slots=True)
class Block:
    """One data block. Tags are in small letters, with `_` for the dots of newer dictionaries.

    Attributes:
        name: Its name.
        tags: The values of each tag, one for a tag outside a loop; `None` for `.` and `?`.
        loop_of: The loop that a tag is in.
    """

    name: str
    tags: dict[str, list[str | None]] = field(default_factory=dict)
    loop_of: dict[str, int] = field(default_factory=dict)

    def first(self, *names: str) -> str | None:
        """The value of the first of these tags that has one."""
        return next((value for _, value in self.stated(*names)), None)

    def stated(self, *names: str) -> Iterator[tuple[str, str]]:
        """Each of these tags that has one value, and that."""
        for name in names:
            values = self.tags.get(name, [])
            if len(values) == 1 and values[0] is not None:
                yield name, values[0]

    def number(self, *names: str) -> Number | None:
        """The number in the first of these tags that has a value.

        Raises:
            InputError: It is not a number.
        """
        for name, value in self.stated(*names):
            return number(value, name)
        return None

    def column(self, *names: str) -> list[str | None] | None:
        """The values of the first of these tags that is there."""
        return next((self.tags[name] for name in names if name in self.tags), None)

    @property
    def holds_structure(self) -> bool:
        """Whether it has coordinates of atoms."""
        return any(
            name.startswith(("_atom_site_fract_", "_atom_site_cartn_")) for name in self.tags
        )


def number(text: str, what: str) -> Number:
    """A number as CIF has it, such as `5.4309(2)`; a fraction such as `1/3` is understood too.

    Raises:
        InputError: It is none.
    """
    fraction = _FRACTION.fullmatch(text.strip())
    if fraction:
        return Number(int(fraction["above"]) / int(fraction["below"]), 0.0)
    match = _NUMBER.fullmatch(text.strip())
    value = float(match["value"]) if match and len(text) < _LONGEST_NUMBER else np.inf
    if match is None or not np.isfinite(value):
        raise InputError(f"{what} is '{text[:40]}'; expected a number, such as 0.25 or 5.4309(2)")
    decimals = len(match["decimals"] or match["only"] or "")
    return Number(value, float(f"1e{int(match['power'] or 0) - decimals}"))


def read_blocks(text: str) -> list[Block]:
    """The data blocks of a CIF.

    Raises:
        InputError: It does not follow the grammar of CIF, or has none.
    """
    import gemmi

    try:
        document = gemmi.cif.read_string(text.strip("\x1a \n\t") + "\n")
    except (RuntimeError, ValueError, UnicodeError) as error:
        detail = _WHERE.sub(r"line \1", str(error).partition("\n")[0]).removeprefix("string: ")
        raise InputError(f"not a CIF file with a crystal structure: {detail}") from error
    blocks = [_block(block) for block in document]
    if not blocks:
        raise InputError("not a CIF file with a crystal structure: it has no data block (data_…)")
    return blocks


def choose_block(blocks: Sequence[Block], wanted: str | None) -> Block:
    """The block with the structure.

    Args:
        blocks: Those of the file.
        wanted: The name of the one that the user wants.

    Raises:
        InputError: None has one, or several have and none is chosen, or there is no such block.
    """
    able = [block for block in blocks if block.holds_structure]
    if wanted is not None:
        names = [block.name for block in blocks]
        exact = [block for block in blocks if block.name == wanted]
        chosen = exact or [block for block in blocks if block.name.lower() == wanted.lower()]
        if not chosen:
            raise InputError(f"no block is called '{wanted[:80]}'; its blocks: {_listed(names)}")
        able = [block for block in chosen if block.holds_structure]
        if not able:
            raise InputError(f"block '{wanted}' has no atom sites; {_with_structure(blocks)}")
    if not able:
        raise InputError(
            "not a CIF file with a crystal structure: no block has atom sites "
            f"(_atom_site_fract_x …); its blocks: {_listed([block.name for block in blocks])}"
        )
    if len(able) > 1:
        names = [block.name for block in able]
        raise InputError(
            f"{len(able)} blocks hold a structure: {_listed(names)}; choose one with the option "
            f"block, such as structure: {{name: cif, path: …, block: {names[0]}}} "
            f"or --set structure.block={names[0]}"
        )
    return able[0]


def _block(block: "gemmi.cif.Block") -> Block:
    found = Block(block.name.strip())
    items: Iterable[Any] = block
    for index, item in enumerate(items):
        if item.pair is not None:
            columns = [(item.pair[0], [item.pair[1]])]
        elif item.loop is not None:
            width, values = item.loop.width(), item.loop.values
            columns = [(tag, values[at::width]) for at, tag in enumerate(item.loop.tags)]
        else:
            continue
        for tag, raw in columns:
            name = tag.lower().replace(".", "_")
            values_of_tag = [_plain(value) for value in raw]
            if found.tags.setdefault(name, values_of_tag) != values_of_tag:
                raise InputError(f"block '{found.name}' has two values for {tag}")
            found.loop_of[name] = index
    return found


def _plain(raw: str) -> str | None:
    import gemmi

    return None if gemmi.cif.is_null(raw) else gemmi.cif.as_string(raw)


def _with_structure(blocks: Sequence[Block]) -> str:
    names = [block.name for block in blocks if block.holds_structure]
    return f"these have: {_listed(names)}" if names else "no other block has"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name[:60]}'" for name in names[:_MOST_NAMES])
    return shown if len(names) <= _MOST_NAMES else f"{shown} and {len(names) - _MOST_NAMES} more"
