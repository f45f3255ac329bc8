"""What a comparison of systems is about: the score of one target."""

from dataclasses import dataclass

from crystalvision.benchmarks._rows import LABEL
from crystalvision.benchmarks.report._statistics import Estimate
from crystalvision.contracts import Target, Task
from crystalvision.text import unit_text


def capital(text: str) -> str:
    """A text that begins a sentence."""
    return text[:1].upper() + text[1:]


@dataclass(frozen=True, slots=True)
class Score:
    """The number by which systems are compared.

    Attributes:
        target: Of which target.
        task: What judges it.
    """

    target: Target
    task: Task

    @property
    def name(self) -> str:
        """What sentences and axes call it, such as `accuracy` or `thickness MAE [nm]`."""
        title = self.task.title(self.task.score_name, self.target)
        return title if self.target.name == LABEL else f"{self.target.words} {title}"

    @property
    def is_share(self) -> bool:
        """Whether it is a share of right answers."""
        return self.task.right_or_wrong

    @property
    def best(self) -> str:
        """Which value is the best one, in a word."""
        return "highest" if self.task.higher_is_better else "lowest"

    @property
    def unit(self) -> str:
        """Unit of a difference, or ""."""
        if self.is_share:
            return "points"
        return unit_text(self.target.units) if self.task.score_name in self.task.in_units else ""

    @property
    def in_brackets(self) -> str:
        """The unit as a heading has it, or ""."""
        return f" [{self.unit}]" if self.unit else ""

    def goodness(self, value: float) -> float:
        """A number that grows as systems get better."""
        return value if self.task.higher_is_better else -value

    def difference(self, estimate: Estimate) -> str:
        """A difference with its interval; of shares, in percentage points."""
        value, low, high = map(self._signed, (estimate.value, estimate.low, estimate.high))
        return f"{value} ({low} to {high})"

    def gain(self, value: float | None) -> str:
        """A difference, or a dash where there is none."""
        return "–" if value is None else self._signed(value)

    def _signed(self, value: float) -> str:
        """With its sign; an end that is nearly zero shows on which side it is."""
        if not self.is_share:
            return f"{value:+.3g}".replace("-", "−") if value else "0"
        for places in (1, 2, 3):
            text = f"{100 * value:+.{places}f}"
            if float(text):
                return text.replace("-", "−")
        return "0.0"
