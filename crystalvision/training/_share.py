"""Which samples of a batch a process takes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Share:
    """The part of each batch that one of several processes takes.

    Attributes:
        rank: The process, counted from 0.
        size: How many processes there are.
    """

    rank: int = 0
    size: int = 1

    def of(self, count: int) -> slice:
        """The samples of a batch of `count` that this process takes; none may be left for it."""
        return slice(self.rank * count // self.size, (self.rank + 1) * count // self.size)

    def of_training(self, count: int) -> slice:
        """The same for a batch to learn from.

        Each process needs two samples for its batch statistics: of a smaller batch, each takes all,
        and the mean over the processes is the same.
        """
        return self.of(count) if count >= 2 * self.size else slice(0, count)

    def least_of_training(self, count: int) -> int:
        """How many samples the process with the fewest takes of a batch to learn from."""
        least: int = Share(0, self.size).of_training(count).stop  # later ones take the remainder
        return least

    def weight(self, count: int) -> float:
        """What the mean loss of this process's samples counts for, in the mean of the processes."""
        taken = self.of_training(count)
        number = taken.stop - taken.start
        return 1.0 if number == count else number * self.size / count
