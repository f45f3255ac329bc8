"""What it takes to make a dataset, worked out before it is made."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SourceCost:
    """What making all samples of a source takes, about.

    Attributes:
        memory_bytes: At the fullest [byte].
        seconds_each: Of one sample on one core [s].
        seconds: Of all samples on all cores [s].
        dataset_bytes: The images before compression [byte].
        what: What it depends on most, for a person.
    """

    memory_bytes: float
    seconds_each: float
    seconds: float
    dataset_bytes: float
    what: str

    def __str__(self) -> str:
        return (
            f"about {size_in_words(self.memory_bytes)} of memory and {_duration(self.seconds)} "
            f"({_duration(self.seconds_each)} a pattern), and "
            f"{size_in_words(self.dataset_bytes)} of images before compression"
        )


def size_in_words(count: float) -> str:
    """A number of bytes with its unit."""
    for unit, size in (("PB", 1e15), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count / 1e3:.3g} kB"


def _duration(seconds: float) -> str:
    for unit, size in (("years", 3.156e7), ("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.2g} s"
