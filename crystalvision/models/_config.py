"""A system described by data, so that every part of it is chosen at run time."""

import re
from typing import Annotated, Any, Self

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)
from torch import nn

from crystalvision.config import Config, Part
from crystalvision.inputs import Parts

NO_FUSION = "none"
"""The fusion of a system that joins nothing, and so has no final head."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


class BranchConfig(Config):
    """One branch.

    Attributes:
        backbone: From images to features. Where it has an option `weights`, a text, that names the
            weights which its training begins with.
        head: From features to classes or severity.
        weights: `RUN#BRANCH`: the branch of another run that this one begins as, backbone and head.
            To begin with a backbone alone, give its option `weights`.
        input: Steps of this branch alone, after those of the experiment: so that branches that are
            joined may see the same pattern in their own ways.
    """

    backbone: Part
    head: Part
    weights: str | None = None
    input: Parts = ()

    @model_serializer(mode="wrap")
    def _without_unused(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = serialize(self)
        if not self.input:  # what was written without it stays as it is
            written.pop("input", None)
        return written

    @model_validator(mode="after")
    def _begins_once(self) -> Self:
        if self.weights is not None and "weights" in self.backbone.options:
            raise ValueError(
                "both the branch and its backbone have `weights`; keep the branch's to begin with "
                "backbone and head, or the backbone's to begin with that alone"
            )
        return self


class SystemConfig(Config):
    """Branches, and how they are joined.

    Attributes:
        branches: By name; the names are the user's own.
        fusion: Joins the branches' features; `none` for a system of one branch.
        head: The final head, over what the fusion gives.
    """

    branches: Annotated[dict[str, BranchConfig], Field(min_length=1)]
    fusion: Part = Part(name=NO_FUSION)
    head: Part | None = None

    @field_validator("branches")
    @classmethod
    def _names_can_be_used(cls, branches: dict[str, BranchConfig]) -> dict[str, BranchConfig]:
        for name in branches:
            if name in {"fusion", "head"}:
                raise ValueError(
                    f"a branch cannot be called '{name}': schedules use that name for the part "
                    "that joins the branches"
                )
            # Names are keys of an nn.ModuleDict and of the saved weights.
            if not _NAME.fullmatch(name) or hasattr(nn.ModuleDict(), name):
                raise ValueError(
                    f"a branch cannot be called '{name}': expected letters, digits, '-' and '_', "
                    "as in 'classifier', and no name that PyTorch keeps for itself"
                )
        return branches
