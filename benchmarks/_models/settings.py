"""What a run of the benchmark measures, and how much of it."""

from dataclasses import asdict, dataclass
from typing import Any

Result = dict[str, Any]
"""What a section measured, ready for JSON."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the benchmark.

    Attributes:
        device: Where to train: `cpu` or `cuda`.
        threads: Threads that each network may use.
        rounds: Pairs of measurements with the unit, from which medians and spreads are taken.
        size: Side of the images [pixels].
        batch: Images in a batch.
        step_seconds: A network whose step would take longer gets a smaller batch [s].
        models: Which backbones; all that are registered if empty.
        unit: The backbone that all are compared with.
    """

    device: str
    threads: int
    rounds: int
    size: int
    batch: int
    step_seconds: float
    models: tuple[str, ...]
    unit: str

    def say(self, text: str) -> None:
        """Print progress."""
        print(text, flush=True)

    def described(self) -> Result:
        """The settings, as the JSON keeps them."""
        return asdict(self)
