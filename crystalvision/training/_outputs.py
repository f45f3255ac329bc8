"""Runs the parts of a system that a phase needs; losses of its heads, and how well they tell."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch

from crystalvision.contracts import (
    Estimate,
    Head,
    Target,
    Targets,
    Task,
    check_tensor,
    described,
    origin_of,
)
from crystalvision.errors import InputError, PluginError
from crystalvision.models import BranchOutput, System, ask_estimates
from crystalvision.plugins import Catalogue
from crystalvision.training._batches import Inputs
from crystalvision.training._patterns import Patterns
from crystalvision.training._schedule import LOSS, Phase


@dataclass(frozen=True, slots=True)
class HeadOutput:
    """A head whose loss counts, with its raw outputs (b, o), or (b, o, *m)."""

    head: Head
    outputs: torch.Tensor


def head_outputs(system: System, phase: Phase, inputs: Inputs) -> dict[str, HeadOutput]:
    """The heads whose loss counts in a phase; the final one, if it is among them, is the last.

    Args:
        system: The system.
        phase: The phase.
        inputs: Images (b, c, *grid), or features and outputs of each branch from `cache`.
    """
    trained = [name for name in system.branches if name in phase.train]
    branches: dict[str, BranchOutput] = {}
    for name in system.branches if phase.trains_final else trained:
        if isinstance(inputs, Mapping):
            branches[name] = BranchOutput(*inputs[name])
        else:
            with torch.set_grad_enabled(torch.is_grad_enabled() and name in trained):
                branches[name] = system.branches[name](inputs)
    found = {
        name: HeadOutput(system.branches[name].head, branches[name].outputs) for name in trained
    }
    if phase.trains_final:
        found["head"] = HeadOutput(_final_head(system), system.join(branches))
    return found


def total_loss(heads: Mapping[str, HeadOutput], targets: Targets) -> torch.Tensor:
    """Sum of the heads' losses."""
    return torch.stack([_loss(item, targets) for item in heads.values()]).sum()


def _loss(item: HeadOutput, targets: Targets) -> torch.Tensor:
    who = f"the {origin_of(item.head, 'head')}, in loss,"
    loss = item.head.loss(item.outputs, targets)
    checked = check_tensor(loss, who, "() with the mean loss", sizes=())
    if checked.device.type != item.outputs.device.type:
        raise PluginError(f"{who} gave {described(loss)}; expected {item.outputs.device.type}")
    return checked


def read(system: System, heads: Mapping[str, HeadOutput]) -> dict[str, Estimate]:
    """What the heads say of each target, by name; where several speak of one, the last."""
    said: dict[str, Estimate] = {}
    for item in heads.values():
        said |= ask_estimates(item.head, item.outputs, system.targets)
    return said


@torch.no_grad()
def cache(
    system: System, patterns: Patterns, device: torch.device, batch_size: int = 32
) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Features (n, f) and raw outputs (n, o) of every branch, in evaluation mode.

    Of a head that reads the map, which no fusion asks for, there are no outputs: (n, 0).
    """
    system.eval().to(device)
    parts: dict[str, list[BranchOutput]] = {name: [] for name in system.branches}
    for raw, _ in patterns.batches(batch_size):
        images = patterns.prepare(raw.to(device))
        for name, output in system.branch_outputs(images).items():
            kept = output.outputs
            if system.branches[name].head.reads == "map":
                kept = kept.flatten(1)[:, :0]
            parts[name].append(BranchOutput(output.features, kept))
    return {
        name: (
            torch.cat([item.features for item in items]).cpu(),
            torch.cat([item.outputs for item in items]).cpu(),
        )
        for name, items in parts.items()
    }


def _final_head(system: System) -> Head:
    if system.head is None:
        raise InputError("a phase trains the fusion or the final head, but the system has no head")
    return system.head


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
