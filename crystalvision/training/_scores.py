"""How well heads tell their targets: a score of each, and which of them a phase watches."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch

from crystalvision.contracts import Estimate, Target, Task, check_tensor, origin_of
from crystalvision.errors import InputError
from crystalvision.models import System
from crystalvision.plugins import Catalogue
from crystalvision.training._phase import LOSS, Phase


@dataclass(frozen=True, slots=True)
class Scorer:
    """A target and the task that judges it.

    Attributes:
        target: What is judged.
        task: By what.
    """

    target: Target
    task: Task

    @property
    def name(self) -> str:
        """What the score is called: `label_accuracy`, `severity_mae`."""
        return f"{self.target.name}_{self.task.score_name}"

    def total(self, estimate: Estimate, truth: torch.Tensor) -> torch.Tensor:
        """Sum of the scores of a batch.

        Raises:
            PluginError: The task gives something else than a score for each sample.
        """
        scores = self.task.score(estimate, truth, self.target)
        who = f"the {origin_of(self.task, 'task')}, in score,"
        return check_tensor(scores, who, "(b,)", sizes=(None,), like=truth).sum()


Scorers = Mapping[str, Scorer]
"""By name of the target."""


def build_scorers(targets: Mapping[str, Target], catalogue: Catalogue) -> dict[str, Scorer]:
    """Make what judges each target.

    Raises:
        InputError: A task that no plugin offers, or one that cannot judge its target.
    """
    scorers = {}
    for name, target in targets.items():
        task = catalogue.create("task", target.task)
        task.check(target)
        scorers[name] = Scorer(target, task)
    return scorers


@dataclass(frozen=True, slots=True)
class Monitored:
    """What a phase watches.

    Attributes:
        name: `validation_loss`, or `validation_TARGET_SCORE`.
        higher_is_better: Whether it grows as the system improves.
    """

    name: str
    higher_is_better: bool


def monitored(phase: Phase, learnt: Mapping[str, Iterable[str]], scorers: Scorers) -> Monitored:
    """What the monitor of a phase names.

    Args:
        phase: The phase.
        learnt: Names of the targets of each head whose loss counts in it, by name of the part.
        scorers: What judges them.

    Raises:
        InputError: None of its heads tells that, or several do.
    """
    if phase.monitor == LOSS:
        return Monitored(LOSS, higher_is_better=False)
    names = dict.fromkeys(name for targets in learnt.values() for name in targets)
    known = {f"validation_{scorers[name].name}": scorers[name].task for name in names}
    short = [
        full
        for name, full in zip(names, known, strict=True)
        if phase.monitor == f"validation_{scorers[name].task.score_name}"
    ]
    found = [phase.monitor] if phase.monitor in known else short
    if len(found) != 1:
        what = "several of their targets have" if found else "of their targets none has"
        raise InputError(
            f"phase '{phase.name}' monitors {phase.monitor}, which {what}; the heads of "
            f"{', '.join(learnt)} have {', '.join([LOSS, *known])}"
        )
    return Monitored(found[0], known[found[0]].higher_is_better)


def learnt_in(system: System, phase: Phase) -> dict[str, tuple[str, ...]]:
    """Targets of each head whose loss counts in a phase, by name of the part; the final one last.

    The same order as that of `head_outputs`.
    """
    found = {
        name: branch.head.targets for name, branch in system.branches.items() if name in phase.train
    }
    if phase.trains_final and system.head is not None:
        found["head"] = system.head.targets
    return found
