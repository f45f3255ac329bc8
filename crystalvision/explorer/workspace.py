"""What the pages of one explorer share: what was opened, who computes, what is handed on."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import param

from crystalvision.api.session import Session
from crystalvision.contracts import Axis
from crystalvision.explorer._opened import Opened


@dataclass(frozen=True, slots=True, eq=False)
class HeldPattern:
    """A pattern that one page hands to another.

    Attributes:
        name: What it is called.
        image: Raw counts, (c, *grid).
        axes: Its axes.
        recipe: What it is made from, if it was simulated: sample 0 of this recipe.
        known: What is known of it, by column.
    """

    name: str
    image: np.ndarray[Any, Any]
    axes: tuple[Axis, ...]
    recipe: Mapping[str, Any] | None = None
    known: Mapping[str, Any] = field(default_factory=dict)


class Workspace(param.Parameterized):
    """What the pages of one explorer share.

    Attributes:
        session: Who asks: the catalogue and the plugins.
        opened: What the explorer was started with.
        held: The pattern that was handed on last; pages may watch it.
    """

    held = param.ClassSelector(class_=HeldPattern, default=None, allow_None=True)

    def __init__(self, session: Session, opened: Opened) -> None:
        super().__init__()
        self.session = session
        self.opened = opened

    @cached_property
    def quick(self) -> ThreadPoolExecutor:
        """Where previews are computed."""
        return ThreadPoolExecutor(1, "crystalvision-preview")

    @cached_property
    def slow(self) -> ThreadPoolExecutor:
        """Where all else is computed."""
        return ThreadPoolExecutor(1, "crystalvision-explore")

    def close(self) -> None:
        """End the threads, once what they are at is done."""
        for executor in (self.quick, self.slow):
            executor.shutdown(wait=False, cancel_futures=True)
