"""Settings of the space groups, by the names that files give them."""

import re
import warnings
from dataclasses import dataclass
from functools import cache

from crystalvision_simulate.structures._operations import Operations, operations_of_hall

_ORIGINS = {"s": "1", "z": "2", "h": "h", "r": "r", "hr": "h", "o1": "1", "o2": "2"}
_SUFFIX = re.compile(r"(?P<name>.+?):?(?P<choice>hr|o1|o2|[szhr])")
_NUMBER_BEHIND = re.compile(r"[(\[]\s*(?:no\.?|#)?\s*\d{1,3}\s*[)\]]\s*$", re.IGNORECASE)
_ORIGIN_BEHIND = re.compile(
    r"[(,]?\s*(?:origin|setting)(?:\s+(?:choice|at))?\s*(?P<choice>[12])\s*\)?\s*$", re.IGNORECASE
)
_NOISE = str.maketrans({"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", **dict.fromkeys("_~()$", "")})
_MONOCLINIC = range(3, 16)
_BARRED = (*range(200, 207), *range(221, 231))


@dataclass(frozen=True, slots=True)
class Setting:
    """A space group in one setting.

    Attributes:
        number: Its number in the International Tables.
        symbol: Its extended Hermann–Mauguin symbol, such as `F d -3 m:2`.
        choices: What tells it from other settings of one symbol: `1`, `2`, `h`, `r`, `b1`, …
        hall: Its Hall symbol.
        standard: Whether the number alone may mean it.
    """

    number: int
    symbol: str
    choices: frozenset[str]
    hall: str
    standard: bool

    @property
    def operations(self) -> Operations:
        """Its operations."""
        return operations_of_hall(self.hall)


def settings_of_name(text: str) -> list[Setting]:
    """The settings that a Hermann–Mauguin symbol may mean; none for one that is not known.

    Short, long and full symbols of all settings in the tables of gemmi and spglib are known, with
    spaces or without, with `:1`, `:2`, `:H`, `:R` behind, or with S, Z, H, R as the ICSD has it.
    """
    bare, choice = _NUMBER_BEHIND.sub("", text), ""
    behind = _ORIGIN_BEHIND.search(bare)
    if behind:
        bare, choice = bare[: behind.start()], behind["choice"]
    key = _key(bare)
    index = _index()
    if key not in index and ":" in key:
        key, _, choice = key.partition(":")
    elif key not in index:
        suffix = _SUFFIX.fullmatch(key)
        if suffix and suffix["name"] in index:
            key, choice = suffix["name"], _ORIGINS[suffix["choice"]]
    found = index.get(key, [])
    choice = _ORIGINS.get(choice, choice)
    return [each for each in found if choice in each.choices] if choice else list(found)


def settings_of_number(number: int) -> list[Setting]:
    """The settings that the number of a space group may mean."""
    return [each for each in _settings() if each.number == number and each.standard]


def setting_of(operations: Operations) -> Setting | None:
    """The setting with just these operations, if it is in the tables."""
    return _by_operations().get(operations.keys)


@cache
def _settings() -> tuple[Setting, ...]:
    """Every setting in gemmi's table."""
    import gemmi

    standard = {
        group.number: group.hm for group in gemmi.spacegroup_table() if group.is_reference_setting()
    }
    return tuple(
        Setting(
            number=group.number,
            symbol=group.xhm(),
            choices=frozenset({group.ext.lower(), group.qualifier.lower()} - {"", " ", "\0"}),
            hall=group.hall,
            standard=group.hm == standard[group.number],
        )
        for group in gemmi.spacegroup_table()
    )


@cache
def _by_operations() -> dict[frozenset[bytes], Setting]:
    found: dict[frozenset[bytes], Setting] = {}
    for setting in _settings():
        found.setdefault(setting.operations.keys, setting)
    return found


@cache
def _index() -> dict[str, list[Setting]]:
    """The settings that each name may mean."""
    found: dict[str, list[Setting]] = {}
    for setting in _settings():
        for name in _names(setting):
            found.setdefault(_key(name), []).append(setting)
    for name, setting in _names_in_spglib():
        entries = found.setdefault(_key(name), [])
        if all(each.operations.keys != setting.operations.keys for each in entries):
            entries.append(setting)
    return found


def _names(setting: Setting) -> set[str]:
    plain = setting.symbol.partition(":")[0]
    names = {plain}
    if setting.number in _MONOCLINIC:  # the short symbol leaves out the axes without symmetry
        lattice, *axes = plain.split()
        names.add(" ".join([lattice, *(axis for axis in axes if axis != "1")]))
    if setting.number in _BARRED:  # before 1970 the bar was left out
        names.add(plain.replace("-3", "3"))
    if ":" in setting.symbol and setting.symbol[-1] == "H":  # as the Protein Data Bank has it
        names.add("H" + plain[1:])
    return names


def _names_in_spglib() -> list[tuple[str, Setting]]:
    """Full symbols, and those with the double glide plane e."""
    import spglib

    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of how it reports errors
        groups = [spglib.get_spacegroup_type(hall_number) for hall_number in range(1, 531)]
    for group in groups:
        if group is None:
            continue
        setting = _by_operations().get(operations_of_hall(group.hall_symbol).keys)
        if setting is None:
            continue
        names = {group.international_full, *group.international.split("=")}
        if setting.number in _MONOCLINIC:
            names = {group.international_full}
        found += [(name, setting) for name in names]
    return found


def _key(name: str) -> str:
    return "".join(name.translate(_NOISE).split()).lower()
