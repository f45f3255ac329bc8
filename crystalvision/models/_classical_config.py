"""A classical system described by data."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, field_validator

from crystalvision.config import Config, Part


class ClassicalConfig(Config):
    """Features computed by a rule, and the estimator that reads them side by side.

    Attributes:
        features: What describes the patterns, in this order; a single one needs no list.
        estimator: From features to what is told.
        target: What that is: a column of classes, or of numbers.
    """

    features: Annotated[tuple[Part, ...], Field(min_length=1)]
    estimator: Part
    target: str = "label"

    @field_validator("features", mode="before")
    @classmethod
    def _accept_a_single_one(cls, value: object) -> object:
        return [value] if isinstance(value, str | Mapping) else value
