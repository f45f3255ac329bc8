"""The YAML at the head of a card: what the Hugging Face hub reads, and what a later card keeps."""

from pathlib import Path
from typing import Any

from crystalvision.cards._facts import Facts
from crystalvision.cards._licence import from_hub_keys, hub_keys
from crystalvision.cards._text import is_diffraction
from crystalvision.config import validate
from crystalvision.datasets import DatasetHeader
from crystalvision.errors import InputError
from crystalvision.yaml_text import dump_yaml, parse_yaml

_FENCE = "---\n"
_OURS = "crystalvision"
_OF_PEOPLE = ("creators", "organisations")
_LICENCE_KEYS = ("license", "license_name", "license_link")
_TASKS = {"classification": "image-classification", "segmentation": "image-segmentation"}
_TAGS = ("crystalvision", "materials-science", "zarr")
_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"))
_LARGER = ((10**7, "1M<n<10M"), (10**8, "10M<n<100M"), (10**9, "100M<n<1B"))


def read_front_matter(path: Path, text: str) -> dict[str, Any]:
    """The front matter of a card, or nothing where it has none.

    Raises:
        InputError: It is no YAML.
    """
    if not text.startswith(_FENCE):
        return {}
    head, fence, _ = text.removeprefix(_FENCE).partition(f"\n{_FENCE}")
    found = parse_yaml(f"\n{head}", f"{path}, above the second ---")  # the fence is a line, too
    if not fence or not isinstance(found, dict):
        raise InputError(f"{path}: expected keys and values between two lines of ---")
    return found


def facts_from(path: Path, found: dict[str, Any], identity: str) -> Facts:
    """What an earlier card states of the dataset of this identity.

    Of other data that were there before, only licence and creators are taken over.

    Raises:
        InputError: It states what cannot be, because somebody edited it.
    """
    ours = found.get(_OURS, {})
    if not isinstance(ours, dict):
        raise InputError(f"{path}: crystalvision={ours!r:.60}: expected a mapping")
    lasting = Facts.model_fields if ours.get("identity") == identity else _OF_PEOPLE
    kept = {key: value for key, value in ours.items() if key in lasting}
    return validate(Facts, {**kept, "licence": from_hub_keys(found)}, str(path))


def front_matter(
    header: DatasetHeader, facts: Facts, *, name: str, synthetic: bool, earlier: dict[str, Any]
) -> str:
    """The front matter of a card; keys and tags that somebody added by hand are kept."""
    tags = [*_TAGS, *(tag for tag, fits in _tags(header, synthetic).items() if fits)]
    tags += [tag for tag in _texts(earlier.get("tags")) if tag not in (*tags, "synthetic")]
    stated = facts.model_dump(mode="json", exclude={"licence"}, exclude_defaults=True)
    keys: dict[str, Any] = {
        "pretty_name": name,
        **hub_keys(facts.licence),
        "size_categories": [_size(header.samples)],
        "task_categories": _tasks(header),
        "tags": tags,
        **({"annotations_creators": ["machine-generated"]} if synthetic else {}),
        "viewer": False,  # the hub's viewer reads no Zarr
        _OURS: {"identity": header.identity, **stated},
    }
    added = {key: value for key, value in earlier.items() if key not in (*keys, *_LICENCE_KEYS)}
    text = dump_yaml({**keys, **added}, width=100)
    return f"{_FENCE}{text}{_FENCE}"


def _tags(header: DatasetHeader, synthetic: bool) -> dict[str, bool]:
    return {
        "diffraction": is_diffraction(header),
        "crystal-defects": "severity" in header.columns,
        "synthetic": synthetic,
    }


def _tasks(header: DatasetHeader) -> list[str]:
    """The hub's names of what can be learnt."""
    tasks = [target.task for target in header.targets.values()] if len(header.axes) == 2 else []
    return list(dict.fromkeys(_TASKS[task] for task in tasks if task in _TASKS)) or ["other"]


def _size(samples: int) -> str:
    return next((name for limit, name in (*_SIZES, *_LARGER) if samples < limit), "n>1T")


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
