"""Batches that a thread gathers ahead."""

import pytest

from crystalvision.training._batches import _Ahead


class _Source:
    def __init__(self, error):
        self.error = error

    def __len__(self):
        return 2

    def __iter__(self):
        yield 1
        raise self.error


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3)])
def test_what_ends_the_thread_is_raised_where_batches_are_taken(error):
    """Whoever takes them would wait for ever for the next."""
    batches = iter(_Ahead(_Source(error), lambda batch: batch))
    assert next(batches) == 1
    with pytest.raises(type(error)):
        next(batches)
