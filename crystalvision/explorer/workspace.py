"""What the pages of one explorer share: what was opened, who computes, what is handed on."""

from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Any, TypeVar

import numpy as np
import param

from crystalvision.api.session import Session
from crystalvision.contracts import Axis
from crystalvision.explorer._opened import Opened

Value = TypeVar("Value")


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
        self._kept: dict[Hashable, tuple[Lock, list[Any]]] = {}
        self._lock = Lock()

    def once(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """What was made under a key, for all pages and tabs: a dataset, a run that is loaded.

        Args:
            key: What it is.
            make: Makes it where it is not there yet; whoever asks meanwhile waits.
        """
        with self._lock:
            lock, made = self._kept.setdefault(key, (Lock(), []))
        with lock:
            if not made:
                made.append(make())
            value: Value = made[0]
            return value

    @cached_property
    def quick(self) -> ThreadPoolExecutor:
        """Where previews are computed."""
        return ThreadPoolExecutor(1, "crystalvision-preview")

    @cached_property
    def slow(self) -> ThreadPoolExecutor:
        """Where all else is computed."""
        return ThreadPoolExecutor(1, "crystalvision-explore")

    @cached_property
    def long(self) -> ThreadPoolExecutor:
        """Where what takes minutes is computed, with progress."""
        return ThreadPoolExecutor(1, "crystalvision-long")

    def close(self) -> None:
        """End the threads, once what they are at is done."""
        for executor in (self.quick, self.slow, self.long):
            executor.shutdown(wait=False, cancel_futures=True)
