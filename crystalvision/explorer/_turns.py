"""Work off the event loop, of which only the newest counts."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TypeVar

Result = TypeVar("Result")


class SupersededError(Exception):
    """A newer request has come: what this one would show is of no use any more."""


class Turns:
    """Counts requests, so that an older one can be dropped."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> "Turn":
        """A new request; all before it are superseded."""
        self._last += 1
        return Turn(self, self._last)

    def is_newest(self, number: int) -> bool:
        """Whether no request came after this one."""
        return number == self._last


@dataclass(frozen=True, slots=True)
class Turn:
    """One request.

    Attributes:
        turns: What counts it.
        number: Its number.
    """

    turns: Turns
    number: int

    async def run(self, executor: Executor, work: Callable[[], Result]) -> Result:
        """Compute something in an executor, unless a newer request comes before it begins.

        Raises:
            SupersededError: A newer request has come, before or meanwhile.
        """
        loop = asyncio.get_running_loop()
        result = await loop.run_in_executor(executor, self._if_newest, work)
        self.check()
        return result

    async def pause(self, seconds: float) -> None:
        """Wait, so that what is dear is done only when the user has stopped to move a slider.

        Raises:
            SupersededError: A newer request has come.
        """
        await asyncio.sleep(seconds)
        self.check()

    def check(self) -> None:
        """Raise `SupersededError` if a newer request has come."""
        if not self.turns.is_newest(self.number):
            raise SupersededError

    def _if_newest(self, work: Callable[[], Result]) -> Result:
        self.check()
        return work()
