"""Where the samples of a dataset were first made: by a source, in files, or in other datasets.

The guard against leaks, merging, repair, cards and records read this, whatever made the data.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer

from crystalvision.config import Config
from crystalvision.json_text import parse_json

Recipe: TypeAlias = Mapping[str, Any]
_ALIKE_ANYWAY = ("name", "samples", "description")


class Simulated(Config):
    """Samples that a source made, or a program of the user's own.

    Attributes:
        kind: Tells it from the others.
        source: The source, as plugins offer it; empty where they cannot be made again.
        recipe: What it made them by, resolved, in JSON types.
        seed: What their randomness follows from, with the index of each; `None` where nothing is
            drawn.
        drawn_from: What else decides what a sample shows, such as the SHA-256 of the structures
            that specimens are cut from. Two datasets of one source with the same of it and of the
            seed show the same things, however they differ in all else.
        of: The dataset whose samples these show again, if they do.
    """

    kind: Literal["made"] = "made"
    source: str = ""
    recipe: dict[str, Any] = Field(default_factory=dict)
    seed: int | None
    drawn_from: str = ""
    of: "DatasetPart | None" = None

    @model_serializer(mode="wrap")
    def _without_unused(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = serialize(self)
        if self.of is None:  # datasets that have none keep their identity
            written.pop("of", None)
        return written

    @field_validator("recipe")
    @classmethod
    def _as_json(cls, recipe: dict[str, Any]) -> dict[str, Any]:
        try:
            text = json.dumps(recipe, allow_nan=False)
        except TypeError as error:
            raise ValueError(f"the recipe must hold JSON types only: {error}") from error
        return dict(parse_json(text))

    @property
    def name(self) -> str:
        """Name of the recipe, or nothing."""
        return str(self.recipe.get("name") or "")

    @property
    def command(self) -> str:
        """What makes it again from the recipe, saved as `recipe.yaml`; or nothing."""
        return "crystalvision simulate recipe.yaml" if self.source else ""

    @property
    def things(self) -> tuple[str, str, int] | None:
        """What the things that samples show follow from, beside the index; `None` if unknown."""
        if self.seed is None or not (self.source or self.drawn_from):
            return None
        return self.source, self.drawn_from, self.seed

    def makes_what(self, other: "Simulated") -> bool:
        """Whether both make the same samples, but for how many."""
        if not self.source and self.seed is None:
            return False
        return self._but_for_number() == other._but_for_number()

    def shown(self) -> dict[str, Any]:
        """What a person reads of it: the recipe as `crystalvision simulate` takes it."""
        return {**({"source": self.source} if self.source else {}), **self.recipe}

    def _but_for_number(self) -> tuple[object, ...]:
        rest = {key: value for key, value in self.recipe.items() if key not in _ALIKE_ANYWAY}
        return self.source, self.seed, self.drawn_from, rest


class Imported(Config):
    """Samples that were read from files.

    Attributes:
        kind: Tells it from the others.
        name: What the user calls them.
        files: Number of files.
        content_sha256: What tells their images from others, whatever is said of them.
        settings: How they were read, and what was said of them, in JSON types.
        exported_from: The dataset that the files were exported from, if they were.
    """

    kind: Literal["imported"] = "imported"
    name: str = ""
    files: int = Field(ge=0)
    content_sha256: str
    settings: dict[str, Any] = Field(default_factory=dict)
    exported_from: "DatasetPart | None" = None

    @property
    def command(self) -> str:
        """Nothing makes them again."""
        return ""

    def shown(self) -> dict[str, Any]:
        """What a person reads of it."""
        return self.model_dump(mode="json", exclude_none=True)


class DatasetPart(Config):
    """A dataset that is a part of another.

    Attributes:
        identity: Its identity.
        samples: How many samples it had.
        provenance: Where they were made.
    """

    identity: str
    samples: int
    provenance: "Provenance"

    @property
    def label(self) -> str:
        """What to call it, with its seed."""
        seed = getattr(self.provenance, "seed", None)
        name = self.provenance.name or "without a name"
        return name if seed is None else f"{name} (seed {seed})"


class Merged(Config):
    """Samples of several datasets, one after the other.

    Attributes:
        kind: Tells it from the others.
        name: What the user calls it.
        parts: Those datasets, in the order in which the column `source` counts them.
    """

    kind: Literal["merged"] = "merged"
    name: str = ""
    parts: Annotated[tuple[DatasetPart, ...], Field(min_length=1)]

    @property
    def command(self) -> str:
        """Nothing makes it again but another merge."""
        return ""

    def shown(self) -> dict[str, Any]:
        """What a person reads of it."""
        return self.model_dump(mode="json", exclude_none=True)


class Thinned(Config):
    """Samples of another dataset, each with fewer counts, as of a lower dose.

    Attributes:
        kind: Tells it from the others.
        kept: The share of the counts that was kept.
        seed: What drew which.
        of: That dataset, whose samples these are in its order.
    """

    kind: Literal["thinned"] = "thinned"
    kept: float = Field(gt=0, lt=1)
    seed: int = Field(ge=0)
    of: DatasetPart

    @property
    def name(self) -> str:
        """What to call it, by the dataset that it was made of."""
        return f"{self.of.provenance.name or 'without a name'}, {self.kept:.3g} of the counts"

    @property
    def command(self) -> str:
        """Nothing makes it again but that dataset."""
        return ""

    def shown(self) -> dict[str, Any]:
        """What a person reads of it."""
        return self.model_dump(mode="json", exclude_none=True)


Provenance: TypeAlias = Annotated[
    Simulated | Imported | Merged | Thinned, Field(discriminator="kind")
]
Origin: TypeAlias = Simulated | Imported

Simulated.model_rebuild()
Imported.model_rebuild()
DatasetPart.model_rebuild()
Merged.model_rebuild()
Thinned.model_rebuild()


def origins(identity: str, provenance: Provenance) -> dict[str, Origin]:
    """Every dataset in which the samples of one have been, first of all those they were made in.

    Args:
        identity: A dataset's identity.
        provenance: Where its samples were made.

    Returns:
        Identity → where its samples were made, also of what was exported and imported again.
    """
    return dict(_origins(identity, provenance))


def _origins(identity: str, provenance: Provenance) -> Iterator[tuple[str, Origin]]:
    if isinstance(provenance, Merged):
        for part in provenance.parts:
            yield from _origins(part.identity, part.provenance)
        return
    if isinstance(provenance, Thinned):
        yield from _origins(provenance.of.identity, provenance.of.provenance)
        return
    yield identity, provenance
    before = provenance.of if isinstance(provenance, Simulated) else provenance.exported_from
    if before is not None:
        yield from _origins(before.identity, before.provenance)


def same_things(one: Origin, other: Origin) -> bool:
    """Whether two sources drew the same: a sample's randomness is (seed, index) alone."""
    if not (isinstance(one, Simulated) and isinstance(other, Simulated)):
        return False
    return one.things is not None and one.things == other.things


def same_samples(one: Origin, other: Origin) -> bool:
    """Whether two datasets hold the same samples, or the same files."""
    if isinstance(one, Imported) and isinstance(other, Imported):
        return one.content_sha256 == other.content_sha256
    return isinstance(one, Simulated) and isinstance(other, Simulated) and one.makes_what(other)
