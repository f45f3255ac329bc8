"""What only a person knows of a dataset: licence, creators, how to cite it."""

from datetime import date
from typing import Any, Self

from pydantic import field_validator

from crystalvision.cards._licence import check_licence
from crystalvision.config import Config, validate


class Facts(Config):
    """What only a person knows of a dataset; what is empty is not stated.

    Attributes:
        licence: SPDX identifier.
        creators: People who made it.
        organisations: Organisations that made it.
        description: What it is, in place of the recipe's own description.
        citation: How to cite it, ideally as BibTeX.
        published: The day on which it was published.
        url: Its web page.
    """

    licence: str = ""
    creators: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()
    description: str = ""
    citation: str = ""
    published: date | None = None
    url: str = ""

    @field_validator("licence")
    @classmethod
    def _known_licence(cls, licence: str) -> str:
        return check_licence(licence) if licence else ""

    @field_validator("creators", "organisations")
    @classmethod
    def _whole_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        stripped = tuple(name.strip() for name in names)
        if any("\n" in name for name in stripped):
            raise ValueError("a name stands on one line; give each name by itself")
        return tuple(dict.fromkeys(name for name in stripped if name))

    @field_validator("description", "citation")
    @classmethod
    def _without_margins(cls, text: str) -> str:
        return text.strip()

    @field_validator("published", mode="before")
    @classmethod
    def _as_date(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return date.fromisoformat(value) if value else None
        except ValueError as error:
            raise ValueError("expected a date such as 2026-05-31") from error

    @field_validator("url")
    @classmethod
    def _web_address(cls, url: str) -> str:
        if url and (not url.startswith(("https://", "http://")) or len(url.split()) != 1):
            raise ValueError("expected a web address that begins with https://")
        return url

    def with_changes(self, changes: dict[str, Any]) -> Self:
        """These facts with some replaced; None keeps what was there.

        Raises:
            InputError: A new value is wrong.
        """
        given = {name: value for name, value in changes.items() if value is not None}
        return validate(type(self), {**self.model_dump(), **given}, "dataset card")

    @property
    def not_stated(self) -> tuple[str, ...]:
        """What a published dataset should state and this one does not."""
        named = bool(self.creators or self.organisations)
        stated = {"licence": self.licence, "creator": named, "published": self.published}
        return tuple(name for name, value in stated.items() if not value)
