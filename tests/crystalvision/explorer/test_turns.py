"""Of several requests only the newest counts."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("panel", reason="the explorer needs the extra `explore`")

from crystalvision.explorer._turns import SupersededError, Turns


def run(asked):
    """What a coroutine function gives, on a loop of its own: a browser's may run in this thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(asked())).result(60)


def test_what_waits_is_dropped_when_a_newer_request_comes():
    done, begun, go = [], threading.Event(), threading.Event()

    def slow():
        begun.set()
        go.wait(20)
        done.append("slow")
        return "slow"

    async def ask(turn, work, executor):
        try:
            return await turn.run(executor, work)
        except SupersededError:
            return None

    async def three():
        turns = Turns()
        with ThreadPoolExecutor(1) as executor:
            first = asyncio.create_task(ask(turns.next(), slow, executor))
            await asyncio.to_thread(begun.wait, 20)
            second = asyncio.create_task(ask(turns.next(), lambda: done.append("never"), executor))
            third = asyncio.create_task(ask(turns.next(), lambda: "third", executor))
            await asyncio.sleep(0.05)
            go.set()
            return await asyncio.gather(first, second, third)

    assert run(three) == [None, None, "third"]
    assert done == ["slow"]  # what had begun ends, and is not shown


def test_a_pause_ends_a_request_that_a_newer_one_follows():
    async def pause():
        turns = Turns()
        old = turns.next()
        turns.next()
        await old.pause(0)

    with pytest.raises(SupersededError):
        run(pause)
